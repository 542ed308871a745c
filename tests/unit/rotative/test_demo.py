import re
from datetime import UTC, datetime, timedelta

import httpx

from rotative import demo
from rotative.client import Client
from shared.newsroom import load_newsroom

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def test_the_demo_fills_every_section_in_three_languages():
    articles = list(demo.articles(NOW))

    assert len(articles) == 61
    assert {article["section"] for article in articles} == load_newsroom().section_keys
    assert {article["language"] for article in articles} == {"fr", "en", "ar"}


def test_the_demo_is_announced_to_nobody_and_dated_within_the_last_month():
    articles = list(demo.articles(NOW))
    dates = [datetime.fromisoformat(article["published_at"]) for article in articles]

    assert not any(article["notify"] for article in articles)
    assert dates == sorted(dates)
    assert all(NOW - timedelta(days=31) < date < NOW for date in dates)


def test_every_slug_of_the_demo_is_its_own():
    slugs = [article["slug"] for article in demo.articles(NOW)]

    assert len(set(slugs)) == len(slugs)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) for slug in slugs)


def test_the_demo_has_pictures_translations_a_correction_a_retraction_and_a_kill():
    plans = list(demo.planned(NOW))
    groups = [plan.article["translations"] for plan in plans if "translations" in plan.article]

    pictures = [plan.picture for plan in plans if plan.picture]
    assert len(pictures) > 40
    assert all((demo.PICTURES / one["file"]).is_file() and one["alt"] for one in pictures)
    assert all(groups.count(group) in {2, 3} for group in groups)
    assert sorted(plan.then for plan in plans if plan.then) == ["kill", "retract"]
    corrections = [(plan.corrected, plan.article["body"]["text"]) for plan in plans if plan.corrected]
    assert {plan.article["language"] for plan in plans if plan.corrected} == {"fr", "en", "ar"}
    for corrected, text in corrections:
        assert corrected["right"] in text
        assert corrected["wrong"] not in text


def test_articles_that_are_there_already_are_passed_over():
    taken = {"detail": "Faults", "errors": [{"pointer": "/slug", "code": "taken", "detail": "Taken"}]}
    said: list[str] = []

    with Client(
        "http://news.example", "key", transport=httpx.MockTransport(lambda _: httpx.Response(422, json=taken))
    ) as client:
        failed = demo.post_demo(client, say=said.append, now=NOW)

    assert failed == 0
    assert said == ["The demo newspaper is in place: 0 articles posted, 61 were there already."]
