"""API keys made and revoked."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from shared import keys
from shared.errors import Conflict, Fault, NotFound, Unprocessable
from shared.events import KeyChanged
from shared.ids import new_id
from shared.roles import FIRST, Actor


class KeyNotFound(NotFound):
    """No API key has this id."""

    code = "key-not-found"


class NameTaken(Conflict):
    """A valid key has this name already: the timeline would not tell who did what."""

    code = "key-name-taken"
    title = "Another key has this name"


def create_key(
    session: Session, *, name: str, role: str, expires_at: datetime | None, token: str, by: Actor, now: datetime
) -> Any:
    """Make an API key and say KeyChanged; its row. token: the key itself, of which only a digest is kept.

    Raises NameTaken, and Unprocessable for an end that is past.
    """
    if expires_at is not None and expires_at <= now:
        raise Unprocessable(errors=[Fault("/expires_at", "too-early", "should lie in the future")])
    if name == FIRST.name or keys.list_keys(session, name=name, most=1):
        detail = "names a key that is valid; revoke that one first, or choose another name"
        raise NameTaken(f"There is a key {name} already.", errors=[Fault("/name", "taken", detail)])
    key_id = new_id()
    event = KeyChanged(
        id=key_id,
        change=1,
        name=name,
        role=role,
        digest=keys.digest_of(token),
        created_at=now,
        created_by=by.name,
        expires_at=expires_at,
    )
    keys.add_key(session, event)
    return keys.get_key(session, key_id)


def revoke_key(session: Session, key_id: UUID, *, now: datetime) -> Any:
    """End an API key and say KeyChanged; its row. A revoked one stays as it is. Raises KeyNotFound."""
    row = read_key(session, key_id, lock=True)
    if row.revoked_at is None:
        keys.change_key(session, row, revoked_at=now)
        row = keys.get_key(session, key_id)
    return row


def read_key(session: Session, key_id: UUID, *, lock: bool = False) -> Any:
    """An API key's row. Raises KeyNotFound."""
    row = keys.get_key(session, key_id, lock=lock)
    if row is None:
        raise KeyNotFound(f"There is no key {key_id}: GET /v1/keys lists those there are.")
    return row
