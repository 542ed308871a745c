"""Brings a service's database to the newest schema: Alembic, run over `services/<name>/migrations`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection

from shared.db import make_engine
from shared.settings import ServiceSettings

_LOCK = 7_306_811  # any number, the same in every process: PostgreSQL's advisory lock around a migration


class DatabaseTooNew(Exception):
    """The database was made by a newer version of Rotative than this one; str(error) says which and what to do."""


def _scripts(service: str) -> ScriptDirectory:
    folder = Path(__file__).parent.parent / "services" / service / "migrations"
    return ScriptDirectory(str(folder), version_locations=[str(folder)])


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    engine = make_engine(url)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield connection
    finally:
        engine.dispose()


def upgrade(url: str, service: str) -> str:
    """Bring the database to the newest revision, in one transaction, and answer that revision.

    url: SQLAlchemy's. Raises DatabaseTooNew when the database is at a revision that this version does not have.
    """
    scripts = _scripts(service)
    with _connection(url) as connection:
        _check_known(connection, scripts, service)
        with EnvironmentContext(Config(), scripts, fn=lambda rev, _: scripts._upgrade_revs("head", rev)) as environment:
            environment.configure(connection=connection)
            environment.run_migrations()
    return str(scripts.get_current_head())


def check(url: str, service: str) -> bool:
    """Whether the database is at the newest revision. Raises DatabaseTooNew when it is beyond it."""
    scripts = _scripts(service)
    with _connection(url) as connection:
        _check_known(connection, scripts, service)
        return bool(_revision(connection) == scripts.get_current_head())


def _revision(connection: Connection) -> Any:
    return MigrationContext.configure(connection).get_current_revision()


def _check_known(connection: Connection, scripts: ScriptDirectory, service: str) -> None:
    revision = _revision(connection)
    known = {script.revision for script in scripts.walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseTooNew(
            f"The database of {service} is at revision {revision}, made by a newer version of Rotative; this version "
            f"knows revisions up to {scripts.get_current_head()}. Install that newer version, or restore a backup."
        )


def main(settings: ServiceSettings) -> None:
    """Bring one service's database to the newest schema and say so; a sentence and exit status 1 if it cannot be."""
    try:
        revision = upgrade(settings.database_url, settings.service)
    except DatabaseTooNew as error:
        sys.exit(str(error))
    print(f"The database of {settings.service} is at revision {revision}.")
