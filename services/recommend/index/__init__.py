"""The sparse index: what to read next, kept exact in the memory of one process.

Articles are put in and taken out; `changes` says which related sets that has changed; `Refresh` counts the weights of
the terms anew, in slices. Nothing above this package knows of arrays, terms or weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from services.recommend.index import text
from services.recommend.index.neighbours import Neighbours
from services.recommend.index.readings import Reading, are_copies, read, shared_shares
from services.recommend.index.refresh import Refresh, Relink, Source
from services.recommend.index.rules import NO_DATE, PINNED, SAME_STORY, TEXT, Hand, Item, Rules, Shown
from services.recommend.index.text import Terms

__all__ = [
    "SAME_STORY",
    "Article",
    "Change",
    "Entry",
    "Index",
    "Placed",
    "Reading",
    "Refresh",
    "Relink",
    "Rules",
    "Source",
    "Terms",
    "are_copies",
    "read",
    "shared_shares",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TOLD = 60  # of an article's heaviest terms, for people to read


@dataclass(frozen=True)
class Article:
    """An article as the index takes it. language: BCP 47; published_at: aware, or None when not known.

    evergreen: it does not age. pins: what an editor wants to open its set, in order; those that are not here wait.
    banned: what he never wants in it. offered: whether others may show it; gets: whether it shows others.
    """

    id: UUID
    language: str
    section: str
    published_at: datetime | None
    reading: Reading
    evergreen: bool = False
    pins: tuple[UUID, ...] = ()
    banned: frozenset[UUID] = frozenset()
    offered: bool = True
    gets: bool = True


@dataclass(frozen=True)
class Entry:
    """One place of a related set.

    by_text: near in text, with a score up to about 1.3; else pinned, or the section's latest, with a score of 0.
    """

    article_id: UUID
    score: float
    by_text: bool
    pinned: bool = False


@dataclass(frozen=True)
class Placed:
    """What putting an article did. older_sets: how many others' sets it touched.

    terms: its heaviest, in order, but for words that many of its language's articles have.
    """

    entries: int
    older_sets: int
    terms: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """A related set that was touched. entries: what it is now, None when the article is gone.

    visible: readers see a difference; otherwise only scores have moved.
    """

    article_id: UUID
    entries: tuple[Entry, ...] | None
    visible: bool


class Index:
    """Every live article, by language, and its related set. Not safe to share between threads."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self._languages: dict[str, Neighbours] = {}
        self._language_of: dict[bytes, str] = {}
        self._sections: dict[str, int] = {}
        self._pins: dict[bytes, tuple[bytes, ...]] = {}
        self._pinned_by: dict[bytes, set[bytes]] = {}
        self.age_limits: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._language_of)

    def __contains__(self, article_id: UUID) -> bool:
        return article_id.bytes in self._language_of

    def ids(self) -> list[UUID]:
        """Every article that is here."""
        return [UUID(bytes=key) for key in self._language_of]

    def counted(self) -> int:
        """How many articles there were when the weights were last refreshed."""
        return sum(place.weights.articles for place in self._languages.values())

    def put(self, article: Article, *, link: bool = True) -> Placed:
        """Take an article in, or its new state, and mend every set that this touches; an older state is replaced.

        link=False leaves its set and the others' to a Refresh.
        """
        key = article.id.bytes
        language = text.primary_language(article.language)
        before = self._language_of.get(key)
        if before is not None and before != language:
            self.remove(article.id)
        place = self._place(language)
        self._language_of[key] = language
        self._pin(key, tuple(pinned.bytes for pinned in article.pins))
        banned = frozenset(other.bytes for other in article.banned)
        told = place.put(self._item(article), self._hand(key, banned), link=link)
        self._tell_owners(key)
        if not link:
            return Placed(0, 0, ())
        known = [*article.reading.terms.stems, *article.reading.terms.names]
        return Placed(
            entries=len(place.set_of(key)),
            older_sets=len(place.touched - {key}),
            terms=tuple([known[position] for position in told[:_TOLD]]),
        )

    def remove(self, article_id: UUID) -> bool:
        """Take an article out of every set at once; False when it is not here."""
        language = self._language_of.pop(article_id.bytes, None)
        if language is None:
            return False
        self._languages[language].remove(article_id.bytes)
        self._pin(article_id.bytes, ())
        self._tell_owners(article_id.bytes)
        return True

    def set_of(self, article_id: UUID) -> tuple[Entry, ...]:
        """The present related set. Raises KeyError when the article is not here."""
        key = article_id.bytes
        return _entries(self._languages[self._language_of[key]].set_of(key))

    def changes(self) -> list[Change]:
        """The sets that were touched since the last call and are not what they were then."""
        found: dict[bytes, Change] = {}
        for place in self._languages.values():
            for key, before, now in place.changes():
                if before == now or (now is None and key in self._language_of):
                    continue  # as it was, or the article has moved to another language
                visible = now is None or before is None or _visible(before) != _visible(now)
                found[key] = Change(UUID(bytes=key), None if now is None else _entries(now), visible)
        return list(found.values())

    def candidates(self, article: Article, most: int) -> list[Entry]:
        """The articles most like one that need not be here, best first, copies and all: what sets are chosen from."""
        place = self._languages.get(text.primary_language(article.language))
        if place is None:
            return []
        return [Entry(UUID(bytes=key), round(score, 4), True) for key, score in place.like(self._item(article), most)]

    def limit_ages(self, days: Mapping[str, float]) -> None:
        """From now on articles of these sections are offered only so many days from the other. All must be linked."""
        self.age_limits = dict(days)
        for section in days:
            self._sections.setdefault(section, len(self._sections))
        for place in self._languages.values():
            self._tell_limits(place)

    def _tell_limits(self, place: Neighbours) -> None:
        named = {number: section for section, number in self._sections.items()}
        hours = [round(self.age_limits.get(named[number], 0) * 24) for number in range(len(named))]
        place.limit_ages(hours if any(hours) else [])

    def _place(self, language: str) -> Neighbours:
        place = self._languages.get(language)
        if place is None:
            place = self._languages[language] = Neighbours(self.rules)
            self._tell_limits(place)
        return place

    # Pins: any language, and waiting until what is pinned is here

    def _pin(self, owner: bytes, pins: tuple[bytes, ...]) -> None:
        for pinned in self._pins.pop(owner, ()):
            owners = self._pinned_by[pinned]
            owners.discard(owner)
            if not owners:
                del self._pinned_by[pinned]
        if pins:
            self._pins[owner] = pins
            for pinned in pins:
                self._pinned_by.setdefault(pinned, set()).add(owner)

    def _hand(self, owner: bytes, banned: frozenset[bytes]) -> Hand:
        """What has been decided for an article's set, with those of the pinned that are here and may be shown."""
        found: dict[bytes, bytes] = {}
        for key in self._pins.get(owner, ()):
            language = self._language_of.get(key)
            if language is not None and key != owner and key not in banned and len(found) < self.rules.size:
                print_ = self._languages[language].offered_print(key)
                if print_ is not None:
                    found[key] = print_
        return Hand(tuple(found), tuple(found.values()), banned)

    def _tell_owners(self, pinned: bytes) -> None:
        for owner in sorted(self._pinned_by.get(pinned, ())):
            language = self._language_of.get(owner)
            if language is not None and owner != pinned:
                place = self._languages[language]
                place.decide(owner, self._hand(owner, place.banned_of(owner)))

    def _item(self, article: Article) -> Item:
        section = self._sections.setdefault(article.section, len(self._sections))
        at = article.published_at
        published = NO_DATE if at is None else (at - _EPOCH) // _MICROSECOND
        return Item(
            article.id.bytes,
            section,
            published,
            article.reading.counted,
            article.reading.fingerprint,
            evergreen=article.evergreen,
            offered=article.offered,
            gets=article.gets,
        )


def _entries(shown: Shown) -> tuple[Entry, ...]:
    return tuple([Entry(_id(key), round(score, 4), why == TEXT, why == PINNED) for key, why, score in shown])


@lru_cache(5000)
def _id(key: bytes) -> UUID:
    return UUID(bytes=key)


def _visible(shown: Shown) -> list[tuple[bytes, int]]:
    return [(key, why) for key, why, _ in shown]
