"""Queries over subscriptions, deliveries and attempts. Everything takes a session; nothing commits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from services.publish.models import Attempt, Delivery, Subscription


def active_subscriptions(session: Session) -> Sequence[Subscription]:
    """Everyone who is to be told."""
    return session.scalars(select(Subscription).where(Subscription.status == "active").order_by(Subscription.id)).all()


def subscription(session: Session, subscription_id: UUID) -> Subscription | None:
    """One subscription, or None."""
    return session.get(Subscription, subscription_id)


def subscriptions(session: Session, after: UUID | None, most: int) -> Sequence[Subscription]:
    """Subscriptions in the order in which they were made, after this one."""
    statement = select(Subscription).order_by(Subscription.id).limit(most)
    return session.scalars(statement.where(Subscription.id > after) if after else statement).all()


def delete_subscription(session: Session, subscription_id: UUID) -> bool:
    """Remove a subscription with all that it was owed and told; False when there is none."""
    owed = select(Delivery.id).where(Delivery.subscription_id == subscription_id)
    session.execute(delete(Attempt).where(Attempt.delivery_id.in_(owed)))
    session.execute(delete(Delivery).where(Delivery.subscription_id == subscription_id))
    gone = session.execute(delete(Subscription).where(Subscription.id == subscription_id).returning(Subscription.id))
    return gone.first() is not None


def deliveries_of(session: Session, ids: Iterable[UUID]) -> dict[UUID, dict[UUID, list[Delivery]]]:
    """These articles' deliveries, by article and subscription, oldest change first, their rows locked."""
    found: dict[UUID, dict[UUID, list[Delivery]]] = {}
    for row in session.scalars(
        select(Delivery)
        .where(Delivery.article_id.in_(set(ids)))
        .order_by(Delivery.change, Delivery.id)
        .with_for_update()
    ):
        found.setdefault(row.article_id, {}).setdefault(row.subscription_id, []).append(row)
    return found


def was_unanswered(session: Session, delivery_id: UUID) -> bool:
    """Whether an attempt at this delivery may have arrived without our knowing."""
    statement = select(Attempt.id).where(Attempt.delivery_id == delivery_id, Attempt.status.is_(None)).limit(1)
    return session.scalar(statement) is not None


def deliveries(
    session: Session,
    *,
    article_id: UUID | None = None,
    subscription_id: UUID | None = None,
    state: str | None = None,
    before: UUID | None = None,
    most: int = 100,
) -> Sequence[Delivery]:
    """Deliveries, newest first."""
    statement = select(Delivery).order_by(Delivery.id.desc()).limit(most)
    if article_id is not None:
        statement = statement.where(Delivery.article_id == article_id)
    if subscription_id is not None:
        statement = statement.where(Delivery.subscription_id == subscription_id)
    if state is not None:
        statement = statement.where(Delivery.state == state)
    if before is not None:
        statement = statement.where(Delivery.id < before)
    return session.scalars(statement).all()


def attempts_of(session: Session, ids: Iterable[UUID]) -> dict[UUID, list[Attempt]]:
    """The attempts at these deliveries, in order."""
    found: dict[UUID, list[Attempt]] = {}
    for row in session.scalars(select(Attempt).where(Attempt.delivery_id.in_(set(ids))).order_by(Attempt.id)):
        found.setdefault(row.delivery_id, []).append(row)
    return found


def due_deliveries(session: Session, ids: Iterable[UUID]) -> dict[UUID, tuple[Delivery, Subscription]]:
    """Those of these deliveries that are still owed, with whom they are owed to."""
    rows = session.execute(
        select(Delivery, Subscription)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .where(Delivery.id.in_(set(ids)), Delivery.state == "due")
    )
    return {row[0].id: (row[0], row[1]) for row in rows}


def deliveries_by_id(session: Session, ids: Iterable[UUID]) -> dict[UUID, Delivery]:
    """These deliveries, their rows locked."""
    rows = session.scalars(select(Delivery).where(Delivery.id.in_(set(ids))).order_by(Delivery.id).with_for_update())
    return {row.id: row for row in rows}


def disable_subscription(session: Session, subscription_id: UUID, why: str) -> None:
    """Tell this subscription nothing any more, and why."""
    session.execute(update(Subscription).where(Subscription.id == subscription_id).values(status="disabled", why=why))


def delivery_counts(session: Session) -> dict[str, int]:
    """How many deliveries there are, by state."""
    return {row[0]: row[1] for row in session.execute(select(Delivery.state, func.count()).group_by(Delivery.state))}


def remove_old_deliveries(session: Session, until: datetime, most: int) -> int:
    """Remove ended deliveries older than this, but for those that keep an article from being announced twice.

    Their attempts go too. Answers how many went.
    """
    old = session.scalars(
        select(Delivery.id).where(Delivery.ended_at < until, Delivery.announces.is_(None)).limit(most)
    ).all()
    attempts = session.scalars(select(Attempt.id).where(Attempt.at < until).limit(most)).all()
    session.execute(delete(Attempt).where(Attempt.id.in_(attempts)))
    session.execute(delete(Attempt).where(Attempt.delivery_id.in_(old)))
    session.execute(delete(Delivery).where(Delivery.id.in_(old)))
    session.execute(
        update(Delivery)
        .where(Delivery.ended_at < until, Delivery.announces.is_not(None), Delivery.body != "")
        .values(body="")
    )
    return len(old) + len(attempts)
