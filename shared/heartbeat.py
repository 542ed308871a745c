"""Runs a worker or a sweeper and shows from outside that its process lives: `python -m shared.heartbeat FILE MODULE …`.

The file's time moves every few seconds for as long as the process can run Python at all, whatever Redis and the
database do: a health check that asks Redis would take every worker down with it. `python -m shared.heartbeat FILE` is
that check.
"""

from __future__ import annotations

import runpy
import sys
import threading
import time
from pathlib import Path

PERIOD_S = 5.0
# Older than this, the process has hung.
STALE_S = 30.0


def beat(file: Path, stop: threading.Event) -> None:
    """Touch the file now and every PERIOD_S seconds, until told to stop."""
    while True:
        file.touch()
        if stop.wait(PERIOD_S):
            return


def is_alive(file: Path, now: float) -> bool:
    """Whether the file was touched within the last STALE_S seconds. now: seconds since the epoch, as files have them."""
    try:
        return now - file.stat().st_mtime < STALE_S
    except FileNotFoundError:
        return False


def main(arguments: list[str]) -> int:
    """With a file alone: 0 if its process lives, else 1. With a module: run it as `python -m` does, beating."""
    file, *command = arguments
    if not command:
        return 0 if is_alive(Path(file), time.time()) else 1
    stop = threading.Event()
    threading.Thread(target=beat, args=(Path(file), stop), name="heartbeat", daemon=True).start()
    sys.argv = command
    try:
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
    finally:
        stop.set()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
