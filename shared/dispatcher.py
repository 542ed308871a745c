"""The dispatcher: one thread of each process that sends what the process has committed, and tells receipts.

It never holds up who committed, and never waits long for Redis: what it cannot send is left to the sweeper.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

import redis
from celery import Celery
from kombu.exceptions import OperationalError
from sqlalchemy.exc import SQLAlchemyError

from shared import clock, failpoints, outbox, routing
from shared.celery_app import create_celery
from shared.db import Database
from shared.line import Breaker, Line
from shared.outbox import Letter

log = logging.getLogger(__name__)

MESSAGE_EVENTS = 100
BULK_MESSAGE_EVENTS = 20
MESSAGE_BYTES = 1_000_000
RECEIPT_PAUSE_S = 0.25
WAKE_PAUSE_S = 0.02
# While a queue has messages waiting, what else goes there is held so long, again and again, and then leaves together:
# batches grow with the load by themselves.
HOLD_S = 0.03
LONGEST_HOLD_S = 1.0
# What may wait in memory while Redis is away; beyond it the sweeper reads it from the outbox.
MOST_WAITING = 5000


class Dispatcher:
    """Sends letters, wake-ups and receipts of one service from one process. Start no two threads: use one per Node."""

    def __init__(self, service: str, redis_url: str) -> None:
        self._service = service
        self._celery: Celery = create_celery(f"{service}-dispatcher", redis_url, include=[], producer=True)
        self._line = Line(redis_url)
        self._breaker = Breaker()
        self._news = threading.Condition()
        # When each may leave, when it came, and the letter.
        self._letters: list[tuple[float, float, Letter]] = []
        self._wakes: dict[str, float] = {}
        self._last_wake: dict[str, float] = {}
        self._receipts: dict[str, list[UUID]] = defaultdict(list)
        self._receipts_at = 0.0
        self._closing = False
        self._thread: threading.Thread | None = None
        self._db: Database | None = None

    def start(self, db: Database) -> None:
        """Begin sending. db: where to note what could not be sent."""
        self._db = db
        self._thread = threading.Thread(target=self._run, name=f"{self._service}-dispatcher", daemon=True)
        self._thread.start()

    def send(self, letters: Sequence[Letter]) -> None:
        """Send these soon: at once, or with what follows shortly where nobody waits for them."""
        now = time.monotonic()
        with self._news:
            self._letters += [(_tick(now, routing.LINGER_S.get(one.type, 0.0)), now, one) for one in letters]
            self._news.notify()

    def wake(self, lanes: Iterable[str]) -> None:
        """Have a worker look for due jobs on these lanes of this service."""
        lanes = list(lanes)
        if not lanes:
            return
        now = time.monotonic()
        with self._news:
            for lane in lanes:
                # A wake-up that follows closely on another waits a little, so that one serves many.
                self._wakes.setdefault(lane, max(now, self._last_wake.get(lane, 0.0) + WAKE_PAUSE_S))
            self._news.notify()

    def has_waiting(self, lanes: Iterable[str]) -> bool:
        """Whether a message waits for a worker on any of these lanes of this service; False while Redis is away."""
        return any(self._has_messages(routing.queue(self._service, lane)) for lane in lanes)

    def tell_receipt(self, sender: str, event_ids: Iterable[UUID]) -> None:
        """Tell a sender, together with others of the next quarter of a second, that its events are held safely."""
        with self._news:
            if not self._receipts:
                self._receipts_at = time.monotonic() + RECEIPT_PAUSE_S
            self._receipts[sender] += event_ids
            self._news.notify()

    def close(self, timeout_s: float = 2.0) -> None:
        """Send what waits, then stop; bounded in time."""
        with self._news:
            self._closing = True
            self._news.notify()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            with self._news:
                while not self._closing and (pause := self._time_to_next()) > 0:
                    self._news.wait(None if pause == float("inf") else pause)
                letters, wakes, receipts = self._take_due()
                closing = self._closing
            try:
                self._send_letters([letter for _, letter in letters] if closing else self._hold_back(letters))
                self._send_wakes(wakes)
                self._send_receipts(receipts)
            except Exception:
                log.exception("dispatching failed; the sweeper will send it")
            if closing:
                return

    def _time_to_next(self) -> float:
        times = [one[0] for one in self._letters] + list(self._wakes.values())
        if self._receipts:
            times.append(self._receipts_at)
        return min(times) - time.monotonic() if times else float("inf")

    def _take_due(self) -> tuple[list[tuple[float, Letter]], list[str], dict[str, list[UUID]]]:
        now = float("inf") if self._closing else time.monotonic()
        due = [(came, letter) for at, came, letter in self._letters if at <= now]
        self._letters = [one for one in self._letters if one[0] > now]
        wakes = [lane for lane, at in self._wakes.items() if at <= now]
        for lane in wakes:
            del self._wakes[lane]
            self._last_wake[lane] = time.monotonic()
        receipts: dict[str, list[UUID]] = {}
        if self._receipts and self._receipts_at <= now:
            receipts, self._receipts = self._receipts, defaultdict(list)
        return due, wakes, receipts

    def _hold_back(self, letters: Sequence[tuple[float, Letter]]) -> list[Letter]:
        """Those to send now; the others are put back, until the next tick."""
        now = time.monotonic()
        go, held = leaving(letters, now, self._has_messages)
        if held:
            with self._news:
                self._letters += [(_tick(now, HOLD_S), came, letter) for came, letter in held]
        return go

    def _has_messages(self, queue: str) -> bool:
        try:
            return self._line.queue_length(queue) > 0
        except redis.RedisError:
            return False

    def _send_letters(self, letters: Sequence[Letter]) -> None:
        unsent: list[Letter] = []
        for message in messages(letters):
            if self._breaker.open or not self._send_message(message):
                unsent += message
        if unsent and self._db is not None:
            try:
                with self._db.unit_of_work() as session:
                    outbox.not_sent(session, unsent[:MOST_WAITING], now=clock.now())
            except SQLAlchemyError:
                log.warning("could not note unsent events; they are sent again when their receipts fail to come")

    def _send_message(self, message: Sequence[Letter]) -> bool:
        first = message[0]
        others = f" and {len(message) - 1} more" if len(message) > 1 else ""
        return self._send_task(
            routing.task_name(first.listener, first.type),
            routing.queue(first.listener, first.lane),
            {"events": [letter.envelope for letter in message], "lane": first.lane, "again": first.again},
            shown=f"{first.subject}{others}{' (again)' if first.again else ''}",
        )

    def _send_wakes(self, lanes: Sequence[str]) -> None:
        for lane in lanes:
            if not self._breaker.open:
                self._send_task(
                    routing.run_jobs_task(self._service), routing.queue(self._service, lane), {"lane": lane}, shown=lane
                )

    def _send_task(self, name: str, queue: str, kwargs: dict[str, Any], *, shown: str) -> bool:
        failpoints.hit("send.before")
        try:
            self._celery.send_task(name, kwargs=kwargs, queue=queue, retry=False, argsrepr=shown, kwargsrepr="{}")
        except (OperationalError, redis.RedisError, OSError) as error:
            self._breaker.failed()
            log.warning("Redis did not take a message", extra={"task_name": name, "error": repr(error)})
            return False
        failpoints.hit("send.after")
        self._breaker.worked()
        return True

    def _send_receipts(self, receipts: dict[str, list[UUID]]) -> None:
        failpoints.hit("receipt.before")
        for sender, event_ids in receipts.items():
            try:
                self._line.send_receipts(sender, self._service, event_ids)
            except redis.RedisError:
                log.info("receipts were not told; the events will come again", extra={"count": len(event_ids)})


def leaving(
    letters: Sequence[tuple[float, Letter]], now: float, is_busy: Callable[[str], bool]
) -> tuple[list[Letter], list[tuple[float, Letter]]]:
    """The letters to send now, and those to hold back: pairs of when a letter came (seconds) and the letter.

    What goes to one queue leaves together: when no message waits in it (is_busy: by a queue's name), or when the first
    of them has been held for LONGEST_HOLD_S. Urgent letters, and copies that are sent again, are never held.
    """
    go: list[Letter] = []
    held: list[tuple[float, Letter]] = []
    by_queue: dict[str, list[tuple[float, Letter]]] = defaultdict(list)
    for came, letter in letters:
        if letter.lane == "urgent" or letter.again:
            go.append(letter)
        else:
            by_queue[routing.queue(letter.listener, letter.lane)].append((came, letter))
    for queue, waiting in by_queue.items():
        if now < min(came for came, _ in waiting) + LONGEST_HOLD_S and is_busy(queue):
            held += waiting
        else:
            go += [letter for _, letter in waiting]
    return go, held


def _tick(now: float, length_s: float) -> float:
    """The next tick of this length: what waits for ticks leaves together. Now, for a length of 0."""
    return (now // length_s + 1) * length_s if length_s else now


def messages(letters: Sequence[Letter]) -> list[list[Letter]]:
    """Letters grouped into messages: one task and queue each, bounded in events and bytes; urgent ones first."""
    groups: dict[tuple[str, str, str, bool], list[Letter]] = defaultdict(list)
    for letter in letters:
        groups[letter.lane, letter.listener, letter.type, letter.again].append(letter)
    made: list[list[Letter]] = []
    for (lane, *_), group in sorted(groups.items(), key=lambda item: item[0][0] != "urgent"):
        most = BULK_MESSAGE_EVENTS if lane == "bulk" else MESSAGE_EVENTS
        message: list[Letter] = []
        size = 0
        for letter in group:
            if message and (len(message) == most or size + letter.size > MESSAGE_BYTES):
                made.append(message)
                message, size = [], 0
            message.append(letter)
            size += letter.size
        made.append(message)
    return made
