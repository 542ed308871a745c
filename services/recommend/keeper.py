"""The keeper of the index: which process has it, and that what it has in memory is what the database says.

One process at a time keeps the index, by a lease in the database that each turn renews. A *turn* is one transaction in
which the index may change: it has a number, which commits with everything that the turn did. So the next turn sees
whether the last one was committed; if not, the index is mended from the database, article by article; and if another
process took a turn meanwhile, it is loaded again.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from services.recommend import domain, store
from services.recommend.index import Article, Change, Index, Refresh, Relink, Rules, snapshot
from shared.db import Database

log = logging.getLogger(__name__)

_CATCH_UP_ROWS = 200
_HOST = socket.gethostname()[:60]
_PROC = Path("/proc/self")


class Readiness(Enum):
    """Whether this process can take turns: it can, it is loading the index, or another process keeps it."""

    READY = "ready"
    LOADING = "the index is being loaded"
    STANDING_BY = "another process keeps the index"


@dataclass
class Turn:
    """One transaction in which the index may change. position: its number; set_number: the last one given.

    state: the stored state of the index as the turn found it.
    """

    index: Index
    state: store.AnyRow
    position: int
    set_number: int
    weights: int
    touched: set[UUID] = field(default_factory=set)
    # Whether the index cannot be mended article by article if this is rolled back.
    fragile: bool = False


class Keeper:
    """The index of this process and its right to use it. Make it after the fork; not safe to share between threads."""

    def __init__(self, rules: Rules, snapshot_file: Path) -> None:
        self._name = f"{_HOST} {os.getpid()} {uuid4().hex[:8]}"
        self._rules = rules
        self._file = snapshot_file
        self._index: Index | None = None
        self._serial = -1  # the last turn that the index is known to hold
        self._turn: Turn | None = None  # the one after it, committed or not
        self._building: tuple[Index, Refresh, int] | None = None
        self._refresh: Refresh | None = None
        self._reader: Session | None = None
        self._unsaved_articles = 0
        # Sets that a build made and that are not yet compared with those stored.
        self.unsaved: dict[UUID, Change] = {}
        self.refresh_asked: datetime | None = None  # for when a refresh was last asked for and has not begun
        self._refreshing_for: str | None = None
        self._relink: Relink | None = None
        self._relinking_for: str | None = None

    @property
    def index(self) -> Index | None:
        """The index, if it is here."""
        return self._index

    def drop(self) -> None:
        """Forget the index: it is loaded again before the next turn."""
        self._index = self._turn = self._refresh = self._relink = self._building = None
        self._serial = -1
        self.unsaved.clear()

    # Turns

    def take_turn(self, session: Session, *, now: datetime) -> Turn | None:
        """Begin a turn in this transaction; None when the index is not here, or another process keeps it.

        `end_turn` must follow in the same transaction, unless nothing was changed.
        """
        state = store.locked_state(session)
        if self._index is None or self._is_anothers(state, now):
            return None
        mine = state.holder == self._name
        last = self._turn
        if last is not None and mine and state.serial == last.position:
            self._serial = last.position
        elif state.serial != self._serial or (last is not None and last.fragile):
            log.warning("the index is not what the database says; it is loaded again", extra={"serial": state.serial})
            self.drop()
            return None
        elif last is not None:
            self._mend(session, last.touched)
        self._turn = Turn(self._index, state, state.serial + 1, state.set_number, state.weights)
        return self._turn

    def end_turn(self, session: Session, turn: Turn, *, now: datetime, **values: int | datetime | None) -> None:
        """Write the turn into the database, and other values of the state; its transaction may then commit."""
        self._unsaved_articles += max(1, len(turn.touched))
        store.end_turn(
            session,
            turn.state,
            holder=self._name,
            held_until=now + domain.LEASE,
            serial=turn.position,
            set_number=turn.set_number,
            weights=turn.weights,
            **values,
        )

    def _mend(self, session: Session, touched: Iterable[UUID]) -> None:
        """Bring these articles to what the database has, after a turn that was not committed."""
        assert self._index is not None
        rows = {row.id: row for row in store.articles(session, touched)}
        for article_id in touched:
            row = rows.get(article_id)
            if row is not None and row.status == domain.LIVE and row.position:
                self._index.put(store.for_index(row))
            else:
                self._index.remove(article_id)
        if not self.refreshing:
            self._index.changes()  # back to the sets that are stored
        # else: some sets have newer weights than the stored ones; what has changed is compared in this turn

    def _is_anothers(self, state: store.AnyRow, now: datetime) -> bool:
        """Whether a living process keeps the index. A lease only spares useless loading: what fences is the serial."""
        if state.holder == self._name or state.held_until <= now:
            return False
        host, _, process = state.holder.rpartition(" ")[0].rpartition(" ")
        return host != _HOST or not process.isdigit() or Path(f"/proc/{process}").exists() or not _PROC.exists()

    # Loading

    def prepare(self, db: Database, *, now: datetime, budget_s: float) -> Readiness:
        """Load the index if it is not here: from its snapshot, else from the database in steps of about this long.

        Call it outside a transaction, again while it says LOADING.
        """
        if self._index is not None:
            return Readiness.READY
        with db.unit_of_work() as session:
            state = store.locked_state(session)
            if self._is_anothers(state, now):
                self.drop()
                return Readiness.STANDING_BY
            store.change_state(session, holder=self._name, held_until=now + domain.LEASE)
        if self._building is not None and self._building[2] != state.serial:
            self._building = None  # another process took turns meanwhile
        if self._building is None and self._load_snapshot(db, state):
            return Readiness.READY
        with db.reading() as session:
            self._reader = session
            if self._building is None:
                building = Index(self._rules)
                ids, limits = store.live_ids(session), store.age_limits(session)
                self._building = building, Refresh(building, self._source, ids, limits), state.serial
            index, refresh, serial = self._building
            if not refresh.run(budget_s):
                return Readiness.LOADING
        self._building = None
        with db.unit_of_work() as session:
            state = store.locked_state(session)
            if state.holder != self._name or state.serial != serial:
                return Readiness.LOADING
            store.change_state(session, weights=state.weights + 1, counted=index.counted())
        self._stand_at(index, serial)
        self.unsaved = {change.article_id: change for change in index.changes()}
        log.info("the index was built from the database", extra={"articles": len(index)})
        return Readiness.READY

    def _load_snapshot(self, db: Database, state: store.AnyRow) -> bool:
        try:
            index, note = snapshot.load(self._file, self._rules)
            if note["born"] != state.born or note["weights"] != state.weights or note["serial"] > state.serial:
                raise snapshot.BrokenSnapshot(f"{self._file.name} is not of this database with its present weights")
        except snapshot.BrokenSnapshot as error:
            log.info("the index is built from the database", extra={"why": str(error)})
            return False
        last: UUID | None = None
        with db.reading() as session:
            while rows := store.placed_since(session, note["serial"], after=last, most=_CATCH_UP_ROWS):
                for row in rows:
                    if row.status == domain.LIVE:
                        index.put(store.for_index(row))
                    else:
                        index.remove(row.id)
                last = rows[-1].id
        index.changes()  # their sets are stored already
        self._stand_at(index, state.serial)
        log.info("the index was loaded from its snapshot", extra={"articles": len(index)})
        return True

    def _stand_at(self, index: Index, serial: int) -> None:
        self._index, self._serial, self._turn = index, serial, None
        self._refresh = self._relink = None
        self._unsaved_articles = 0

    def _source(self, ids: Sequence[UUID]) -> list[Article]:
        assert self._reader is not None
        return store.read_articles(self._reader, ids)

    # Refreshing and saving

    @property
    def refreshing(self) -> bool:
        """Whether sets are being made anew, and some are not yet."""
        return self._refresh is not None or self._relink is not None

    def refresh(self, session: Session, turn: Turn, budget_s: float, asked: str | None) -> bool:
        """Begin or go on with a refresh of the weights, in a turn, for about this long; True when it is done.

        asked: tells one request from the next; one that came while a refresh ran begins another.
        """
        turn.fragile = True
        if self._refresh is None:
            self._refreshing_for = asked
            self.refresh_asked = None
            self._refresh = Refresh(turn.index, self._source, age_limits=store.age_limits(session))
            turn.weights += 1
        self._reader = session
        done = self._refresh.run(budget_s)
        if done:
            self._refresh = None
        return done and self._refreshing_for == asked

    def relink(self, session: Session, turn: Turn, budget_s: float, asked: str | None) -> bool:
        """Begin or go on with making the sets under new age limits, in a turn; True when it is done.

        asked: tells one request from the next; a new one begins anew, with the limits as they are then.
        """
        turn.fragile = True
        if self._relink is None or self._relinking_for != asked:
            self._relinking_for = asked
            self._relink = Relink(turn.index, store.age_limits(session))
        done = self._relink.run(budget_s)
        if done:
            self._relink = None
        return done

    def snapshot_is_due(self) -> bool:
        """Whether enough has changed since the index was last saved."""
        index = self._index
        return index is not None and domain.snapshot_is_due(self._unsaved_articles, len(index))

    def save_snapshot(self, session: Session, *, now: datetime) -> int:
        """Save the index as it stands, if it can be; the bytes written. Changes nothing in the database."""
        if self.refreshing or self.unsaved or self.take_turn(session, now=now) is None:
            return 0
        assert self._index is not None
        assert self._turn is not None
        note = {"serial": self._serial, "weights": self._turn.weights, "born": store.state(session).born}
        self._turn = None
        size = snapshot.save(self._index, self._file, note)
        self._unsaved_articles = 0
        return size
