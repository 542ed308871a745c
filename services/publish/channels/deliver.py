"""Attempts deliveries: many at once, none delayed by another's receiver, each recorded with what came of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.orm import Session

from services.publish import domain
from services.publish.channels import store
from services.publish.models import Attempt, Delivery, Subscription
from services.publish.transports.webhook import Letter, Outcome, Post, attempt
from shared import clock, outbox
from shared.events import ArticleProgress, ProgressFact
from shared.ids import new_id
from shared.jobs import Claim, Job

T = TypeVar("T")

PER_HOST = 20
# So long a delivery waits for its host's turn; with the longest attempt it stays well below the lease.
LONGEST_WAIT_S = 5.0
# Outcomes that come within this time of one another are recorded together.
GATHER_S = 0.05
# A host that failed to answer so often in a row is left alone for a while, so that it holds up nothing else.
BREAKER_FAILURES = 5
BREAKER_S = 10.0


class Loop:
    """An event loop in a thread of its own, shared by this process's delivery tasks and their connections."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="deliveries", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin this in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)


class Hosts:
    """What is known of receivers' hosts in this process: how many attempts run, and which do not answer."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(PER_HOST))
        self._failures: dict[str, int] = defaultdict(int)
        self._until: dict[str, float] = {}

    def slot(self, host: str) -> asyncio.Semaphore:
        """What an attempt at this host holds while it runs."""
        return self._running[host]

    def left_alone_s(self, host: str) -> float:
        """How long this host is to be left alone yet; 0 when it is not."""
        return max(0.0, self._until.get(host, 0.0) - time.monotonic())

    def note(self, host: str, answered: bool) -> None:
        """An attempt has ended."""
        if answered:
            self._failures.pop(host, None)
            self._until.pop(host, None)
            return
        self._failures[host] += 1
        if self._failures[host] >= BREAKER_FAILURES:
            self._until[host] = time.monotonic() + BREAKER_S


class Deliverer:
    """Attempts deliveries. secret_of: a subscription's signing secret, 32 bytes; make_post: run inside the loop."""

    def __init__(self, secret_of: Callable[[Subscription], bytes], make_post: Callable[[], Post]) -> None:
        self._secret_of = secret_of
        self._make_post = make_post
        self._loop: Loop | None = None
        self._post: Post | None = None
        self._hosts = Hosts()
        self._lock = threading.Lock()

    def attempt_deliveries(self, claim: Claim) -> None:
        """Attempt every delivery of these jobs at once, and record outcomes as they come in."""
        with claim.db.reading() as session:
            owed = store.due_deliveries(session, [UUID(job.reference) for job in claim.jobs])
            letters = {
                delivery.id: Letter(delivery.id, subscription.url, self._secret_of(subscription), delivery.body)
                for delivery, subscription in owed.values()
            }
        jobs_of = {UUID(job.reference): job for job in claim.jobs}
        nothing_to_do = [job for delivery_id, job in jobs_of.items() if delivery_id not in letters]
        if nothing_to_do:
            with claim.finish(only=nothing_to_do):
                pass
        self._send_and_record(claim, jobs_of, list(letters.values()))

    def _send_and_record(self, claim: Claim, jobs_of: dict[UUID, Job], letters: Sequence[Letter]) -> None:
        came_in: list[tuple[UUID, Outcome | float]] = []
        news = threading.Condition()

        def take(delivery_id: UUID, future: Future[Outcome | float]) -> None:
            failure = future.exception()
            outcome = future.result() if failure is None else Outcome(None, repr(failure)[:500], "", 0)
            with news:
                came_in.append((delivery_id, outcome))
                news.notify()

        loop = self._started()
        for letter in letters:
            future = loop.run(self._attempt(letter))
            future.add_done_callback(lambda done, delivery_id=letter.delivery_id: take(delivery_id, done))  # type: ignore[misc]
        left = len(letters)
        while left:
            with news:
                news.wait_for(lambda: came_in)
                news.wait_for(lambda: len(came_in) == left, timeout=GATHER_S)  # noqa: B023 (called before left changes)
                batch, came_in[:] = list(came_in), []
            left -= len(batch)
            self._record(claim, [(jobs_of[delivery_id], outcome) for delivery_id, outcome in batch])

    def _started(self) -> Loop:
        with self._lock:
            if self._loop is None:
                self._loop = Loop()
            return self._loop

    async def _attempt(self, letter: Letter) -> Outcome | float:
        """The attempt's outcome, or for how many seconds its host is to be left alone."""
        if self._post is None:
            self._post = self._make_post()
        host = urlsplit(letter.url).netloc
        slot = self._hosts.slot(host)
        try:
            await asyncio.wait_for(slot.acquire(), LONGEST_WAIT_S)
        except TimeoutError:
            return 1.0  # the host has enough to do: put back, long before the lease ends
        try:
            pause = self._hosts.left_alone_s(host)
            if pause:
                return pause
            outcome = await attempt(self._post, letter)
            self._hosts.note(host, outcome.status is not None)
            return outcome
        finally:
            slot.release()

    def _record(self, claim: Claim, outcomes: Sequence[tuple[Job, Outcome | float]]) -> None:
        with claim.finish(only=[job for job, _ in outcomes]) as session:
            kept = {job.id for job in claim.jobs}
            owed = store.deliveries_by_id(session, [UUID(job.reference) for job, _ in outcomes if job.id in kept])
            facts: list[ProgressFact] = []
            for job, outcome in outcomes:
                delivery = owed.get(UUID(job.reference))
                # None when another worker has the job, or when its subscription was deleted meanwhile.
                if delivery is None:
                    continue
                if isinstance(outcome, float):
                    delivery.put_back += 1
                    at = clock.now() + timedelta(seconds=outcome)
                    claim.retry(job, at=at, error="its host does not answer", counts=False)
                else:
                    facts.append(_record_attempt(session, claim, job, delivery, outcome))
            if facts:
                outbox.say(session, ArticleProgress(facts=tuple(_together(facts))))


