"""The system under measurement: `rotative up` on a fresh folder, what it has still to do, and its memory."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from bench.program import Program, kind_of, wait_until
from bench.wire import Connection, free_port

SERVICES = ("ingest", "recommend", "publish")
QUIET_LOOKS = 3
# Of one second of a processor: what waiting processes use; less than this is at rest.
AT_REST = 0.15


class System(Program):
    """The embedded system without Flower, empty on its folder.

    variables: more of its environment. Nothing of this process's ROTATIVE_ settings reaches it.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.data_dir = folder / "data"
        self.port = free_port()
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ROTATIVE_")}
        command = str(Path(sys.executable).with_name("rotative"))
        super().__init__(
            [command, "up", "--no-flower", "--port", str(self.port), "--data", str(self.data_dir)],
            folder / "rotative.txt",
            {**clean, "ROTATIVE_WEBHOOK_ALLOW": "127.0.0.0/8", **variables},
        )
        self._reader = Connection(self.port)
        self._owed_at_rest: int | None = None

    def is_ready(self) -> bool:
        """Whether it can serve."""
        try:
            return self._reader.get("/readyz").status == HTTPStatus.OK
        except OSError:
            return False

    def desk(self) -> Connection:
        """A new connection with the first API key."""
        return Connection(self.port, (self.data_dir / "admin.key").read_text("ascii").strip())

    def reader(self) -> Connection:
        """A new connection of an anonymous reader."""
        return Connection(self.port)

    def pss_mb(self) -> dict[str, float]:
        """Proportional set size of each kind of process, in megabytes (10⁶ bytes). {} where there is no /proc."""
        found: dict[str, float] = defaultdict(float)
        for process in self.processes():
            with contextlib.suppress(OSError, psutil.NoSuchProcess):
                rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text("ascii")
                found[kind_of(process)] += pss_of(rollup)
        return dict(found)

    def wait_until_quiet(self, timeout_s: float) -> bool:
        """Wait until nothing is owed inside: no event unreceived, no job due, no message waiting; False if too long.

        Jobs for a later time that are there at rest are not waited for.
        """
        desk = self.desk()
        looks = 0

        def quiet() -> bool:
            nonlocal looks
            reports = [desk.get_json(f"/v1/{service}/status") for service in SERVICES]
            owed = sum(owed_in(report) for report in reports)
            at_rest = owed if self._owed_at_rest is None else self._owed_at_rest
            looks = looks + 1 if owed <= at_rest and not any(map(is_moving, reports)) else 0
            if looks >= QUIET_LOOKS and self._owed_at_rest is None:
                self._owed_at_rest = owed
            return looks >= QUIET_LOOKS

        try:
            return wait_until(quiet, timeout_s, every_s=0.2)
        finally:
            desk.close()

    def wait_until_at_rest(self, timeout_s: float) -> bool:
        """Wait until its processes hardly work for a second; False if they still do after so long."""

        def at_rest() -> bool:
            before = sum(self.cpu_s().values())
            time.sleep(1)
            return sum(self.cpu_s().values()) - before < AT_REST

        return wait_until(at_rest, timeout_s)


def owed_in(report: Mapping[str, Any]) -> int:
    """Jobs of a service that are not done, by its status report; dead letters count as done."""
    return sum(states.get("ready", 0) + states.get("leased", 0) for states in report["jobs"].values())


def is_moving(report: Mapping[str, Any]) -> bool:
    """Whether a service's events are on their way, by its status report."""
    return report["oldest_unreceived_s"] is not None or any(report["queues"].values())


def pss_of(rollup: str) -> float:
    """The proportional set size in a text like /proc/PID/smaps_rollup, in megabytes. 0.0 when it has none."""
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0
