"""Terms, their weights, and the lists of the articles that have them, in a few growing arrays.

A term is known by a 32-bit hash of its text. Weights are whole numbers, so that a sum of products is the same in
whatever order it is made: the likeness of two articles does not depend on which of them asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import sqrt
from typing import Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from services.recommend.index.text import READ_UNIT, Terms

STEM_SHARE, NAME_SHARE = 0.9, 0.1  # of the likeness of two articles
RARITY_BASE = 1.5  # what a word that everybody uses still counts
HEAVIEST = 100  # terms of one article that count
UNIT = 255  # the whole number that stands for the weight 1.0: a byte, and no less exact by any measure of quality
COMMON_SHARE = 0.3  # a term in more of a language's articles than this says nothing ...
COMMON_FROM = 100  # ... once there are this many: on a small site two alike articles share only "common" words


def grown(array: NDArray, size: int, fill: float = 0) -> NDArray:
    """The array with room for at least `size` rows, and a part more than before; the new ones hold `fill`."""
    if size <= len(array):
        return array
    room = max(size, len(array) * 3 // 2 if len(array) < 100_000 else len(array) * 17 // 16, 64)
    bigger = np.zeros((room, *array.shape[1:]), dtype=array.dtype)
    bigger[: len(array)] = array
    if fill:
        bigger[len(array) :] = fill
    return bigger


@dataclass(frozen=True)
class Counted:
    """An article's terms as the index takes them: their hashes, the stems' first, and how often each was read."""

    hashes: NDArray[np.uint32]
    counts: NDArray[np.uint8]
    stems: int

    @classmethod
    def of(cls, stems: list[bytes], names: list[bytes], counts: bytes) -> Self:
        """These terms, in UTF-8, and their counts, as in `Terms`."""
        hashes = [*map(crc32, stems), *[crc32(name, _NAME) for name in names]]
        return cls(np.array(hashes, dtype=np.uint32), np.frombuffer(counts, dtype=np.uint8), len(stems))

    @classmethod
    def of_terms(cls, terms: Terms) -> Self:
        """The same from what was read."""
        stems, names = [stem.encode() for stem in terms.stems], [name.encode() for name in terms.names]
        return cls.of(stems, names, bytes((*terms.stems.values(), *terms.names.values())))


_NAME = 0x6E616D65  # a name is another term than the stem of the same letters


class TermTable:
    """From a term's hash to its small number: open addressing in two arrays, 20 to 40 bytes a term."""

    def __init__(self) -> None:
        self.size = 0
        self.load(np.zeros(0, dtype=np.uint32))

    def find(self, hashes: NDArray[np.uint32]) -> NDArray[np.int32]:
        """The terms' numbers, -1 for those never added."""
        mask = len(self._keys) - 1
        places = (hashes & mask).astype(np.int64)
        found = self._numbers[places]
        wrong = np.flatnonzero((found >= 0) & (self._keys[places] != hashes))
        while len(wrong):
            places[wrong] = (places[wrong] + 1) & mask
            found[wrong] = self._numbers[places[wrong]]
            wrong = wrong[(found[wrong] >= 0) & (self._keys[places[wrong]] != hashes[wrong])]
        return found

    def add(self, hashes: NDArray[np.uint32]) -> NDArray[np.int32]:
        """The terms' numbers; those never seen get the next ones."""
        numbers = self.find(hashes)
        unknown = np.flatnonzero(numbers < 0)
        if not len(unknown):
            return numbers
        if (self.size + len(unknown)) * 5 > len(self._keys) * 3:
            self.load(self.keys(), room_for=(self.size + len(unknown)) * 3 // 2)
        mask = len(self._keys) - 1
        for position in unknown.tolist():
            key = int(hashes[position])
            place = key & mask
            while self._numbers[place] >= 0 and self._keys[place] != key:
                place = place + 1 & mask
            if self._numbers[place] < 0:
                self._keys[place] = key
                self._numbers[place] = self.size
                self.size += 1
            numbers[position] = self._numbers[place]
        return numbers

    def keys(self) -> NDArray[np.uint32]:
        """Every known hash, in the order of their numbers."""
        used = np.flatnonzero(self._numbers >= 0)
        ordered = np.zeros(self.size, dtype=np.uint32)
        ordered[self._numbers[used]] = self._keys[used]
        return ordered

    def load(self, keys: NDArray[np.uint32], room_for: int = 0) -> None:
        """Forget all and take these, each once, numbered in this order. room_for: terms to leave room for."""
        room = 1024
        while max(len(keys), room_for) * 5 > room * 3:
            room *= 2
        mask = room - 1
        self.size = len(keys)
        self._keys = np.zeros(room, dtype=np.uint32)
        self._numbers = np.full(room, -1, dtype=np.int32)
        waiting = np.arange(len(keys), dtype=np.int32)
        places = (keys & mask).astype(np.int64)
        while len(waiting):
            free = waiting[self._numbers[places[waiting]] < 0]
            self._numbers[places[free]] = free  # of several that want one place, one gets it
            housed = self._numbers[places[waiting]] == waiting
            won = waiting[housed]
            self._keys[places[won]] = keys[won]
            waiting = waiting[~housed]
            places[waiting] = (places[waiting] + 1) & mask


class Postings:
    """For each term the articles (slots) that have it and with what weight: many short lists in two long arrays.

    A list that is full moves to a place half as large again; the place it leaves is used again.
    """

    @classmethod
    def of(cls, vectors: Callable[[], Iterable[tuple[int, NDArray[np.int32], NDArray[np.uint8]]]], terms: int) -> Self:
        """The lists of many articles at once, with little room to spare.

        vectors: gives them as `put` takes them, twice: to hold all of them at once would take as much memory again as
        the lists. terms: how many there are.
        """
        made = cls()
        lengths = np.zeros(terms, dtype=np.int32)
        for _, numbers, _ in vectors():
            lengths[numbers] += 1
        made._room = lengths + (lengths >> 3)
        made._start = np.concatenate(([0], np.cumsum(made._room, dtype=np.int64)[:-1])) if terms else made._start
        made._length = np.zeros(terms, dtype=np.int32)
        made._end = int(made._room.sum())
        made._slots = np.zeros(max(1024, made._end), dtype=np.int32)
        made._weights = np.zeros(max(1024, made._end), dtype=np.uint8)
        for slot, numbers, weights in vectors():
            at = made._start[numbers] + made._length[numbers]
            made._slots[at] = slot
            made._weights[at] = weights
            made._length[numbers] += 1
        return made

    def __init__(self) -> None:
        self._start = np.zeros(0, dtype=np.int64)
        self._length = np.zeros(0, dtype=np.int32)
        self._room = np.zeros(0, dtype=np.int32)
        self._slots = np.zeros(1024, dtype=np.int32)
        self._weights = np.zeros(1024, dtype=np.uint8)
        self._end = 0
        self._free: dict[int, list[int]] = {}

    def put(self, slot: int, terms: NDArray[np.int32], weights: NDArray[np.uint8]) -> None:
        """Add an article to the lists of its terms. terms: numbers of a TermTable, each once."""
        if not len(terms):
            return
        self._make_room(terms)
        room = self._room[terms]
        self._settle(terms[room == 0])
        for term in terms[(self._length[terms] == room) & (room > 0)].tolist():
            self._move(term)
        at = self._start[terms] + self._length[terms]
        self._slots[at] = slot
        self._weights[at] = weights
        self._length[terms] += 1

    def remove(self, slot: int, terms: NDArray[np.int32]) -> None:
        """Take an article out of the lists of its terms, as they were put."""
        if not len(terms):
            return
        at, _ = self._places(terms)
        holes = at[self._slots[at] == slot]  # one for each term, in the order of the terms
        self._length[terms] -= 1
        last = self._start[terms] + self._length[terms]
        self._slots[holes] = self._slots[last]
        self._weights[holes] = self._weights[last]

    def gather(
        self, terms: NDArray[np.int32], weights: NDArray[np.uint8]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Every (slot, product of weights) under these terms; a slot comes once for each term that it has."""
        if not len(terms):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
        self._make_room(terms)
        starts, lengths = self._start[terms], self._length[terms]
        spans = [slice(*span) for span in zip(starts.tolist(), (starts + lengths).tolist(), strict=True)]
        # A copy of each list in turn: several times faster than asking for every place by its number.
        products = np.repeat(weights.astype(np.int32), lengths)
        products *= np.concatenate([self._weights[span] for span in spans])
        return np.concatenate([self._slots[span] for span in spans], dtype=np.int64), products

    def _make_room(self, terms: NDArray[np.int32]) -> None:
        highest = int(terms.max()) + 1
        if highest > len(self._start):
            self._start = grown(self._start, highest)
            self._length = grown(self._length, highest)
            self._room = grown(self._room, highest)

    def _places(self, terms: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        lengths = self._length[terms]
        ends = np.cumsum(lengths, dtype=np.int64)
        at = np.arange(int(ends[-1]), dtype=np.int64)
        at += np.repeat(self._start[terms] - ends + lengths, lengths)
        return at, lengths

    def _settle(self, terms: NDArray[np.int32]) -> None:
        """Give terms that have no place yet room for one article each."""
        if not len(terms):
            return
        free = self._free.get(1, [])
        places = [free.pop() for _ in range(min(len(free), len(terms)))]
        more = len(terms) - len(places)
        places += range(self._end, self._end + more)
        self._reach(self._end + more)
        self._start[terms] = places
        self._room[terms] = 1

    def _reach(self, end: int) -> None:
        self._end = end
        if end > len(self._slots):
            self._slots = grown(self._slots, end)
            self._weights = grown(self._weights, end)

    def _move(self, term: int) -> None:
        start, length, room = int(self._start[term]), int(self._length[term]), int(self._room[term])
        wanted = room + 1 if room < 4 else room + (room >> 1)
        waiting = self._free.get(wanted)
        if waiting:
            place = waiting.pop()
        else:
            place = self._end
            self._reach(self._end + wanted)
        self._slots[place : place + length] = self._slots[start : start + length]
        self._weights[place : place + length] = self._weights[start : start + length]
        self._free.setdefault(room, []).append(start)
        self._start[term] = place
        self._room[term] = wanted


class Weights:
    """How much a term says, by how many of a language's articles have it; frozen between two refreshes.

    A term that was in fewer than two articles at the last refresh, or in none, counts as in one. So what a weight is
    depends on the last refresh alone, never on the order in which articles came since.
    """

    def __init__(self, articles: int = 0) -> None:
        self.articles = articles  # how many were counted
        self._frequency = np.zeros(0, dtype=np.int32)

    def count(self, numbers: NDArray[np.int32]) -> None:
        """Count one more article, with these terms."""
        self.articles += 1
        if len(numbers):
            self._frequency = grown(self._frequency, int(numbers.max()) + 1)
            self._frequency[numbers] += 1

    def set(self, numbers: NDArray[np.int32], frequencies: NDArray[np.int32]) -> None:
        """Take over counts made elsewhere."""
        if len(numbers):
            self._frequency = grown(self._frequency, int(numbers.max()) + 1)
            self._frequency[numbers] = frequencies

    def frequencies(self, numbers: NDArray[np.int32]) -> NDArray[np.int32]:
        """In how many of the counted articles each term is, at least 1; number -1 stands for a term never seen."""
        found = np.ones(len(numbers), dtype=np.int32)
        known = (numbers >= 0) & (numbers < len(self._frequency))
        found[known] = np.maximum(1, self._frequency[numbers[known]])
        return found


def heaviest(
    terms: Counted, frequencies: NDArray[np.int32], articles: int
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The article's vector: positions among its terms, heaviest first, and their weights in units of 1/UNIT.

    frequencies: of each of those terms; articles: how many were counted. TF-IDF with the logarithm of how often a term
    was read; stems and names are brought to length 1 apart and take their shares, and what is kept to length 1 again,
    so that a long article is not held to be less like the others.
    """
    rarity = np.maximum(np.log((articles + 1.0) / (frequencies + 1.0)), 0.0) + RARITY_BASE
    weights = _BY_COUNT[terms.counts] * rarity
    if articles >= COMMON_FROM:
        weights[frequencies > COMMON_SHARE * articles] = 0.0
    for part, share in ((weights[: terms.stems], STEM_SHARE), (weights[terms.stems :], NAME_SHARE)):
        length = sqrt(np.square(part).sum())
        if length:
            part *= sqrt(share) / length
    order = np.argsort(-weights, kind="stable")[:HEAVIEST]
    kept = weights[order]
    length = sqrt(np.square(kept).sum())
    whole = np.rint(kept * (UNIT / length) if length else kept).astype(np.uint8)
    count = int(np.count_nonzero(whole))  # the heaviest come first
    return order[:count], whole[:count]


_BY_COUNT = 1.0 + np.log(np.maximum(1.0, np.arange(256) / READ_UNIT))
