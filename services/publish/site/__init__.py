"""The finished site, where it stands: in a folder (local.py) or in an S3-compatible bucket (s3.py), with one interface.

`site/<path>/index.html` is a page and `gone/<path>/index.html` the tombstone of a withdrawn one; `moved/<path>/to.txt`
says where a given-up address leads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Protocol

from services.publish.site.compress import ENDINGS

# How the name of a file ends that is being written.
UNFINISHED = ".tmp"


def digest_of(content: bytes) -> str:
    """The digest by which bytes are compared: BLAKE2b, 128 bits, as hex."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def file_of(part: str, path: str, name: str = "") -> str:
    """Where a URL path's file stands, below the store's root: file_of("site", "/sport") is "site/sport/index.html".

    Raises ValueError for what is no path of a site.
    """
    clean = path.strip("/")
    if ".." in clean.split("/") or "\x00" in clean:
        raise ValueError(f"not a path of the site: {path!r}")
    file = f"{part}/{clean}".rstrip("/")
    if name:
        return f"{file}/{name}"
    return file if "." in clean.rpartition("/")[2] else f"{file}/index.html"


def path_of(file: str) -> str:
    """The URL path of a file below `site/`: the other way round."""
    folder, _, name = file.rpartition("/")
    return f"/{folder}" if name == "index.html" and "." not in folder.rpartition("/")[2] else f"/{file}"


class Site(Protocol):
    """Holds the site. Paths are URL paths as pages have them: "/", "/sport/slug", "/feed.xml"."""

    def put(self, path: str, content: bytes, *, clear: bool = True) -> None:
        """Put a page in place, whole or not at all.

        clear: take away what may stand in its way: a tombstone, and a twin that an older version made.
        """
        ...

    def bury(self, path: str, tombstone: bytes) -> None:
        """Take a page away with its twins and put a tombstone in its place; durable when this returns."""
        ...

    def remove(self, path: str) -> None:
        """Take away whatever stands at this path, page or tombstone."""
        ...

    def remove_folder(self, path: str) -> None:
        """Take away every file of a folder, like that of a picture's renditions."""
        ...

    def read(self, path: str) -> bytes | None:
        """The page's bytes, or None when there is no such page. Raises ValueError for what is no path of a site."""
        ...

    def encoded(self, path: str, coding: str) -> bytes | None:
        """The page's bytes compressed ("gzip" or "br"), or None where they are not held so."""
        ...

    def exists(self, path: str) -> bool:
        """Whether a file stands at this path, of whatever content."""
        ...

    def tombstone(self, path: str) -> bytes | None:
        """The tombstone's bytes, or None when none stands there."""
        ...

    def twin_fits(self, path: str, gone: bool) -> bool:
        """Whether what is held compressed, where it should be, unpacks to the page or tombstone itself."""
        ...

    def holds(self, path: str, content: bytes, gone: bool) -> bool:
        """Whether just these bytes stand there, as a page or as a tombstone, and compressed where they should be."""
        ...

    def squeeze(self, path: str, digest: str, packed: bytes) -> None:
        """Hold the page's bytes compressed with Brotli too, if they still are those of this digest."""
        ...

    def redirect(self, path: str, target: str | None) -> None:
        """Have an address answer with another one, where no page and no tombstone stands; None takes that back."""
        ...

    def redirected(self, path: str) -> str | None:
        """Where an address leads that has been given up, or None."""
        ...

    def write_map(self, name: str, content: bytes) -> None:
        """Put a file beside the site, for the web server alone."""
        ...

    def files(self, after: str = "") -> Iterator[str]:
        """The name, below `site/`, of every file behind this one, always in the same order; "" begins.

        With twins, and with what was never finished, if it is older than a minute.
        """
        ...

    def take_away(self, file: str) -> None:
        """Take away one file by its name below `site/`, and nothing else."""
        ...


def paths(site: Site) -> Iterator[str]:
    """The URL path of every page and file, in no order; twins and unfinished files left out."""
    return (path_of(file) for file in site.files() if not file.endswith((*ENDINGS.values(), UNFINISHED)))


__all__ = ["Site", "digest_of", "file_of", "path_of", "paths"]
