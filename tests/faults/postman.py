"""The delivering process of the fault tests, started again whenever it dies."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select, update

from services.publish.models import Delivery
from shared import clock
from shared.tables import jobs as jobs_table
from tests.conftest import wait_for
from tests.integration.publish.house import House


class Delivering:
    """The process, started again whenever it dies."""

    def __init__(self, variables: dict[str, str]) -> None:
        self._variables = {**os.environ, **variables}
        self.process = self._start()
        self.deaths = 0

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.faults.delivering"]
        return subprocess.Popen(command, stdin=subprocess.PIPE, env=self._variables)

    def mind(self, house: House) -> None:
        """Start it again if it has died; what it had leased is free at once: nobody holds it."""
        if self.process.poll() is None:
            return
        self.deaths += 1
        with house.node.unit_of_work() as session:
            leased = update(jobs_table).where(jobs_table.c.state == "leased")
            session.execute(leased.values(lease_until=clock.now() - timedelta(seconds=1)))
        self.process = self._start()

    def end(self) -> None:
        """Let it end."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()  # type: ignore[union-attr]
        try:
            self.process.wait(20)
        finally:
            self.process.kill()


def open_ones(house: House) -> int:
    """How many deliveries have not ended."""
    with house.node.reading() as session:
        return session.scalar(select(func.count()).where(Delivery.state.in_(("due", "sending")))) or 0


def ordeal(house: House, variables: dict[str, str], kills: Sequence[str]) -> int:
    """Have everything delivered by a process that is killed at each of these points; how often it died."""
    folder = Path(variables["ROTATIVE_FAILPOINTS_DIR"])
    delivering = Delivering(variables)
    waiting = list(kills)
    try:

        def over() -> bool:
            delivering.mind(house)
            if waiting and not any(folder.iterdir()):
                (folder / waiting.pop(0)).touch()
            return not open_ones(house)

        wait_for(over, "every delivery to have ended", 120)
    finally:
        delivering.end()
        for left in folder.iterdir():
            left.unlink()
    return delivering.deaths
