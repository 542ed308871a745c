"""The jobs table: everything a service has to do, from events heard to deliveries and retries to dead letters.

A job is asked for with `add`, in the transaction of whatever makes it necessary. It is claimed with a lease, its
attempt counted before its work starts; its effects, its end and whatever follows from it commit together, fenced by
the attempt number, so that a worker that lost its lease changes nothing. A job that fails is tried again with growing
pauses; one that fails for good, or kills its worker each time, becomes a dead letter and blocks nothing behind it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, and_, bindparam, case, false, func, literal, null, or_, select, true, union_all, update
from sqlalchemy.orm import Session

from shared import clock, failpoints, routing
from shared.db import Database, per_dialect
from shared.logs import trace_id, traced
from shared.tables import jobs, tallies

log = logging.getLogger(__name__)

# Longer than any task's time limit (celery_app.TIME_LIMIT_S): a lease that ran out has no live worker behind it.
LEASE_S = 15.0
# Our own failures (a database away, a bug): tried again after these pauses, then a dead letter. Seconds.
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# A ready job is called scheduled while its time is further away than this.
SCHEDULED = timedelta(minutes=1)
# A job whose worker died this often is held to be what kills it.
MOST_CRASHES = 4


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


def add(
    session: Session,
    kind: str,
    reference: str,
    *,
    lane: str = "normal",
    run_at: datetime | None = None,
    payload: Mapping[str, Any] | None = None,
) -> None:
    """Ask for a job, in the caller's transaction. One (kind, reference) is one job: asking twice does it once.

    An ended job becomes ready again; a ready one keeps the earlier time; one that runs now runs once more afterwards.
    run_at: aware UTC, now by default. payload: JSON values.
    """
    add_many(session, kind, [(reference, payload)], lane=lane, run_at=run_at)


def add_many(
    session: Session,
    kind: str,
    wanted: Iterable[tuple[str, Mapping[str, Any] | None]],
    *,
    lane: str = "normal",
    run_at: datetime | None = None,
) -> None:
    """Ask for several jobs of one kind: (reference, payload) pairs. Rows are locked in the references' order."""
    now = clock.now()
    run_at = run_at or now
    rows = [
        {
            "kind": kind,
            "reference": reference,
            "lane": lane,
            "state": "ready",
            "run_at": run_at,
            "attempts": 0,
            "failed": 0,
            "crashed": 0,
            "alone": False,
            "payload": None if payload is None else json.dumps(payload, ensure_ascii=False),
            "trace": trace_id(),
            "created_at": now,
        }
        for reference, payload in sorted(dict(wanted).items())
    ]
    if not rows:
        return
    session.connection().execute(_ask(session), rows)
    if run_at <= now:
        session.info.setdefault("lanes", set()).add(lane)


@per_dialect
def _ask(insert: Callable[[Table], Any]) -> Any:
    statement = insert(jobs)
    asked = statement.excluded
    leased, ready = jobs.c.state == "leased", jobs.c.state == "ready"
    return statement.on_conflict_do_update(
        index_elements=["kind", "reference"],
        set_={
            "state": case((leased, "leased"), else_="ready"),
            "run_at": case(
                (leased, jobs.c.run_at), (ready & (jobs.c.run_at < asked.run_at), jobs.c.run_at), else_=asked.run_at
            ),
            "again_at": case((leased, asked.run_at), else_=null()),
            "lane": case((ready & ((jobs.c.lane == "urgent") | (asked.lane == "bulk")), jobs.c.lane), else_=asked.lane),
            "failed": case((leased | ready, jobs.c.failed), else_=0),
            "crashed": case((leased | ready, jobs.c.crashed), else_=0),
            "payload": func.coalesce(asked.payload, jobs.c.payload),
            "trace": asked.trace,
            "ended_at": null(),
        },
    )


@per_dialect
def _store(insert: Callable[[Table], Any]) -> Any:
    statement = insert(jobs).on_conflict_do_nothing(index_elements=["kind", "reference"])
    return statement.returning(jobs.c.reference)


@per_dialect
def _add_to_tally(insert: Callable[[Table], Any]) -> Any:
    statement = insert(tallies)
    return statement.on_conflict_do_update(
        index_elements=["name"], set_={"value": tallies.c.value + statement.excluded.value}
    )


def withdraw(session: Session, kind: str, reference: str, *, if_attempts: int) -> bool:
    """End a job that nobody is doing, if it has been attempted just so often; whether that was so.

    Afterwards nobody can claim it: what it was for will not happen.
    """
    found = session.execute(
        update(jobs)
        .where(
            jobs.c.kind == kind,
            jobs.c.reference == reference,
            jobs.c.state == "ready",
            jobs.c.attempts == if_attempts,
        )
        .values(state="done", ended_at=clock.now(), payload=None)
        .returning(jobs.c.id)
    ).first()
    return found is not None


