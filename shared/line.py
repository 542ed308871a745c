"""The line to Redis beside Celery's messages: receipts, and how long the queues are.

Receipts travel as plain lists instead of tasks: one `RPUSH` costs a tenth of a Celery message, and a lost receipt only
means that an event is sent again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import redis

from shared.celery_app import KEY_PREFIX


class Breaker:
    """Stops asking something that does not answer, for longer and longer: 0.5 s doubling to 5 s."""

    def __init__(self) -> None:
        self._until = 0.0
        self._pause_s = 0.5

    @property
    def open(self) -> bool:
        """True while nothing should be tried."""
        return time.monotonic() < self._until

    def failed(self) -> None:
        """It did not answer."""
        self._until = time.monotonic() + self._pause_s
        self._pause_s = min(5.0, self._pause_s * 2)

    def worked(self) -> None:
        """It answered."""
        self._until, self._pause_s = 0.0, 0.5


class Line:
    """Short, bounded questions to Redis. Every method raises redis.RedisError, at once while the breaker is open."""

    def __init__(self, redis_url: str) -> None:
        url = redis_url.replace("redis+socket://", "unix://", 1)
        self._redis: Any = redis.Redis.from_url(
            url, socket_timeout=0.5, socket_connect_timeout=0.25, retry=None, health_check_interval=0
        )
        self._breaker = Breaker()

    def _ask(self, *command: str | int) -> Any:
        if self._breaker.open:
            raise redis.ConnectionError("Redis did not answer a moment ago")
        try:
            answer = self._redis.execute_command(*command)
        except redis.RedisError:
            self._breaker.failed()
            raise
        self._breaker.worked()
        return answer

    def ping(self) -> None:
        """Return if Redis answers."""
        self._ask("PING")

    def queue_length(self, queue: str) -> int:
        """How many messages wait in a queue."""
        return int(self._ask("LLEN", f"{KEY_PREFIX}{queue}"))

    def send_receipts(self, sender: str, listener: str, event_ids: Iterable[UUID]) -> None:
        """Tell the service that said these events that this listener holds them safely."""
        self._ask("RPUSH", _receipts_of(sender), json.dumps([listener, [str(one) for one in event_ids]]))

    def take_receipts(self, sender: str, most: int = 200) -> list[tuple[str, list[UUID]]]:
        """Take the receipts waiting for a sender: (listener, event ids) pairs. What is not a receipt is passed over."""
        taken = self._ask("LPOP", _receipts_of(sender), most) or []
        receipts = []
        for text in taken:
            try:
                listener, ids = json.loads(text)
                receipts.append((str(listener), [UUID(one) for one in ids]))
            except (ValueError, TypeError, AttributeError):
                continue
        return receipts

    def take_tokens(self, bucket: str, wanted: int, *, rate: float, burst: float) -> float:
        """Take tokens out of a bucket that fills at `rate` a second up to `burst`; it may fall below zero.

        Gives back how many seconds it takes until there is one again: 0.0 while there are some.
        """
        answer = self._ask("EVAL", _TAKE_TOKENS, 1, f"{KEY_PREFIX}rate:{bucket}", wanted, str(rate), str(burst))
        return float(answer)

    def has_forgotten(self, sender: str) -> bool:
        """Whether Redis has lost its memory, with every message in it, since it was last asked this for a sender."""
        return self._ask("SET", f"{KEY_PREFIX}known:{sender}", 1, "NX") is not None


# Kept as tokens and the time (of Redis) at which they were counted. What nobody asks for is forgotten once it is full.
_TAKE_TOKENS = """
local wanted, rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call("TIME")
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local held = redis.call("HMGET", KEYS[1], "tokens", "at")
local tokens = tonumber(held[1]) or burst
tokens = math.min(burst, tokens + math.max(0, now - (tonumber(held[2]) or now)) * rate) - wanted
tokens = math.max(tokens, -burst)
redis.call("HSET", KEYS[1], "tokens", tostring(tokens), "at", string.format("%.6f", now))
redis.call("PEXPIRE", KEYS[1], math.ceil((burst - tokens) / rate * 1000) + 1000)
if tokens > 0 then return "0" end
return tostring((1 - tokens) / rate)
"""


def _receipts_of(sender: str) -> str:
    return f"{KEY_PREFIX}receipts:{sender}"
