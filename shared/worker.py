"""What every worker process does: makes its node after the fork, and closes it when the process ends."""

from __future__ import annotations

import faulthandler
import gc
import os
import signal
from collections.abc import Callable
from typing import Any

from celery.signals import (
    task_postrun,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_shutdown,
)

from shared.celery_app import TIME_LIMIT_S
from shared.service import BulkSlot, Node

_slot: BulkSlot | None = None
_nodes: list[WorkerNode] = []


class WorkerNode:
    """Gives this process's node, made at its first use here: call it inside a task, never before a fork."""

    def __init__(self, make: Callable[[BulkSlot | None], Node]) -> None:
        self._make = make
        self._pid = 0
        self._node: Node | None = None
        _nodes.append(self)

    def __call__(self) -> Node:
        """The node of this process."""
        if self._node is None or self._pid != os.getpid():
            collect_seldom()
            self._node, self._pid = self._make(_slot), os.getpid()
        return self._node

    def close(self) -> None:
        """Close the node that this process made, if it made one."""
        if self._node is not None and self._pid == os.getpid():
            self._node.close()
            self._node = None


def collect_seldom() -> None:
    """Have Python look for rings of garbage less often.

    What this process keeps (pages' parts, feed items, an index) are hundreds of thousands of objects, and a look at all
    of them takes over 100 ms: as long as a whole slice of bulk work.
    """
    gc.set_threshold(10_000, 20, 100)


def use_slot(slot: BulkSlot) -> None:
    """Share this bulk slot with other worker processes, instead of one made here for the children of this one."""
    global _slot
    _slot = slot


@worker_init.connect
def _make_slot(**_: Any) -> None:
    global _slot
    _slot = _slot or BulkSlot()


def watch_time() -> None:
    """End this process when a task of it takes longer than TIME_LIMIT_S, with a traceback on standard error.

    For a process that runs one task at a time itself: Celery limits the time only of tasks in processes of a pool.
    """
    # The signal's own effect ends the process, so this works also on what never gives Python a turn.
    faulthandler.register(signal.SIGALRM, chain=True)
    task_prerun.connect(_begin_watching, weak=False)
    task_postrun.connect(_end_watching, weak=False)


def _begin_watching(**_: Any) -> None:
    signal.setitimer(signal.ITIMER_REAL, TIME_LIMIT_S)


def _end_watching(**_: Any) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)


@worker_process_init.connect
def _warm_up(**_: Any) -> None:
    for node in _nodes:
        node()


@worker_process_shutdown.connect
@worker_shutdown.connect
def _close(**_: Any) -> None:
    for node in _nodes:
        node.close()
