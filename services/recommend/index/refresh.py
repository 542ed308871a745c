"""Every set made anew, a slice at a time: with weights counted anew, or under other age limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import numpy as np

from services.recommend.index import text
from services.recommend.index.vectors import TermTable, Weights

if TYPE_CHECKING:
    from services.recommend.index import Article, Index

Source = Callable[[Sequence[UUID]], "Iterable[Article]"]
"""Gives the articles of these ids, as far as they are (still) live, from where they are kept."""

_CHUNK = 32  # articles handled between two looks at the clock
_LINKED = 8  # the same where every set is made anew, which takes longer


class _Sliced:
    def __init__(self) -> None:
        self._work = self._slices()

    def run(self, budget_s: float) -> bool:
        """Work for about this long; True when all is done."""
        until = time.perf_counter() + budget_s
        return all(time.perf_counter() < until for _ in self._work)

    def _slices(self) -> Iterator[None]:
        raise NotImplementedError


class Refresh(_Sliced):
    """Counting the weights of all terms anew and making every set from them, a slice at a time.

    Articles may come and go between slices. When the last slice is done every set is what a fresh index would make of
    the same articles. Only one at a time; an index whose refresh was left half-way must be made again.
    """

    def __init__(
        self,
        index: Index,
        source: Source,
        ids: Sequence[UUID] | None = None,
        age_limits: Mapping[str, float] | None = None,
    ) -> None:
        """source: where the articles' readings are kept. ids: fill an empty index with these; else those in it.

        age_limits: days by section that hold from now on; None: those that hold already.
        """
        super().__init__()
        self._age_limits = age_limits
        self._index = index
        self._source = source
        self._ids = ids

    def _slices(self) -> Iterator[None]:
        index = self._index
        if self._age_limits is not None:
            index.limit_ages(self._age_limits)
        counted: dict[str, tuple[TermTable, Weights]] = {}
        for ids in _chunks(self._ids if self._ids is not None else index.ids()):
            for article in self._source(ids):
                written = text.primary_language(article.language)
                table, weights = counted.setdefault(written, (TermTable(), Weights()))
                weights.count(table.add(article.reading.counted.hashes))
            yield
        for known in {*counted, *index._languages}:
            place = index._place(known)
            place.reweigh(*counted.get(known, (TermTable(), Weights())))
        for ids in _chunks(self._ids if self._ids is not None else index.ids()):
            for article in self._source(ids):
                language = index._language_of.get(article.id.bytes)
                if language is not None:
                    index._languages[language].revector(article.id.bytes, article.reading.counted)
                elif self._ids is not None:
                    index.put(article, link=False)
            yield
        for place in index._languages.values():
            place.pack()
            yield
        yield from self._linking()
        for place in index._languages.values():
            place.mixed = False

    def _linking(self) -> Iterator[None]:
        return _linking(self._index, {})


class Relink(_Sliced):
    """Making every set under other age limits: first those that show what is now too old, then the newest.

    Articles may come and go between slices, and a Refresh may be half done.
    """

    def __init__(self, index: Index, age_limits: Mapping[str, float]) -> None:
        """age_limits: days by section that hold from now on."""
        super().__init__()
        self._index = index
        self._age_limits = age_limits

    def _slices(self) -> Iterator[None]:
        self._index.limit_ages(self._age_limits)
        first = {language: place.showing_too_old() for language, place in self._index._languages.items()}
        yield from _linking(self._index, first)


def _linking(index: Index, first: Mapping[str, Sequence[int]]) -> Iterator[None]:
    """Make the sets of all that are here now, the newest first. first: before them these, by language and slot."""
    for keys in _chunks(_newest_first(index, first), _LINKED):
        for key in keys:
            language = index._language_of.get(key)
            if language is not None:
                index._languages[language].link(key)
        yield


def _newest_first(index: Index, first: Mapping[str, Sequence[int]]) -> Sequence[bytes]:
    keys, late, published = [], [], []
    for language, place in index._languages.items():
        slots = np.fromiter(place.slots.values(), dtype=np.int64, count=len(place.slots))
        keys += list(place.slots)
        late.append(~np.isin(slots, first.get(language, ())))
        published.append(place.published[slots])
    if not keys:
        return []
    order = np.lexsort((-np.concatenate(published), np.concatenate(late)))
    return [keys[place] for place in order.tolist()]


_One = TypeVar("_One")


def _chunks(ids: Sequence[_One], size: int = _CHUNK) -> Iterator[Sequence[_One]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