def _record_attempt(session: Session, claim: Claim, job: Job, delivery: Delivery, outcome: Outcome) -> ProgressFact:
    now = clock.now()
    delivery.tries += 1
    session.add(
        Attempt(
            id=new_id(),
            delivery_id=delivery.id,
            at=now,
            took_ms=outcome.took_ms,
            status=outcome.status,
            answer=outcome.answer,
        )
    )
    verdict = domain.verdict(outcome.status, outcome.retry_after, delivery.tries, now, refused=outcome.refused)
    if delivery.state == "due" or verdict.state == "delivered":
        delivery.state, delivery.next_attempt_at = verdict.state, verdict.retry_at
        delivery.ended_at = None if verdict.state == "due" else now
    if verdict.disable:
        store.disable_subscription(session, delivery.subscription_id, "the receiver answered 410 Gone")
    if delivery.state == "due" and verdict.retry_at is not None:
        claim.retry(job, at=verdict.retry_at, error=f"status {outcome.status}: {outcome.answer[:200]}", counts=False)
    return ProgressFact(
        article_id=delivery.article_id,
        change=delivery.change,
        step="delivered" if verdict.state == "delivered" else "delivery_failed",
        at=now,
        detail={
            "channel": "webhook",
            "count": 1,
            "status": outcome.status,
            "next_try": verdict.retry_at.isoformat() if verdict.retry_at else None,
        },
    )


def _together(facts: Sequence[ProgressFact]) -> list[ProgressFact]:
    """One fact for all deliveries of an article that ended alike in this record."""
    groups: dict[tuple[Any, ...], list[ProgressFact]] = defaultdict(list)
    for fact in facts:
        groups[fact.article_id, fact.change, fact.step, fact.detail["status"]].append(fact)
    return [
        ProgressFact(
            article_id=group[0].article_id,
            change=group[0].change,
            step=group[0].step,
            at=group[-1].at,
            detail={**group[-1].detail, "count": len(group)},
        )
        for group in groups.values()
    ]
