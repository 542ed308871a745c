"""What is due, what was left behind by workers that died, and how much there is of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, case, func, literal, or_, select, true, union_all, update
from sqlalchemy.orm import Session

from shared import routing
from shared.jobs.dead_letters import bury
from shared.tables import jobs

# A ready job is called scheduled while its time is further away than this.
SCHEDULED = timedelta(minutes=1)
# A job whose worker died this often is held to be what kills it.
MOST_CRASHES = 4


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
    due = set(session.connection().execute(_DUE, {"now": now}).scalars())
    return [lane for lane in lanes if lane in due]


def any_expired(session: Session, *, now: datetime) -> bool:
    """Whether `free_expired` would find anything."""
    return session.connection().execute(_EXPIRED, {"now": now}).first() is not None


def _one_due_on(lane: str) -> Any:
    one = select(jobs.c.lane).where(jobs.c.state == "ready", jobs.c.lane == lane, jobs.c.run_at <= bindparam("now"))
    return select(one.limit(1).subquery())


# One look at each lane's index, all in one statement.
_DUE = union_all(*(_one_due_on(lane) for lane in sorted({one for lanes in routing.SERVICES.values() for one in lanes})))
_EXPIRED = select(jobs.c.id).where(jobs.c.state == "leased", jobs.c.lease_until < bindparam("now")).limit(1)


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
