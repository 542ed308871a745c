"""The articles of one language as rows of arrays (a *slot* each), and the line of each section, oldest first."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort

import numpy as np
from numpy.typing import NDArray

from services.recommend.index.rules import FILL_REACH, HOUR, NO_DATE, RESERVE, Item, Rules
from services.recommend.index.vectors import grown


class Articles:
    """What is known of each article. `Neighbours` is the whole of it; only keys come out of there."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.keys: list[bytes] = []  # by slot; b"" is a free one
        self.slots: dict[bytes, int] = {}
        self.free: list[int] = []
        self.vectors: list[bytes] = []  # by slot: term numbers (int32), then their weights (a byte each)
        self.prints: list[bytes] = []
        self.sections: dict[int, array[int]] = {}  # slots of a section, oldest first
        self.section = np.zeros(0, dtype=np.int32)
        self.published = np.zeros(0, dtype=np.int64)
        self.hour = np.zeros(0, dtype=np.int32)
        self.id_high = np.zeros(0, dtype=np.uint64)
        self.id_low = np.zeros(0, dtype=np.uint64)
        self.near = np.zeros((0, RESERVE), dtype=np.int32)
        self.near_score = np.zeros((0, RESERVE), dtype=np.float32)
        self.known = np.zeros(0, dtype=np.int8)  # how many of the row are used
        self.thinned = np.zeros(0, dtype=np.int8)  # the row is without copies of what stands before them in it
        self.bound = np.zeros(0, dtype=np.float32)  # 0: all there are; inf: not linked yet
        self.bound_at = np.zeros(0, dtype=np.int64)  # when the best one left out was published: the newer goes first
        self.shown = np.zeros((0, rules.size), dtype=np.int32)
        self.shown_score = np.zeros((0, rules.size), dtype=np.float32)
        self.by_text = np.zeros(0, dtype=np.int8)  # the first so many are near in text, the rest are fills
        self.filled = np.zeros(0, dtype=np.int8)
        self.evergreen = np.zeros(0, dtype=np.int8)
        self.offered = np.zeros(0, dtype=np.int8)
        self.gets = np.zeros(0, dtype=np.int8)
        self._sums = np.zeros(0, dtype=np.int32)  # scratch, all 0 between calls

    # -- slots

    def _take_slot(self, item: Item) -> int:
        """A row for an article that is not here, with all that the item says; it is not linked yet."""
        key = item.key
        if self.free:
            slot = self.free.pop()
            self.keys[slot] = key
        else:
            slot = len(self.keys)
            self.keys.append(key)
            self.vectors.append(b"")
            self.prints.append(b"")
            if slot >= len(self.section):
                self._widen(slot + 1)
        self.slots[key] = slot
        self.bound[slot] = np.inf
        self.known[slot] = self.filled[slot] = self.thinned[slot] = 0
        self.by_text[slot] = self.rules.size  # not short until it is linked
        self.section[slot] = item.section
        self.published[slot] = item.published
        self.hour[slot] = hour_of(item.published)
        self.id_high[slot] = int.from_bytes(key[:8], "big")
        self.id_low[slot] = int.from_bytes(key[8:], "big")
        self.evergreen[slot], self.offered[slot], self.gets[slot] = item.evergreen, item.offered, item.gets
        self.prints[slot] = item.fingerprint
        return slot

    def _give_slot_back(self, slot: int) -> None:
        del self.slots[self.keys[slot]]
        self.keys[slot] = b""
        self.vectors[slot] = self.prints[slot] = b""
        self.bound[slot] = np.inf
        self.known[slot] = self.by_text[slot] = self.filled[slot] = 0
        self.free.append(slot)

    def _widen(self, size: int) -> None:
        for name in (
            *("section", "published", "hour", "id_high", "id_low", "near", "near_score", "known", "thinned"),
            *("bound", "bound_at", "shown", "shown_score", "by_text", "filled", "evergreen", "offered", "gets"),
            "_sums",
        ):
            setattr(self, name, grown(getattr(self, name), size))

    # -- sections

    def _enter_section(self, slot: int) -> list[int]:
        line = self.sections.setdefault(int(self.section[slot]), array("i"))
        if not line or self._age(line[-1]) < self._age(slot):  # the newest, as nearly always
            line.append(slot)
            return []
        insort(line, slot, key=self._age)
        return self._short_after(line, self._place_in_section(line, slot) + 1)

    def _leave_section(self, slot: int) -> list[int]:
        line = self.sections[int(self.section[slot])]
        place = self._place_in_section(line, slot)
        del line[place]
        return self._short_after(line, place)

    def _short_after(self, line: array[int], place: int) -> list[int]:
        """Those whose set may hold the article at this place as a fill."""
        return [other for other in line[place : place + FILL_REACH] if self.by_text[other] < self.rules.size]

    def _place_in_section(self, line: array[int], slot: int) -> int:
        return bisect_left(line, self._age(slot), key=self._age)

    def _age(self, slot: int) -> tuple[int, bytes]:
        return int(self.published[slot]), self.keys[slot]

    # -- order: by score, then the newer, then by id

    def _in_order(self, slots: NDArray[np.int64], scores: NDArray[np.float32], count: int) -> NDArray[np.int64]:
        """Positions of the best `count` (all that are level with the last): by score, then the newer, then by id."""
        if len(slots) > count:
            least = np.partition(scores, len(scores) - count)[len(scores) - count]
            places = np.flatnonzero(scores >= least)
        else:
            places = np.arange(len(slots))
        them = slots[places]
        return places[np.lexsort((self.id_low[them], self.id_high[them], -self.published[them], -scores[places]))]

    def _places(
        self,
        slot: int,
        marks: NDArray[np.float32],
        them: NDArray[np.int32],
        scores: NDArray[np.float32],
        counts: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Where an article belongs in each of these lines, of which so many are used, and which are in order."""
        used = np.arange(them.shape[1]) < counts[:, None]
        places: NDArray[np.int64] = (used & (scores > marks[:, None])).sum(axis=1)
        level = (used & (scores == marks[:, None])).any(axis=1)
        for line in np.flatnonzero(level).tolist():
            place = int(places[line])
            while place < counts[line] and scores[line, place] == marks[line] and self._before(them[line, place], slot):
                place += 1
            places[line] = place
        return places

    def _before(self, one: int, other: int) -> bool:
        return (-int(self.published[one]), self.keys[one]) < (-int(self.published[other]), self.keys[other])


def hour_of(published: int) -> int:
    """The hour since 1970 of a time in microseconds, or -1 for NO_DATE."""
    return published // HOUR if published != NO_DATE else -1
