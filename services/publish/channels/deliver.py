"""Attempts deliveries: many at once, none delayed by another's receiver, each recorded with what came of it.

A task's thread hands its letters to one event loop and waits for them only a moment: whoever answers slowly is waited
for by the loop alone. One thread records what has come in, for all letters of the process together, and lengthens the
leases of those that are still on their way; so a worker that dies gives its letters up within seconds.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from services.publish import store as site_store
from services.publish.channels import domain, store
from services.publish.channels.contents import digest_for
from services.publish.channels.hosts import Hosts
from services.publish.channels.loop import Loop
from services.publish.channels.readers import CONFIRMATION
from services.publish.channels.record import record
from services.publish.transports import Letter, NotYet, Outcome, Transport
from shared import clock, jobs
from shared.db import Database
from shared.ids import new_id
from shared.jobs import Claim, Job

log = logging.getLogger(__name__)

# A lease is short, and lengthened while its letter is on its way.
LEASE_S = 8.0
LENGTHEN_S = 2.5
# So long a task waits for its letters; who answers later is waited for by the loop.
PATIENCE_S = 0.5
# Outcomes that come within this time of one another are recorded together, so many at most.
GATHER_S = 0.05
TOGETHER = 200
# So many letters are on their way at once.
MOST_FLYING = 1000
# An outcome that the database does not take is offered again for so long; by then its lease has run out.
RECORD_S = 20.0
CLOSE_S = 5.0
# Lists that are still to be built are looked at again after this, later and later; what has waited so long fails.
SURFACES_AGAIN_S, SURFACES_MOST_S = 0.5, 30.0
SURFACES_PATIENCE = timedelta(minutes=10)


@dataclass(eq=False)
class Flight:
    """A letter on its way. attempt_id: of the attempt recorded before it was made, for what is sent at most once."""

    job: Job
    letter: Letter
    db: Database
    attempt_id: UUID | None = None
    leased: float = field(default_factory=time.monotonic)


class Deliverer:
    """Attempts deliveries.

    secrets_of: those that sign what is sent to a subscription. make_transports: what makes one, by channel;
    called inside the loop.
    not_in_place: the paths of the lists and sitemaps that do not yet show what a delivery tells of.
    """

    def __init__(
        self,
        loop: Loop,
        secrets_of: Callable[[Row[Any]], tuple[bytes, ...]],
        make_transports: Callable[[], Mapping[str, Callable[[], Transport]]],
        not_in_place: Callable[[Session, Row[Any]], list[str]],
    ) -> None:
        self._loop = loop
        self._secrets_of = secrets_of
        self._make_transports = make_transports
        self._not_in_place = not_in_place
        self._makers: Mapping[str, Callable[[], Transport]] | None = None
        self._transports: dict[str, Transport] = {}
        self._hosts = Hosts()
        self._news = threading.Condition()
        self._flights: dict[int, Flight] = {}
        self._came_in: list[tuple[Flight, Outcome | NotYet]] = []
        self._recorder: threading.Thread | None = None
        self._closing = False

    def attempt_deliveries(self, claim: Claim) -> None:
        """Attempt every delivery of these jobs at once."""
        flights = self._prepare(claim)
        if not flights:
            return
        with self._news:
            self._news.wait_for(lambda: len(self._flights) < MOST_FLYING, timeout=LEASE_S / 2)
            self._flights.update({flight.job.id: flight for flight in flights})
            if self._recorder is None:
                self._recorder = threading.Thread(target=self._record_all, name="delivery-records", daemon=True)
                self._recorder.start()
        self._loop.soon(self._send_off, _together(flights))
        mine = {flight.job.id for flight in flights}
        with self._news:
            self._news.wait_for(lambda: mine.isdisjoint(self._flights), timeout=PATIENCE_S)

    def drain(self, within_s: float = CLOSE_S) -> bool:
        """Wait until nothing is on its way; whether that was so in time."""
        with self._news:
            return self._news.wait_for(lambda: not self._flights, timeout=within_s)

    def close(self) -> None:
        """Wait a moment for what is on its way; what is not back by then is sent again when its lease has run out."""
        if self._recorder is None:
            return
        self.drain()
        with self._news:
            self._closing = True
            self._news.notify_all()
        self._recorder.join(CLOSE_S)

    # Before

    def _prepare(self, claim: Claim) -> list[Flight]:
        with claim.db.reading() as session:
            rows = store.owed(session, [UUID(job.reference) for job in claim.jobs])
            gathered = [row for row in rows.values() if row.channel in domain.GATHERED]
            early = {row.id: late for row in gathered if (late := self._not_in_place(session, row))}
            letters = {row.article_id for row in rows.values() if row.type == "digest.daily"}
            digests = store.digests(session, letters) if letters else {}
            gone = site_store.not_live(session, {row.article_id for row in rows.values() if row.type in domain.OF_LIVE})
        fly: list[Flight] = []
        aside: list[tuple[Job, Row[Any] | None]] = []
        for job in list(claim.jobs):
            row = rows.get(UUID(job.reference))
            if row is not None and row.type in domain.OF_LIVE and row.article_id in gone:
                aside.append((job, row))
            elif row is not None and row.state == "due" and _may_be_told(row):
                digest = digests.get(row.article_id)
                body = row.body if digest is None else _digest_body(digest, row.body)
                fly.append(Flight(job, self._letter(row, body), claim.db))
            else:
                aside.append((job, row))
        once = [flight for flight in fly if flight.letter.channel in domain.AT_MOST_ONCE]
        if aside:
            _set_aside(claim, aside, gone)
        if early:
            waiting = [one for one in fly if one.letter.delivery_id in early]
            now = clock.now()
            record(
                claim.db,
                [(one.job, one.letter, None, _wait(one.letter, early[one.letter.delivery_id], now)) for one in waiting],
            )
            fly = [one for one in fly if one not in waiting]
        return [flight for flight in fly if flight not in once] + self._begin(claim, once)

    def _letter(self, row: Row[Any], body: str) -> Letter:
        return Letter(
            delivery_id=row.id,
            subscription_id=row.subscription_id,
            article_id=row.article_id,
            change=row.change,
            channel=row.channel,
            to=row.url,
            type=row.type,
            body=body,
            tries=row.tries,
            language=row.language,
            keys=row.keys,
            secrets=self._secrets_of(row) if row.channel == "webhook" else (),
            created_at=row.created_at,
            failing_since=row.failing_since,
        )

    def _begin(self, claim: Claim, flights: list[Flight]) -> list[Flight]:
        """Record the attempts before they are made; those whose leases are still ours."""
        if not flights:
            return []
        now = clock.now()
        with claim.db.unit_of_work() as session:
            states = store.lock_deliveries(session, [flight.letter.delivery_id for flight in flights])
            begun = [flight for flight in flights if states.get(flight.letter.delivery_id) == "due"]
            for flight in begun:
                flight.attempt_id = new_id()
            store.begin(session, [flight.letter.delivery_id for flight in begun])
            store.add_attempts(session, [_begun(flight, now) for flight in begun])
            jobs.extend(session, [flight.job for flight in begun], until=now + timedelta(seconds=LEASE_S))
        return begun

    # On the way

    def _send_off(self, groups: Sequence[list[Flight]]) -> None:
        if self._makers is None:
            self._makers = self._make_transports()
        loop = asyncio.get_running_loop()
        for group in groups:
            # The flight is kept by the registry; the task by the loop while it waits for something of its own.
            task = loop.create_task(self._fly(group))
            _tasks.add(task)
            task.add_done_callback(_tasks.discard)

    async def _fly(self, group: list[Flight]) -> None:
        outcome: Outcome | NotYet
        try:
            outcome = await self._attempt([flight.letter for flight in group])
        except NotYet as early:
            outcome = early
        except Exception as error:
            log.exception("an attempt failed")
            outcome = Outcome(None, f"{type(error).__name__} {error}"[:500], sent=True)
        self._land(group, outcome)

    async def _attempt(self, letters: Sequence[Letter]) -> Outcome:
        channel = letters[0].channel
        transport = self._transports.get(channel)
        if transport is None:
            # Made when first used: some of them load a good deal.
            make = (self._makers or {}).get(channel)
            if make is None:
                return Outcome(None, f"{channel} is not set up", refused=True, why="not-set-up")
            transport = self._transports[channel] = make()
        async with self._hosts.turn(transport.place(letters[0]), transport.places) as turn:
            outcome = await transport.attempt(letters)
            self._hosts.note(turn, outcome)
            return outcome

    def _land(self, group: Sequence[Flight], outcome: Outcome | NotYet) -> None:
        with self._news:
            first = not self._came_in
            self._came_in += [(flight, outcome) for flight in group]
            if first or self._enough():
                self._news.notify_all()

    def _enough(self) -> bool:
        return len(self._came_in) >= min(len(self._flights), TOGETHER)

    # Afterwards

    def _record_all(self) -> None:
        lengthened = time.monotonic()
        while True:
            with self._news:
                self._news.wait_for(lambda: self._came_in or self._closing, timeout=LENGTHEN_S / 2)
                if self._came_in:
                    self._news.wait_for(self._enough, timeout=GATHER_S)
                batch = self._came_in[:TOGETHER]
                del self._came_in[:TOGETHER]
                if self._closing and not batch:
                    return
            if batch:
                self._record(batch)
            if time.monotonic() - lengthened > LENGTHEN_S / 2:
                lengthened = time.monotonic()
                self._lengthen_leases()

    def _record(self, batch: Sequence[tuple[Flight, Outcome | NotYet]]) -> None:
        deadline = time.monotonic() + RECORD_S
        while True:
            try:
                record(batch[0][0].db, [(one.job, one.letter, one.attempt_id, outcome) for one, outcome in batch])
                break
            except OperationalError:
                log.exception("what came of deliveries could not be recorded")
                if time.monotonic() > deadline or self._closing:
                    break
                threading.Event().wait(0.5)
            except Exception:
                log.exception("what came of deliveries could not be recorded; they are sent again")
                break
        with self._news:
            for flight, _ in batch:
                self._flights.pop(flight.job.id, None)
            self._news.notify_all()

    def _lengthen_leases(self) -> None:
        now = time.monotonic()
        with self._news:
            old = [one for one in self._flights.values() if now - one.leased > LENGTHEN_S]
        if not old:
            return
        try:
            with old[0].db.unit_of_work() as session:
                jobs.extend(session, [one.job for one in old], until=clock.now() + timedelta(seconds=LEASE_S))
        except OperationalError:
            log.warning("leases of deliveries could not be lengthened")
            return
        for one in old:
            one.leased = now


_tasks: set[asyncio.Task[None]] = set()


def _digest_body(digest: Mapping[str, Any], own: str) -> str:
    return json.dumps(digest_for(digest, json.loads(own or "{}")), ensure_ascii=False)


def _may_be_told(row: Row[Any]) -> bool:
    # Who has just signed up is asked whether it was he; nothing else.
    return bool(row.status == "active" or (row.status == "pending" and row.type == CONFIRMATION))


def _wait(letter: Letter, late: Sequence[str], now: datetime) -> Outcome | NotYet:
    """What becomes of a letter whose news stand not yet in these lists: taken up later, and failed in the end.

    Nobody is sent to a list that does not show what he is told of.
    """
    why = f"not yet built: {', '.join(late)}"[:400]
    waited = now - (letter.created_at or now)
    if waited > SURFACES_PATIENCE:
        return Outcome(None, why, refused=True, why="list-missing")
    return NotYet(min(max(SURFACES_AGAIN_S, waited.total_seconds() / 10), SURFACES_MOST_S), why)


def _together(flights: Sequence[Flight]) -> list[list[Flight]]:
    """The flights that leave as one request each."""
    groups: dict[Any, list[Flight]] = {}
    for flight in flights:
        letter = flight.letter
        gathered = letter.channel in domain.GATHERED
        groups.setdefault(letter.subscription_id if gathered else letter.delivery_id, []).append(flight)
    return list(groups.values())


def _begun(flight: Flight, now: datetime) -> dict[str, Any]:
    return {
        "id": flight.attempt_id,
        "delivery_id": flight.letter.delivery_id,
        "at": now,
        "took_ms": 0,
        "status": None,
        "answer": "begun; no answer is known",
        "sent": True,
    }


def _set_aside(claim: Claim, aside: Sequence[tuple[Job, Row[Any] | None]], gone: Collection[UUID]) -> None:
    """End the jobs of deliveries that are not to be sent: done, held, or begun by a worker that is no more.

    gone: articles that are live no more. Nobody is told any longer that they are, also not one who was paused when
    they were taken away, or who does not hear of that.
    """
    ids = [row.id for _, row in aside if row is not None]
    states: dict[UUID, str] = {}
    with claim.finish(
        only=[job for job, _ in aside], first=lambda session: states.update(store.lock_deliveries(session, ids))
    ) as session:
        now = clock.now()
        kept = {job.id for job in claim.jobs}
        mine = [row for job, row in aside if row is not None and job.id in kept]
        stale = [row for row in mine if row.type in domain.OF_LIVE and row.article_id in gone]
        store.supersede(session, [row.id for row in stale], now)
        due = [row for row in mine if states.get(row.id) == "due" and row not in stale]
        store.hold(session, [row.id for row in due if row.status == "paused"])
        store.fail(session, [row.id for row in due if row.status not in {"active", "paused"}], now)
        # Sent, perhaps: nobody knows. It is shown as that, and a person may send it again.
        unknown = [row for row in mine if states.get(row.id) == "sending"]
        store.fail(session, [row.id for row in unknown], now, "unknown")
        store.count(session, Counter((row.channel, "unknown_total") for row in unknown))
    for job, _ in aside:
        if job in claim.jobs:
            claim.jobs.remove(job)
