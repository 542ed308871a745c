"""Figures that both measurements of recommend print."""

from __future__ import annotations

from collections.abc import Sequence

# A new process that loads an index; its arguments: the snapshot and the floor it was made with.
LOAD = """
import sys, time
from pathlib import Path
from services.recommend.index import Rules, snapshot
started = time.perf_counter()
index, _ = snapshot.load(Path(sys.argv[1]), Rules(floor=float(sys.argv[2])))
took = time.perf_counter() - started
memory = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
print(f"{len(index)} articles in {took:.1f} s, then {int(memory.split()[1]) / 1024:.0f} MB in the whole process")
"""


def quantile(values: Sequence[float], share: float) -> float:
    """The value under which this share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0
