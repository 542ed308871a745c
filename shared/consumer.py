"""Celery's consumer, but that it survives a Redis that dies, and tells Flower of its tasks a few times a second.

Telling each event by itself was a twelfth of all that publishing an article cost. And the order in which it looks at
its queues: urgent ones first.
"""

from __future__ import annotations

import time
from typing import Any

from celery.worker.consumer import Consumer
from kombu.utils.scheduling import round_robin_cycle

PAUSE_S = 0.3


class UrgentFirst(round_robin_cycle):
    """The order in which a worker looks for its next message: at the urgent queues first, at all others in turn."""

    def consume(self, n: int) -> list[str]:
        """The queues, the first with a message gives the next."""
        return sorted(self.items[:n], key=lambda name: not name.endswith(".urgent"))


class NewsConsumer(Consumer):
    """The consumer of every worker: see celery_app.options."""

    _flush_at = 0.0

    def on_send_event_buffered(self) -> None:
        """An event for Flower waits in the buffer: have the buffer sent soon."""
        now = time.monotonic()
        # By the clock and not by a flag: the loop forgets its timers when the connection to Redis breaks.
        if self.hub and now >= self._flush_at:
            self._flush_at = now + PAUSE_S
            self.hub.call_later(PAUSE_S, self._flush_events)

    def on_connection_error_after_connected(self, exc: Exception) -> Any:
        """Redis is gone: close the connection, and connect again."""
        # A channel that closes gives back what it was sent and has not acknowledged. Without a server it cannot, and
        # ends the whole process with an AttributeError (kombu#582). Nothing is lost: the database holds it all.
        if self.task_consumer is not None:
            self.task_consumer.channel.do_restore = False
        return super().on_connection_error_after_connected(exc)
