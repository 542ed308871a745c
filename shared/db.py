"""One database per service: SQLite on one small machine, PostgreSQL beyond it.

SQLite: WAL, `BEGIN IMMEDIATE` for every writing transaction (a deferred one that turns to writing fails at once when
another writes), writers that take turns, `synchronous=FULL` so that what was answered survives a power cut.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import DateTime, Dialect, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator

from shared import failpoints

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant, in and out, on both databases. Refuses a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware instant into what the database stores."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive time reached the database: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn what the database stores into an aware UTC instant."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """A service's database in this process. Make it after the fork: connections are not shared between processes.

    service: whose database it is; the session knows it as info["service"].
    after_commit: called with the session once its transaction is on disk; exceptions in it do not undo the commit.
    """

    def __init__(self, url: str, service: str, *, after_commit: Callable[[Session], None] | None = None) -> None:
        self.service = service
        self.engine = make_engine(url)
        # One state of the database for all that a reading transaction reads: on SQLite it has that anyway.
        alike = {} if self.engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        self._reading_engine = self.engine.execution_options(read_only=True, **alike)
        self._after_commit = after_commit

    @contextmanager
    def unit_of_work(self) -> Iterator[Session]:
        """A writing transaction: commits on leaving, rolls back on raising, then hands on what was said in it."""
        session = Session(self.engine, expire_on_commit=False, autoflush=False, info={"service": self.service})
        try:
            yield session
            session.flush()
            failpoints.hit("commit.before")
            session.commit()
            failpoints.hit("commit.after")
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()
        if self._after_commit is not None:
            self._after_commit(session)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads, one state of the database, and holds no lock that a writer waits for."""
        with Session(self._reading_engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


@contextmanager
def savepoint(session: Session) -> Iterator[None]:
    """A part of a writing transaction that is undone by itself when it raises; what it said is not said then either."""
    said = len(session.info.get("letters", ()))
    lanes = set(session.info.get("lanes", ()))
    nested = session.begin_nested()
    try:
        yield
        session.flush()
    except BaseException:
        nested.rollback()
        del session.info.get("letters", [])[said:]
        session.info["lanes"] = lanes
        raise
    nested.commit()


@contextmanager
def gathering(session: Session) -> Iterator[None]:
    """Inside, rows that `put_rows` is given wait, and go in together at the end: one statement for many articles.

    What reads such rows calls `put_gathered` first. Nothing is put when the block raises.
    """
    session.info["gathered"] = {}
    try:
        yield
        put_gathered(session)
    finally:
        session.info.pop("gathered", None)


Then = Callable[[Sequence[Any]], object]


def put_rows(session: Session, statement: Any, rows: Sequence[Mapping[str, Any]], *, then: Then | None = None) -> None:
    """Insert rows: now, or with others where they are being gathered; what reads them must be able to wait.

    then: given the first column of what the statement returns for these rows, once they are in. A statement is put
    always with it, or always without.
    """
    gathered: dict[int, _Gathered] | None = session.info.get("gathered")
    if gathered is None:
        _put(session, _Gathered(statement, list(rows), [(len(rows), then)] if then else []))
        return
    held = gathered.setdefault(id(statement), _Gathered(statement))
    held.rows.extend(rows)
    if then is not None:
        held.waiting.append((len(rows), then))


@dataclass
class _Gathered:
    """Rows for one statement, and who waits for how many of its answers."""

    statement: Any
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    waiting: list[tuple[int, Then]] = field(default_factory=list)


def _put(session: Session, held: _Gathered) -> None:
    result = session.connection().execute(held.statement, held.rows)
    if held.waiting:
        answers = result.scalars().all()
        at = 0
        for count, then in held.waiting:
            then(answers[at : at + count])
            at += count


def put_gathered(session: Session) -> None:
    """Insert what was gathered until now, in the order in which its statements first came."""
    gathered: dict[int, _Gathered] = session.info.get("gathered") or {}
    for held in gathered.values():
        _put(session, held)
    gathered.clear()


def make_engine(url: str) -> Engine:
    """An engine set up as the module says. url: SQLAlchemy's, sqlite or postgresql+psycopg."""
    if not url.startswith("sqlite"):
        return create_engine(
            url,
            pool_size=5,
            max_overflow=15,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"connect_timeout": 5},
        )
    engine = create_engine(
        url,
        pool_size=5,
        max_overflow=30,
        # An error is logged and shown to operators; what was to be stored, a reader's address perhaps, is not.
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": 30},
    )
    turns = f"{engine.url.database}-turns" if engine.url.database else os.devnull

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "busy_timeout=30000",
            "foreign_keys=ON",
            "cache_size=-1000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        record.info["turns"] = os.open(turns, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("read_only", False):
            connection.exec_driver_sql("BEGIN")
            return
        # SQLite lets a writer that finds another at work sleep, longer each time, up to 0.1 s: the kernel wakes the one
        # who waits at the moment that the other is done, and in turn.
        fcntl.flock(connection.info["turns"], fcntl.LOCK_EX)
        connection.info["has_turn"] = True
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "checkin")
    def pass_turn(_connection: Any, record: Any) -> None:
        if record.info.pop("has_turn", False):
            fcntl.flock(record.info["turns"], fcntl.LOCK_UN)

    @event.listens_for(engine, "close")
    def leave(_connection: Any, record: Any) -> None:
        if (handle := record.info.pop("turns", None)) is not None:
            os.close(handle)

    return engine


T = TypeVar("T")


def per_dialect(make: Callable[[Callable[[Table], Any]], T]) -> Callable[[Session], T]:
    """Turn a function that makes a statement into one that answers it for a session's database, made only once.

    make: is given that database's `insert`, which takes ON CONFLICT clauses. Making a statement costs as much as
    running it, so what runs for every article is made this way, or stands in a constant.
    """
    made: dict[str, T] = {}

    def statement(session: Session) -> T:
        dialect = session.get_bind().dialect.name
        if dialect not in made:
            made[dialect] = make(sqlite.insert if dialect == "sqlite" else postgresql.insert)
        return made[dialect]

    return statement
