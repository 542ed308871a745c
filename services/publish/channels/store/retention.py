"""Takes away what retention ends."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    case,
    delete,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from services.publish.models import Attempt, Delivery, Flash


def remove_old(session: Session, until: datetime, most: int) -> int:
    """Remove ended deliveries older than this, but for those that keep an article from being announced twice.

    Of these only the texts go. All attempts go. Answers how many rows were changed; no more than `most` of each.
    """
    old = session.scalars(
        select(Delivery.id)
        .where(Delivery.ended_at < until, Delivery.announces.is_(None))
        .order_by(Delivery.ended_at)
        .limit(most)
    ).all()
    attempts = session.scalars(select(Attempt.id).where(Attempt.at < until).order_by(Attempt.at).limit(most)).all()
    kept = session.scalars(
        select(Delivery.id)
        .where(Delivery.ended_at < until, Delivery.announces.is_not(None), text("deliveries.body <> ''"))
        .order_by(Delivery.ended_at)
        .limit(most)
    ).all()
    if attempts:
        session.execute(delete(Attempt).where(Attempt.id.in_(attempts)))
    if old:
        session.execute(delete(Attempt).where(Attempt.delivery_id.in_(old)))
        session.execute(delete(Delivery).where(Delivery.id.in_(old)))
    if kept:
        # What failed and can no longer be sent again is not shown as if it could.
        given_up = case((Delivery.state.in_(("failed", "unknown")), "discarded"), else_=Delivery.state)
        session.execute(update(Delivery).where(Delivery.id.in_(kept)).values(body="", state=given_up))
    session.execute(delete(Flash).where(Flash.announced_at < until))
    return len(old) + len(attempts) + len(kept)
