"""Requests that are repeated: an Idempotency-Key is taken in the transaction of the work that it stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Table, delete, select, update
from sqlalchemy.orm import Session

from shared.db import per_dialect
from shared.errors import Unprocessable
from shared.tables import first_answers

# Source: draft-ietf-httpapi-idempotency-key-header section 2.3: how long is to be published; docs/api.md does.
KEPT = timedelta(hours=24)


class KeyReused(Unprocessable):
    """An Idempotency-Key came again with another body."""

    code = "idempotency-key-reused"
    title = "The Idempotency-Key was used for another request"


def begin(session: Session, *, owner: str, path: str, key: str, body_hash: str, now: datetime) -> Row[Any] | None:
    """Take an Idempotency-Key for the answer that the caller goes on to make, or give back its first answer.

    owner: whose API key; path: the request's. A twin waits for the first, and makes the answer itself if that one
    was rolled back. Raises KeyReused when the key came with another body.
    """
    values = {"owner": owner, "path": path, "key": key, "body_hash": body_hash, "made_at": now}
    new = session.execute(_take(session), {**values, "status": 0, "headers": {}, "body": ""}).first()
    if new is not None:
        return None
    first = session.execute(select(first_answers).where(*_is(owner, path, key))).first()
    if first is None or first.body_hash != body_hash:
        raise KeyReused(
            "This Idempotency-Key came with another body before; use a new key for a new request, "
            "and the same body to repeat one."
        )
    return first


def keep(
    session: Session, *, owner: str, path: str, key: str, status: int, headers: Mapping[str, str], body: str
) -> None:
    """Keep the answer for which `begin` took the key."""
    kept = {"status": status, "headers": dict(headers), "body": body}
    session.execute(update(first_answers).where(*_is(owner, path, key)).values(kept))


def is_any(session: Session, until: datetime) -> bool:
    """Whether there are answers made before a time."""
    old = select(first_answers.c.status).where(first_answers.c.made_at < until).limit(1)
    return session.execute(old).first() is not None


def forget(session: Session, until: datetime, most: int) -> int:
    """Remove answers made before a time, at most so many; how many."""
    names = (first_answers.c.owner, first_answers.c.path, first_answers.c.key)
    old = session.execute(select(*names).where(first_answers.c.made_at < until).limit(most)).all()
    for row in old:
        session.execute(delete(first_answers).where(*_is(*row)))
    return len(old)


def _is(owner: str, path: str, key: str) -> tuple[Any, ...]:
    return first_answers.c.owner == owner, first_answers.c.path == path, first_answers.c.key == key


@per_dialect
def _take(insert: Callable[[Table], Any]) -> Any:
    return insert(first_answers).on_conflict_do_nothing().returning(first_answers.c.status)
