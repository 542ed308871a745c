"""What every worker process does: makes its node after the fork, and closes it when the process ends."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from celery.signals import worker_init, worker_process_init, worker_process_shutdown, worker_shutdown

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
            self._node, self._pid = self._make(_slot), os.getpid()
        return self._node

    def close(self) -> None:
        """Close the node that this process made, if it made one."""
        if self._node is not None and self._pid == os.getpid():
            self._node.close()
            self._node = None


@worker_init.connect
def _make_slot(**_: Any) -> None:
    global _slot
    _slot = BulkSlot()


@worker_process_init.connect
def _warm_up(**_: Any) -> None:
    for node in _nodes:
        node()


@worker_process_shutdown.connect
@worker_shutdown.connect
def _close(**_: Any) -> None:
    for node in _nodes:
        node.close()
