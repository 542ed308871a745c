"""Counts of deliveries by channel and outcome, and the probe for flashes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Row,
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
    """Note that these articles, (id, change) each, are flashes that are to be announced now."""
    rows = [{"article_id": article_id, "change": change, "announced_at": now} for article_id, change in flashes]
    session.execute(_note_flash(session), rows)


@per_dialect
def _note_flash(make: Callable[[Table], Any]) -> Any:
    return make(table(Flash)).on_conflict_do_nothing(index_elements=["article_id"])


def flashes(session: Session, since: datetime, until: datetime) -> Sequence[Row[UUID, datetime]]:
    """The flashes that were to be announced in this time: (article_id, announced_at) each."""
    noted = select(Flash.article_id, Flash.announced_at)
    return session.execute(noted.where(Flash.announced_at >= since, Flash.announced_at < until)).all()


def owed_of(session: Session, ids: Iterable[UUID]) -> dict[tuple[UUID, str], bool]:
    """By (article, channel) of what was owed of these articles: whether any of it has arrived."""
    arrived = func.max(case((Delivery.state == "delivered", 1), else_=0))
    rows = session.execute(
        select(Delivery.article_id, Delivery.channel, arrived.label("arrived"))
        .where(Delivery.article_id.in_(set(ids)))
        .group_by(Delivery.article_id, Delivery.channel)
    )
    return {(row.article_id, row.channel): bool(row.arrived) for row in rows}
