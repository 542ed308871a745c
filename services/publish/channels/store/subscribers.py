"""Queries over subscriptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Select,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from services.publish.channels.store.tables import CHANNELS, IDS, SUBSCRIPTIONS
from services.publish.models import Attempt, Delivery, Subscription


def subscription(session: Session, subscription_id: UUID, *, lock: bool = False) -> Subscription | None:
    """One subscription, or None; one that is being removed is none."""
    statement = select(Subscription).where(Subscription.id == subscription_id, Subscription.status != "removed")
    return session.scalar(statement.with_for_update() if lock else statement)


def subscriptions(
    session: Session,
    after: UUID | None = None,
    most: int = 100,
    *,
    channel: str | None = None,
    status: str | None = None,
) -> Sequence[Subscription]:
    """Subscriptions in the order in which they were made, after this one; readers' own only by their channel."""
    statement = select(Subscription).where(Subscription.status != "removed").order_by(Subscription.id).limit(most)
    if after is not None:
        statement = statement.where(Subscription.id > after)
    if channel is not None:
        statement = statement.where(Subscription.channel == channel)
    else:
        statement = statement.where(Subscription.reader.is_(None))
    if status is not None:
        statement = statement.where(Subscription.status == status)
    return session.scalars(statement).all()


def of_reader(session: Session, reader: str) -> Subscription | None:
    """The subscription that a reader has made with this address, known by its digest."""
    return session.scalar(select(Subscription).where(Subscription.reader == reader).with_for_update())


def unconfirmed(session: Session, until: datetime, most: int) -> Sequence[Subscription]:
    """Sign-ups that nobody has confirmed, made before this; and readers whose address was refused before this."""
    refused_at = func.coalesce(Subscription.stopped_at, Subscription.created_at)
    statement = select(Subscription).where(
        or_(
            and_(Subscription.status == "pending", Subscription.created_at < until),
            and_(Subscription.status == "disabled", Subscription.reader.is_not(None), refused_at < until),
        )
    )
    return session.scalars(statement.order_by(Subscription.id).limit(most).with_for_update()).all()


def readers_of_letters(session: Session, language: str, most: int, after: UUID | None) -> Sequence[Subscription]:
    """Those who get an edition's letters, in the order of their ids, after this one."""
    statement = select(Subscription).where(
        Subscription.status == "active", Subscription.channel == "email", Subscription.language == language
    )
    if after is not None:
        statement = statement.where(Subscription.id > after)
    return session.scalars(statement.order_by(Subscription.id).limit(most)).all()


def remove_slice(session: Session, subscription_id: UUID, most: int) -> bool:
    """Remove some of what a subscription was told, and itself when nothing is left; whether it is gone."""
    owed = session.scalars(
        select(Delivery.id).where(Delivery.subscription_id == subscription_id).order_by(Delivery.id).limit(most)
    ).all()
    session.execute(delete(Attempt).where(Attempt.delivery_id.in_(owed)))
    session.execute(delete(Delivery).where(Delivery.id.in_(owed)))
    if len(owed) == most:
        return False
    session.execute(delete(Subscription).where(Subscription.id == subscription_id))
    return True


@dataclass(frozen=True, slots=True)
class Recipient:
    """A subscription as announcing needs it. told_from: of what was live before it hears no refile."""

    id: UUID
    channel: str
    filter: Mapping[str, Any]
    language: str
    told_from: datetime


_RECIPIENT: Select[Any] = select(
    *(SUBSCRIPTIONS.c[name] for name in ("id", "channel", "filter", "language")),
    func.coalesce(SUBSCRIPTIONS.c.told_from, SUBSCRIPTIONS.c.confirmed_at, SUBSCRIPTIONS.c.created_at),
)
_RECIPIENTS = (
    _RECIPIENT.where(SUBSCRIPTIONS.c.status == "active", SUBSCRIPTIONS.c.channel.in_(CHANNELS))
    .order_by(SUBSCRIPTIONS.c.id)
    .limit(bindparam("most"))
)
_RECIPIENTS_AFTER = _RECIPIENTS.where(SUBSCRIPTIONS.c.id > bindparam("after"))


def recipients(session: Session, channels: Iterable[str], most: int, after: UUID | None = None) -> list[Recipient]:
    """Those who are to be told by these channels, in the order of their ids, after this one."""
    values: dict[str, Any] = {"channels": list(channels), "most": most}
    statement = _RECIPIENTS
    if after is not None:
        statement, values["after"] = _RECIPIENTS_AFTER, after
    return [Recipient(*row) for row in session.connection().execute(statement, values)]


def recipient(session: Session, subscription_id: UUID) -> Recipient | None:
    """One who is to be told, or None."""
    row = session.execute(_RECIPIENT.where(SUBSCRIPTIONS.c.id == subscription_id, SUBSCRIPTIONS.c.status == "active"))
    found = row.first()
    return Recipient(*found) if found is not None else None


def subscribed_before(session: Session, channel: str, moment: datetime, most: int) -> Sequence[Subscription]:
    """Active subscriptions of a channel that were so before a moment, for a reader's own: confirmed; newest first."""
    since = func.coalesce(Subscription.confirmed_at, Subscription.created_at)
    statement = select(Subscription).where(
        Subscription.status == "active", Subscription.channel == channel, since < moment
    )
    return session.scalars(statement.order_by(Subscription.id.desc()).limit(most)).all()


_CHANNELS_IN_USE: dict[str, Any] = {
    channel: select(literal_column(f"'{channel}'"))
    .where(SUBSCRIPTIONS.c.status == "active", SUBSCRIPTIONS.c.channel == channel)
    .limit(1)
    for channel in ("webhook", "web_push", "email", "websub", "indexnow", "apprise")
}


def is_in_use(session: Session, channel: str) -> bool:
    """Whether somebody is to be told by this channel."""
    return session.connection().execute(_CHANNELS_IN_USE[channel]).first() is not None


def end_subscriptions(session: Session, ids: Iterable[UUID], status: str, why: str, now: datetime) -> None:
    """Tell these subscriptions nothing any more ("paused" or "disabled"), and why; also those not yet confirmed."""
    session.execute(
        update(Subscription)
        .where(Subscription.id.in_(set(ids)), Subscription.status.in_(("active", "pending")))
        .values(status=status, why=why[:400], stopped_at=now)
    )


def forget_readers(session: Session, ids: Iterable[UUID]) -> list[UUID]:
    """Keep nothing by which those of these that readers have made could be reached; their ids, to be removed."""
    mine = update(Subscription).where(Subscription.id.in_(set(ids)), Subscription.reader.is_not(None))
    gone = mine.values(status="removed", why="", url="", contact="", reader=None, keys=None)
    return sorted(session.scalars(gone.returning(Subscription.id)))


def note_failing(session: Session, ids: Iterable[UUID], since: datetime) -> None:
    """Note that these have begun to fail."""
    session.connection().execute(_FAILING, {"ids": sorted(set(ids)), "since": since})


def note_working(session: Session, ids: Iterable[UUID]) -> None:
    """Note that these have taken something."""
    session.connection().execute(_WORKING, {"ids": sorted(set(ids))})


_FAILING = (
    update(SUBSCRIPTIONS)
    .where(SUBSCRIPTIONS.c.id.in_(IDS), SUBSCRIPTIONS.c.failing_since.is_(None))
    .values(failing_since=bindparam("since"))
)
_WORKING = update(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.id.in_(IDS)).values(failing_since=null())
