"""A service, and a service at work in one process.

`Service` says what a service does with the events that it hears and with its jobs. `Node` runs that in one process:
its database, its dispatcher, the inbox, and the jobs that are due.
"""

from __future__ import annotations

import fcntl
import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared import clock, failpoints, jobs, outbox, routing
from shared.db import Database
from shared.dispatcher import Dispatcher
from shared.event_schemas import BadEvent, Heard, decode
from shared.jobs import Claim, Job, Kind
from shared.logs import traced
from shared.settings import ServiceSettings
from shared.tables import jobs as jobs_table

log = logging.getLogger(__name__)

Listener = Callable[[Session, list[Heard]], None]
# An event as understood, and the envelope that it came in.
_Copy = tuple[Heard, Mapping[str, Any]]

# The kind of job that an event heard is kept as; its reference is the event's id.
EVENT = "event"
BULK_SLICE_S = 0.2
# How long one wake-up goes on with due jobs before it lets others of the queue pass; and with work that is not urgent,
# when events that are not bulk wait for this worker.
SLICE_S = 2.0
POLITE_S = 0.05
# So long after an event that somebody waits for, bulk work rests as long as it works: the news has the processor.
NEWS_S = 2.0


@dataclass(frozen=True, kw_only=True)
class Service:
    """What a service does.

    listeners: by event type; each does its events' whole work in the given transaction, is safe to repeat, and drops
    what is not newer than what it holds. kinds: its jobs. tidy: removes what retention ends, up to a time, in slices,
    and answers how many rows went. watch: called every second or so by the sweeper, for what changes outside of the
    database; it finds out cheaply that nothing has. status: numbers that operators see, by name; one with labels is
    named as Prometheus writes it, `deliveries{channel="email",state="due"}`. close: ends in good order what still runs
    in this process. bulk_events: how many events of imports and replays are done in one transaction, while others wait
    for its locks. knows_keys: it has the table of API keys and hears key.changed; without, the first key alone opens
    it.
    """

    name: str
    listeners: Mapping[str, Listener]
    kinds: Sequence[Kind] = ()
    tidy: Callable[[Session, datetime], int] | None = None
    watch: Callable[[Node], None] | None = None
    status: Callable[[Session], Mapping[str, float | int | str | None]] | None = None
    close: Callable[[], None] | None = None
    bulk_events: int = 100
    knows_keys: bool = False


@dataclass
class BulkSlot:
    """Lets one process at a time of a worker do bulk work, so that another stays free; death gives it back.

    Made in the worker's main process before its pool: record locks on the inherited file belong to each child alone.
    """

    file: IO[bytes] = field(default_factory=tempfile.TemporaryFile)

    def take(self) -> bool:
        """Take the slot if it is free, or already ours."""
        try:
            fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def give_back(self) -> None:
        """Let another process have it."""
        fcntl.lockf(self.file, fcntl.LOCK_UN)


