"""`rotative up`: everything that must be right before the first process starts, then the supervisor.

What is wrong is said in a sentence (CannotStart); nothing has been started then.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gc
import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rotative import broker, processes, programs
from rotative.supervisor import Supervisor

FLOWER_PORT = 5555
LOCK_PATIENCE_S = 5.0  # what a killed `up` left behind is gone by then


class CannotStart(Exception):
    """The system cannot start; the text is a sentence for people. code: the exit code, 2 when a setting is wrong."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


def up(*, port: int, data_dir: Path, with_flower: bool, demo: bool) -> None:
    """Run the embedded system in this process until it is told to stop. Raises CannotStart."""
    if not broker.can_start():
        raise CannotStart("rotative up needs Linux or macOS; on Windows use Docker Compose or WSL.")
    data_dir = data_dir.expanduser().absolute()
    with new_if_refused(data_dir), locked(data_dir):
        make_key(data_dir / "admin.key")
        make_key(data_dir / "secret.key")
        listener = listen(port)
        starts_redis = set_environment(data_dir, port)
        check_settings()
        try:
            if starts_redis:
                broker.find_server()
                broker.socket_path(data_dir)
        except broker.NoBroker as absent:
            raise CannotStart(str(absent)) from absent
        migration = Migration()
        if sys.platform == "linux":
            programs.preload()
        migration.wait()
        plan = programs.Plan(
            data_dir=data_dir,
            port=port,
            listener=listener.fileno(),
            redis=starts_redis,
            flower_port=free_port(FLOWER_PORT) if with_flower else None,
            demo=demo,
        )
        address = data_dir / "url"
        address.write_text(f"{plan.url}\n", "ascii")
        processes.name_this_process("rotative")
        gc.collect()
        gc.freeze()  # the collector never touches these objects again, so their pages stay shared
        say = _tell
        supervisor = Supervisor(
            programs=programs.of(plan),
            logs=data_dir / "logs",
            say=say,
            private=(listener.fileno(),),
            at_stop=lambda: _end_listening(listener, address, say),
        )
        supervisor.run()
        say("Stopped.")


