"""A timeline as server-sent events: each step as soon as it is in the database."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response

from services.ingest import store
from services.ingest.actions import ArticleNotFound
from services.ingest.domain import journey, moments
from services.ingest.domain.lines import Line, gathered
from services.ingest.schemas.replies import StepReply
from shared import http
from shared.service import Node

# Each one holds a thread of this process: some must stay free for everything else.
AT_ONCE = 3
# Then the browser asks again by itself, with the last event that it has.
LAST_S = 30.0
LOOK_EVERY_S = 0.1
STEPS_MAX = 1000
_free = threading.BoundedSemaphore(AT_ONCE)
_STEP = StepReply()


def step_shown(step: Line, language: str, zone: ZoneInfo) -> dict[str, Any]:
    """A step of a timeline with its sentence, in which times are those of the newsroom."""
    said = dict(step.detail)
    for name in journey.TIMES:
        moment = _moment(said.get(name))
        if moment is not None:
            same_day = moment.astimezone(zone).date() == step.at.astimezone(zone).date()
            said[name] = moments.spoken(moment, language, zone, day=name == journey.EMBARGO or not same_day)
    return {
        "at": step.at,
        "change": step.change,
        "step": step.step,
        "text": journey.sentence(step.step, said, language),
        "detail": step.detail,
        "line": step.line,
    }


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else None


def follow(article_id: UUID, language: str, zone: ZoneInfo, last_seen: str) -> Response:
    """The steps after the last one seen (an event's id, or ""), and then each new one. Raises ArticleNotFound.

    When as many are followed as there are places, the answer ends with the steps that there are: whoever follows asks
    again by himself, a little later.
    """
    node = http.node()
    with node.reading() as session:
        if store.get_article(session, article_id) is None:
            raise ArticleNotFound(f"There is no article {article_id}: GET /v1/articles lists those there are.")
    stays = _free.acquire(blocking=False)
    shown = _events(node, article_id, language, zone, last_seen, stays=stays)
    events = _Following(shown) if stays else shown
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Language": language}
    return Response(events, mimetype="text/event-stream", headers=headers)


class _Following:
    """The body of the response; gives its place back when it is closed, whether it was begun or not."""

    def __init__(self, events: Any) -> None:
        self._events = events
        self._open = True

    def __iter__(self) -> Iterator[str]:
        try:
            yield from self._events
        finally:
            self.close()

    def close(self) -> None:
        """Called by the server at the end, also when the reader has gone."""
        if self._open:
            self._open = False
            self._events.close()
            _free.release()


def _events(
    node: Node, article_id: UUID, language: str, zone: ZoneInfo, last_seen: str, *, stays: bool
) -> Generator[str]:
    ends = time.monotonic() + (LAST_S if stays else 0)
    told: set[str] = set()
    looking = threading.Event()
    silent_s = 0.0
    yield f"retry: {1000 if stays else 2000}\n\n"
    while True:
        with node.reading() as session:
            steps = store.timeline(session, article_id, STEPS_MAX)
        ids = [f"{step.at.isoformat()} {step.mark}" for step in steps]
        if last_seen in ids:
            told.update(ids[: ids.index(last_seen) + 1])
            last_seen = ""
        for step in gathered(steps):
            # A line that has grown is told again, by its newest step's name.
            name = f"{step.at.isoformat()} {step.mark}"
            if name not in told:
                told.add(name)
                silent_s = 0.0
                data = json.dumps(_STEP.dump(step_shown(step, language, zone)), ensure_ascii=False)
                yield f"id: {name}\nevent: step\ndata: {data}\n\n"
        if time.monotonic() >= ends:
            return
        looking.wait(LOOK_EVERY_S)
        silent_s += LOOK_EVERY_S
        if silent_s >= 5:
            # Finds out whether the reader is still there.
            silent_s = 0.0
            yield ": nothing new\n\n"
