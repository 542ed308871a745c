"""The sparse index: what to read next, kept exact in the memory of one process.

Articles are put in and taken out; `changes` says which related sets that has changed; `Refresh` counts the weights of
the terms anew, in slices. Nothing above this package knows of arrays, terms or weights.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.recommend.index import text
from services.recommend.index.copies import fingerprint
from services.recommend.index.neighbours import NO_DATE, Item, Neighbours, Rules, Shown
from services.recommend.index.text import Terms
from services.recommend.index.vectors import TermTable, Weights, hashes_of

__all__ = ["Article", "Change", "Entry", "Index", "Placed", "Reading", "Refresh", "Rules", "Source", "Terms", "read"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TOLD = 60  # of an article's heaviest terms, for people to read
_CHUNK = 32  # articles handled between two looks at the clock


@dataclass(frozen=True)
class Reading:
    """What is read out of an article's text, once: its terms, and the fingerprint by which copies are known."""

    terms: Terms
    fingerprint: bytes

    def packed(self) -> bytes:
        """The reading as bytes, without the words' written forms: about 1.5 kB for 300 words."""
        stems, names = self.terms.stems, self.terms.names
        parts = ("\n".join(stems).encode(), "\n".join(names).encode(), bytes((*stems.values(), *names.values())))
        body = zlib.compress(b"\0".join(parts), 1)
        return len(self.fingerprint).to_bytes(4, "little") + self.fingerprint + body

    @classmethod
    def unpacked(cls, content: bytes) -> Reading:
        """What `packed` made bytes of."""
        end = 4 + int.from_bytes(content[:4], "little")
        stems, names, counts = zlib.decompress(content[end:]).split(b"\0", 2)
        stem_list = stems.decode().split("\n") if stems else []
        name_list = names.decode().split("\n") if names else []
        terms = Terms(
            dict(zip(stem_list, counts, strict=False)), dict(zip(name_list, counts[len(stem_list) :], strict=True))
        )
        return cls(terms, content[4:end])


@dataclass(frozen=True)
class Article:
    """An article as the index takes it. language: BCP 47; published_at: aware, or None when not known."""

    id: UUID
    language: str
    section: str
    published_at: datetime | None
    reading: Reading


@dataclass(frozen=True)
class Entry:
    """One place of a related set. by_text: near in text, with a score up to about 1.3; else the section's latest, 0."""

    article_id: UUID
    score: float
    by_text: bool


@dataclass(frozen=True)
class Placed:
    """What putting an article did. terms: its heaviest, in order. older_sets: how many others' sets it touched."""

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


Source = Callable[[Sequence[UUID]], Iterable[Article]]
"""Gives the articles of these ids, as far as they are (still) live, from where they are kept."""


def read(language: str, headline: str, body: str) -> Reading:
    """Read an article's text: body is plain, standfirst first. About 0.5 ms for 300 words."""
    return Reading(text.terms(text.primary_language(language), headline, body), fingerprint(headline, body))


class Index:
    """Every live article, by language, and its related set. Not safe to share between threads."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self._languages: dict[str, Neighbours] = {}
        self._language_of: dict[bytes, str] = {}
        self._sections: dict[str, int] = {}

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
        place = self._languages.get(language)
        if place is None:
            place = self._languages[language] = Neighbours(self.rules)
        self._language_of[key] = language
        order = place.put(self._item(article), link=link)
        known = [*article.reading.terms.stems, *article.reading.terms.names]
        return Placed(
            entries=len(place.set_of(key)),
            older_sets=len(place.touched - {key}),
            terms=tuple(known[position] for position in order[:_TOLD]),
        )

    def remove(self, article_id: UUID) -> bool:
        """Take an article out of every set at once; False when it is not here."""
        language = self._language_of.pop(article_id.bytes, None)
        if language is None:
            return False
        self._languages[language].remove(article_id.bytes)
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

    def _item(self, article: Article) -> Item:
        section = self._sections.setdefault(article.section, len(self._sections))
        at = article.published_at
        published = NO_DATE if at is None else (at - _EPOCH) // _MICROSECOND
        return Item(article.id.bytes, section, published, article.reading.terms, article.reading.fingerprint)


class Refresh:
    """Counting the weights of all terms anew and making every set from them, a slice at a time.

    Articles may come and go between slices. When the last slice is done every set is what a fresh index would make of
    the same articles. Only one at a time; an index whose refresh was left half-way must be made again.
    """

    def __init__(self, index: Index, source: Source, ids: Sequence[UUID] | None = None) -> None:
        """source: where the articles' readings are kept. ids: fill an empty index with these; else those in it."""
        self._index = index
        self._source = source
        self._ids = ids
        self._work = self._slices()

    def run(self, budget_s: float) -> bool:
        """Work for about this long; True when all is done."""
        until = time.perf_counter() + budget_s
        return all(time.perf_counter() < until for _ in self._work)

    def _slices(self) -> Iterator[None]:
        index = self._index
        counted: dict[str, tuple[TermTable, Weights]] = {}
        for ids in _chunks(self._ids if self._ids is not None else index.ids()):
            for article in self._source(ids):
                written = text.primary_language(article.language)
                table, weights = counted.setdefault(written, (TermTable(), Weights()))
                weights.count(table.add(hashes_of(article.reading.terms)))
            yield
        for known in {*counted, *index._languages}:
            place = index._languages.setdefault(known, Neighbours(index.rules))
            place.reweigh(*counted.get(known, (TermTable(), Weights())))
        for ids in _chunks(self._ids if self._ids is not None else index.ids()):
            for article in self._source(ids):
                language = index._language_of.get(article.id.bytes)
                if language is not None:
                    index._languages[language].revector(article.id.bytes, article.reading.terms)
                elif self._ids is not None:
                    index.put(article, link=False)
            yield
        for ids in _chunks(index.ids()):
            for article_id in ids:
                language = index._language_of.get(article_id.bytes)
                if language is not None:
                    index._languages[language].link(article_id.bytes)
            yield
        for place in index._languages.values():
            place.mixed = False


def _chunks(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _entries(shown: Shown) -> tuple[Entry, ...]:
    return tuple(Entry(UUID(bytes=key), round(score, 4), by_text) for key, by_text, score in shown)


def _visible(shown: Shown) -> list[tuple[bytes, bool]]:
    return [(key, by_text) for key, by_text, _ in shown]
