"""The finished site as files: every page is there when everything else is down.

A web server needs nothing else to answer 200, 410 or 404. Compressed twins stand beside each text. A file's time says
nothing of when it was written: it is made of its content, so that the ETag that a web server makes of time and size
differs whenever the content does, and is the same on every machine.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from services.publish.site import UNFINISHED, digest_of, file_of
from services.publish.site.compress import ENDINGS, TEXTS, gzipped, unpacked
from shared import failpoints
from shared.ids import new_id

_TWINS = tuple(ENDINGS.values())
# No file takes that long to be written.
UNFINISHED_S = 60.0


@dataclass(frozen=True)
class LocalSite:
    """The site in a folder of this machine; what its methods do says `Site`."""

    folder: Path

    def put(self, path: str, content: bytes, *, clear: bool = True) -> None:
        file = self._file("site", path)
        self._write(file, content)
        if clear:
            self._remove(self._file("gone", path))
            if file.suffix not in TEXTS:
                for ending in _TWINS:
                    file.with_name(file.name + ending).unlink(missing_ok=True)

    def bury(self, path: str, tombstone: bytes) -> None:
        grave = self._file("gone", path)
        self._write(grave, tombstone, durable=True)
        _sync(grave.parent)
        page = self._file("site", path)
        self._remove(page)
        _sync(page.parent)

    def exists(self, path: str) -> bool:
        return self._file("site", path).is_file()

    def remove_folder(self, path: str) -> None:
        if ".." not in path:
            shutil.rmtree(self.folder / "site" / path.strip("/"), ignore_errors=True)

    def redirect(self, path: str, target: str | None) -> None:
        file = self.folder / file_of("moved", path, "to.txt")
        if target is None:
            file.unlink(missing_ok=True)
        else:
            _replace(file, target.encode())

    def redirected(self, path: str) -> str | None:
        target = _read(self.folder / file_of("moved", path, "to.txt"))
        return target.decode() if target is not None else None

    def write_map(self, name: str, content: bytes) -> None:
        file = self.folder / name
        if _read(file) != content:
            _replace(file, content, durable=True)

    def read(self, path: str) -> bytes | None:
        return _read(self._file("site", path))

    def tombstone(self, path: str) -> bytes | None:
        return _read(self._file("gone", path))

    def remove(self, path: str) -> None:
        self._remove(self._file("site", path))
        self._remove(self._file("gone", path))

    def twin_fits(self, path: str, gone: bool) -> bool:
        file = self._file("gone" if gone else "site", path)
        twins = {coding: _read(file.with_name(file.name + ending)) for coding, ending in ENDINGS.items()}
        if file.suffix not in TEXTS:
            return all(one is None for one in twins.values())
        content = _read(file)
        held = all(packed is None or unpacked(coding, packed) == content for coding, packed in twins.items())
        return held and twins["gzip"] is not None

    def holds(self, path: str, content: bytes, gone: bool) -> bool:
        file = self._file("gone" if gone else "site", path)
        if _read(file) != content or (gone and self.exists(path)):
            return False
        name = os.fspath(file)
        if file.suffix not in TEXTS:
            return not any(os.path.lexists(name + ending) for ending in _TWINS)
        packed, squeezed = _read_name(name + ENDINGS["gzip"]), _read_name(name + ENDINGS["br"])
        if packed is None or unpacked("gzip", packed) != content:
            return False
        return squeezed is None or unpacked("br", squeezed) == content

    def squeeze(self, path: str, digest: str, packed: bytes) -> None:
        file = self._file("site", path)
        content = _read(file)
        if content is not None and digest_of(content) == digest:
            _replace(file.with_name(file.name + ENDINGS["br"]), packed, stamp=_stamp(content))

    def encoded(self, path: str, coding: str) -> bytes | None:
        file = self._file("site", path)
        return _read(file.with_name(file.name + ENDINGS[coding]))

    def files(self, after: str = "") -> Iterator[str]:
        return _files_below(os.fspath(self.folder / "site"), "", after.split("/") if after else [])

    def take_away(self, file: str) -> None:
        if ".." not in file.split("/"):
            (self.folder / "site" / file).unlink(missing_ok=True)

    def _file(self, part: str, path: str) -> Path:
        return self.folder / file_of(part, path)

    def _write(self, file: Path, content: bytes, *, durable: bool = False) -> None:
        failpoints.hit("page.before")
        stamp = _stamp(content)
        if file.suffix in TEXTS:
            # The twins first: whoever is served one a moment early gets the new page, never a mixture.
            file.with_name(file.name + ENDINGS["br"]).unlink(missing_ok=True)
            _replace(file.with_name(file.name + ENDINGS["gzip"]), gzipped(content), stamp=stamp, durable=durable)
        _replace(file, content, stamp=stamp, durable=durable)
        failpoints.hit("page.after")

    def _remove(self, file: Path) -> None:
        for ending in (*_TWINS, ""):
            file.with_name(file.name + ending).unlink(missing_ok=True)


def _stamp(content: bytes) -> int:
    """A file's time, made of its content: a second between 2004 and 2038. Two builds of one size share it by chance
    once in a thousand million."""
    return (1 << 30) + (zlib.crc32(content) & 0x3FFF_FFFF)


def _replace(file: Path, content: bytes, *, stamp: int | None = None, durable: bool = False) -> None:
    # Bare names and calls: paths and files as objects cost more than all the rest of this.
    target = os.fspath(file)
    folder = target.rpartition("/")[0]
    beside = f"{folder}/.{new_id().hex}{UNFINISHED}"
    try:
        try:
            _write_new(beside, content, stamp, durable)
        except FileNotFoundError:
            file.parent.mkdir(parents=True, exist_ok=True)
            _write_new(beside, content, stamp, durable)
        os.replace(beside, target)  # noqa: PTH105
    except OSError:
        # A full disk should not be filled further by what could not be finished.
        with suppress(OSError):
            os.unlink(beside)  # noqa: PTH108
        raise


def _write_new(file: str, content: bytes, stamp: int | None, durable: bool) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
        if stamp is not None:
            os.utime(handle, (stamp, stamp))
        if durable:
            os.fsync(handle)
    finally:
        os.close(handle)


def _read(file: Path) -> bytes | None:
    return _read_name(os.fspath(file))


def _read_name(name: str) -> bytes | None:
    try:
        handle = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:  # a reader's address: nothing has such a name
            return None
        raise
    try:
        size = os.fstat(handle).st_size
        parts = [os.read(handle, size + 1)]
        while parts[-1] and sum(map(len, parts)) < size:
            parts.append(os.read(handle, size))
        return parts[0] if len(parts) == 1 else b"".join(parts)
    except IsADirectoryError:
        return None
    finally:
        os.close(handle)


def _files_below(folder: str, below: str, after: Sequence[str]) -> Iterator[str]:
    """The names of a folder's files in the order of their parts, behind the one whose parts are given."""
    try:
        found = sorted(os.scandir(folder), key=lambda one: one.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    first = after[0] if after else ""
    for one in found:
        if one.name < first:
            continue
        is_at = one.name == first
        if one.is_dir(follow_symlinks=False):
            yield from _files_below(one.path, f"{below}{one.name}/", after[1:] if is_at else ())
        elif not (is_at and len(after) == 1) and not _is_being_written(one):
            yield f"{below}{one.name}"


def _is_being_written(file: os.DirEntry[str]) -> bool:
    if not file.name.endswith(UNFINISHED):
        return False
    try:
        # Its own time is made of its content.
        return time.time() - file.stat(follow_symlinks=False).st_ctime < UNFINISHED_S
    except FileNotFoundError:
        return True


def _sync(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
