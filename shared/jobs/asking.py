"""Asking for jobs, in the transaction of whatever makes them necessary."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, case, func, null, update
from sqlalchemy.orm import Session

from shared import clock
from shared.db import per_dialect
from shared.logs import trace_id
from shared.tables import jobs, tallies


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


def tally(session: Session, name: str, more: int) -> None:
    """Add to a count that is kept for ever."""
    session.execute(_add_to_tally(session), {"name": name, "value": more})
