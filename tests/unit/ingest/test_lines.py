"""A timeline tells each channel's deliveries in one line that grows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from services.ingest.domain import journey
from services.ingest.domain.lines import gathered
from tests.factories import today


@dataclass
class Row:
    at: datetime
    step: str
    detail: dict[str, Any]
    change: int = 1
    mark: str = "a"


def row(clock: str, step: str, change: int = 1, **detail: Any) -> Row:
    return Row(today(clock), step, detail, change, clock)


def test_what_arrives_by_a_channel_is_one_line_that_says_out_of_how_many() -> None:
    steps = [
        row("09:00", "seen_live"),
        row("09:01", "announced", channel="webhook", deliveries=250),
        row("09:02", "announced", channel="webhook", deliveries=50),
        row("09:03", "announced", channel="web_push", deliveries=2),
        row("09:04", "delivered", channel="webhook", count=200, status=200),
        row("09:05", "delivered", channel="web_push", count=2, status=201),
        row("09:06", "delivered", channel="webhook", count=90, status=204),
        row("09:07", "delivered", change=2, channel="webhook", count=1),
    ]
    lines = gathered(steps)
    assert [(one.line, one.detail.get("count"), one.detail.get("of")) for one in lines] == [
        ("", None, None),
        ("announced 1 webhook", None, None),
        ("announced 1 web_push", None, None),
        ("delivered 1 web_push", 2, None),
        ("delivered 1 webhook", 290, 300),
        ("delivered 2 webhook", 1, None),
    ]
    assert lines[4].mark == "09:06"
    assert lines[1].detail["deliveries"] == 300


def test_failures_are_told_apart_by_their_cause_with_their_next_try() -> None:
    steps = [
        row("09:00", "delivery_failed", channel="webhook", count=1, status=503, next_try="2026-11-23T09:00:05+00:00"),
        row("09:01", "delivery_failed", channel="webhook", count=2, status=503, next_try="2026-11-23T09:00:35+00:00"),
        row("09:02", "delivery_failed", channel="webhook", count=1, status=None, why="closed", next_try=None),
    ]
    many, one = gathered(steps)
    assert (many.detail["times"], many.detail["next_try"]) == (3, "2026-11-23T09:00:35+00:00")
    assert "count" not in many.detail
    assert one.detail["count"] == 1


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "It was delivered by browser alert to 3 of 5 subscribers."),
        ("fr", "Il a été envoyé par alerte du navigateur à 3 sur 5 abonnés."),
        ("ar", "أُرسل عبر تنبيهات المتصفح، إلى 3 من أصل 5 من المشتركين."),
    ],
)
def test_a_channel_is_named_in_the_readers_language(language: str, says: str) -> None:
    assert journey.sentence("delivered", {"channel": "web_push", "count": 3, "of": 5}, language) == says


def test_what_older_versions_told_without_a_channel_stands_as_it_is() -> None:
    steps = [row("09:00", "announced", deliveries=3), row("09:01", "delivered", subscription="a"), row("09:02", "gone")]
    assert [one.line for one in gathered(steps)] == ["", "", ""]
