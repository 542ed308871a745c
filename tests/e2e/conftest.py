"""The embedded system as its users run it: the `rotative` command, in a process of its own, on a free port."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests import conftest

COMMAND = str(Path(sys.executable).with_name("rotative"))
START_S = 60.0


def wait_for(condition: Callable[[], object], what: str, within_s: float = START_S) -> object:
    """Look until the condition holds, as long as a whole system on a busy machine may take."""
    return conftest.wait_for(condition, what, within_s)


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**variables: str) -> dict[str, str]:
    """The environment without this machine's settings, and with these."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith("ROTATIVE_")}, **variables}


class System:
    """`rotative up` on a folder of its own."""

    def __init__(self, data_dir: Path, *options: str, **variables: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment(**variables)
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [COMMAND, "up", "--port", str(self.port), "--data", str(data_dir), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())

    def wait_until_ready(self) -> System:
        """Wait until it says that it is ready; fail with what it said when it ends instead."""

        def ready() -> bool:
            assert self.process.poll() is None, self.said
            return any(line.startswith("Stop with Ctrl-C") for line in self.said)

        wait_for(ready, f"the system to be ready, which said {self.said}")
        return self

    @property
    def key(self) -> str:
        """The first API key."""
        return (self.data_dir / "admin.key").read_text().strip()

    def http(self) -> httpx.Client:
        """A client with the first key."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=20)

    def processes(self) -> list[psutil.Process]:
        """It and all its descendants."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def named(self, name: str) -> list[psutil.Process]:
        """Those of its processes that are called so in ps."""
        found = []
        for one in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                if one.name() == name:
                    found.append(one)
        return found

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another `rotative` command, beside it."""
        return subprocess.run(
            [COMMAND, *arguments, "--data", str(self.data_dir)],
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=120,
        )

    def interrupt(self) -> None:
        """Ctrl-C, and wait for the end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        finally:
            self.process.kill()
            self._reader.join(5)


@pytest.fixture
def start(data_dir: Path) -> Iterator[Callable[..., System]]:
    """Starts systems on the folder of the test, and stops them at its end."""
    systems: list[System] = []

    def make(*options: str, **variables: str) -> System:
        systems.append(System(data_dir, "--no-flower", *options, **variables))
        return systems[-1]

    yield make
    for one in systems:
        one.interrupt()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder that does not exist yet."""
    return tmp_path / "data"


def gone(processes: list[psutil.Process]) -> bool:
    """Whether every one of them has ended."""
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)
