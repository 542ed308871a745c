"""How often a key may ask: a token bucket for each key in Redis, one for all services and processes.

A request never waits for Redis: it is counted here, and a thread takes what was counted out of the bucket a tenth
of a second later. When the bucket is empty the key is refused until it has filled again. While Redis does
not answer nobody is refused.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import redis

from shared.line import Line

# What is counted within this time is told to Redis together.
GATHER_S = 0.1
_KEYS_MAX = 10_000


class Limiter:
    """Refuses keys that ask too often. rate: requests a second, and how many may come at once; 0 for no limit."""

    def __init__(self, line: Line, rate: float) -> None:
        self._line = line
        self._rate = rate
        self._burst = max(1.0, rate)
        self._used: dict[str, int] = {}
        self._refused_until: dict[str, float] = {}
        self._lock = threading.Lock()
        self._counted = threading.Event()
        self._thread: threading.Thread | None = None

    def wait_s(self, key: str) -> float:
        """Count a request of a key: 0.0 when it may go on, else in how many seconds it may come again."""
        if not self._rate:
            return 0.0
        until = self._refused_until.get(key)
        if until is not None:
            left = until - time.monotonic()
            if left > 0:
                return left
            self._refused_until.pop(key, None)
        with self._lock:
            self._used[key] = self._used.get(key, 0) + 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._tell, name="limits", daemon=True)
                self._thread.start()
        if not self._counted.is_set():
            self._counted.set()
        return 0.0

    def _tell(self) -> None:
        gathering = threading.Event()
        while self._counted.wait():
            gathering.wait(GATHER_S)
            self._counted.clear()
            with self._lock:
                used, self._used = self._used, {}
            if len(self._refused_until) > _KEYS_MAX:
                self._refused_until.clear()
            for key, count in used.items():
                with suppress(redis.RedisError):
                    wait_s = self._line.take_tokens(key, count, rate=self._rate, burst=self._burst)
                    if wait_s > 0:
                        self._refused_until[key] = time.monotonic() + wait_s
