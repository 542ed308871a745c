"""The finished site in an S3-compatible bucket, for a content delivery network in front.

Objects are named as the files of a folder are, and carry what they are to be sent with. Texts are held compressed with
gzip, which every browser and crawler takes; a network in front makes Brotli of them itself. obstore is imported when
the first object is asked for: its threads do not survive a fork.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from services.publish.site import file_of
from services.publish.site.compress import gzipped, unpacked
from services.publish.site.headers import caching_of, type_of
from shared import failpoints

# What is compressed: everything that is text, since no server behind does it when asked.
_PACKED = ("text/", "application/json", "application/xml", "application/manifest", "image/svg")
_ASKED_WITHIN = timedelta(seconds=10)


@dataclass(frozen=True)
class Place:
    """Where in which store. endpoint: "" is Amazon's own. Keys and region come from AWS's usual variables."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""


@dataclass(frozen=True)
class S3Site:
    """The site in a bucket; what its methods do says `Site`. An answer of the store is durable."""

    place: Place
    _made: dict[int, Any] = field(default_factory=dict, repr=False)

    def put(self, path: str, content: bytes, *, clear: bool = True) -> None:
        failpoints.hit("page.before")
        self._put(file_of("site", path), content, type_of(path), caching_of(path))
        if clear:
            self._delete([file_of("gone", path)])
        failpoints.hit("page.after")

    def bury(self, path: str, tombstone: bytes) -> None:
        self._put(file_of("gone", path), tombstone, type_of("/"), "no-cache")
        self._delete([file_of("site", path)])

    def remove(self, path: str) -> None:
        self._delete([file_of("site", path), file_of("gone", path)])

    def remove_folder(self, path: str) -> None:
        if ".." not in path:
            for names in self._names(f"site/{path.strip('/')}/"):
                self._delete(names)

    def read(self, path: str) -> bytes | None:
        return self._get(file_of("site", path))[0]

    def encoded(self, path: str, coding: str) -> bytes | None:
        return self._get(file_of("site", path))[1] if coding == "gzip" else None

    def exists(self, path: str) -> bool:
        try:
            self._store.head(file_of("site", path))
        except FileNotFoundError:
            return False
        return True

    def tombstone(self, path: str) -> bytes | None:
        return self._get(file_of("gone", path))[0]

    def twin_fits(self, path: str, gone: bool) -> bool:
        content, packed = self._get(file_of("gone" if gone else "site", path))
        return content is not None and (packed is not None or not _is_packed(type_of("/" if gone else path)))

    def holds(self, path: str, content: bytes, gone: bool) -> bool:
        held, packed = self._get(file_of("gone" if gone else "site", path))
        if held != content or (gone and self.exists(path)):
            return False
        return packed is not None or not _is_packed(type_of("/" if gone else path))

    def squeeze(self, path: str, digest: str, packed: bytes) -> None:
        """Nothing: one object is one body."""

    def redirect(self, path: str, target: str | None) -> None:
        name = file_of("moved", path, "to.txt")
        if target is None:
            self._delete([name])
        else:
            self._put(name, target.encode(), "text/plain; charset=utf-8", "no-cache", pack=False)

    def redirected(self, path: str) -> str | None:
        target = self._get(file_of("moved", path, "to.txt"))[0]
        return target.decode() if target is not None else None

    def write_map(self, name: str, content: bytes) -> None:
        self._put(name, content, "text/plain; charset=utf-8", "no-cache", pack=False)

    def files(self, after: str = "") -> Iterator[str]:
        for names in self._names("site/", f"site/{after}" if after else None):
            yield from (name.removeprefix("site/") for name in names)

    def take_away(self, file: str) -> None:
        self._delete([f"site/{file}"])

    @property
    def _store(self) -> Any:
        pid = os.getpid()
        if pid not in self._made:
            # Some MB, and threads of its own: only where a bucket is used, and after the fork.
            module = importlib.import_module("obstore.store")
            options: dict[str, Any] = {
                "client_options": {"timeout": _ASKED_WITHIN, "connect_timeout": timedelta(seconds=3)},
                # A job that fails is tried again anyway; a page's row is not to be held for minutes.
                "retry_config": {"max_retries": 3, "retry_timeout": _ASKED_WITHIN},
            }
            if self.place.endpoint:
                options["endpoint"] = self.place.endpoint
                options["client_options"]["allow_http"] = self.place.endpoint.startswith("http://")
            self._made[pid] = module.S3Store(self.place.bucket, prefix=self.place.prefix or None, **options)
        return self._made[pid]

    def _put(self, name: str, content: bytes, kind: str, caching: str, *, pack: bool = True) -> None:
        attributes = {"Content-Type": kind, "Cache-Control": caching}
        if pack and _is_packed(kind):
            attributes["Content-Encoding"] = "gzip"
            content = gzipped(content)
        self._store.put(name, content, attributes=attributes)

    def _get(self, name: str) -> tuple[bytes | None, bytes | None]:
        """An object's content, and the same as it is held compressed; None where there is none."""
        try:
            found = self._store.get(name)
            held = bytes(found.bytes())
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None, None
        if found.attributes.get("Content-Encoding") != "gzip":
            return held, None
        plain = unpacked("gzip", held)
        # What somebody has damaged is there all the same, and differs from what was built.
        return (held, None) if plain is None else (plain, held)

    def _delete(self, names: Sequence[str]) -> None:
        if names:
            self._store.delete(list(names))

    def _names(self, prefix: str, after: str | None = None) -> Iterator[list[str]]:
        for found in self._store.list(prefix, offset=after):
            yield [one["path"] for one in found]


def _is_packed(kind: str) -> bool:
    return kind.startswith(_PACKED) or kind.partition(";")[0].endswith(("+xml", "+json"))
