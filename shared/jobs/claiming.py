"""Claiming jobs with a lease, doing them, and the one transaction in which they end."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, false, select, update
from sqlalchemy.orm import Session

from shared import clock, failpoints
from shared.db import Database
from shared.jobs.dead_letters import bury
from shared.logs import traced
from shared.tables import jobs

log = logging.getLogger(__name__)

# Longer than any task's time limit (celery_app.TIME_LIMIT_S): a lease that ran out has no live worker behind it.
LEASE_S = 15.0
# Our own failures (a database away, a bug): tried again after these pauses, then a dead letter. Seconds.
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


@dataclass
class Job:
    """A claimed job. payload: what `add` was given, or None; attempts: with this one, over the job's whole life."""

    id: int
    kind: str
    reference: str
    lane: str
    payload: Any
    attempts: int
    failed: int
    trace: str


@dataclass(frozen=True)
class Kind:
    """A kind of job. work: does claimed jobs of it; most: how many at once; lease_s: longer than the work can take."""

    name: str
    work: Callable[[Claim], None]
    most: int = 50
    lease_s: float = LEASE_S


def claim(
    session: Session, *, now: datetime, kinds: Mapping[str, Kind], lane: str | None = None, ids: Sequence[int] = ()
) -> list[Job]:
    """Lease due jobs of one kind: the oldest due one's, as many as the kind takes at once; [] when nothing is due.

    lane: of this lane; ids: only among these. A job that runs alone is leased by itself.
    """
    among = {"ids": list(ids)} if ids else {"the_lane": lane}
    named = "ids" if ids else "lane"
    while (first := _run(session, _FIRST_DUE[named], {"now": now, **among}).first()) is not None:
        if first.kind in kinds:
            break
        bury(session, [first.id], f"this version knows no job of the kind {first.kind!r}", now=now)
    if first is None:
        return []
    kind = kinds[first.kind]
    lease = {"now": now, "until": now + timedelta(seconds=kind.lease_s)}
    if first.alone:
        rows = _run(session, _LEASE_ONE, {"the_id": first.id, **lease}).all()
    else:
        chosen = {"the_kind": first.kind, "most": kind.most, **among, **lease}
        rows = _run(session, _LEASE_MANY[named], chosen).all()
    return [
        Job(
            r.id,
            r.kind,
            r.reference,
            r.lane,
            json.loads(r.payload) if r.payload else None,
            r.attempts,
            r.failed,
            r.trace,
        )
        for r in sorted(rows, key=lambda row: row.id)
    ]


def _run(session: Session, statement: Any, values: Mapping[str, Any]) -> Any:
    # Past the mapped classes' machinery, which costs as much again as the statement itself.
    return session.connection().execute(statement, values)


def _among(name: str) -> Any:
    return jobs.c.id.in_(bindparam("ids", expanding=True)) if name == "ids" else jobs.c.lane == bindparam("the_lane")


def _lease(which: Any) -> Any:
    return (
        update(jobs)
        .where(which, jobs.c.state == "ready")
        .values(
            state="leased",
            lease_until=bindparam("until"),
            attempts=jobs.c.attempts + 1,
            failed=jobs.c.failed + 1,
        )
        .returning(
            jobs.c.id,
            jobs.c.kind,
            jobs.c.reference,
            jobs.c.lane,
            jobs.c.payload,
            jobs.c.attempts,
            jobs.c.failed,
            jobs.c.trace,
        )
    )


