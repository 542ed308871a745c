"""Places at which a fault test may kill the process: before and after each commit, send and placed page.

A test that sets ROTATIVE_FAILPOINTS_DIR puts a file with a failpoint's name there; the first process to pass that
point removes the file and ends itself as `kill -9` would. A file "event.<event id>" is not removed: it ends each
process that hears this event. Without the setting a failpoint costs one comparison.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from uuid import UUID

_directory: Path | None = None

NAMES = (
    "commit.before",
    "commit.after",
    "send.before",
    "send.after",
    "receipt.before",
    "claim.after",
    "page.before",
    "page.after",
    "post.before",
    "post.after",
)


def enable(directory: Path | None) -> None:
    """Look for failpoints in this folder from now on; None turns them off."""
    global _directory
    _directory = directory


def hit(name: str) -> None:
    """End this process at once if a test asked for it here."""
    if _directory is None:
        return
    try:
        (_directory / name).unlink()
    except OSError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def hear(event_id: UUID) -> None:
    """End this process at once if a test wants this event to be the end of whoever hears it."""
    if _directory is not None and (_directory / f"event.{event_id}").exists():
        os.kill(os.getpid(), signal.SIGKILL)
