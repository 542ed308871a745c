"""Queries over attempts at deliveries, and what comes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Row,
    bindparam,
    case,
    delete,
    insert,
    null,
    select,
    update,
)
from sqlalchemy.orm import Session

from services.publish.channels.store.tables import ATTEMPTS, DELIVERIES, IDS, SUBSCRIPTIONS

_OWED = ("id", "subscription_id", "article_id", "change", "type", "body", "state", "tries", "created_at")
_OWED_TO = ("channel", "url", "keys", "language", "status", "secret_version", "old_secret_until", "failing_since")
_OWED_ROWS = (
    select(*(DELIVERIES.c[name] for name in _OWED), *(SUBSCRIPTIONS.c[name] for name in _OWED_TO))
    .join_from(DELIVERIES, SUBSCRIPTIONS, SUBSCRIPTIONS.c.id == DELIVERIES.c.subscription_id)
    .where(DELIVERIES.c.id.in_(IDS))
)
_LOCK_BY_ID = (
    select(DELIVERIES.c.id, DELIVERIES.c.state)
    .where(DELIVERIES.c.id.in_(IDS))
    .order_by(DELIVERIES.c.id)
    .with_for_update()
)


def owed(session: Session, ids: Iterable[UUID]) -> dict[UUID, Row[Any]]:
    """These deliveries, due or not, with whom they are owed to."""
    return {row.id: row for row in session.connection().execute(_OWED_ROWS, {"ids": sorted(set(ids))})}


def lock_deliveries(session: Session, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The states of these deliveries, their rows locked."""
    rows = session.connection().execute(_LOCK_BY_ID, {"ids": sorted(set(ids))})
    return {row.id: row.state for row in rows}


def add_attempts(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert attempts, each with all its columns."""
    if rows:
        session.connection().execute(_ADD_ATTEMPT, list(rows))


def end_attempts(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note the answers of attempts that were recorded before they were made.

    {"the_id", "took", "got", "said", "went"} each; went: whether it may have arrived.
    """
    if rows:
        session.connection().execute(_END_ATTEMPT, list(rows))


def drop_attempts(session: Session, ids: Sequence[UUID]) -> None:
    """Forget attempts that were recorded, and then not made."""
    if ids:
        session.connection().execute(_DROP_ATTEMPT, {"ids": list(ids)})


def delivered(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Note that these have arrived, each with one more try."""
    if ids:
        session.connection().execute(_DELIVERED, {"ids": list(ids), "now": now})


def not_delivered(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note what else came of tries: {"the_id", "the_state", "retry_at", "end", "more"} each; ended ones stay so."""
    if rows:
        session.connection().execute(_NOT_DELIVERED, list(rows))


def put_back(session: Session, ids: Sequence[UUID]) -> None:
    """Note that these were taken up and put back without a request."""
    if ids:
        session.connection().execute(_PUT_BACK, {"ids": list(ids)})


def begin(session: Session, ids: Sequence[UUID]) -> None:
    """Note that these are about to be sent: whoever finds them so does not send them again."""
    if ids:
        session.connection().execute(_BEGIN, {"ids": list(ids)})


def hold(session: Session, ids: Sequence[UUID]) -> None:
    """Leave these due without a next attempt, until their subscription is resumed."""
    if ids:
        session.connection().execute(_HOLD, {"ids": list(ids)})


def fail(session: Session, ids: Sequence[UUID], now: datetime, state: str = "failed") -> None:
    """End these for good, undelivered."""
    if ids:
        session.connection().execute(_FAIL, {"ids": list(ids), "now": now, "as_what": state})


_ADD_ATTEMPT = insert(ATTEMPTS)
_END_ATTEMPT = (
    update(ATTEMPTS)
    .where(ATTEMPTS.c.id == bindparam("the_id"))
    .values(took_ms=bindparam("took"), status=bindparam("got"), answer=bindparam("said"), sent=bindparam("went"))
)
_DROP_ATTEMPT = delete(ATTEMPTS).where(ATTEMPTS.c.id.in_(IDS))
_of_ids = update(DELIVERIES).where(DELIVERIES.c.id.in_(IDS))
_DELIVERED = _of_ids.values(
    state="delivered", ended_at=bindparam("now"), next_attempt_at=null(), tries=DELIVERIES.c.tries + 1
)
_open = (DELIVERIES.c.state == "due") | (DELIVERIES.c.state == "sending")
_NOT_DELIVERED = (
    update(DELIVERIES)
    .where(DELIVERIES.c.id == bindparam("the_id"))
    .values(
        state=case((_open, bindparam("the_state", type_=DELIVERIES.c.state.type)), else_=DELIVERIES.c.state),
        next_attempt_at=case(
            (_open, bindparam("retry_at", type_=DELIVERIES.c.next_attempt_at.type)),
            else_=DELIVERIES.c.next_attempt_at,
        ),
        ended_at=case((_open, bindparam("end", type_=DELIVERIES.c.ended_at.type)), else_=DELIVERIES.c.ended_at),
        tries=DELIVERIES.c.tries + bindparam("more"),
    )
)
_PUT_BACK = _of_ids.values(
    put_back=DELIVERIES.c.put_back + 1,
    state=case((DELIVERIES.c.state == "sending", "due"), else_=DELIVERIES.c.state),
)
_BEGIN = _of_ids.where(DELIVERIES.c.state == "due").values(state="sending")
_HOLD = _of_ids.values(next_attempt_at=null())
_FAIL = _of_ids.where(DELIVERIES.c.state.in_(("due", "sending"))).values(
    state=bindparam("as_what"), ended_at=bindparam("now"), next_attempt_at=null()
)