def _tell(line: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone
        print(line, flush=True)


def _end_listening(listener: socket.socket, address: Path, say: object) -> None:
    _tell("Stopping…")
    listener.close()
    address.unlink(missing_ok=True)


@contextlib.contextmanager
def new_if_refused(data_dir: Path) -> Iterator[None]:
    """Make the data folder; a start that is refused leaves none behind where there was none. Raises CannotStart."""
    was_there = data_dir.exists()
    make_folder(data_dir)
    try:
        yield
    except CannotStart:
        if not was_there:
            for name in ("up.lock", "admin.key", "secret.key"):
                (data_dir / name).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # something else is in it
                data_dir.rmdir()
        raise


def make_folder(data_dir: Path) -> None:
    """Make the data folder, for this user alone, and see that files can be written there. Raises CannotStart."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=data_dir):
            pass
        if data_dir.stat().st_uid == os.getuid():
            data_dir.chmod(0o700)  # the broker's socket and the keys are inside
    except OSError as error:
        raise CannotStart(
            f"The data folder {data_dir} cannot be written: {error.strerror}. Choose another with --data."
        ) from error


@contextlib.contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for this process and its children. Raises CannotStart when another system runs on it.

    Children inherit the lock, so that a folder is free only when the last process that used it is gone.
    """
    with (data_dir / "up.lock").open("a+") as file:
        ends = time.monotonic() + LOCK_PATIENCE_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                file.seek(0)
                holder = file.read().strip()
                if (holder.isdigit() and _runs(int(holder))) or time.monotonic() > ends:
                    who = f" (process {holder})" if holder else ""
                    raise CannotStart(
                        f"Rotative already runs on the data folder {data_dir}{who}. "
                        "Stop it first, or choose another folder with --data."
                    ) from error
                time.sleep(0.05)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def make_key(path: Path) -> None:
    """Make a file with a random key that only this user can read, unless there is one."""
    if path.is_file() and path.stat().st_size:
        return
    handle, draft = tempfile.mkstemp(dir=path.parent)  # mode 600 from its first moment
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    Path(draft).rename(path)


def listen(port: int) -> socket.socket:
    """The site's socket, bound and listening already, so that nothing is refused while the web process restarts.

    Raises CannotStart when the port cannot be had.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            sentence = f"Port {port} is taken by another program. Stop that one, or choose another port with --port."
        elif error.errno == errno.EACCES:
            sentence = f"Port {port} may only be used by the system administrator. Choose one above 1023 with --port."
        else:
            sentence = f"Port {port} cannot be used: {error.strerror}."
        raise CannotStart(sentence) from error
    return listener


def free_port(wanted: int) -> int:
    """This port of 127.0.0.1 if nothing listens on it, else one that is free."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise CannotStart("There is no free port for Flower; start without it: --no-flower.")


def set_environment(data_dir: Path, port: int) -> bool:
    """Put this start's folder, port and broker where the services' settings read them.

    Gives back whether a Redis server is to be started. Raises CannotStart (as socket_path's NoBroker).
    """
    os.environ["ROTATIVE_DATA_DIR"] = str(data_dir)
    os.environ["ROTATIVE_PORT"] = str(port)
    # numpy's own threads would cost memory, and a process with threads must not fork.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    if os.environ.get("ROTATIVE_REDIS_URL", "").strip():
        return False
    try:
        os.environ["ROTATIVE_REDIS_URL"] = broker.default_url(data_dir)
    except broker.NoBroker as wrong:
        raise CannotStart(str(wrong)) from wrong
    return True


def check_settings() -> None:
    """Read every service's settings and the newsroom file once. Raises CannotStart naming all that is wrong."""
    from rotative.parts import SERVICES, settings_of
    from shared.newsroom import NewsroomFileError, load_newsroom
    from shared.settings import SettingError, unknown_settings

    faults: list[str] = []
    for service in SERVICES:
        try:
            settings = settings_of(service)
            load_newsroom(settings.newsroom_file, settings.base_url, port=settings.port)
        except (SettingError, NewsroomFileError) as error:
            faults += [line for line in str(error).splitlines() if line not in faults]
    if faults:
        raise CannotStart("\n".join(faults), code=2)
    for sentence in unknown_settings(os.environ, known_settings()):
        print(f"Warning: {sentence}", file=sys.stderr)
    _check_theme()


# Read by the command line, by the processes of one system among themselves, and by the containers' set-up.
_OTHER_SETTINGS = frozenset({"ROTATIVE_URL", "ROTATIVE_KEY", "ROTATIVE_NEWSROOM_PAGES", programs.PLAN_VARIABLE})


def known_settings() -> set[str]:
    """The names of all settings."""
    from rotative.parts import SERVICES, settings_class_of
    from shared.settings import Env

    # Some are read only where another one asks for them.
    env = Env({"ROTATIVE_SITE_STORE": "s3://bucket", "ROTATIVE_SMTP_URL": "smtp://mail.example"})
    for service in SERVICES:
        settings_class_of(service).read(env, service)
    return {*env.asked, *_OTHER_SETTINGS}


def _check_theme() -> None:
    """Read the theme and the newsroom's own pages once; the processes go on with what was read.

    A broken theme hinders nothing: it is named, and the last good one, or the built-in one, is in force.
    """
    from services.publish.renderers.static_pages import StaticPageError
    from services.publish.renderers.theme import ThemeError
    from services.publish.service import make_builder
    from services.publish.settings import PublishSettings

    try:
        themes = make_builder(PublishSettings.from_env(os.environ, "publish")).themes
    except (StaticPageError, ThemeError) as error:
        raise CannotStart(str(error), code=2) from error
    if themes.fault:
        print(f"The theme is broken: {themes.fault}\n{themes.in_force.capitalize()} is in force.", file=sys.stderr)


class Migration:
    """Brings the three databases to the newest schema, in a process that ends: the tools for it take memory."""

    def __init__(self) -> None:
        self._answer, write = os.pipe()

        def run() -> None:
            from rotative.migrate import Failed, migrate_all

            try:
                migrate_all()
            except Failed as failed:
                os.write(write, str(failed).encode()[:60_000])
                raise SystemExit(3) from failed

        self._pid = processes.fork("migrate", run, output=None, close=(self._answer,))
        os.close(write)

    def wait(self) -> None:
        """Wait for its end. Raises CannotStart with the reason when a database could not be brought up to date."""
        with os.fdopen(self._answer, "rb") as answer:
            sentence = answer.read().decode(errors="replace")
        _, status = os.waitpid(self._pid, 0)
        if code := os.waitstatus_to_exitcode(status):
            raise CannotStart(sentence or f"The databases could not be brought up to date (code {code}).")
