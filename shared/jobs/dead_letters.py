"""Jobs that could not be done: kept with their error and payload until somebody retries or discards them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.tables import jobs


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
