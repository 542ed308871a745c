"""What was done to a system, and when: so that a proof can tell what a fault explains from what nothing explains."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One fault. began, ended: time.monotonic(); kind: "kill", "failpoint", "redis frozen" …; target: what it hit."""

    kind: str
    target: str
    began: float
    ended: float


class Diary:
    """The faults of one run, written by several threads."""

    def __init__(self) -> None:
        self.born = time.monotonic()
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def note(self, kind: str, target: str, began: float | None = None) -> None:
        """A fault has just happened, or has lasted since `began`."""
        now = time.monotonic()
        with self._lock:
            self._faults.append(Fault(kind, target, now if began is None else began, now))

    @contextmanager
    def during(self, kind: str, target: str) -> Iterator[None]:
        """A fault lasts as long as the block."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.note(kind, target, began)

    @property
    def faults(self) -> list[Fault]:
        """All of them so far, in the order in which they ended."""
        with self._lock:
            return list(self._faults)

    def counts(self) -> dict[str, int]:
        """How many there were of each kind and target."""
        return dict(sorted(Counter(f"{fault.kind}: {fault.target}" for fault in self.faults).items()))

    def text(self) -> str:
        """The faults, one a line, in seconds since the diary was begun."""
        return "\n".join(
            f"{one.began - self.born:7.2f} – {one.ended - self.born:7.2f}  {one.kind}: {one.target}"
            for one in sorted(self.faults, key=lambda fault: fault.began)
        )
