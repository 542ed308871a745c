"""Counts of deliveries by channel and outcome, and the probe for flashes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Table,
    case,
    func,
    select,
)
from sqlalchemy.orm import Session

from services.publish.channels.store.tables import FAILED, OWED, table
from services.publish.models import Delivery, Flash
from shared import jobs
from shared.db import per_dialect
from shared.tables import tallies

_COUNTED = "deliveries"


def count(session: Session, outcomes: Mapping[tuple[str, str], int]) -> None:
    """Add to the counts that are kept for ever, by (channel, outcome)."""
    for (channel, outcome), more in sorted(outcomes.items()):
        jobs.tally(session, f"{_COUNTED} {outcome} {channel}", more)


def counts(session: Session) -> dict[tuple[str, str], int]:
    """How many deliveries there are, by (channel, state): owed and failed as they are, others as they were counted."""
    found: dict[tuple[str, str], int] = {}
    for where in (OWED, FAILED):
        grouped = select(Delivery.channel, Delivery.state, func.count()).where(where)
        rows = session.execute(grouped.group_by(Delivery.channel, Delivery.state))
        found.update({(channel, state): number for channel, state, number in rows})
    kept = session.execute(select(tallies.c.name, tallies.c.value).where(tallies.c.name.like(f"{_COUNTED} %")))
    for name, value in kept:
        _, outcome, channel = name.split(" ")
        found.setdefault((channel, outcome), value)
    return found


def note_flashes(session: Session, flashes: Iterable[tuple[UUID, int]], now: datetime) -> None:
    """Note that these articles, (id, change) each, were announced as flashes."""
    rows = [{"article_id": article_id, "change": change, "announced_at": now} for article_id, change in flashes]
    session.execute(_note_flash(session), rows)


@per_dialect
def _note_flash(make: Callable[[Table], Any]) -> Any:
    return make(table(Flash)).on_conflict_do_nothing(index_elements=["article_id"])


def flashes_unheard(session: Session, since: datetime, until: datetime) -> dict[str, int]:
    """By channel that owed something of flashes announced in this time: how many of these reached nobody by it."""
    reached = func.sum(case((Delivery.state == "delivered", 1), else_=0))
    rows = session.execute(
        select(Delivery.article_id, Delivery.channel, reached.label("reached"))
        .join(Flash, Flash.article_id == Delivery.article_id)
        .where(Flash.announced_at >= since, Flash.announced_at < until)
        .group_by(Delivery.article_id, Delivery.channel)
    )
    found: dict[str, int] = {}
    for row in rows:
        found[row.channel] = found.get(row.channel, 0) + (0 if row.reached else 1)
    return found
