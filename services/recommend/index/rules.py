"""What makes a related set, and an article and an editor's decisions as the index takes them."""

from __future__ import annotations

from dataclasses import dataclass

from services.recommend.index.vectors import Counted

RESERVE = 20  # candidates kept for each article, so that a set can be made again without asking for them
SPARE = 6  # looked at beyond them at first, for some of the nearest are copies
FILL_REACH = 40  # how many earlier articles of the section are looked at to fill a set
NO_DATE = -(1 << 62)
HOUR = 3_600_000_000  # microseconds
SAME_STORY = 0.2  # so much alike, whatever their sections, are two reports of one story: nine in ten of labelled ones
OLDEST_HOURS = 24 * 400  # from here on the decay stands at its floor


@dataclass(frozen=True)
class Rules:
    """What an editor-in-chief might tune. decay_days: the e-fold of recency; floors: 0 to 1; size: entries of a set.

    fill: whether places that stay empty get the section's latest. story_cap: entries of one story at most, 0 for any.
    """

    size: int = 6
    floor: float = 0.05
    decay_floor: float = 0.2
    decay_days: float = 14.0
    section_factor: float = 1.4
    fill: bool = True
    story_cap: int = 0


@dataclass(frozen=True)
class Item:
    """An article as the index takes it. published: microseconds since 1970, or NO_DATE. key: its id, 16 bytes.

    evergreen: it does not age. offered: others may show it. gets: it shows others.
    """

    key: bytes
    section: int
    published: int
    terms: Counted
    fingerprint: bytes
    evergreen: bool = False
    offered: bool = True
    gets: bool = True


@dataclass(frozen=True)
class Hand:
    """What an editor has decided for one article's set. pinned: keys that open it; prints: their fingerprints.

    banned: keys that are never in it.
    """

    pinned: tuple[bytes, ...] = ()
    prints: tuple[bytes, ...] = ()
    banned: frozenset[bytes] = frozenset()


NO_HAND = Hand()
FILL, TEXT, PINNED = 0, 1, 2
Shown = tuple[tuple[bytes, int, float], ...]  # key, why (one of those above), score
