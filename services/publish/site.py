"""The finished site as files: every page is there when everything else is down.

`site/<path>/index.html` is a page and `gone/<path>/index.html` the tombstone of a withdrawn one; a web server needs
nothing else to answer 200, 410 or 404. A compressed twin stands beside each text.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared import failpoints
from shared.ids import new_id

# What has a compressed twin. Feeds, sitemaps and JSON have none: they are written with every article and asked for
# seldom, and mostly by programs that have them already; the servers compress them when they are asked.
_TEXTS = (".html", ".css", ".js", ".svg", ".txt")


def digest_of(content: bytes) -> str:
    """The digest by which bytes are compared: BLAKE2b, 128 bits, as hex."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


@dataclass(frozen=True)
class LocalSite:
    """The site in a folder of this machine. Paths are URL paths as pages have them: "/", "/sport/slug", "/feed.xml"."""

    folder: Path

    def put(self, path: str, content: bytes, *, clear: bool = True) -> None:
        """Put a page in place, whole or not at all.

        clear: take away what may stand in its way: a tombstone, and a twin that an older version made.
        """
        file = self._file("site", path)
        self._write(file, content)
        if clear:
            self._remove(self._file("gone", path))
            if file.suffix not in _TEXTS:
                file.with_name(file.name + ".gz").unlink(missing_ok=True)

    def bury(self, path: str, tombstone: bytes) -> None:
        """Take a page away with its twins and put a tombstone in its place; durable when this returns."""
        self._write(self._file("gone", path), tombstone)
        page = self._file("site", path)
        self._remove(page)
        _sync_folder(page.parent)

    def exists(self, path: str) -> bool:
        """Whether a file stands at this path, of whatever content."""
        return self._file("site", path).is_file()

    def remove_folder(self, path: str) -> None:
        """Take away every file of a folder, like that of a picture's renditions."""
        folder = self.folder / "site" / path.strip("/")
        if ".." not in path:
            shutil.rmtree(folder, ignore_errors=True)

    def redirect(self, path: str, target: str | None) -> None:
        """Have an address answer with another one, where no page and no tombstone stands; None takes that back."""
        file = self._file("moved", path, name="to.txt")
        if target is None:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file, target.encode())

    def redirected(self, path: str) -> str | None:
        """Where an address leads that has been given up, or None."""
        target = _read(self._file("moved", path, name="to.txt"))
        return target.decode() if target is not None else None

    def write_map(self, name: str, content: bytes) -> None:
        """Put a file beside the site, for the web server alone."""
        file = self.folder / name
        if _read(file) != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            _replace(file, content)

    def read(self, path: str) -> bytes | None:
        """The page's bytes, or None when there is no such page."""
        return _read(self._file("site", path))

    def tombstone(self, path: str) -> bytes | None:
        """The tombstone's bytes, or None when none stands there."""
        return _read(self._file("gone", path))

    def remove(self, path: str) -> None:
        """Take away whatever stands at this path, page or tombstone."""
        self._remove(self._file("site", path))
        self._remove(self._file("gone", path))

    def twin_fits(self, path: str, gone: bool) -> bool:
        """Whether the compressed twin, where there should be one, unpacks to the page or tombstone beside it."""
        file = self._file("gone" if gone else "site", path)
        if file.suffix not in _TEXTS:
            return not file.with_name(file.name + ".gz").exists()
        packed = _read(file.with_name(file.name + ".gz"))
        try:
            return packed is not None and gzip.decompress(packed) == _read(file)
        except (OSError, EOFError):
            return False

    def compressed(self, path: str) -> bytes | None:
        """The page's bytes compressed with gzip, or None when there is no compressed twin."""
        file = self._file("site", path)
        return _read(file.with_name(file.name + ".gz"))

    def paths(self) -> Iterator[str]:
        """The URL path of every page and file, in no order; twins and unfinished files left out."""
        root = self.folder / "site"
        for folder, _, names in os.walk(root):
            for name in names:
                if name.endswith((".gz", ".tmp")):
                    continue
                path = "/" + Path(folder, name).relative_to(root).as_posix()
                yield path.removesuffix("index.html").rstrip("/") or "/" if name == "index.html" else path

    def _file(self, part: str, path: str, *, name: str = "") -> Path:
        clean = path.strip("/")
        if ".." in clean.split("/") or "\x00" in clean:
            raise ValueError(f"not a path of the site: {path!r}")
        file = self.folder / part / clean
        if name:
            return file / name
        return file if "." in clean.rpartition("/")[2] else file / "index.html"

    def _write(self, file: Path, content: bytes) -> None:
        failpoints.hit("page.before")
        if file.suffix in _TEXTS:
            # The twin first: whoever is served it a moment early gets the new page, never a mixture.
            _replace(file.with_name(file.name + ".gz"), gzip.compress(content, 5, mtime=0))
        _replace(file, content)
        failpoints.hit("page.after")

    def _remove(self, file: Path) -> None:
        file.with_name(file.name + ".gz").unlink(missing_ok=True)
        file.unlink(missing_ok=True)


def _replace(file: Path, content: bytes) -> None:
    # Bare names and calls: paths and files as objects cost more than all the rest of this.
    target = os.fspath(file)
    folder = target.rpartition("/")[0]
    beside = f"{folder}/.{new_id().hex}.tmp"
    try:
        _write_new(beside, content)
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
        _write_new(beside, content)
    os.replace(beside, target)  # noqa: PTH105


def _write_new(file: str, content: bytes) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
    finally:
        os.close(handle)


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _sync_folder(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
