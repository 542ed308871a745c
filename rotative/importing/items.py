"""What the readers of archives give: articles as the API takes them, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class BadArchive(Exception):
    """A file cannot be read as what it should be; the text says where and why."""


@dataclass(frozen=True)
class PictureElsewhere:
    """A picture that an item shows, where it stood before. alt, caption: what was said of it, or ""."""

    url: str
    alt: str = ""
    caption: str = ""


@dataclass(frozen=True)
class Item:
    """One item of an archive. name: how people find it there. article: as the API takes it; None: see reason.

    category: what its section was chosen by, for the report. pictures: those that it shows; the first leads.
    shortened: what of it is more than an article holds, in words.
    """

    name: str
    article: dict[str, Any] | None = None
    reason: str = ""
    category: str = ""
    pictures: tuple[PictureElsewhere, ...] = ()
    shortened: tuple[str, ...] = ()