_READY = and_(jobs.c.state == "ready", jobs.c.run_at <= bindparam("now"))
_FIRST_DUE = {
    name: select(jobs.c.id, jobs.c.kind, jobs.c.alone)
    .where(_READY, _among(name))
    .order_by(jobs.c.run_at, jobs.c.id)
    .limit(1)
    for name in ("ids", "lane")
}
_LEASE_ONE = _lease(and_(jobs.c.id == bindparam("the_id"), jobs.c.run_at <= bindparam("now")))
_LEASE_MANY = {
    name: _lease(
        jobs.c.id.in_(
            select(jobs.c.id)
            .where(_READY, _among(name), jobs.c.kind == bindparam("the_kind"), jobs.c.alone == false())
            .order_by(jobs.c.run_at, jobs.c.id)
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
    )
    for name in ("ids", "lane")
}


@dataclass
class Claim:
    """Leased jobs of one kind and the one transaction in which they end."""

    db: Database
    jobs: list[Job]
    _retries: dict[int, tuple[datetime, str, bool, str]] = field(default_factory=dict)
    _buried: dict[int, str] = field(default_factory=dict)

    @contextmanager
    def finish(
        self, only: Sequence[Job] | None = None, *, first: Callable[[Session], None] | None = None
    ) -> Iterator[Session]:
        """The transaction in which effects, the jobs' end, next jobs and events commit together.

        On entering, jobs lost to another worker leave `jobs`; what is done for them must be left out. Those without
        another verdict end as done, or become ready again if they were asked for meanwhile. only: end just these.
        first: called before the jobs' rows are locked, for locks that others take before they ask for jobs.
        """
        mine = {job.id: job for job in (self.jobs if only is None else only)}
        now = clock.now()
        with self.db.unit_of_work() as session:
            if first is not None:
                first(session)
            held = _run(session, _held(session), {"ids": list(mine)}).all()
            kept = {row.id for row in held if row.attempts == mine[row.id].attempts}
            lost = [job for job in mine.values() if job.id not in kept]
            for job in lost:
                self.jobs.remove(job)
                log.warning("a job was lost to another worker", extra={"job": job.id, "kind": job.kind})
            yield session
            ended = kept - self._retries.keys() - self._buried.keys()
            # Read after the work: a job may have asked for itself again.
            once_more = set(_run(session, _ASKED_AGAIN, {"ids": list(ended)}).scalars()) if ended else set()
            _end(session, ended - once_more, now=now)
            for job_id in once_more:
                session.execute(
                    update(jobs)
                    .where(jobs.c.id == job_id)
                    .values(state="ready", run_at=jobs.c.again_at, again_at=None, lease_until=None, failed=0, crashed=0)
                )
            again = [
                {"the_id": job_id, "at": at, "why": error[:2000], "uncounted": 0 if counts else 1, "to": lane}
                for job_id, (at, error, counts, lane) in self._retries.items()
                if job_id in kept
            ]
            if again:
                session.connection().execute(_RETRY, again)
            for job_id in kept & self._buried.keys():
                bury(session, [job_id], self._buried[job_id], now=now)

    def retry(self, job: Job, *, at: datetime, error: str, counts: bool = True, lane: str | None = None) -> None:
        """Inside `finish`: this job is not done; it is tried again at this time.

        counts: as a failure of ours. lane: where, if not where it was.
        """
        self._retries[job.id] = (at, error, counts, lane or job.lane)

    def bury(self, job: Job, error: str) -> None:
        """Inside `finish`: this job can never be done; it becomes a dead letter."""
        self._buried[job.id] = error


def run(db: Database, kind: Kind, claimed: list[Job]) -> None:
    """Do claimed jobs. When several fail together each runs alone later; one that fails is put off or buried."""
    failpoints.hit("claim.after")
    the_claim = Claim(db, list(claimed))
    try:
        with traced(claimed[0].trace):
            kind.work(the_claim)
    except Exception as error:
        log.exception("jobs failed", extra={"kind": kind.name, "jobs": [job.id for job in claimed]})
        _fail(db, claimed, f"{type(error).__name__}: {error}")


def _fail(db: Database, claimed: list[Job], error: str) -> None:
    now = clock.now()
    with db.unit_of_work() as session:
        for job in claimed:
            mine = and_(jobs.c.id == job.id, jobs.c.state == "leased", jobs.c.attempts == job.attempts)
            if len(claimed) > 1:
                # Not this job's failure until it has failed alone.
                values = {"state": "ready", "run_at": now, "alone": True, "failed": jobs.c.failed - 1}
            elif job.failed > len(PAUSES_S):
                if session.execute(update(jobs).where(mine).values(lease_until=None)).rowcount:  # type: ignore[attr-defined]
                    bury(session, [job.id], error, now=now)
                continue
            else:
                values = {"state": "ready", "run_at": now + timedelta(seconds=PAUSES_S[job.failed - 1])}
            session.execute(update(jobs).where(mine).values(**values, lease_until=None, error=error[:2000]))
        session.info.setdefault("lanes", set()).update(job.lane for job in claimed)


def _end(session: Session, ids: Iterable[int], *, now: datetime) -> None:
    if ended := list(ids):
        _run(session, _END, {"ids": ended, "now": now})


def _held(session: Session) -> Any:
    return _HELD_PG if session.get_bind().dialect.name == "postgresql" else _HELD


_HELD = select(jobs.c.id, jobs.c.attempts).where(
    jobs.c.id.in_(bindparam("ids", expanding=True)), jobs.c.state == "leased"
)
# In the order in which `add_many` takes rows, byte for byte: two transactions that each hold what the other wants would
# wait for ever otherwise.
_HELD_PG = _HELD.order_by(jobs.c.kind, jobs.c.reference.collate("C")).with_for_update()
_RETRY = (
    update(jobs)
    .where(jobs.c.id == bindparam("the_id"))
    .values(
        state="ready",
        run_at=bindparam("at"),
        lease_until=None,
        error=bindparam("why"),
        lane=bindparam("to"),
        crashed=0,  # it was given back in good order
        failed=jobs.c.failed - bindparam("uncounted"),
    )
)
_ASKED_AGAIN = select(jobs.c.id).where(jobs.c.id.in_(bindparam("ids", expanding=True)), jobs.c.again_at.is_not(None))
_END = (
    update(jobs)
    .where(jobs.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        state="done",
        lease_until=None,
        ended_at=bindparam("now"),
        payload=None,
        error=None,
        failed=0,
        crashed=0,
        alone=False,
    )
)


def extend(session: Session, held: Sequence[Job], *, until: datetime) -> None:
    """Lengthen the leases of these jobs, of those that are still ours."""
    rows = [{"the_id": job.id, "mine": job.attempts, "end": until} for job in sorted(held, key=_place)]
    if rows:
        session.connection().execute(_EXTEND, rows)


def _place(job: Job) -> tuple[str, str]:
    return job.kind, job.reference


_EXTEND = (
    update(jobs)
    .where(jobs.c.id == bindparam("the_id"), jobs.c.attempts == bindparam("mine"), jobs.c.state == "leased")
    .values(lease_until=bindparam("end"))
)
