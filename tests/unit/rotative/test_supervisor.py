"""The supervisor runs in a process of its own here: it forks, and a test runner may have threads."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import wait_for

PROGRAMS = """
import os, signal, sys, time
from pathlib import Path
from rotative.processes import die_with
from rotative.supervisor import Program, Supervisor

folder = Path(sys.argv[1])

def wait():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("started", os.getpid(), flush=True)
    while True:
        signal.pause()

def parent():
    if os.fork() == 0:
        die_with(os.getppid())
        signal.pause()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        signal.pause()

def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("deaf", flush=True)
    while True:
        signal.pause()

def broken():
    raise RuntimeError("it never works")

def once():
    print("once")

def noting(name):
    def run():
        def end(*_):
            with (folder / "order").open("a") as file:
                file.write(name + "\\n")
            sys.exit(0)
        signal.signal(signal.SIGTERM, end)
        (folder / name).touch()
        while True:
            signal.pause()
    return run

programs = [PROGRAMS_HERE]
Supervisor(programs=programs, logs=folder / "logs", say=lambda line: print(line, flush=True)).run()
print("stopped", flush=True)
"""


class Supervised:
    """A supervisor in a process, with what it said."""

    def __init__(self, folder: Path, programs: str) -> None:
        code = PROGRAMS.replace("PROGRAMS_HERE", programs)
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        )
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())

    def log(self, name: str) -> str:
        path = self.folder / "logs" / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self._reader.join(5)


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[[str], Supervised]]:
    started: list[Supervised] = []

    def start(programs: str) -> Supervised:
        started.append(Supervised(tmp_path, programs))
        return started[-1]

    yield start
    for one in started:
        one.end()


def gone(processes: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


def test_a_killed_program_starts_again_at_once_and_people_are_told(supervise):
    system = supervise("Program(name='one', run=wait)")
    wait_for(lambda: "started" in system.log("one"), "the first start")
    first = int(system.log("one").split()[1])

    os.kill(first, signal.SIGKILL)

    wait_for(lambda: system.log("one").count("started") == 2, "the second start")
    assert any(line.startswith("one was killed by signal 9; starting it again") for line in system.said)


def test_a_program_that_never_works_is_tried_with_growing_pauses(supervise):
    system = supervise("Program(name='one', run=broken)")

    wait_for(lambda: len(system.said) >= 4, "four tries")

    assert [line.partition(" in ")[2].partition(" (")[0] for line in system.said[:4]] == [
        "0.1 s",
        "0.2 s",
        "0.4 s",
        "0.8 s",
    ]
    assert "RuntimeError: it never works" in system.log("one")


def test_a_program_that_runs_once_is_not_started_again(supervise):
    system = supervise("Program(name='one', run=once, once=True), Program(name='two', run=wait)")

    wait_for(lambda: "once" in system.log("one") and "started" in system.log("two"), "both starts")
    system.end()

    assert system.said == ["stopped"]


def test_lower_stages_stop_first(supervise, tmp_path):
    system = supervise(
        "Program(name='last', run=noting('last'), stage=2), Program(name='first', run=noting('first'), stage=0), "
        "Program(name='second', run=noting('second'), stage=1)"
    )
    wait_for(lambda: all((tmp_path / name).exists() for name in ("first", "second", "last")), "all starts")

    system.end()

    assert (tmp_path / "order").read_text().split() == ["first", "second", "last"]


def test_a_program_that_ignores_sigterm_is_killed_after_its_grace(supervise):
    system = supervise("Program(name='one', run=deaf, grace_s=0.3)")
    wait_for(lambda: "deaf" in system.log("one"), "the start")
    children = system.children()

    system.end()

    assert system.process.returncode == 0
    assert gone(children)


def test_nothing_stays_when_the_supervisor_is_killed(supervise):
    system = supervise("Program(name='one', run=parent), Program(name='two', run=deaf)")
    wait_for(lambda: len(system.children()) == 3, "two children and a grandchild")
    children = system.children()

    system.process.kill()

    wait_for(lambda: gone(children), "every descendant to end")


def test_the_child_of_a_killed_program_goes_with_it(supervise):
    system = supervise("Program(name='one', run=parent)")
    wait_for(lambda: len(system.children()) == 2, "a child and a grandchild")
    before = system.children()

    psutil.Process(system.process.pid).children()[0].kill()

    wait_for(lambda: gone(before), "both to end")
    wait_for(lambda: len(system.children()) == 2, "both to be there again")


def test_a_second_signal_ends_the_waiting(supervise):
    system = supervise("Program(name='one', run=deaf, grace_s=60), Program(name='two', run=wait)")
    wait_for(lambda: "deaf" in system.log("one") and "started" in system.log("two"), "both starts")
    children = system.children()

    system.process.send_signal(signal.SIGINT)
    wait_for(lambda: len(system.children()) == 1, "the willing one to end")
    system.process.send_signal(signal.SIGINT)

    system.process.wait(20)
    assert gone(children)
