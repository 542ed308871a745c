"""Queries over deliveries for people: lists, retries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    select,
)
from sqlalchemy.orm import Session

from services.publish.channels.store.tables import FAILED, OWED
from services.publish.models import Attempt, Delivery, Subscription


def delivery(session: Session, delivery_id: UUID, *, lock: bool = False) -> Delivery | None:
    """One delivery, or None."""
    statement = select(Delivery).where(Delivery.id == delivery_id)
    return session.scalar(statement.with_for_update() if lock else statement)


def has_newer(session: Session, one: Delivery) -> bool:
    """Whether its subscription was owed a newer change of the same article."""
    statement = select(Delivery.id).where(
        Delivery.subscription_id == one.subscription_id,
        Delivery.article_id == one.article_id,
        Delivery.change > one.change,
    )
    return session.scalar(statement.limit(1)) is not None


def active_among(session: Session, ids: Iterable[UUID]) -> set[UUID]:
    """Those of these subscriptions that are told."""
    statement = select(Subscription.id).where(Subscription.id.in_(set(ids)), Subscription.status == "active")
    return set(session.scalars(statement))


def deliveries(
    session: Session,
    *,
    article_id: UUID | None = None,
    subscription_id: UUID | None = None,
    channel: str | None = None,
    state: str | None = None,
    before: UUID | None = None,
    most: int = 100,
) -> Sequence[Delivery]:
    """Deliveries, newest first."""
    statement = select(Delivery).order_by(Delivery.id.desc()).limit(most)
    for column, value in (
        (Delivery.article_id, article_id),
        (Delivery.subscription_id, subscription_id),
        (Delivery.channel, channel),
        (Delivery.state, state),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if state in {"due", "sending"}:
        statement = statement.where(OWED)
    elif state in {"failed", "unknown"}:
        statement = statement.where(FAILED)
    if before is not None:
        statement = statement.where(Delivery.id < before)
    return session.scalars(statement).all()


def attempts_of(session: Session, ids: Iterable[UUID]) -> dict[UUID, list[Attempt]]:
    """The attempts at these deliveries, in order."""
    found: dict[UUID, list[Attempt]] = {}
    for row in session.scalars(select(Attempt).where(Attempt.delivery_id.in_(set(ids))).order_by(Attempt.id)):
        found.setdefault(row.delivery_id, []).append(row)
    return found


def failed_slice(
    session: Session,
    *,
    since: datetime | None,
    until: datetime | None,
    channel: str | None,
    subscription_id: UUID | None,
    status: int | None,
    after: UUID | None,
    most: int,
) -> Sequence[Delivery]:
    """Deliveries that have failed, oldest first, by when they ended and how their last attempt was answered."""
    statement = select(Delivery).where(FAILED).order_by(Delivery.id).limit(most)
    if since is not None:
        statement = statement.where(Delivery.ended_at >= since)
    if until is not None:
        statement = statement.where(Delivery.ended_at < until)
    if channel is not None:
        statement = statement.where(Delivery.channel == channel)
    if subscription_id is not None:
        statement = statement.where(Delivery.subscription_id == subscription_id)
    if after is not None:
        statement = statement.where(Delivery.id > after)
    if status is not None:
        # Ids grow with time.
        of_it = select(Attempt.status).where(Attempt.delivery_id == Delivery.id)
        last = of_it.order_by(Attempt.id.desc()).limit(1).scalar_subquery()
        statement = statement.where(last == status if status else last.is_(None))
    return session.scalars(statement.with_for_update()).all()


def held(session: Session, subscription_id: UUID, after: UUID | None, most: int) -> list[UUID]:
    """Deliveries that are still owed to a subscription, in order."""
    statement = select(Delivery.id).where(OWED, Delivery.subscription_id == subscription_id)
    if after is not None:
        statement = statement.where(Delivery.id > after)
    return list(session.scalars(statement.order_by(Delivery.id).limit(most)))
