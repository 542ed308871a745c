"""Requests that are repeated: an Idempotency-Key is taken in the transaction of the work that it stands for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from services.ingest import store
from services.ingest.models import FirstAnswer
from shared.errors import Unprocessable


class KeyReused(Unprocessable):
    """An Idempotency-Key came again with another body."""

    code = "idempotency-key-reused"
    title = "The Idempotency-Key was used for another request"


def first_answer(
    session: Session, *, owner: str, path: str, key: str, body_hash: str, now: datetime
) -> FirstAnswer | None:
    """Take an Idempotency-Key for the answer that the caller goes on to make, or give back its first answer.

    owner: whose API key; path: the request's. A twin waits for the first, and makes the answer itself if that one
    was rolled back. Raises KeyReused when the key came with another body.
    """
    if store.begin_answer(session, owner=owner, path=path, key=key, body_hash=body_hash, now=now):
        return None
    answer = store.get_answer(session, owner=owner, path=path, key=key)
    if answer is None or answer.body_hash != body_hash:
        raise KeyReused(
            "This Idempotency-Key came with another body before; use a new key for a new request, "
            "and the same body to repeat one."
        )
    return answer
