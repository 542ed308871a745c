"""The renditions of a picture: which there are, where they stand, and which part of the original each shows.

Pure rules; making them is `renditions.py`'s. An address holds the original's digest and the focal point, so what stands
there never changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

MEDIA = "/media/"
FULL = "full"
# Crops by name: width and height of their shape, and the widths in which they are made.
SHAPES: dict[str, tuple[int, int]] = {"16x9": (16, 9), "4x3": (4, 3), "1x1": (1, 1), "thumb": (1, 1)}
WIDTHS: dict[str, tuple[int, ...]] = {
    FULL: (480, 960, 1600),
    "16x9": (320, 640, 1280),
    "4x3": (1200,),
    "1x1": (1200,),
    "thumb": (300,),
}
# Those for search engines and previews alone are made in the one format that all of them read, and so is the small one
# that stands beside headlines on phones: at its size the others save next to nothing.
JPEG_ONLY = frozenset({"4x3", "1x1", "thumb"})
TYPES = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg"}


class Original(Protocol):
    """What is known of an original: events' Picture and views' TeaserPicture alike."""

    @property
    def digest(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def focus_x(self) -> float: ...
    @property
    def focus_y(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Rendition:
    """One file. box: the part of the original that it shows (left, top, right, bottom), in pixels."""

    path: str
    crop: str
    form: str
    width: int
    height: int
    box: tuple[int, int, int, int]


def folder_of(digest: str) -> str:
    """The URL path below which a picture's renditions stand."""
    return f"{MEDIA}{digest[:2]}/{digest}/"


def renditions_of(picture: Original, crop: str, form: str) -> tuple[Rendition, ...]:
    """A picture's renditions of one crop and format, the narrowest first; never wider than the original."""
    return _renditions(
        picture.digest,
        picture.width,
        picture.height,
        round(picture.focus_x * 100),
        round(picture.focus_y * 100),
        crop,
        form,
    )


def all_renditions(picture: Original, forms: Sequence[str]) -> list[Rendition]:
    """Every rendition of a picture in these formats."""
    return [
        one
        for crop in WIDTHS
        for form in forms
        if form == "jpg" or crop not in JPEG_ONLY
        for one in renditions_of(picture, crop, form)
    ]


@lru_cache(4096)
def _renditions(
    digest: str, width: int, height: int, focus_x: int, focus_y: int, crop: str, form: str
) -> tuple[Rendition, ...]:
    box = _box(width, height, focus_x, focus_y, crop)
    wide, high = box[2] - box[0], box[3] - box[1]
    widths = [one for one in WIDTHS[crop] if one <= wide] or [wide]
    name = crop if crop == FULL else f"{crop}-{focus_x}-{focus_y}"
    return tuple(
        Rendition(f"{folder_of(digest)}{name}-{one}.{form}", crop, form, one, max(1, round(one * high / wide)), box)
        for one in widths
    )


def _box(width: int, height: int, focus_x: int, focus_y: int, crop: str) -> tuple[int, int, int, int]:
    if crop == FULL:
        return (0, 0, width, height)
    across, down = SHAPES[crop]
    wide = min(width, height * across // down) or 1
    high = min(height, wide * down // across) or 1
    left = min(max(0, width * focus_x // 100 - wide // 2), width - wide)
    top = min(max(0, height * focus_y // 100 - high // 2), height - high)
    return (left, top, left + wide, top + high)