class Node:
    """A service at work in this process. Make it after the fork.

    here: lanes whose jobs this process does itself, right after the commit that made them; for others a worker is
    woken. bulk: the worker's bulk slot, None outside workers.
    """

    def __init__(
        self,
        service: Service,
        settings: ServiceSettings,
        *,
        here: Sequence[str] = (),
        bulk: BulkSlot | None = None,
    ) -> None:
        failpoints.enable(settings.failpoints_dir)
        self.service = service
        self.settings = settings
        self.db = Database(settings.database_url, service.name, after_commit=self._committed)
        self.dispatcher = Dispatcher(service.name, settings.redis_url)
        self.dispatcher.start(self.db)
        self._here = frozenset(here)
        self._due_here: set[str] = set()
        self._bulk = bulk
        self._news_at = -NEWS_S
        self.kinds = {kind.name: kind for kind in (Kind(EVENT, self._hear_stored, most=1), *service.kinds)}

    def unit_of_work(self) -> AbstractContextManager[Session]:
        """A writing transaction of this service's database; what is said in it leaves after the commit."""
        return self.db.unit_of_work()

    def reading(self) -> AbstractContextManager[Session]:
        """A reading transaction of this service's database."""
        return self.db.reading()

    def close(self) -> None:
        """Send what waits and close every connection."""
        if self.service.close is not None:
            self.service.close()
        self.dispatcher.close()
        self.db.close()

    def rest(self, worked_s: float) -> None:
        """After bulk work of so many seconds: rest as long if this process said or heard news a moment ago."""
        if time.monotonic() < self._news_at + NEWS_S:
            time.sleep(min(worked_s, BULK_SLICE_S))

    def _note_news(self, said: Iterable[tuple[str, str]]) -> None:
        # By type and lane. What lingers is told of an archive's articles too, and nobody waits for it.
        if any(lane != "bulk" and kind not in routing.LINGER_S for kind, lane in said):
            self._news_at = time.monotonic()

    # The inbox

    def hear(self, events: Sequence[Mapping[str, Any]], lane: str, again: bool) -> None:
        """Store events and do their work, in one transaction; then whatever that made due here.

        events: envelopes of one type. again: copies that were sent before; these are stored first, their attempts
        counted, and run alone, so that one that kills its worker is noticed. What cannot be read is a dead letter.
        """
        heard, unreadable = self._decode(events, lane)
        self._note_news((one.event.type, lane) for one, _ in heard)
        self._store([self._dead_row(envelope, lane, error) for envelope, error in unreadable])
        for envelope, _ in unreadable:
            self._receipt_of_unreadable(envelope)
        with traced(heard[0][0].trace if heard else ""):
            if heard:
                first = heard[0][0].event
                log.info(
                    "heard", extra={"type": first.type, "count": len(heard), "first": first.subject, "again": again}
                )
            try:
                if again or not self._may_run(lane):
                    self._hear_apart(heard, lane)
                elif lane == "bulk":
                    self._hear_in_slices(heard)
                elif heard:
                    self._hear_together(heard, lane)
            finally:
                self._free_slot(lane)
            self.run_here()

    def _hear_together(self, heard: list[_Copy], lane: str) -> None:
        now = clock.now()
        try:
            with self.unit_of_work() as session:
                new = jobs.store_heard(session, [self._row(one, "done", None) | {"ended_at": now} for one, _ in heard])
                fresh = [one for one, _ in heard if str(one.id) in new]
                if fresh:
                    self._listen(session, fresh)
        except Exception:
            log.exception("events failed together; each runs alone", extra={"count": len(heard)})
            self._hear_apart(heard, lane)
        else:
            self._receipt(heard)

    def _hear_in_slices(self, heard: list[_Copy]) -> None:
        began = time.monotonic()
        most = self.service.bulk_events
        for at in range(0, len(heard), most):
            if at and self._is_waited_for(time.monotonic() - began):
                self._keep(heard[at:])
                self.dispatcher.wake(["bulk"])
                return
            started = time.monotonic()
            self._hear_together(heard[at : at + most], "bulk")
            self.rest(time.monotonic() - started)

    def _keep(self, heard: list[_Copy]) -> None:
        self._store([self._row(one, "ready", envelope) for one, envelope in heard])
        self._receipt(heard)

    def _hear_apart(self, heard: list[_Copy], lane: str) -> None:
        self._keep(heard)
        if self._may_run(lane):
            self._run_stored([str(one.id) for one, _ in heard], lane)

    def _decode(
        self, events: Sequence[Mapping[str, Any]], lane: str
    ) -> tuple[list[_Copy], list[tuple[Mapping[str, Any], str]]]:
        """The events as understood, and the envelopes that cannot be read, each with why not."""
        heard: dict[str, _Copy] = {}
        unreadable: list[tuple[Mapping[str, Any], str]] = []
        for envelope in events:
            try:
                one = decode(envelope, lane)
                if one.event.type not in self.service.listeners:
                    raise BadEvent(f"{self.service.name} does not hear {one.event.type}")
                heard[str(one.id)] = (one, envelope)
            except BadEvent as error:
                log.error("an event cannot be read", extra={"error": str(error)[:500]})
                unreadable.append((envelope, str(error)))
        return list(heard.values()), unreadable

    def _row(self, one: Heard, state: str, envelope: Mapping[str, Any] | None) -> dict[str, Any]:
        now = clock.now()
        return {
            "kind": EVENT,
            "reference": str(one.id),
            "lane": one.lane,
            "state": state,
            "run_at": now,
            "attempts": 0,
            "failed": 0,
            "crashed": 0,
            "alone": state == "ready",
            "payload": None if envelope is None else json.dumps(envelope, ensure_ascii=False),
            "error": None,
            "trace": one.trace[:64],
            "created_at": now,
            "ended_at": None,
        }

    def _dead_row(self, envelope: Mapping[str, Any], lane: str, error: str) -> dict[str, Any]:
        now = clock.now()
        known = isinstance(envelope, Mapping)
        reference = str(envelope.get("id", "")) if known else ""
        return {
            "kind": EVENT,
            "reference": (reference or f"unreadable {now.isoformat()}")[:400],
            "lane": lane if lane in {"urgent", "normal", "bulk"} else "normal",
            "state": "dead",
            "run_at": now,
            "attempts": 1,
            "failed": 1,
            "crashed": 0,
            "alone": True,
            "payload": json.dumps(envelope, ensure_ascii=False),
            "error": error[:2000],
            "trace": "",
            "created_at": now,
            "ended_at": now,
        }

    def _store(self, rows: list[dict[str, Any]]) -> None:
        if rows:
            with self.unit_of_work() as session:
                jobs.store_heard(session, rows)

    def _receipt(self, heard: list[_Copy]) -> None:
        by_source: dict[str, list[UUID]] = {}
        for one, _ in heard:
            by_source.setdefault(one.source, []).append(one.id)
        for source, ids in by_source.items():
            self.dispatcher.tell_receipt(source, ids)

    def _receipt_of_unreadable(self, envelope: Mapping[str, Any]) -> None:
        with suppress(Exception):
            self.dispatcher.tell_receipt(str(envelope["source"]).strip("/"), [UUID(str(envelope["id"]))])

    def _run_stored(self, references: Sequence[str], lane: str) -> None:
        with self.reading() as session:
            ids = session.scalars(
                select(jobs_table.c.id).where(jobs_table.c.kind == EVENT, jobs_table.c.reference.in_(references))
            ).all()
        deadline = time.monotonic() + (BULK_SLICE_S if lane == "bulk" else SLICE_S)
        while ids and time.monotonic() < deadline and self._run_claim(ids=ids):
            pass

    def _hear_stored(self, claim: Claim) -> None:
        job = claim.jobs[0]
        heard = decode(job.payload, job.lane)
        with claim.finish() as session:
            if claim.jobs:
                self._listen(session, [heard])

    def _listen(self, session: Session, heard: list[Heard]) -> None:
        for one in heard:
            failpoints.hear(one.id)
        self.service.listeners[heard[0].event.type](session, heard)

    # Jobs

    def run_jobs(self, lane: str) -> None:
        """Do the due jobs of a lane for a while; then leave the rest to the next wake-up."""
        self._run_lane(lane)
        self.run_here()

    def run_here(self) -> None:
        """Do what the last commits made due on the lanes of this process."""
        while self._due_here:
            lane = min(self._due_here, key=_rank)
            self._due_here.discard(lane)
            self._run_lane(lane)

    def _run_lane(self, lane: str) -> None:
        if not self._may_run(lane):
            return
        began = time.monotonic()
        try:
            while True:
                started = time.monotonic()
                if not self._run_claim(lane=lane):
                    return
                took = time.monotonic() - started
                if lane == "bulk":
                    self.rest(took)
                if self._lets_others_pass(lane, time.monotonic() - began, took):
                    self.dispatcher.wake([lane])
                    return
        finally:
            self._free_slot(lane)

    def _lets_others_pass(self, lane: str, passed_s: float, took_s: float) -> bool:
        # Of bulk work, a further job that takes a little longer than the last one would not fit into the slice.
        if passed_s + 1.2 * took_s > BULK_SLICE_S if lane == "bulk" else passed_s > SLICE_S:
            return True
        return lane in {"normal", "bulk"} and self._is_waited_for(passed_s)

    def _is_waited_for(self, passed_s: float) -> bool:
        if self._bulk is None or passed_s < POLITE_S:
            return False
        return self.dispatcher.has_waiting(("urgent", "normal"))

    def _run_claim(self, *, lane: str | None = None, ids: Sequence[int] = ()) -> bool:
        now = clock.now()
        with self.reading() as session:
            # Most wake-ups find nothing left: looking costs less than locking.
            if lane is not None and not jobs.lanes_due(session, [lane], now=now):
                return False
        with self.unit_of_work() as session:
            claimed = jobs.claim(session, now=now, kinds=self.kinds, lane=lane, ids=ids)
        if claimed:
            jobs.run(self.db, self.kinds[claimed[0].kind], claimed)
        return bool(claimed)

    def _may_run(self, lane: str) -> bool:
        return lane != "bulk" or self._bulk is None or self._bulk.take()

    def _free_slot(self, lane: str) -> None:
        if lane == "bulk" and self._bulk is not None:
            self._bulk.give_back()

    def _committed(self, session: Session) -> None:
        letters: list[outbox.Letter] = session.info.pop("letters", [])
        if letters:
            self._note_news((letter.type, letter.lane) for letter in letters)
            self.dispatcher.send(letters)
        lanes: set[str] = session.info.pop("lanes", set())
        if lanes:
            self._due_here |= lanes & self._here
            self.dispatcher.wake(lanes - self._here)


def _rank(lane: str) -> int:
    return ("urgent", "normal", "deliver", "retry", "bulk").index(lane)


__all__ = ["EVENT", "BulkSlot", "Claim", "Heard", "Job", "Kind", "Node", "Service"]
