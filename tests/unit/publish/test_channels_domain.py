"""The rules of telling: filters, when a failed delivery is tried again, and what a delivery says."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from services.publish.channels import domain
from services.publish.channels.contents import content_for
from shared.ids import new_id
from shared.newsroom import load_newsroom
from tests.factories import public_article, today

NEWSROOM = load_newsroom()


@pytest.mark.parametrize(
    ("wanted", "event", "passes"),
    [
        ({}, "article.published", True),
        ({"tags": ["port", "travaux"]}, "article.published", True),
        ({"tags": ["port"]}, "article.published", False),
        ({"urgency": 4}, "article.published", True),
        ({"urgency": 3}, "article.published", False),
        ({"languages": ["fr"]}, "article.published", True),
        ({"languages": ["en", "ar"]}, "article.published", False),
        ({"sections": ["sport"]}, "article.published", False),
        ({"languages": ["fr"], "sections": ["societe"]}, "article.killed", True),
        ({"events": ["article.killed"]}, "article.published", False),
        ({"events": ["article.killed"]}, "article.killed", True),
    ],
)
def test_a_filter_lets_through_what_it_names(wanted: dict, event: str, passes: bool) -> None:
    article = public_article(tags=("travaux",), urgency=4)
    assert (event in domain.events_of("webhook", wanted) and domain.wants(wanted, article)) is passes


def test_the_schedule_of_attempts_grows_and_ends() -> None:
    now = today("09:00")
    for tries, pause in enumerate(domain.PAUSES, start=1):
        verdict = domain.verdict(503, "", tries, now)
        assert verdict.state == "due"
        assert verdict.retry_at is not None
        assert now + pause <= verdict.retry_at <= now + pause * (1 + domain.JITTER)
    assert domain.verdict(503, "", len(domain.PAUSES) + 1, now).state == "failed"
    assert domain.PAUSES[0] == timedelta(seconds=5)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    assert domain.verdict(status, "", 1, today("09:00")).state == "delivered"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_other_4xx_are_final_at_once(status: int) -> None:
    verdict = domain.verdict(status, "", 1, today("09:00"))
    assert (verdict.state, verdict.disable) == ("failed", False)


@pytest.mark.parametrize(
    ("header", "at"),
    [
        ("120", today("09:02")),
        ("Mon, 23 Nov 2026 09:10:00 GMT", today("09:10")),
        ("99999999", today("09:00") + timedelta(days=1)),
    ],
)
def test_retry_after_puts_the_next_attempt_off(header: str, at: object) -> None:
    assert domain.verdict(503, header, 1, today("09:00")).retry_at == at


@pytest.mark.parametrize("header", ["", "soon", "-5", "1e9", "²"])
def test_a_retry_after_that_says_nothing_is_passed_over(header: str) -> None:
    retry_at = domain.verdict(503, header, 1, today("09:00")).retry_at
    assert retry_at is not None
    assert retry_at < today("09:00:06")


def test_a_delivery_is_thin_and_complete() -> None:
    delivery_id = new_id()
    article = public_article(headline="ه" * 200, standfirst="x" * 1000, body_html="<p>x</p>" * 5000)

    body = content_for("webhook", "article.published", article, NEWSROOM, today("09:00")).body(delivery_id)

    assert len(body.encode()) < 20_000
    event = json.loads(body)
    assert event["id"] == str(delivery_id)
    assert event["specversion"] == "1.0"
    assert event["data"]["change"] == 1


@pytest.mark.parametrize(
    ("asked", "after_s"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("Wed, 15 Jul 2026 10:00:00 GMT", None),
        ("0", 0),
        ("99999999999999999999999", 86400),
        ("-5", 0),
        ("1e9", 0),
        ("٣٠٠", 0),
        ("Mon, 01 Jan 0001 00:00:00 +9999", 0),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 86400),
        ("Mon, 99 Foo 2026 99:99:99 GMT", 0),
        ("x" * 100_000, 0),
        ("\x00", 0),
    ],
)
def test_whatever_retry_after_says_the_next_try_is_within_a_day_and_never_before_the_schedule(
    asked: str, after_s: int | None
) -> None:
    now = today("09:00")
    found = domain.verdict(503, asked, 1, now)
    assert found.retry_at is not None
    first = domain.PAUSES[0]
    at_least = now + max(first, timedelta(seconds=after_s or 0))
    assert at_least <= found.retry_at <= now + timedelta(days=1)
    if after_s is not None:
        assert found.retry_at <= max(at_least, now + first * (1 + domain.JITTER))
