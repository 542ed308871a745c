"""Runs a worker or a sweeper and shows from outside that its process lives: `python -m shared.heartbeat FILE MODULE …`.

The file's time moves every few seconds for as long as the process can run Python at all, whatever Redis and the
database do: a health check that asked Redis would take every worker down with it.
"""

from __future__ import annotations

import runpy
import sys
import threading
from pathlib import Path

PERIOD_S = 5.0


def beat(file: Path, stop: threading.Event) -> None:
    """Touch the file now and every PERIOD_S seconds, until told to stop."""
    while True:
        file.touch()
        if stop.wait(PERIOD_S):
            return


def main(file: str, *command: str) -> None:
    """Run a module with its arguments, as `python -m` does, beating into the file until it ends."""
    stop = threading.Event()
    threading.Thread(target=beat, args=(Path(file), stop), name="heartbeat", daemon=True).start()
    sys.argv = list(command)
    try:
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
    finally:
        stop.set()


if __name__ == "__main__":
    main(*sys.argv[1:])
