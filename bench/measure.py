"""The measurements. Each leaves the system quiet, so that the next one does not pay for it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from bench import articles, figures
from bench.articles import Supply
from bench.baseline import Baseline
from bench.figures import Spread
from bench.receiver import Receiver
from bench.system import System
from bench.wire import Connection

POLL_S = 0.002
# Between two articles posted one at a time: at random, so that they meet the passes over lists at any moment.
PAUSES_S = (0.05, 0.35)
PATIENCE_S = 20.0
LOAD_PATIENCE_S = 120.0
# And so much more for each article of a large load: an archive is posted faster than it goes live.
PATIENCE_EACH_S = 0.1
CLIENTS = 4
REST_S = 5.0
RELATED = 50


class NotInTime(Exception):
    """Something promised did not happen while the run waited for it; the text says what."""


@dataclass(frozen=True, kw_only=True)
class OneAtATime:
    """Articles posted one at a time. Milliseconds; CPU in milliseconds an article, by kind of process.

    posted: how many in all. baseline_ms: the bare round trip, half of it before and half after; baseline_cpu_ms: its
    CPU. accepted_ms: from the POST until its answer; live_ms: until the page has the headline; webhook_ms: until the
    subscriber has it; related_ms: until the article's related set is stored. idle_ms_per_s: CPU that the waiting
    system uses; cpu_ms has it already taken out.
    """

    posted: int
    baseline_ms: Spread
    baseline_cpu_ms: float
    accepted_ms: Spread
    live_ms: Spread
    webhook_ms: Spread
    related_ms: Spread
    cpu_ms: Mapping[str, float]
    idle_ms_per_s: float

    @property
    def cpu_total_ms(self) -> float:
        """CPU of all processes for an article, milliseconds."""
        return sum(self.cpu_ms.values())


@dataclass(frozen=True, kw_only=True)
class Load:
    """Articles posted by several clients at once. cpu_ms: milliseconds an article, by kind of process.

    accepted_per_s: POSTs answered. live_per_s: until the last page and the last webhook were there. quiet_per_s: until
    related blocks and lists were built too. refused: POSTs not answered with 201; not_live: pages that do not show
    their headline; not_told: articles without a webhook, where there is a subscription.
    """

    count: int
    accepted_per_s: float
    live_per_s: float
    quiet_per_s: float
    accepted_ms: Spread
    webhook_ms: Spread | None
    cpu_ms: Mapping[str, float]
    refused: int
    not_live: int
    not_told: int

    @property
    def cpu_total_ms(self) -> float:
        """CPU of all processes for an article, milliseconds."""
        return sum(self.cpu_ms.values())


@dataclass
class _Posted:
    """What a POST led to. began, answered: time.monotonic()."""

    id: str
    path: str
    headline: str
    began: float
    answered: float


@dataclass
class Bench:
    """A system under measurement, with everything that measuring takes."""

    system: System
    receiver: Receiver
    baseline: Baseline
    supply: Supply
    say: Callable[[str], None]
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def one_at_a_time(self, count: int) -> OneAtATime:
        """Post articles one at a time: so many for each figure. Raises NotInTime."""
        idle_ms_per_s = self._idle()
        bare_cpu_s = sum(self.baseline.cpu_s().values())
        before = self._baseline(count // 2)
        accepted, live = self._live(count)
        self._settle()
        webhook, cpu_ms = self._webhooks(count, idle_ms_per_s)
        related = self._related(min(count, RELATED))
        self._settle()
        bare = before + self._baseline(count - count // 2)
        bare_cpu_s = sum(self.baseline.cpu_s().values()) - bare_cpu_s
        return OneAtATime(
            posted=len(live) + len(webhook) + len(related),
            baseline_ms=figures.spread(bare),
            baseline_cpu_ms=bare_cpu_s * 1000 / len(bare),
            accepted_ms=figures.spread(accepted),
            live_ms=figures.spread(live),
            webhook_ms=figures.spread(webhook),
            related_ms=figures.spread(related),
            cpu_ms=cpu_ms,
            idle_ms_per_s=idle_ms_per_s,
        )

    def load(self, count: int, *, notify: bool) -> Load:
        """Post so many articles with four clients. notify: with the subscription; else as an archive, with dates."""
        bodies = [self.supply.take(notify=notify, dated=not notify) for _ in range(count)]
        cpu_before, began = self.system.cpu_s(), time.monotonic()
        posted, refused = self._post_all(bodies)
        answered = time.monotonic()
        told: dict[str, float] = {}
        if notify:
            told = self.receiver.wait_for_all({one.id for one in posted}, LOAD_PATIENCE_S)
        else:
            self._wait_until_last_is_live(posted)
        ended = max(told.values(), default=time.monotonic())
        self._settle()
        quiet = time.monotonic()
        used = figures.growth(cpu_before, self.system.cpu_s())
        return Load(
            count=len(posted),
            accepted_per_s=len(posted) / (answered - began),
            live_per_s=len(posted) / (ended - began),
            quiet_per_s=len(posted) / (quiet - began),
            accepted_ms=figures.spread([(one.answered - one.began) * 1000 for one in posted]),
            webhook_ms=figures.spread([(told[one.id] - one.began) * 1000 for one in posted if one.id in told])
            if told
            else None,
            cpu_ms={name: seconds * 1000 / len(posted) for name, seconds in used.items()},
            refused=refused,
            not_live=self._not_live(posted),
            not_told=len(posted) - len(told) if notify else 0,
        )

    def subscribe(self) -> str:
        """Subscribe the receiver to everything; the subscription's id."""
        desk = self.system.desk()
        try:
            return str(desk.post("/v1/subscriptions", {"channel": "webhook", "url": self.receiver.url})["id"])
        finally:
            desk.close()

    def _idle(self) -> float:
        """CPU that the waiting system uses: milliseconds a second."""
        self._settle()
        before = sum(self.system.cpu_s().values())
        time.sleep(REST_S)
        return (sum(self.system.cpu_s().values()) - before) * 1000 / REST_S

    def _settle(self) -> None:
        if not self.system.wait_until_quiet(LOAD_PATIENCE_S):
            raise NotInTime(f"The system still had work after {LOAD_PATIENCE_S:.0f} s without requests.")

    def _pause(self) -> None:
        time.sleep(self.chance.uniform(*PAUSES_S))

    def _baseline(self, count: int) -> list[float]:
        article = self.supply.take(notify=False)
        return [self.baseline.round_ms(article) for _ in range(count)]

    def _live(self, count: int) -> tuple[list[float], list[float]]:
        """Milliseconds until the answer, and until a reader's page has the headline."""
        desk, reader = self.system.desk(), self.system.reader()
        accepted, live = [], []
        for _ in range(count):
            self._pause()
            posted = _post(desk, self.supply.take(notify=True))
            live.append((_wait_until_live(reader, posted) - posted.began) * 1000)
            accepted.append((posted.answered - posted.began) * 1000)
        return accepted, live

    def _webhooks(self, count: int, idle_ms_per_s: float) -> tuple[list[float], dict[str, float]]:
        """Milliseconds until the subscriber has it; and CPU an article, with nobody asking for pages meanwhile."""
        desk = self.system.desk()
        taken = []
        cpu_before, began = self.system.cpu_s(), time.monotonic()
        for _ in range(count):
            self._pause()
            posted = _post(desk, self.supply.take(notify=True))
            at = self.receiver.wait_for(posted.id, PATIENCE_S)
            if at is None:
                raise NotInTime(f"No webhook of {posted.path} came within {PATIENCE_S:.0f} s.")
            taken.append((at - posted.began) * 1000)
        self._settle()
        idle_ms = (time.monotonic() - began) * idle_ms_per_s
        used = figures.growth(cpu_before, self.system.cpu_s())
        share = max(0.0, 1 - idle_ms / (sum(used.values()) * 1000))
        return taken, {name: seconds * 1000 * share / count for name, seconds in used.items()}

    def _related(self, count: int) -> list[float]:
        """Milliseconds until the article's related set is stored."""
        desk, reader = self.system.desk(), self.system.reader()
        taken: list[float] = []
        for _ in range(count):
            self._pause()
            posted = _post(desk, self.supply.take(notify=False))
            at = _poll(partial(_has_related, reader, posted))
            if at is None:
                raise NotInTime(f"{posted.path} had no related set within {PATIENCE_S:.0f} s.")
            taken.append((at - posted.began) * 1000)
        return taken

    def _post_all(self, bodies: list[dict[str, Any]]) -> tuple[list[_Posted], int]:
        """Post these with several clients; what was accepted, in the order of its acceptance, and how many were not."""
        waiting = iter(bodies)
        lock = threading.Lock()
        posted: list[_Posted] = []
        refused: list[str] = []

        def client() -> None:
            desk = self.system.desk()
            while True:
                with lock:
                    body = next(waiting, None)
                if body is None:
                    return
                try:
                    posted.append(_post(desk, body))
                except Exception as error:
                    refused.append(str(error))

        clients = [threading.Thread(target=client, name=f"client-{number}") for number in range(CLIENTS)]
        for one in clients:
            one.start()
        for one in clients:
            one.join()
        for reason in sorted(set(refused))[:3]:
            self.say(f"refused: {reason}")
        if not posted:
            raise NotInTime("No article was accepted.")
        return posted, len(refused)

    def _wait_until_last_is_live(self, posted: list[_Posted]) -> None:
        reader = self.system.reader()
        for one in posted[-CLIENTS:]:
            _wait_until_live(reader, one, LOAD_PATIENCE_S + len(posted) * PATIENCE_EACH_S)

    def _not_live(self, posted: list[_Posted]) -> int:
        reader = self.system.reader()
        return sum(not _is_live(reader, one) for one in posted)


