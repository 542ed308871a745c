"""A service at work inside a measuring process: it sends nothing, and does what waits when it is told to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import update

from shared import clock
from shared.service import Node
from shared.tables import jobs as jobs_table


class NoDispatcher:
    """Takes what would be sent and sends nothing."""

    def send(self, letters: Sequence[object]) -> None:
        """Nobody hears."""

    def wake(self, lanes: Iterable[str]) -> None:
        """Nobody is there to be woken."""

    def tell_receipt(self, sender: str, event_ids: Iterable[object]) -> None:
        """Nobody waits for receipts."""

    def close(self) -> None:
        """Nothing is open."""


def keep_inside(node: Node) -> None:
    """Have a node send nothing."""
    node.dispatcher.close()
    node.dispatcher = NoDispatcher()  # type: ignore[assignment]


def finish(node: Node) -> None:
    """Do all that waits, whenever it was to be done, but deliveries."""
    ready = (jobs_table.c.state == "ready") & jobs_table.c.lane.not_in(("deliver", "retry"))
    while True:
        with node.unit_of_work() as session:
            if not session.execute(update(jobs_table).where(ready).values(run_at=clock.now())).rowcount:  # type: ignore[attr-defined]
                return
        for lane in ("urgent", "normal", "bulk"):
            node.run_jobs(lane)
