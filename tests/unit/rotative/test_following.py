"""An article is followed by the events of its timeline, also through streams that end."""

import httpx
import pytest

from rotative.client import Client, Failure
from rotative.following import follow
from tests.unit.rotative.test_cli import LIVE, STEPS, stream


def client(answer) -> Client:
    return Client("http://news.example:8000/", "the-key", transport=httpx.MockTransport(answer))


def test_each_step_is_told_and_the_page_is_asked_for_on_this_host():
    asked, told = [], []

    def answer(request):
        asked.append(str(request.url))
        return stream(*STEPS) if "/v1/" in request.url.path else httpx.Response(200)

    journey = follow(client(answer), LIVE, 5.0, timeout_s=5, tell=told.append)

    assert asked == ["http://news.example:8000/v1/articles/0199/timeline", "http://news.example:8000/societe/un"]
    assert [(step.name, round(step.after_ms)) for step in told] == [
        ("accepted", 0),
        ("seen_live", 40),
        ("related_set_made", 50),
    ]
    assert journey.live_ms == pytest.approx(45, abs=0.1)


def test_a_stream_that_ends_is_opened_again_after_the_last_step():
    seen, told = [], []

    def answer(request):
        if "/v1/" not in request.url.path:
            return httpx.Response(200)
        seen.append(request.headers.get("Last-Event-ID"))
        return stream(*STEPS[: len(seen)][-1:])

    follow(client(answer), LIVE, 5.0, timeout_s=5, tell=lambda step: told.append(step.name))

    assert seen == [None, "1", "1"]
    assert told == ["accepted", "seen_live", "related_set_made"]


def test_steps_of_an_earlier_change_say_nothing_of_this_one():
    newer = {**STEPS[1], "change": 2, "at": "2026-03-01T09:00:00+00:00"}
    told = []

    def answer(request):
        if "/v1/" not in request.url.path:
            return httpx.Response(200)
        return stream() if "Last-Event-ID" in request.headers else stream(*STEPS, newer)

    journey = follow(client(answer), {**LIVE, "change": 2}, 5.0, timeout_s=0.2, tell=told.append)

    assert [step.name for step in told] == ["seen_live"]
    assert journey.live_ms == 5.0


def test_an_article_that_does_not_get_live_in_time_is_said_not_to_be():
    def answer(request):
        return stream(STEPS[0]) if "/v1/" in request.url.path else httpx.Response(404)

    assert follow(client(answer), LIVE, 5.0, timeout_s=0.02).live_ms is None


def test_a_refusal_is_a_sentence():
    with pytest.raises(Failure, match="Nothing here"):
        follow(client(lambda _: httpx.Response(404, json={"detail": "Nothing here"})), LIVE, 5.0, timeout_s=1)