def _post(desk: Connection, body: dict[str, Any]) -> _Posted:
    began = time.monotonic()
    reply = desk.post("/v1/articles", body)
    answered = time.monotonic()
    return _Posted(reply["id"], urlsplit(reply["url"]).path, body["headline"], began, answered)


def _is_live(reader: Connection, posted: _Posted) -> bool:
    answer = reader.get(posted.path)
    return answer.status == HTTPStatus.OK and articles.shows(answer.body, posted.headline)


def _has_related(reader: Connection, posted: _Posted) -> bool:
    answer = reader.get(f"/v1/related/{posted.id}")
    return answer.status == HTTPStatus.OK and answer.json()["set_number"] > 0


def _wait_until_live(reader: Connection, posted: _Posted, timeout_s: float = PATIENCE_S) -> float:
    """When a reader's page had the headline, by time.monotonic(). Raises NotInTime."""
    at = _poll(partial(_is_live, reader, posted), timeout_s)
    if at is None:
        raise NotInTime(f"{posted.path} was not live within {timeout_s:.0f} s.")
    return at


def _poll(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> float | None:
    """Look every two milliseconds until it is so; when that was, by time.monotonic(), or None."""
    ends = time.monotonic() + timeout_s
    while True:
        looked = time.monotonic()
        if condition():
            return time.monotonic()
        now = time.monotonic()
        if now > ends:
            return None
        time.sleep(max(0.0, looked + POLL_S - now))
