"""Who may be offered under whom: what editors have decided, and age limits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.recommend.index.likeness import Likeness
from services.recommend.index.rules import NO_HAND, Hand, Rules


class Offers(Likeness):
    """Articles that are alike, and which of them may be shown."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self.hands: dict[int, Hand] = {}  # by slot, of those for whom an editor has decided something
        self.age_limit = np.zeros(0, dtype=np.int32)  # by section, hours between the two articles; 0: none

    def offered_print(self, key: bytes) -> bytes | None:
        """The fingerprint of an article that others may show; None when none may."""
        slot = self.slots[key]
        return self.prints[slot] if self.offered[slot] else None

    def banned_of(self, key: bytes) -> frozenset[bytes]:
        """What an editor never wants in an article's set."""
        return self.hands.get(self.slots[key], NO_HAND).banned

    def limit_ages(self, hours: Sequence[int]) -> None:
        """From now on these age limits hold, by section, 0 for none. All must be linked again."""
        self.age_limit = np.array(hours, dtype=np.int32)

    def showing_too_old(self) -> list[int]:
        """Those who show an article that is too far away in time under the age limits that now hold."""
        if not len(self.age_limit):
            return []
        rows, places = np.nonzero(np.arange(self.rules.size) < self.filled[: len(self.keys), None])
        shown = self.shown[rows, places].astype(np.int64)
        apart = np.abs(self.hour[shown] - self.hour[rows])
        limits = self._limits_of(self.section[shown])
        dated = (self.hour[shown] != -1) & (self.hour[rows] != -1)
        return np.unique(rows[(limits > 0) & (apart > limits) & dated & (self.evergreen[shown] == 0)]).tolist()

    def _limits_of(self, sections: NDArray[np.int32]) -> NDArray[np.int32]:
        known = sections < len(self.age_limit)
        limits = np.zeros(len(sections), dtype=np.int32)
        limits[known] = self.age_limit[sections[known]]
        return limits

    def _offered_under(self, slot: int, others: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these may be in an article's set."""
        may = self.offered[others] > 0
        if len(self.age_limit):
            may &= ~self._too_old(self.section[others], others, slot)
        hand = self.hands.get(slot)
        if hand is not None and hand.banned:
            banned = [self.slots[key] for key in hand.banned if key in self.slots]
            may &= ~np.isin(others, banned)
        return may

    def _offered_in(self, slot: int, others: NDArray[np.int64]) -> NDArray[np.bool_]:
        """In which of these articles' sets an article may be."""
        may = np.full(len(others), bool(self.offered[slot]))
        if len(self.age_limit):
            may &= ~self._too_old(np.full(len(others), self.section[slot]), others, slot, of_slot=True)
        if self.hands:
            key = self.keys[slot]
            for place, other in enumerate(others.tolist()):
                if other in self.hands and key in self.hands[other].banned:
                    may[place] = False
        return may

    def _too_old(
        self, sections: NDArray[np.int32], others: NDArray[np.int64], slot: int, *, of_slot: bool = False
    ) -> NDArray[np.bool_]:
        """Which pairs are further apart than the offered one's section allows. of_slot: the slot is the offered one."""
        limits = self._limits_of(sections)
        hours = self.hour[others]
        apart = np.abs(hours - self.hour[slot])
        evergreen = self.evergreen[slot] > 0 if of_slot else self.evergreen[others] > 0
        return (limits > 0) & (apart > limits) & (hours != -1) & (self.hour[slot] != -1) & ~evergreen
