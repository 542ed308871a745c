"""A process that a run starts and ends: itself and what it started, and nothing else."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil  # type: ignore[import-untyped]

START_S = 60.0
STOP_S = 20.0


class DidNotStart(Exception):
    """A program did not come up; the text has the end of what it said."""


def wait_until(condition: Callable[[], bool], timeout_s: float, *, every_s: float = 0.05) -> bool:
    """Look until it is so; False when it has not been after so long."""
    ends = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(every_s)
    return True


def kind_of(process: psutil.Process) -> str:
    """What a process is called in the report: its name, without what all of the system's names begin with."""
    return str(process.name().removeprefix("rot-"))


class Program:
    """A program that runs from `with` to the end of its block; what it says goes to a file."""

    def __init__(self, command: Sequence[str], said: Path, environment: Mapping[str, str]) -> None:
        said.parent.mkdir(parents=True, exist_ok=True)
        self._command = command
        self._said = said
        with said.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,  # Ctrl-C is ours to hand on
            )

    def __enter__(self) -> Self:
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def is_ready(self) -> bool:
        """Whether it can be used."""
        raise NotImplementedError

    def wait_until_ready(self) -> None:
        """Wait until it can be used. Raises DidNotStart."""

        def ready_or_ended() -> bool:
            return self.process.poll() is not None or self.is_ready()

        if not wait_until(ready_or_ended, START_S) or self.process.poll() is not None:
            raise DidNotStart(f"It did not start: {' '.join(self._command)}\n{self.said()}")

    def processes(self) -> list[psutil.Process]:
        """It and all its descendants."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def cpu_s(self) -> dict[str, float]:
        """Seconds of CPU that each kind of process has used so far, with those of its children that have ended."""
        used: dict[str, float] = defaultdict(float)
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                used[kind_of(process)] += times.user + times.system + times.children_user + times.children_system
        return dict(used)

    def said(self, most: int = 4000) -> str:
        """The end of what it said."""
        return self._said.read_text("utf-8", "replace")[-most:].strip()

    def stop(self) -> None:
        """Ask it to end, and make it end when it does not."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_S)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
