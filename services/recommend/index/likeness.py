"""How much two articles are alike: their heaviest terms, how near they are in time, and their section."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np
from numpy.typing import NDArray

from services.recommend.index.articles import Articles
from services.recommend.index.rules import OLDEST_HOURS, SAME_STORY, Rules
from services.recommend.index.vectors import COMMON_FROM, UNIT, Counted, Postings, TermTable, Weights, heaviest

TOLD_SHARE = 0.05  # a word in more of a language's articles than this tells a person little, unless it is a name


class Likeness(Articles):
    """Articles with their terms' weights, which are frozen between two refreshes.

    A refresh counts elsewhere, then calls `reweigh`, `revector` for all, and `pack`; then all must be linked again.
    """

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self.weights = Weights()
        self.table = TermTable()
        self.postings = Postings()
        self.mixed = False  # some vectors have older weights than others: between two steps of a refresh
        days = np.arange(OLDEST_HOURS + 1) / 24.0
        self._decay = rules.decay_floor + (1.0 - rules.decay_floor) * np.exp(-days / rules.decay_days)
        self._undated = (1.0 + rules.decay_floor) / 2
        # A whole number, for comparing with it needs no other array.
        self._least = np.int32(max(1, ceil(rules.floor * UNIT * UNIT / max(1.0, rules.section_factor))))

    def reweigh(self, table: TermTable, weights: Weights) -> None:
        """From now on these weights hold: counted with this table's numbers. Vectors here still have the old ones."""
        frequent = weights.frequencies(np.arange(table.size, dtype=np.int32)) > 1
        frequencies = weights.frequencies(np.arange(table.size, dtype=np.int32))[frequent]
        self.weights = Weights(weights.articles)
        self.weights.set(self.table.add(table.keys()[frequent]), frequencies)
        self.mixed = True

    def revector(self, key: bytes, terms: Counted) -> None:
        """Weigh an article's terms anew; its row and the others' are as before until they are linked."""
        slot = self.slots[key]
        self.postings.remove(slot, self._vector_at(slot)[0])
        _, numbers, weights = self._vector(terms)
        self.vectors[slot] = numbers.tobytes() + weights.tobytes()
        self.postings.put(slot, numbers, weights)

    def pack(self) -> None:
        """Lay the lists of all terms anew, with little room to spare."""

        def vectors() -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.uint8]]]:
            return ((slot, *self._vector_at(slot)) for slot in self.slots.values())

        self.postings = Postings.of(vectors, self.table.size)

    # -- scores

    def _scores(
        self, slot: int, terms: NDArray[np.int32], weights: NDArray[np.uint8]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Every other article that scores at least the floor with this one, by slot, and the scores."""
        place = int(self.section[slot]), int(self.hour[slot]), bool(self.evergreen[slot])
        others, scores = self._likeness(*place, terms, weights)
        rest = others != slot
        return others[rest], scores[rest]

    def _likeness(
        self, section: int, hour: int, evergreen: bool, terms: NDArray[np.int32], weights: NDArray[np.uint8]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        # Into one number for each article, and over all of them once: several times faster than asking for the sums of
        # those that share a term, up to a million articles.
        sums = self._sums[: len(self.keys)]
        np.add.at(sums, *self.postings.gather(terms, weights))
        others = np.flatnonzero(sums >= self._least)
        dots = sums[others]
        sums.fill(0)
        decay = self._decay_to(hour, evergreen, others)
        scores = dots * decay * (1.0 / (UNIT * UNIT))
        scores[self.section[others] == section] *= self.rules.section_factor
        marks = scores.astype(np.float32)
        enough = marks >= np.float32(self.rules.floor)
        return others[enough], marks[enough]

    def _decay_to(self, hour: int, evergreen: bool, others: NDArray[np.int64]) -> NDArray[np.float64]:
        """What the time between them leaves of the likeness of each of these with an article of that hour."""
        hours = self.hour[others]
        if hour == -1:
            decay = np.full(len(others), self._undated)
        else:
            apart = np.minimum(np.abs(hours - hour), OLDEST_HOURS)
            decay = np.where(hours == -1, self._undated, self._decay[apart])
        decay[(self.evergreen[others] > 0) | evergreen] = 1.0
        return decay

    def _same_story(self, slots: list[int]) -> NDArray[np.bool_]:
        """Which of these articles, by place, tell the same story as which: a square."""
        vectors = [self._vector_at(slot) for slot in slots]
        terms, places = np.unique(np.concatenate([numbers for numbers, _ in vectors]), return_inverse=True)
        table = np.zeros((len(slots), len(terms)))
        lines = np.repeat(np.arange(len(slots)), [len(numbers) for numbers, _ in vectors])
        table[lines, places] = np.concatenate([weights for _, weights in vectors])
        scores = table @ table.T * (1.0 / (UNIT * UNIT))  # whole numbers: exact in whatever order they are added
        others = np.array(slots, dtype=np.int64)
        for place, slot in enumerate(slots):
            scores[place] *= self._decay_to(int(self.hour[slot]), bool(self.evergreen[slot]), others)
        alike: NDArray[np.bool_] = scores >= SAME_STORY
        return alike

    # -- vectors

    def _vector(self, terms: Counted, *, add: bool = True) -> tuple[list[int], NDArray[np.int32], NDArray[np.uint8]]:
        """Those of its terms that tell a person something, heaviest first, by place; numbers and weights of all."""
        hashes = terms.hashes
        known = self.table.find(hashes)
        frequencies = self.weights.frequencies(known)
        order, weights = heaviest(terms, frequencies, self.weights.articles)
        numbers = known[order]
        unknown = np.flatnonzero(numbers < 0)
        if add and len(unknown):
            numbers[unknown] = self.table.add(hashes[order[unknown]])
        elif len(unknown):
            order, weights, numbers = order[numbers >= 0], weights[numbers >= 0], numbers[numbers >= 0]
        telling = order
        if self.weights.articles >= COMMON_FROM:
            rare = frequencies[order] <= TOLD_SHARE * self.weights.articles
            telling = order[rare | (order >= terms.stems)]
        if len(set(numbers.tolist())) < len(numbers):  # two terms of one hash count once
            first = np.sort(np.unique(numbers, return_index=True)[1])
            return telling.tolist(), numbers[first], weights[first]
        return telling.tolist(), numbers, weights

    def _vector_at(self, slot: int) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        held = self.vectors[slot]
        count = len(held) // 5
        return np.frombuffer(held, np.int32, count), np.frombuffer(held, np.uint8, count, offset=count * 4)
