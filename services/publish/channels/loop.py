"""An event loop in a thread of its own, shared by all that a delivering process sends, and its connections."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

# Looking up a name takes a thread; a name server that does not answer must not hold up all other names.
NAME_THREADS = 64


class Loop:
    """The loop. Starts at its first use, after the fork."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def run(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin this in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._started())

    def soon(self, call: Callable[..., object], *arguments: object) -> None:
        """Call this in the loop."""
        self._started().call_soon_threadsafe(call, *arguments)

    def stop(self) -> None:
        """End it, if it was ever started."""
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._loop = None

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._loop.set_default_executor(ThreadPoolExecutor(NAME_THREADS, thread_name_prefix="names"))
                threading.Thread(target=self._loop.run_forever, name="deliveries", daemon=True).start()
            return self._loop
