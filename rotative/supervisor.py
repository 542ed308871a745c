"""A small process supervisor: starts programs, starts them again when they end, and stops them in order.

It forks from one warm process (a zygote) instead of starting interpreters: children share the pages of everything that
was imported once, and a restart takes milliseconds. For that it stays single-threaded and holds no connection.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rotative import processes

LOG_BYTES = 10_000_000  # of one program's log; as much again is kept as <name>.log.1
STEADY_S = 10.0  # a program that ran this long starts again at once
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 30.0
LOOK_AT_LOGS_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Program:
    """One process to keep running.

    run: called in the new process; returning ends it. stage: those of a lower one are stopped first. grace_s: how long
    it may take over SIGTERM before its group is killed. once: it is not started again. loud: writes to the terminal.
    keep: descriptors of the supervisor that it needs.
    """

    name: str
    run: Callable[[], None]
    stage: int = 0
    grace_s: float = 5.0
    once: bool = False
    loud: bool = False
    keep: tuple[int, ...] = ()


@dataclass
class _Child:
    program: Program
    pid: int | None = None
    started: float = 0.0
    due: float | None = 0.0  # monotonic; None: not to be started
    failures: int = 0


@dataclass
class Supervisor:
    """Keeps programs running until told to stop.

    logs: folder of <name>.log files. say: tells people one line. private: descriptors closed in every child that does
    not name them in its `keep`. at_stop: called once, before the first program is told to end.
    """

    programs: Sequence[Program]
    logs: Path
    say: Callable[[str], None]
    private: tuple[int, ...] = ()
    at_stop: Callable[[], None] = lambda: None
    _children: list[_Child] = field(default_factory=list)
    _told: int = 0
    _looked_at_logs: float = 0.0

    def run(self) -> None:
        """Start everything, keep it running until SIGTERM, SIGINT or SIGHUP, then stop it in order."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        self.private = (*self.private, wake_read, wake_write)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._hear)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self.logs.mkdir(parents=True, exist_ok=True)
        self._children = [_Child(program) for program in self.programs]
        try:
            while not self._told:
                self._bound_logs()
                self._start_due()
                self._wait(wake_read, self._pause())
                self._reap()
        finally:
            self._stop(wake_read)

    def _hear(self, number: int, _frame: object) -> None:
        self._told += 1

    def _start_due(self) -> None:
        for child in self._children:
            if child.pid is None and child.due is not None and child.due <= time.monotonic():
                self._start(child)

    def _start(self, child: _Child) -> None:
        program = child.program
        log = None
        if not program.loud:
            log = os.open(self.logs / f"{program.name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        private = [number for number in self.private if number not in program.keep]
        child.pid = processes.fork(program.name, program.run, output=log, close=private)
        child.started, child.due = time.monotonic(), None
        if log is not None:
            os.close(log)

    def _reap(self) -> None:
        for child in self._children:
            if child.pid is None:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                processes.end_group(pid, signal.SIGKILL)  # whatever it leaves behind would do its work twice
                child.pid = None
                self._plan_restart(child, os.waitstatus_to_exitcode(status))

    def _plan_restart(self, child: _Child, code: int) -> None:
        if self._told or child.program.once:
            return
        ran_s = time.monotonic() - child.started
        child.failures = 1 if ran_s >= STEADY_S else child.failures + 1
        pause_s = 0.0 if ran_s >= STEADY_S else min(FIRST_PAUSE_S * 2 ** (child.failures - 1), LONGEST_PAUSE_S)
        child.due = time.monotonic() + pause_s
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        log = self.logs / f"{child.program.name}.log"
        self.say(f"{child.program.name} {how}; starting it again{f' in {pause_s:g} s' if pause_s else ''} (see {log})")

    def _pause(self) -> float:
        due = [child.due for child in self._children if child.due is not None]
        return max(0.0, min([LOOK_AT_LOGS_S, *(moment - time.monotonic() for moment in due)]))

    @staticmethod
    def _wait(wake: int, timeout_s: float) -> None:
        """Sleep until a signal comes, at most timeout_s."""
        select.select([wake], [], [], timeout_s)
        with contextlib.suppress(BlockingIOError):
            os.read(wake, 4096)

    def _stop(self, wake: int) -> None:
        """End all programs, stage by stage; each gets its grace, a second signal from outside cuts it short."""
        told = self._told
        self.at_stop()
        for stage in sorted({child.program.stage for child in self._children}):
            here = [child for child in self._children if child.program.stage == stage]
            for child in here:
                child.due = None
                if child.pid is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(child.pid, signal.SIGTERM)
            ends = time.monotonic() + max(child.program.grace_s for child in here)
            while any(child.pid for child in here) and time.monotonic() < ends and self._told == told:
                self._wait(wake, min(0.2, max(0.0, ends - time.monotonic())))
                self._reap()
            for child in here:
                if child.pid is not None:
                    processes.end_group(child.pid, signal.SIGKILL)
                    os.waitpid(child.pid, 0)
                    child.pid = None

    def _bound_logs(self) -> None:
        """Keep each log below LOG_BYTES or so: its writers append, so it is copied and cut, never moved away."""
        if time.monotonic() - self._looked_at_logs < LOOK_AT_LOGS_S and self._looked_at_logs:
            return
        self._looked_at_logs = time.monotonic()
        for log in self.logs.glob("*.log"):
            with contextlib.suppress(OSError):
                if log.stat().st_size > LOG_BYTES:
                    shutil.copyfile(log, log.with_suffix(".log.1"))
                    os.truncate(log, 0)
