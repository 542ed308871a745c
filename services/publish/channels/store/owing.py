"""Queries over what is owed of articles: made, superseded, taken up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Row,
    and_,
    bindparam,
    insert,
    null,
    select,
    update,
)
from sqlalchemy.orm import Session

from services.publish.channels import domain
from services.publish.channels.store.tables import DELIVERIES, IDS, table
from services.publish.models import Article, Attempt, Digest

_ARTICLES = table(Article)
# Letters of single articles that have reached their readers, as far as is known, or will.
_BY_MAIL = and_(
    DELIVERIES.c.type.in_(sorted(domain.OF_LIVE)),
    DELIVERIES.c.state.in_(("due", "sending", "delivered", "unknown")),
)
_EARLIER = (
    select(
        *(
            DELIVERIES.c[name]
            for name in ("id", "subscription_id", "article_id", "change", "type", "announces", "state")
        )
    )
    .add_columns(DELIVERIES.c.tries, DELIVERIES.c.put_back, DELIVERIES.c.created_at)
    .where(
        DELIVERIES.c.article_id.in_(bindparam("articles", expanding=True)),
        DELIVERIES.c.subscription_id.in_(bindparam("subscriptions", expanding=True)),
    )
    .order_by(DELIVERIES.c.id)
    .with_for_update()
)


def earlier_deliveries(
    session: Session, articles: Iterable[UUID], told: Iterable[UUID]
) -> dict[tuple[UUID, UUID], list[Row[Any]]]:
    """What these subscriptions were owed of these articles, by (article, subscription), their rows locked."""
    values = {"articles": sorted(set(articles)), "subscriptions": sorted(set(told))}
    found: dict[tuple[UUID, UUID], list[Row[Any]]] = {}
    for row in session.connection().execute(_EARLIER, values):
        found.setdefault((row.article_id, row.subscription_id), []).append(row)
    return found


def told_and_gone(
    session: Session, subscription_id: UUID, since: datetime | None, after: UUID | None, most: int
) -> Sequence[Row[UUID, UUID]]:
    """Of what a subscription was told as live, that which was withdrawn since: (id, article_id) of each delivery.

    In the order of their ids, after this one.
    """
    told = (
        select(DELIVERIES.c.id, DELIVERIES.c.article_id)
        .join_from(DELIVERIES, _ARTICLES, _ARTICLES.c.id == DELIVERIES.c.article_id)
        .where(
            DELIVERIES.c.subscription_id == subscription_id,
            DELIVERIES.c.type.in_(sorted(domain.OF_LIVE)),
            DELIVERIES.c.state.in_(("delivered", "unknown", "failed")),
            _ARTICLES.c.withdrawn_at.is_not(None),
        )
    )
    if since is not None:
        told = told.where(_ARTICLES.c.withdrawn_at >= since)
    if after is not None:
        told = told.where(DELIVERIES.c.id > after)
    return session.execute(told.order_by(DELIVERIES.c.id).limit(most)).all()


def flashed(session: Session, ids: Iterable[UUID]) -> set[UUID]:
    """Those of these articles that were sent to somebody by mail."""
    statement = select(DELIVERIES.c.article_id).where(
        DELIVERIES.c.article_id.in_(sorted(set(ids))), DELIVERIES.c.channel == "email", _BY_MAIL
    )
    return set(session.scalars(statement.distinct()))


def flashes_of(session: Session, readers: Iterable[UUID], ids: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """By reader, those of these articles that were sent to him by mail, or are about to be."""
    statement = select(DELIVERIES.c.subscription_id, DELIVERIES.c.article_id).where(
        DELIVERIES.c.subscription_id.in_(sorted(set(readers))), DELIVERIES.c.article_id.in_(sorted(set(ids))), _BY_MAIL
    )
    found: dict[UUID, set[UUID]] = {}
    for row in session.execute(statement):
        found.setdefault(row.subscription_id, set()).add(row.article_id)
    return found


def body_of(session: Session, delivery_id: UUID) -> str:
    """A delivery's body; "" when retention has taken it."""
    return session.scalar(select(DELIVERIES.c.body).where(DELIVERIES.c.id == delivery_id)) or ""


def unanswered(session: Session, ids: Iterable[UUID]) -> set[UUID]:
    """Those of these deliveries of which an attempt may have arrived without our knowing."""
    statement = select(Attempt.delivery_id).where(
        Attempt.delivery_id.in_(set(ids)), Attempt.status.is_(None), Attempt.sent
    )
    return set(session.scalars(statement))


def supersede(session: Session, ids: Iterable[UUID], now: datetime) -> None:
    """End these due deliveries: a newer one says more."""
    session.connection().execute(_SUPERSEDE, {"ids": sorted(set(ids)), "now": now})


def give_up_first(session: Session, ids: Iterable[UUID]) -> None:
    """Let another delivery than these be the one that announces the article."""
    session.connection().execute(_GIVE_UP_FIRST, {"ids": sorted(set(ids))})


_SUPERSEDE = (
    update(DELIVERIES)
    .where(DELIVERIES.c.id.in_(IDS), DELIVERIES.c.state == "due")
    .values(state="superseded", ended_at=bindparam("now"), next_attempt_at=null())
)
_GIVE_UP_FIRST = update(DELIVERIES).where(DELIVERIES.c.id.in_(IDS)).values(announces=null())
_INSERT = insert(DELIVERIES)


def add_deliveries(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert deliveries, each with all its columns."""
    session.connection().execute(_INSERT, list(rows))


def digests(session: Session, ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """What these digests tell."""
    rows = session.execute(select(Digest.id, Digest.entries).where(Digest.id.in_(set(ids))))
    return {row.id: row.entries[0] for row in rows}
