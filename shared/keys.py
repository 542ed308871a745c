"""API keys: ingest makes and revokes them; every service holds them and checks them by itself.

A key is 32 random bytes in text, shown once; only its SHA-256 is kept. Looking one up by that hash tells a guesser
nothing, and what is found is compared in constant time. A process believes what it found for a second.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Uuid, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared import clock, outbox
from shared.db import NAMING, Database, UtcDateTime, per_dialect
from shared.event_schemas import Heard
from shared.events import KeyChanged, KeyUsed
from shared.roles import Actor

log = logging.getLogger(__name__)

# How long a process believes what the database said of a key: a revocation is known everywhere after this.
BELIEVED_S = 1.0
# How often a use is noted; other services tell ingest less often: it is for people who tidy up.
_USES_NOTED_S = 60.0
_USES_TOLD_S = 600.0
_SEEN_MAX = 10_000

_metadata = MetaData(naming_convention=NAMING)
api_keys = Table(
    "api_keys",
    _metadata,
    Column("id", Uuid, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("change", Integer, nullable=False),
    Column("name", String(80), nullable=False),
    Column("role", String(10), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(80), nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Index("ix_api_keys_digest", "digest", unique=True),
)
_SHARED = ("id", "digest", "change", "name", "role", "created_at", "created_by", "expires_at", "revoked_at")


def keys_table(metadata: MetaData) -> None:
    """Add the table of keys to a service's metadata."""
    api_keys.to_metadata(metadata)


def create_keys_table_v1(op: Any) -> None:
    """Create the table of keys in a migration; op: Alembic's operations."""
    _metadata.create_all(op.get_bind())


# Heard


@per_dialect
def _hold(insert: Callable[[Table], Any]) -> Any:
    statement = insert(api_keys)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["id"],
        set_={name: new[name] for name in ("change", "name", "role", "expires_at", "revoked_at")},
        where=api_keys.c.change < new.change,
    )


def receive_keys(session: Session, heard: Iterable[Heard]) -> None:
    """Hold the keys as they were told; what is not newer than what is held is dropped."""
    for one in heard:
        session.execute(_hold(session), {name: getattr(one.event, name) for name in _SHARED})


def receive_uses(session: Session, heard: Iterable[Heard]) -> None:
    """Note when keys were used with another service."""
    for one in heard:
        note_use(session, one.event.id, one.event.used_at)


def note_use(session: Session, key_id: UUID, at: datetime) -> None:
    """Note that a key was used; an earlier use changes nothing."""
    newer = api_keys.c.last_used_at.is_(None) | (api_keys.c.last_used_at < at)
    session.execute(update(api_keys).where(api_keys.c.id == key_id, newer).values(last_used_at=at))


# Made and revoked, by ingest alone


def token_of(secret: bytes) -> str:
    """A key as its holder gets it: "rtv_" and 43 characters that stand for 32 secret bytes."""
    return f"rtv_{base64.urlsafe_b64encode(secret).rstrip(b'=').decode()}"


def digest_of(token: str) -> str:
    """What is kept of a key: 64 hex digits. Its 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def add_key(session: Session, event: KeyChanged) -> None:
    """Keep a new key and say so."""
    session.execute(insert(api_keys).values({name: getattr(event, name) for name in _SHARED}))
    outbox.say(session, event)


def change_key(session: Session, row: Any, **values: Any) -> None:
    """Change a key's row and say so. row: as get_key gave it."""
    changed = {**{name: row._mapping[name] for name in _SHARED}, **values, "change": row.change + 1}
    session.execute(update(api_keys).where(api_keys.c.id == row.id).values(changed))
    outbox.say(session, KeyChanged(**changed))


def say_keys_again(session: Session) -> None:
    """Say the present state of every key, on the bulk lane: for a service that is new, or was restored."""
    for row in session.execute(select(api_keys)).all():
        outbox.say(session, KeyChanged(**{name: row._mapping[name] for name in _SHARED}), lane="bulk")


def get_key(session: Session, key_id: UUID, *, lock: bool = False) -> Any | None:
    """A key's row, or None."""
    statement = select(api_keys).where(api_keys.c.id == key_id)
    return session.execute(statement.with_for_update() if lock else statement).first()


def list_keys(session: Session, *, name: str | None = None, most: int = 1000) -> list[Any]:
    """The rows of keys, newest first; name: only those of this name that are not revoked."""
    statement = select(api_keys).order_by(api_keys.c.id.desc()).limit(most)
    if name is not None:
        statement = statement.where(api_keys.c.name == name, api_keys.c.revoked_at.is_(None))
    return list(session.execute(statement))


# Checked, in each process


class KeyBook:
    """The keys that a process has seen lately. Answers from memory for a second, then from the database."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._seen: dict[str, tuple[float, Any]] = {}
        self._noted: dict[UUID, float] = {}
        self._lock = threading.Lock()

    def find(self, token: str) -> Actor | None:
        """Whoever holds this key; None for one that is unknown, revoked or expired."""
        digest = digest_of(token)
        until, row = self._seen.get(digest, (0.0, None))
        if until < time.monotonic():
            with self._db.reading() as session:
                row = session.execute(select(api_keys).where(api_keys.c.digest == digest)).first()
            if len(self._seen) >= _SEEN_MAX:
                self._seen.clear()
            self._seen[digest] = (time.monotonic() + BELIEVED_S, row)
        if row is None or not hmac.compare_digest(row.digest, digest) or row.revoked_at is not None:
            return None
        if row.expires_at is not None and row.expires_at <= clock.now():
            return None
        self._note_use(row.id)
        return Actor(row.name, row.role, row.id)

    def forget(self) -> None:
        """Ask the database again at the next request: a key has just changed here."""
        self._seen.clear()

    def _note_use(self, key_id: UUID) -> None:
        now = time.monotonic()
        own = self._db.service == "ingest"
        with self._lock:
            if self._noted.get(key_id, 0.0) > now:
                return
            self._noted[key_id] = now + (_USES_NOTED_S if own else _USES_TOLD_S)
        used_at = clock.now()
        try:
            with self._db.unit_of_work() as session:
                note_use(session, key_id, used_at)
                if not own:
                    outbox.say(session, KeyUsed(id=key_id, used_at=used_at))
        except SQLAlchemyError:
            log.exception("a key's use could not be noted", extra={"key": str(key_id)})
