"""Follows an article until readers have it, by the server-sent events of its timeline."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from rotative.client import Client, Failure

# Steps that end a change's way to the readers.
ARRIVED = ("seen_live", "gone")
# The related set comes a moment after the page; no longer than this is waited for it. Seconds.
SET_WAIT_S = 2.0
# The server says something at least every 5 s while a stream is open.
SILENCE_S = 15.0
# Before a stream that has ended is opened again.
AGAIN_S = 0.2


@dataclass(frozen=True)
class Step:
    """One step of an article's journey. text: in words; after_ms: since it was accepted, or since it was changed."""

    name: str
    text: str
    after_ms: float


@dataclass(frozen=True)
class Journey:
    """How an article got live. live_ms: since the request was sent; None when it was not seen in time."""

    article: Mapping[str, Any]
    accepted_ms: float
    live_ms: float | None


@dataclass
class Deadline:
    """Until when something is waited for, by the monotonic clock; it may come nearer."""

    at: float

    @property
    def left_s(self) -> float:
        """How much time is left; 0 when it is over."""
        return max(0.0, self.at - time.monotonic())

    def at_most(self, seconds: float) -> None:
        """Have it end in so many seconds at the latest."""
        self.at = min(self.at, time.monotonic() + seconds)


def follow(
    client: Client,
    article: Mapping[str, Any],
    accepted_ms: float,
    *,
    timeout_s: float,
    tell: Callable[[Step], object] = lambda _: None,
) -> Journey:
    """Tell each step of an article's newest change as it happens, until a reader's GET of its page answers 200.

    Raises Failure when the system cannot be asked.
    """
    began: float | None = None
    ends = Deadline(time.monotonic() + timeout_s)
    arrived_ms: float | None = None
    names: set[str] = set()
    for step in steps(client, article, ends):
        if step["change"] < article["change"]:
            continue
        at = datetime.fromisoformat(str(step["at"])).timestamp()
        began = at if began is None else min(began, at)
        after_ms = (at - began) * 1000
        names.add(str(step["step"]))
        tell(Step(str(step["step"]), str(step["text"]), after_ms))
        if step["step"] in ARRIVED:
            arrived_ms = accepted_ms + after_ms
            ends.at_most(SET_WAIT_S)
        if arrived_ms is not None and "related_set_made" in names:
            break
    if arrived_ms is None or not client.wait_until_live(article, timeout_s=max(1.0, ends.left_s)):
        return Journey(article, accepted_ms, None)
    return Journey(article, accepted_ms, arrived_ms)


def steps(client: Client, article: Mapping[str, Any], ends: Deadline) -> Iterator[dict[str, Any]]:
    """The steps of an article's timeline, each as it comes, until the deadline.

    A stream that ends is opened again where it ended. Raises Failure.
    """
    path, last_seen = f"/v1/articles/{article['id']}/timeline", ""
    while ends.left_s > 0:
        try:
            for name, data in client.events(path, last_seen, min(ends.left_s, SILENCE_S)):
                if name:
                    last_seen = name
                    yield json.loads(data)
                if ends.left_s <= 0:
                    return
            time.sleep(min(AGAIN_S, ends.left_s))
        except httpx.TimeoutException:
            continue
        except Failure as failure:
            # Too many are followed at once.
            if failure.status != httpx.codes.SERVICE_UNAVAILABLE or ends.left_s < 1:
                raise
            time.sleep(1)