def store_heard(session: Session, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Insert rows of events heard, passing over those that are there already; the references that are new."""
    return set(session.connection().execute(_store(session), list(rows)).scalars())


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
    session.execute(
        update(jobs)
        .where(jobs.c.id.in_(list(ids)))
        .values(
            state="done", lease_until=None, ended_at=now, payload=None, error=None, failed=0, crashed=0, alone=False
        )
    )


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


def free_expired(session: Session, *, now: datetime) -> int:
    """Free the jobs whose lease ran out: ready again, alone; dead when their workers died too often. How many."""
    expired = and_(jobs.c.state == "leased", jobs.c.lease_until < now)
    rows = session.execute(
        select(jobs.c.id, jobs.c.crashed).where(expired).limit(500).with_for_update(skip_locked=True)
    ).all()
    killers = [row.id for row in rows if row.crashed + 1 >= MOST_CRASHES]
    bury(session, killers, f"its worker died, or ran out of time, {MOST_CRASHES} times", now=now)
    others = [row.id for row in rows if row.crashed + 1 < MOST_CRASHES]
    session.execute(
        update(jobs)
        .where(jobs.c.id.in_(others))
        .values(
            state="ready",
            run_at=case((jobs.c.again_at.is_not(None), jobs.c.again_at), else_=literal(now, jobs.c.run_at.type)),
            again_at=None,
            lease_until=None,
            alone=true(),
            crashed=jobs.c.crashed + 1,
            error="its worker died or ran out of time",
        )
    )
    return len(rows)


def lanes_due(session: Session, lanes: Sequence[str], *, now: datetime) -> list[str]:
    """The lanes, of these, on which a job is due."""
    due = set(_run(session, _DUE, {"now": now}).scalars())
    return [lane for lane in lanes if lane in due]


def any_expired(session: Session, *, now: datetime) -> bool:
    """Whether `free_expired` would find anything."""
    return _run(session, _EXPIRED, {"now": now}).first() is not None


def _one_due_on(lane: str) -> Any:
    one = select(jobs.c.lane).where(jobs.c.state == "ready", jobs.c.lane == lane, jobs.c.run_at <= bindparam("now"))
    return select(one.limit(1).subquery())


# One look at each lane's index, all in one statement.
_DUE = union_all(*(_one_due_on(lane) for lane in sorted({one for lanes in routing.SERVICES.values() for one in lanes})))
_EXPIRED = select(jobs.c.id).where(jobs.c.state == "leased", jobs.c.lease_until < bindparam("now")).limit(1)


# Dead letters


def bury(session: Session, ids: Sequence[int], error: str, *, now: datetime) -> None:
    """Make these jobs dead letters, with why."""
    if ids:
        session.execute(
            update(jobs)
            .where(jobs.c.id.in_(ids))
            .values(state="dead", lease_until=None, again_at=None, ended_at=now, error=error[:2000])
        )


def dead(session: Session, *, before_id: int | None = None, most: int = 100) -> list[Any]:
    """Dead letters as rows of the jobs table, newest first; before_id: only older ones than this (the next page)."""
    statement = select(jobs).where(jobs.c.state == "dead").order_by(jobs.c.id.desc()).limit(most)
    if before_id is not None:
        statement = statement.where(jobs.c.id < before_id)
    return list(session.execute(statement))


def dead_letter(session: Session, job_id: int) -> Any | None:
    """One dead letter's row, or None."""
    return session.execute(select(jobs).where(jobs.c.id == job_id, jobs.c.state == "dead")).first()


def is_dead(session: Session, kind: str, reference: str) -> bool:
    """Whether this job is a dead letter."""
    found = select(jobs.c.id).where(jobs.c.kind == kind, jobs.c.reference == reference, jobs.c.state == "dead")
    return session.execute(found).first() is not None


def retry_dead(session: Session, job_id: int, *, now: datetime) -> bool:
    """Make a dead letter ready again, with all its tries; False when there is no such dead letter."""
    row = session.execute(
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state == "dead")
        .values(state="ready", run_at=now, failed=0, crashed=0, alone=True, ended_at=None)
        .returning(jobs.c.lane)
    ).first()
    if row is not None:
        session.info.setdefault("lanes", set()).add(row.lane)
    return row is not None


def discard_dead(session: Session, job_id: int, *, now: datetime) -> bool:
    """End a dead letter without doing it; False when there is no such dead letter."""
    found = session.execute(
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state == "dead")
        .values(state="done", ended_at=now, payload=None)
        .returning(jobs.c.id)
    ).first()
    return found is not None


def counts(session: Session, *, now: datetime) -> dict[str, dict[str, int]]:
    """How many jobs there are that have not ended well, by lane and state.

    Ready ones whose time is more than a minute away are "scheduled": nobody has to wait for them now.
    """
    later = and_(jobs.c.state == "ready", jobs.c.run_at > now + SCHEDULED)
    state = case((later, "scheduled"), else_=jobs.c.state).label("now")
    rows = session.execute(
        select(jobs.c.lane, state, func.count())
        .where(or_(jobs.c.state == "ready", jobs.c.state == "leased", jobs.c.state == "dead"))
        .group_by(jobs.c.lane, "now")
    )
    found: dict[str, dict[str, int]] = {}
    for lane, state, count in rows:
        found.setdefault(lane, {})[state] = count
    return found


def tally(session: Session, name: str, more: int) -> None:
    """Add to a count that is kept for ever."""
    session.execute(_add_to_tally(session), {"name": name, "value": more})
