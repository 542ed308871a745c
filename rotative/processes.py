"""What the supervisor asks of the operating system: forks, names, and processes that end with their parent."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_NAME = 15
_M_ARENA_MAX = -8  # malloc.h
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def name_this_process(name: str) -> None:
    """Show `name` (the first 15 bytes of it) in ps -o comm, top and pstree. Linux only; elsewhere nothing happens."""
    if _libc is not None:
        _libc.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def use_few_arenas() -> None:
    """Let this process's threads share two malloc arenas: eight threads with one each hold several megabytes more."""
    if _libc is not None:
        with contextlib.suppress(AttributeError):  # musl has no mallopt
            _libc.mallopt(_M_ARENA_MAX, 2)


def die_with(parent: int) -> None:
    """Make this process end, at once and for certain, when the process `parent` (its pid) does.

    On Linux the kernel sends SIGKILL, also through execve. The kernel forgets it at a fork, so each generation calls
    this for itself. Elsewhere a thread looks twice a second and takes this process's whole group along.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(parent,), name="watch-parent", daemon=True).start()
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGKILL) if os.getpgrp() == os.getpid() else os._exit(1)


def fork(name: str, run: Callable[[], None], *, output: int | None, close: Iterable[int] = ()) -> int:
    """Run a function in a forked process with its own session and group, and give back its pid.

    output: file descriptor that its stdout and stderr go to; None leaves the terminal's. close: descriptors that are
    the caller's alone. The process ends with 0 when `run` returns, with the code of a SystemExit, with 1 after any
    other exception (its traceback goes to `output`), and with SIGKILL when the caller ends.

    The caller must have no other thread: a lock held by one would stay locked in the new process for ever.
    """
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        with contextlib.suppress(OSError):  # both sides set it, so neither runs before it is set
            os.setpgid(pid, pid)
        return pid
    code = 1
    try:
        with contextlib.suppress(OSError):
            os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        for descriptor in close:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        _redirect(output)
        name_this_process(f"rot-{name}")
        die_with(parent)
        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _redirect(output: int | None) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if output is not None:
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        # A terminal's stdout holds lines back when it becomes a file; a log that lags behind misleads.
        with contextlib.suppress(AttributeError):
            sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def end_group(leader: int, number: int) -> None:
    """Send a signal to a process group; one that is gone already is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
