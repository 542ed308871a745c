"""Search on both databases: what readers find, in which order, and what they do not find any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from services.recommend.app import create_app
from services.recommend.settings import RecommendSettings
from shared.events import ArticleExpired, ArticleRetracted, PublicArticle
from tests.factories import killed, public_article, today
from tests.integration.recommend.desk import Desk, live


@pytest.fixture
def settings(database_of: Callable[[str], str], settings_for: Callable[..., RecommendSettings]) -> RecommendSettings:
    return settings_for("recommend", database_of("recommend"), cls=RecommendSettings)


@pytest.fixture
def desk(settings: RecommendSettings) -> Iterator[Desk]:
    desk = Desk(settings)
    yield desk
    desk.node.close()


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return create_app(desk.settings).test_client()


def told(headline: str, body: str = "Rien d'autre à dire ici.", minute: int = 0, **values: Any) -> PublicArticle:
    return public_article(
        headline=headline,
        standfirst="",
        body_html=f"<p>{body}</p>",
        first_published_at=today("08:00") + timedelta(minutes=minute),
        **values,
    )


def found(client: FlaskClient, **asked: Any) -> list[str]:
    reply = client.get("/v1/search", query_string=asked)
    assert reply.status_code == 200, reply.get_json()
    return [item["headline"] for item in reply.get_json()["items"]]


def test_headlines_come_first_and_then_the_newest(desk: Desk, client: FlaskClient) -> None:
    desk.hear(
        live(told("Le pont rouvre", minute=1)),
        live(told("La mairie hésite", "Le pont ou le tunnel ?", minute=2)),
        live(told("Un pont de plus", minute=3)),
        live(told("Le budget", "Rien du tout.", minute=4)),
        live(told("Les élus", "Deux ponts de trop.", minute=5)),
    )

    assert found(client, q="PONTS") == ["Un pont de plus", "Le pont rouvre", "Les élus", "La mairie hésite"]
    item = client.get("/v1/search?q=tunnel").get_json()["items"][0]
    assert item["excerpt_html"] == "Le pont ou le <mark>tunnel</mark> ?"
    assert item["url"].startswith("/societe/")
    assert set(item) == {"id", "url", "headline", "excerpt_html", "section", "language", "first_published_at"}


def test_pages_follow_one_another_without_a_gap_though_articles_come_meanwhile(desk: Desk, client: FlaskClient) -> None:
    for number in range(7):
        desk.hear(live(told(f"Le pont {number}", minute=number)), live(told(f"Autre {number}", "Un pont.", number)))

    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = client.get("/v1/search", query_string={"q": "pont", "limit": 3, "cursor": cursor}).get_json()
        seen += [item["headline"] for item in page["items"]]
        cursor = page["next"]
        desk.hear(live(told("Le pont tout neuf", minute=500)))

    assert seen == [f"Le pont {n}" for n in range(6, -1, -1)] + [f"Autre {n}" for n in range(6, -1, -1)]


def test_articles_of_the_same_second_are_all_found(desk: Desk, client: FlaskClient) -> None:
    desk.hear(*(live(told(f"Dépêche numéro {number}")) for number in range(60)), lane="bulk")
    desk.finish()

    assert len(found(client, q="dépêche", limit=50)) == 50


def test_quotes_minus_languages_sections_and_days(desk: Desk, client: FlaskClient) -> None:
    desk.hear(
        live(told("Le pont du port ferme", minute=1)),
        live(told("Le port du pont", section="culture", minute=2)),
        live(told("The port bridge closes", language="en", minute=3)),
        live(told("المدرسة الجديدة في الميناء", language="ar", body="أخبار المدرسة.", minute=4)),
        live(told("Un port ancien", minute=-3000)),
    )

    assert found(client, q='"pont du port"') == ["Le pont du port ferme"]
    assert found(client, q="port -pont", lang="fr") == ["Un port ancien"]
    assert found(client, q="port", lang="en") == ["The port bridge closes"]
    assert found(client, q="port", section="culture") == ["Le port du pont"]
    assert found(client, q="port", lang="fr", **{"from": "2026-11-23"}) == ["Le port du pont", "Le pont du port ferme"]
    assert found(client, q="مدرسه") == ["المدرسة الجديدة في الميناء"]
    assert found(client, q="اخبار", lang="ar-MA") == ["المدرسة الجديدة في الميناء"]


def test_a_correction_is_found_by_its_new_words_only(desk: Desk, client: FlaskClient) -> None:
    article = told("Le pont rouvre")
    desk.hear(live(article))

    desk.hear(live(replace(article, change=2, headline="Le tunnel rouvre", language="en")))

    assert found(client, q="pont") == []
    assert found(client, q="tunnel", lang="en") == ["Le tunnel rouvre"]


@pytest.mark.parametrize("gone", [killed, ArticleRetracted, ArticleExpired])
def test_what_is_withdrawn_is_found_no_more(desk: Desk, client: FlaskClient, gone: Any) -> None:
    article = told("Le pont rouvre")
    desk.hear(live(article))
    if gone is killed:
        desk.hear(killed(**vars(replace(article, status="killed", change=2, body_html=""))), lane="urgent")
    else:
        status = "retracted" if gone is ArticleRetracted else "expired"
        desk.hear(gone(article=replace(article, status=status, change=2)))

    assert found(client, q="pont") == []
    desk.hear(live(article))
    assert found(client, q="pont") == []
    with desk.node.reading() as session:
        assert session.execute(text("SELECT count(*) FROM search_words")).scalar() == 0


def test_a_replay_fills_the_search_of_an_archive_that_was_there_before(desk: Desk, client: FlaskClient) -> None:
    article = told("Le pont rouvre")
    desk.hear(live(article))
    with desk.node.unit_of_work() as session:
        session.execute(text("DELETE FROM search_words"))
        session.execute(text("DELETE FROM search_texts"))
    sets = desk.sets()

    desk.hear(live(article), lane="bulk")

    assert found(client, q="pont") == ["Le pont rouvre"]
    assert desk.sets() == sets


@pytest.mark.parametrize(
    "asked",
    [
        {"q": '"'},
        {"q": "' OR 1=1 --"},
        {"q": 'NEAR(a b) AND "c* ^d'},
        {"q": "headline : pont"},
        {"q": "a:b & !c | <-> \\"},
        {"q": "x" * 100_000},
        {"q": "mot " * 5000},
        {"q": "\x00pont\ud83d"},
        {"q": "pont", "lang": "xx-Latn", "section": "'; DROP TABLE", "limit": "-1"},
        {"q": "pont", "section": "\x00", "limit": "9" * 5000},
        {"q": "pont", "from": "0001-01-01"},
        {"q": "pont", "unknown": "parameter"},
        {},
    ],
)
def test_any_input_is_a_query(desk: Desk, client: FlaskClient, asked: dict[str, str]) -> None:
    desk.hear(live(told("Le pont rouvre")))
    assert (
        client.get("/v1/search", query_string={k: v.encode(errors="replace") for k, v in asked.items()}).status_code
        == 200
    )
    assert client.get("/v1/search?q=%ff%fe%00&q=2&section=%c3").status_code == 200


@pytest.mark.parametrize("day", ["demain", "2026-02-30", "h12", "2026-01-01T25:00", "\ud83d"])
def test_a_from_that_is_no_date_is_named(client: FlaskClient, day: str) -> None:
    answer = client.get("/v1/search", query_string={"q": "pont", "from": day.encode(errors="replace")})

    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.get_json()["errors"]] == ["/from"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("cursor", "h"), ("cursor", "t7fffffffffffffff"), ("cursor", "t7f-0000"), ("lang", "\x00'"), ("lang", "french!")],
)
def test_a_cursor_and_a_language_that_cannot_be_read_are_named(client: FlaskClient, name: str, value: str) -> None:
    answer = client.get("/v1/search", query_string={"q": "pont", name: value})

    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.get_json()["errors"]] == [f"/{name}"]


def test_a_cursor_that_lost_a_sign_on_its_way_does_not_end_the_listing(desk: Desk, client: FlaskClient) -> None:
    for number in range(3):
        desk.hear(live(told(f"Le pont {number}", minute=number)))
    cursor = client.get("/v1/search?q=pont&limit=1").get_json()["next"]

    assert found(client, q="pont", cursor=cursor) == ["Le pont 1", "Le pont 0"]
    for at in range(len(cursor)):
        cut = cursor[:at] + cursor[at + 1 :]
        assert client.get("/v1/search", query_string={"q": "pont", "cursor": cut}).status_code == 422


def test_each_article_is_found_by_the_stems_of_its_own_language(desk: Desk, client: FlaskClient) -> None:
    desk.hear(live(told("Le musée ouvre", minute=1)), live(told("Une œuvre volée", minute=2)))
    desk.hear(live(told("Two bridges reopened", "Nothing else.", 3, language="en")))

    assert found(client, q="œuvre") == ["Une œuvre volée"]
    assert found(client, q="ouvre") == ["Le musée ouvre"]
    assert found(client, q="bridge") == ["Two bridges reopened"]
    assert found(client, q="bridge -reopen") == []
    assert found(client, q="oeuvres") == ["Une œuvre volée"]


def test_an_address_that_asks_without_end_is_told_to_wait(client: FlaskClient) -> None:
    statuses = [client.get("/v1/search?q=pont") for _ in range(60)]

    assert statuses[-1].status_code == 429
    assert statuses[-1].get_json()["code"] == "too-many-requests"
    assert statuses[-1].headers["Retry-After"]


def test_a_kill_is_told_of_when_search_and_the_related_sets_have_dropped_it(desk: Desk) -> None:
    article = public_article()
    desk.hear(live(article))
    before = desk.last_said()

    desk.hear(killed(**{**vars(article), "status": "killed", "change": 2, "body_html": ""}), lane="urgent")

    facts = [fact for one in desk.said("article.progress.v1", before) for fact in one["facts"]]
    assert sorted(one["detail"]["surface"] for one in facts if one["step"] == "gone") == ["related-sets", "search"]
