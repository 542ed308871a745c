"""A newsroom at work: articles, edits, corrections and kills in a steady stream, and what each should have become.

What an article goes through is settled before it is posted, so that two runs over the same articles end with the same
texts, whatever happened to them meanwhile. Producers repeat what was not answered, as careful producers do.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

PRODUCERS = 6
ONE_TRY_S = 8.0
PATIENCE_S = 120.0
LONGEST_HEADLINE = 180
# Of an article's headline once it was changed: readers tell the states apart by it.
MARK = "état"


@dataclass(frozen=True)
class Step:
    """Something that is done to an article. kind: refile, correct or kill; after_s: the pause before it."""

    kind: str
    after_s: float


@dataclass
class Piece:
    """An article: what it is to go through, and what it should be by now."""

    number: int
    sent: dict[str, Any]
    steps: tuple[Step, ...]
    key: str
    headline: str = ""
    text: str = ""
    id: str = ""
    path: str = ""
    change: int = 0
    status: str = ""
    told_from: int = 1  # the newest change that subscribers must have heard of
    published_at: str = ""

    @property
    def final(self) -> dict[str, Any]:
        """The article as it is in the end, as one body for POST."""
        return {**self.sent, "headline": self.headline, "body": {"format": "html", "text": self.text}}


def pieces(supply: Iterator[Mapping[str, Any]], *, seed: int, until: datetime) -> Iterator[Piece]:
    """Pieces for ever. supply: bodies for POST without status and dates; until: when the last ones appear, aware."""
    chance = random.Random(seed)
    for number in itertools.count(1):
        body = next(supply)
        sent = {
            **body,
            "headline": f"{body['headline'][:LONGEST_HEADLINE].rstrip()} {number}",
            "status": "live",
            # Dates that no clock of a run moves: how near two articles are in time is a part of how related they are.
            "published_at": (until - timedelta(days=60) + number * timedelta(minutes=37)).isoformat(),
        }
        steps = [Step("refile", chance.uniform(0.2, 4.0)) for _ in range(chance.choice((0, 0, 0, 1, 1, 2)))]
        if chance.random() < 0.2:
            steps.insert(chance.randint(0, len(steps)), Step("correct", chance.uniform(0.2, 4.0)))
        if chance.random() < 0.12:
            steps.append(Step("kill", chance.uniform(0.0, 3.0)))
        yield Piece(number, sent, tuple(steps), key=f"piece-{seed}-{number}")


@dataclass(frozen=True)
class Try:
    """One request. status: 0 when no answer came."""

    began: float
    ended: float
    status: int
    what: str


class Refused(Exception):
    """The system refused what it should have taken, or answered nothing for too long."""


@dataclass
class Desk:
    """Producers that post pieces, as many as they are allowed, at most so many a second, and do their steps.

    base_of: where a path is asked for, now.
    """

    base_of: Callable[[str], str]
    key: str
    supply: Iterator[Piece]
    a_second: float
    pieces: list[Piece] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=itertools.count)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _running: int = 0
    _allowed: int = 0
    _planned: int = 0  # posts that wait for their time; at most one
    _open: bool = True
    _threads: list[threading.Thread] = field(default_factory=list)
    _local: threading.local = field(default_factory=threading.local)

    def start(self) -> None:
        """Be ready to post."""
        for number in range(PRODUCERS):
            thread = threading.Thread(target=self._work, name=f"producer-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def allow(self, pieces: int) -> None:
        """Post up to so many pieces in all; what was allowed before stays so."""
        with self._news:
            idle = len(self.pieces) + self._planned >= self._allowed
            self._allowed = max(self._allowed, pieces)
        if idle:
            self._plan_post(0.0)

    def stop_posting(self) -> None:
        """Post nothing more; the steps of what was posted go on."""
        with self._news:
            self._allowed = 0

    def _plan_post(self, pause_s: float) -> None:
        with self._news:
            if len(self.pieces) + self._planned >= self._allowed:
                return
            self._planned += 1
        self._plan(pause_s, self._post_next)

    def finish(self, within_s: float) -> None:
        """Wait until every piece has gone through its steps; raises Refused when that takes too long."""
        ends = time.monotonic() + within_s
        with self._news:
            done = self._news.wait_for(lambda: not self._due and not self._running, ends - time.monotonic())
            self._open = False
            self._due.clear()
            self._news.notify_all()
        for thread in self._threads:
            thread.join(max(0.1, ends - time.monotonic()))
        if not done:
            raise Refused(f"the producers did not get through within {within_s} s")

    def _plan(self, pause_s: float, what: Callable[[], None]) -> None:
        with self._news:
            heapq.heappush(self._due, (time.monotonic() + pause_s, next(self._order), what))
            self._news.notify()

    def _work(self) -> None:
        while True:
            with self._news:
                while self._open and (not self._due or self._due[0][0] > time.monotonic()):
                    self._news.wait(max(0.0, self._due[0][0] - time.monotonic()) if self._due else None)
                if not self._open:
                    return
                _, _, what = heapq.heappop(self._due)
                self._running += 1
            try:
                what()
            except Refused as refusal:
                self.refusals.append(str(refusal))
            finally:
                with self._news:
                    self._running -= 1
                    self._news.notify_all()

    def _post_next(self) -> None:
        with self._news:
            self._planned -= 1
            if len(self.pieces) >= self._allowed:
                return
            piece = next(self.supply)
            self.pieces.append(piece)
        self._plan_post(1 / self.a_second)
        answer = self.ask("POST", "/v1/articles", piece.sent, {"Idempotency-Key": piece.key})
        held = _json(answer, 201)
        if piece.number % 9 == 0:
            again = self.ask("POST", "/v1/articles", piece.sent, {"Idempotency-Key": piece.key})
            if _json(again, 201)["id"] != held["id"]:
                raise Refused(f"the same Idempotency-Key made two articles: {held['id']} and {again.text[:100]}")
        piece.id, piece.path = held["id"], held["path"]
        piece.headline, piece.text = piece.sent["headline"], piece.sent["body"]["text"]
        piece.change, piece.status, piece.published_at = held["change"], held["status"], held["published_at"]
        self._next_step(piece, list(piece.steps))

    def _next_step(self, piece: Piece, left: list[Step]) -> None:
        if left:
            self._plan(left[0].after_s, lambda: self._do(piece, left))

    def _do(self, piece: Piece, left: list[Step]) -> None:
        step = left[0]
        if step.kind == "kill":
            answer = self.ask("POST", f"/v1/articles/{piece.id}/kill", {"reason": "sources douteuses"})
            held = _json(answer, 200)
            piece.status, piece.change, piece.told_from = held["status"], held["change"], held["change"]
            return
        headline = f"{piece.headline.partition(f' ({MARK}')[0]} ({MARK} {piece.change + 1})"
        paragraph = f"<p>{piece.sent.get('standfirst') or piece.headline} {MARK} {piece.change + 1}.</p>"
        patch: dict[str, Any] = {"headline": headline, "body": {"text": piece.text + paragraph}}
        if step.kind == "correct":
            patch |= {"change": "correction", "note": f"Un chiffre était faux ({piece.number})."}
        held = self._patch(piece, patch)
        piece.headline, piece.text, piece.change = headline, patch["body"]["text"], held["change"]
        if step.kind == "correct":
            piece.told_from = piece.change
        self._next_step(piece, left[1:])

    def _patch(self, piece: Piece, patch: dict[str, Any]) -> dict[str, Any]:
        path = f"/v1/articles/{piece.id}"
        answer = self.ask("PATCH", path, patch, {"If-Match": f'"{piece.change}"'})
        if answer.status_code == 412:
            # No answer came to the try that changed it; what it holds now is what that try asked for.
            held = _json(self.ask("GET", path), 200)
            if held["change"] == piece.change + 1 and held["headline"] == patch["headline"]:
                return held
        return _json(answer, 200)

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """The answer to a request that is repeated until there is one below 500; raises Refused after PATIENCE_S."""
        ends = time.monotonic() + PATIENCE_S
        pause_s, last = 0.05, "nothing"
        while True:
            began = time.monotonic()
            try:
                answer = self._client().request(
                    method, self.base_of(path) + path, json=body, headers=dict(headers or {})
                )
                status, last = answer.status_code, f"{answer.status_code} {answer.text[:300]}"
            except httpx.TransportError as error:
                status, last = 0, f"{type(error).__name__} {error}"
            self.tries.append(Try(began, time.monotonic(), status, f"{method} {path}"))
            if 0 < status < 500:
                return answer
            if status == 500:
                self.refusals.append(f"{method} {path} was answered 500: {last}")
            if time.monotonic() > ends:
                raise Refused(f"{method} {path} got no answer in {PATIENCE_S} s; at last: {last}")
            threading.Event().wait(pause_s)
            pause_s = min(1.0, pause_s * 2)

    def _client(self) -> httpx.Client:
        client: httpx.Client | None = getattr(self._local, "client", None)
        if client is None:
            client = httpx.Client(headers={"Authorization": f"Bearer {self.key}"}, timeout=ONE_TRY_S)
            self._local.client = client
        return client


def _json(answer: httpx.Response, status: int) -> dict[str, Any]:
    if answer.status_code != status:
        raise Refused(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:500]}")
    return dict(answer.json())
