"""The articles of one language and who is near whom: related sets kept exact as articles come, change and go.

An article (a *slot*, a row of every array) holds the best of the others in its row: those that are no copy of it, in
order, with nothing left out above its `bound`. The pass that scores a new article against all others therefore also
says which rows it enters: those whose bound it beats. A row that has lost too many is asked for again. From the row
the set is walked: best first, without copies of what it already shows; places that stay empty are filled with the
articles of the section published just before. What an editor has decided comes first: pins open the set, and what may
not be offered (banned here or everywhere, too old for its section) is in no row. What a set is depends only on the
articles there, on those decisions and on the frozen weights, never on the order in which they came.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.recommend.index.copies import Sieve, without_copies
from services.recommend.index.text import Terms
from services.recommend.index.vectors import UNIT, Postings, TermTable, Weights, grown, hashes_of, heaviest

RESERVE = 20  # candidates kept for each article, so that a set can be made again without asking for them
SPARE = 6  # looked at beyond them at first, for some of the nearest are copies
FILL_REACH = 40  # how many earlier articles of the section are looked at to fill a set
NO_DATE = -(1 << 62)
HOUR = 3_600_000_000  # microseconds
OLDEST_HOURS = 24 * 400  # from here on the decay stands at its floor


@dataclass(frozen=True)
class Rules:
    """What an editor-in-chief might tune. decay_days: the e-fold of recency; floors: 0 to 1; size: entries of a set.

    fill: whether places that stay empty get the section's latest.
    """

    size: int = 6
    floor: float = 0.05
    decay_floor: float = 0.2
    decay_days: float = 14.0
    section_factor: float = 1.4
    fill: bool = True


@dataclass(frozen=True)
class Item:
    """An article as the index takes it. published: microseconds since 1970, or NO_DATE. key: its id, 16 bytes.

    evergreen: it does not age. offered: others may show it. gets: it shows others.
    """

    key: bytes
    section: int
    published: int
    terms: Terms
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


class Neighbours:
    """All articles of one language. Not safe to share between threads; only keys and `Shown` come out."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.weights = Weights()
        self.table = TermTable()
        self.postings = Postings()
        self.mixed = False  # some vectors have older weights than others: between two steps of a refresh
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
        self.bound = np.zeros(0, dtype=np.float32)  # 0: all there are; inf: not linked yet
        self.bound_at = np.zeros(0, dtype=np.int64)  # when the best one left out was published: the newer goes first
        self.shown = np.zeros((0, rules.size), dtype=np.int32)
        self.shown_score = np.zeros((0, rules.size), dtype=np.float32)
        self.by_text = np.zeros(0, dtype=np.int8)  # the first so many are near in text, the rest are fills
        self.filled = np.zeros(0, dtype=np.int8)
        self.evergreen = np.zeros(0, dtype=np.int8)
        self.offered = np.zeros(0, dtype=np.int8)
        self.gets = np.zeros(0, dtype=np.int8)
        self.hands: dict[int, Hand] = {}  # by slot, of those for whom an editor has decided something
        self.age_limit = np.zeros(0, dtype=np.int32)  # by section, hours between the two articles; 0: none
        self._sums = np.zeros(0, dtype=np.int64)  # scratch, all 0 between calls
        self._last = np.zeros(0, dtype=np.int32)  # scratch
        self._journal: dict[bytes, Shown | None] = {}
        self.touched: set[bytes] = set()  # whose sets show something else since the last `put` began
        days = np.arange(OLDEST_HOURS + 1) / 24.0
        self._decay = rules.decay_floor + (1.0 - rules.decay_floor) * np.exp(-days / rules.decay_days)
        self._undated = (1.0 + rules.decay_floor) / 2
        self._least = rules.floor * UNIT * UNIT / max(1.0, rules.section_factor)

    # -- what others ask

    def set_of(self, key: bytes) -> Shown:
        """The present set of an article that is here."""
        return self._set_at(self.slots[key])

    def changes(self) -> Iterator[tuple[bytes, Shown | None, Shown | None]]:
        """(key, set before, set now) of every article whose set was touched since the last call; None: not there."""
        journal, self._journal = self._journal, {}
        for key, before in journal.items():
            slot = self.slots.get(key)
            yield key, before, None if slot is None else self._set_at(slot)

    # -- articles come and go

    def put(self, item: Item, hand: Hand = NO_HAND, *, link: bool = True) -> list[int]:
        """Take an article in, or its new state; give the order of its terms, heaviest first (see `heaviest`).

        link: make its set and mend the others at once; without it, `link` must follow.
        """
        self.touched.clear()
        if item.key in self.slots:
            self.remove(item.key)
        slot = self._take_slot(item.key)
        self._journal.setdefault(item.key, None)
        self.section[slot] = item.section
        self.published[slot] = item.published
        self.hour[slot] = item.published // HOUR if item.published != NO_DATE else -1
        self.id_high[slot] = int.from_bytes(item.key[:8], "big")
        self.id_low[slot] = int.from_bytes(item.key[8:], "big")
        self.evergreen[slot], self.offered[slot], self.gets[slot] = item.evergreen, item.offered, item.gets
        if hand != NO_HAND:
            self.hands[slot] = hand
        self.prints[slot] = item.fingerprint
        order, terms, weights = self._vector(item.terms)
        self.vectors[slot] = terms.tobytes() + weights.tobytes()
        if link:
            others, scores = self._scores(slot, terms, weights)
        self.postings.put(slot, terms, weights)
        later = self._enter_section(slot)
        if link:
            copies: dict[int, bool] = {}
            if item.gets:
                self._fill_row(slot, others, scores, copies)
                self._make_set(slot)
            for other in self._enter_rows(slot, others, scores, copies):
                self._make_set(other)
            for other in later:
                self._make_set(other)
        return order

    def remove(self, key: bytes) -> None:
        """Take an article out of everything. Raises KeyError when it is not here."""
        slot = self.slots[key]
        self._note(slot)
        terms, weights = self._vector_at(slot)
        if self.mixed:
            holders, _ = np.nonzero(self.near[: len(self.keys)] == slot)
        else:
            others, scores = self._scores(slot, terms, weights)
            holders = others[scores >= self.bound[others]]
        self.postings.remove(slot, terms)
        later = self._leave_section(slot)
        poorer = [other for other in holders.tolist() if self._leave_row(other, slot)]
        for other in (*poorer, *later):
            self._note(other)  # while the slot still has its name
        del self.slots[key]
        self.hands.pop(slot, None)
        self.keys[slot] = b""
        self.vectors[slot] = self.prints[slot] = b""
        self.bound[slot] = np.inf
        self.known[slot] = self.by_text[slot] = self.filled[slot] = 0
        self.free.append(slot)
        for other in (*poorer, *later):
            self._make_set(other)

    def decide(self, key: bytes, hand: Hand) -> None:
        """Make an article's set anew by what an editor has now decided, and which of the pinned are there.

        What is banned must not change by this: put the article again for that.
        """
        slot = self.slots[key]
        self._note(slot)
        self.hands[slot] = hand
        self._make_set(slot)

    def offered_print(self, key: bytes) -> bytes | None:
        """The fingerprint of an article that others may show; None when none may."""
        slot = self.slots[key]
        return self.prints[slot] if self.offered[slot] else None

    def banned_of(self, key: bytes) -> frozenset[bytes]:
        """What an editor never wants in an article's set."""
        return self.hands.get(self.slots[key], NO_HAND).banned

    def like(self, item: Item, most: int) -> list[tuple[bytes, float]]:
        """(key, score) of the articles most like one, best first; it need not be here, and is left out if it is."""
        hour = item.published // HOUR if item.published != NO_DATE else -1
        _, terms, weights = self._vector(item.terms, add=False)
        others, scores = self._likeness(item.section, hour, item.evergreen, terms, weights)
        best = self._in_order(others, scores, most)[: most + 1]
        found = [(self.keys[others[place]], float(scores[place])) for place in best.tolist()]
        return [(key, score) for key, score in found if key != item.key][:most]

    def limit_ages(self, hours: Sequence[int]) -> None:
        """From now on these age limits hold, by section, 0 for none. All must be linked again."""
        self.age_limit = np.array(hours, dtype=np.int32)

    # -- refreshing the weights: count elsewhere, `reweigh`, then `revector` all, then `link` all

    def reweigh(self, table: TermTable, weights: Weights) -> None:
        """From now on these weights hold: counted with this table's numbers. Vectors here still have the old ones."""
        frequent = weights.frequencies(np.arange(table.size, dtype=np.int32)) > 1
        frequencies = weights.frequencies(np.arange(table.size, dtype=np.int32))[frequent]
        self.weights = Weights(weights.articles)
        self.weights.set(self.table.add(table.keys()[frequent]), frequencies)
        self.mixed = True

    def revector(self, key: bytes, terms: Terms) -> None:
        """Weigh an article's terms anew; its row and the others' are as before until they are linked."""
        slot = self.slots[key]
        self.postings.remove(slot, self._vector_at(slot)[0])
        _, numbers, weights = self._vector(terms)
        self.vectors[slot] = numbers.tobytes() + weights.tobytes()
        self.postings.put(slot, numbers, weights)

    def pack(self) -> None:
        """Lay the lists of all terms anew, with little room to spare."""
        self.postings = Postings.of(((slot, *self._vector_at(slot)) for slot in self.slots.values()), self.table.size)

    def link(self, key: bytes) -> None:
        """Ask for an article's row again and make its set from it."""
        slot = self.slots[key]
        if self.gets[slot]:
            self._ask_row(slot)
            self._make_set(slot)

    # -- rows

    def _ask_row(self, slot: int) -> None:
        others, scores = self._scores(slot, *self._vector_at(slot))
        self._fill_row(slot, others, scores, {})

    def _look_for_copies(self, slot: int, others: Iterable[int], known: dict[int, bool]) -> None:
        """Add to `known` which of these articles are copies of one, as far as it does not say so yet."""
        new = [other for other in others if other not in known]
        if new:
            sieve = Sieve([self.prints[slot], *[self.prints[other] for other in new]])
            known.update(zip(new, sieve.copies_of(0)[1:].tolist(), strict=True))

    def _fill_row(
        self, slot: int, others: NDArray[np.int64], scores: NDArray[np.float32], copies: dict[int, bool]
    ) -> None:
        """The best others that are no copies of the article, in order, and the bound: the best one left out."""
        may = self._offered_under(slot, others)
        others, scores = others[may], scores[may]
        wanted = RESERVE + SPARE
        kept: list[int] = []
        while True:
            best = self._in_order(others, scores, wanted)
            them = others[best].tolist()
            self._look_for_copies(slot, them, copies)
            kept = [place for place, other in zip(best.tolist(), them, strict=True) if not copies[other]]
            if len(kept) > RESERVE or len(best) == len(others):
                break
            wanted *= 4
        row = kept[:RESERVE]
        self.known[slot] = len(row)
        self.near[slot, : len(row)] = others[row]
        self.near_score[slot, : len(row)] = scores[row]
        self.bound[slot] = scores[kept[RESERVE]] if len(kept) > RESERVE else 0.0
        self.bound_at[slot] = self.published[others[kept[RESERVE]]] if len(kept) > RESERVE else NO_DATE

    def _enter_rows(
        self, slot: int, others: NDArray[np.int64], scores: NDArray[np.float32], copies: dict[int, bool]
    ) -> list[int]:
        """Put a new article into every row whose bound it beats; the articles whose sets must be walked again.

        copies: what is known of who is a copy of it.
        """
        entered = np.flatnonzero(scores >= self.bound[others])
        if len(entered):
            entered = entered[self._offered_in(slot, others[entered])]
        if not len(entered):
            return []
        self._look_for_copies(slot, others[entered].tolist(), copies)
        entered = entered[[not copies[other] for other in others[entered].tolist()]]
        to_walk: list[int] = []
        level = scores[entered] == self.bound[others[entered]]  # with the best one left out: the newer one goes first
        if level.any():
            rows = others[entered]
            for row in rows[level & (self.bound_at[rows] == self.published[slot])].tolist():  # only asking again tells
                self._ask_row(row)
                to_walk.append(row)
            entered = entered[~level | (self.bound_at[rows] < self.published[slot])]
        rows, marks = others[entered], scores[entered]
        self._insert(rows, slot, marks)
        short = self.by_text[rows] < self.rules.size
        to_walk += rows[short].tolist()
        return to_walk + self._enter_sets(rows[~short], slot, marks[~short], copies)

    def _insert(self, rows: NDArray[np.int64], slot: int, marks: NDArray[np.float32]) -> None:
        """Put an article in its place in each of these rows, with these scores; what falls out is their bound."""
        near, near_score, known = self.near[rows], self.near_score[rows], self.known[rows].astype(np.int64)
        places = self._places(slot, marks, near, near_score, known)
        full = known == RESERVE
        out = full & (places == RESERVE)
        last_score = np.where(out, marks, near_score[:, -1])
        last_at = np.where(out, self.published[slot], self.published[near[:, -1]])
        self.bound[rows[full]], self.bound_at[rows[full]] = last_score[full], last_at[full]
        self.near[rows] = _with(near, places, slot)
        self.near_score[rows] = _with(near_score, places, marks)
        self.known[rows] = np.minimum(known + 1, RESERVE)

    def _enter_sets(
        self, rows: NDArray[np.int64], slot: int, marks: NDArray[np.float32], copies: dict[int, bool]
    ) -> list[int]:
        """Show a new article in those of these sets, all whole, that it belongs in; those that must be walked again.

        Most need no walk: what is shown stays in its order, and the newcomer takes its place among it.
        """
        size = self.rules.size
        places = self._places(slot, marks, self.shown[rows], self.shown_score[rows], np.full(len(rows), size))
        seen = places < size
        rows, marks, places = rows[seen], marks[seen], places[seen]
        self._look_for_copies(slot, self.shown[rows].ravel().tolist(), copies)
        to_walk: list[int] = []
        for row, mark, place in zip(rows.tolist(), marks, places.tolist(), strict=True):
            if any(copies[other] for other in self.shown[row].tolist()):
                to_walk.append(row)
                continue
            self._note(row)
            self.touched.add(self.keys[row])
            self.shown[row, place + 1 :] = self.shown[row, place:-1].copy()
            self.shown[row, place] = slot
            self.shown_score[row, place + 1 :] = self.shown_score[row, place:-1].copy()
            self.shown_score[row, place] = mark
        return to_walk

    def _leave_row(self, row: int, slot: int) -> bool:
        """Take an article out of a row; whether the set must be walked again: it showed it, or it lacks entries."""
        known = int(self.known[row])
        at = np.flatnonzero(self.near[row, :known] == slot)
        if not len(at):
            return False
        place = int(at[0])
        self.near[row, place : known - 1] = self.near[row, place + 1 : known].copy()
        self.near_score[row, place : known - 1] = self.near_score[row, place + 1 : known].copy()
        self.known[row] = known - 1
        by_text = int(self.by_text[row])
        return by_text < self.rules.size or slot in self.shown[row, :by_text].tolist()

    # -- sets

    def _make_set(self, slot: int) -> None:
        """Walk the row: best first, no copy of what is already shown; then fill what is left from the section."""
        if self.bound[slot] == np.inf:
            return
        hand = self.hands.get(slot, NO_HAND)
        room = self.rules.size - len(hand.pinned)
        chosen, marks = self._walk(slot, hand, room)
        if len(chosen) < room and self.bound[slot] > 0 and self.known[slot] < RESERVE:
            self._ask_row(slot)
            chosen, marks = self._walk(slot, hand, room)
        by_text = len(chosen)
        if by_text < room and self.rules.fill:
            chosen += self._fills(slot, chosen, hand, room)
        marks += [0.0] * (len(chosen) - by_text)
        self._note(slot)
        if by_text != self.by_text[slot] or chosen != self.shown[slot, : self.filled[slot]].tolist():
            self.touched.add(self.keys[slot])
        self.by_text[slot] = by_text
        self.filled[slot] = len(chosen)
        self.shown[slot, : len(chosen)] = chosen
        self.shown_score[slot, : len(chosen)] = marks

    def _walk(self, slot: int, hand: Hand, room: int) -> tuple[list[int], list[float]]:
        """The best `room` of the row and their scores."""
        row = self.near[slot, : int(self.known[slot])].tolist()
        if not row or room <= 0:
            return [], []
        marks = self.near_score[slot, : len(row)].tolist()
        places = list(range(len(row)))
        if hand.pinned:
            places = [place for place in places if self.keys[row[place]] not in hand.pinned]
        taken = without_copies(hand.prints, [self.prints[row[place]] for place in places], room)
        chosen = [places[place] for place in taken]
        return [row[place] for place in chosen], [marks[place] for place in chosen]

    def _fills(self, slot: int, chosen: list[int], hand: Hand, room: int) -> list[int]:
        line = self.sections[int(self.section[slot])]
        place = self._place_in_section(line, slot)
        taken = {*chosen, *(self.slots.get(key, -1) for key in hand.pinned)}
        earlier = np.array(
            [o for o in line[max(0, place - FILL_REACH) : place][::-1] if o not in taken], dtype=np.int64
        )
        earlier = earlier[self._offered_under(slot, earlier)]
        if not len(earlier):
            return []
        shown = [*hand.prints, self.prints[slot], *(self.prints[other] for other in chosen)]
        fills = without_copies(shown, [self.prints[other] for other in earlier.tolist()], room - len(chosen))
        return earlier[fills].tolist()

    def _set_at(self, slot: int) -> Shown:
        count, by_text = int(self.filled[slot]), int(self.by_text[slot])
        members = self.shown[slot, :count].tolist()
        marks = self.shown_score[slot, :count].tolist()
        found = tuple((self.keys[m], TEXT if i < by_text else FILL, marks[i]) for i, m in enumerate(members))
        if not self.gets[slot]:
            return ()
        return (*((key, PINNED, 0.0) for key in self.hands.get(slot, NO_HAND).pinned), *found)

    def _note(self, slot: int) -> None:
        key = self.keys[slot]
        if key not in self._journal:
            self._journal[key] = self._set_at(slot)

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

    # -- who may be offered

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
        known = sections < len(self.age_limit)
        limits = np.zeros(len(others), dtype=np.int32)
        limits[known] = self.age_limit[sections[known]]
        hours = self.hour[others]
        apart = np.abs(hours - self.hour[slot])
        evergreen = self.evergreen[slot] > 0 if of_slot else self.evergreen[others] > 0
        return (limits > 0) & (apart > limits) & (hours != -1) & (self.hour[slot] != -1) & ~evergreen

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
        slots, products = self.postings.gather(terms, weights)
        sums = self._sums
        np.add.at(sums, slots, products)
        found = sums[slots]
        sums[slots] = 0
        enough = np.flatnonzero(found >= self._least)
        # Each slot once: of its places here, the one that was written last.
        slots = slots[enough]
        places = np.arange(len(slots), dtype=np.int32)
        self._last[slots] = places
        once = self._last[slots] == places
        others, dots = slots[once], found[enough][once]
        hours = self.hour[others]
        if hour == -1:
            decay = np.full(len(others), self._undated)
        else:
            apart = np.minimum(np.abs(hours - hour), OLDEST_HOURS)
            decay = np.where(hours == -1, self._undated, self._decay[apart])
        decay[(self.evergreen[others] > 0) | evergreen] = 1.0
        scores = dots * decay * (1.0 / (UNIT * UNIT))
        scores[self.section[others] == section] *= self.rules.section_factor
        marks = scores.astype(np.float32)
        enough = marks >= np.float32(self.rules.floor)
        return others[enough], marks[enough]

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

    # -- vectors and slots

    def _vector(self, terms: Terms, *, add: bool = True) -> tuple[list[int], NDArray[np.int32], NDArray[np.uint8]]:
        hashes = hashes_of(terms)
        known = self.table.find(hashes)
        order, weights = heaviest(terms, self.weights.frequencies(known), self.weights.articles)
        numbers = known[order]
        unknown = np.flatnonzero(numbers < 0)
        if add:
            numbers[unknown] = self.table.add(hashes[order[unknown]])
        elif len(unknown):
            order, weights, numbers = order[numbers >= 0], weights[numbers >= 0], numbers[numbers >= 0]
        if len(set(numbers.tolist())) < len(numbers):  # two terms of one hash count once
            first = np.sort(np.unique(numbers, return_index=True)[1])
            return order.tolist(), numbers[first], weights[first]
        return order.tolist(), numbers, weights

    def _vector_at(self, slot: int) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        held = self.vectors[slot]
        count = len(held) // 5
        return np.frombuffer(held, np.int32, count), np.frombuffer(held, np.uint8, count, offset=count * 4)

    def _take_slot(self, key: bytes) -> int:
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
        self.known[slot] = self.filled[slot] = 0
        self.by_text[slot] = self.rules.size  # not short until it is linked
        return slot

    def _widen(self, size: int) -> None:
        for name in (
            *("section", "published", "hour", "id_high", "id_low", "near", "near_score", "known", "bound", "bound_at"),
            *("shown", "shown_score", "by_text", "filled", "evergreen", "offered", "gets", "_sums", "_last"),
        ):
            setattr(self, name, grown(getattr(self, name), size))


def _with(lines: NDArray, places: NDArray[np.int64], value: Any) -> NDArray:
    """Each of these lines with one more value at its place; the last falls out, or the value itself behind it."""
    at = np.arange(lines.shape[1])
    places = places[:, None]
    later = np.concatenate((lines[:, :1], lines[:, :-1]), axis=1)
    return np.where(at < places, lines, np.where(at == places, np.reshape(value, (-1, 1)), later))
