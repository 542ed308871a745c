"""A draft's near-duplicates, on both databases."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.recommend.app import create_app
from services.recommend.settings import RecommendSettings
from shared.events import PublicArticle
from shared.ids import new_id
from tests.factories import public_article
from tests.integration.recommend.desk import Desk, live

KEY = {"Authorization": "Bearer the-first-key-of-the-tests"}
WORDS = (
    *("pont", "rive", "péage", "trafic", "mairie", "travaux", "acier", "câble"),
    *("piéton", "camion", "budget", "élus", "ingénieur", "port", "halle", "quai"),
)


@pytest.fixture
def desk(database_of: Callable[[str], str], settings_for: Callable[..., RecommendSettings]) -> Iterator[Desk]:
    desk = Desk(settings_for("recommend", database_of("recommend"), cls=RecommendSettings))
    yield desk
    desk.node.close()


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return create_app(desk.settings).test_client()


def text(seed: int, count: int = 80) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=count))


def told(seed: int, **values: Any) -> PublicArticle:
    return public_article(
        **{"headline": f"Nouvelle {seed} du port", "standfirst": "", "body_html": f"<p>{text(seed)}</p>"} | values
    )


def similar(client: FlaskClient, **draft: Any) -> list[dict[str, Any]]:
    reply = client.post("/v1/similar", json=draft, headers=KEY)
    assert reply.status_code == 200, reply.get_json()
    return reply.get_json()["items"]


def test_copies_and_earlier_versions_are_found_and_told_apart(desk: Desk, client: FlaskClient) -> None:
    articles = [told(seed) for seed in range(12)]
    desk.hear(*(live(one) for one in articles))
    same = {"format": "html", "text": f"<p>{text(3)}</p>"}
    changed = {"format": "text", "text": f"Un autre début vraiment. {text(3)} Une fin nouvelle."}
    part = {"format": "text", "text": f"{' '.join(text(3).split()[:25])} {text(99, 120)}"}

    (exact, *_) = similar(client, headline=articles[3].headline, body=same)
    (version, *_) = similar(client, headline="Tout autre chose", body=changed)
    found = similar(client, headline="Tout autre chose", body=part)

    assert (exact["id"], exact["kind"]) == (str(articles[3].id), "same text")
    assert exact["score"] > 0.95
    assert (version["id"], version["kind"]) == (str(articles[3].id), "version")
    assert version["shared"][0].startswith(text(3)[:60])
    assert found[0]["id"] == str(articles[3].id)
    assert found[0]["score"] < version["score"] <= 1


def test_a_draft_that_is_new_or_the_article_itself_finds_nothing(desk: Desk, client: FlaskClient) -> None:
    article = told(1)
    desk.hear(live(article))

    assert (
        similar(client, headline="Rien de tel", body={"format": "text", "text": "Aucun mot en commun avec eux."}) == []
    )
    own = {"format": "text", "text": text(1)}
    assert similar(client, headline=article.headline, body=own, article_id=str(article.id)) == []
    assert similar(client, headline=article.headline, body=own, language="en") == []


@pytest.mark.parametrize(
    "draft",
    [
        {},
        {"headline": ""},
        {"headline": "x", "body": "text"},
        {"headline": "x", "body": {"format": "pdf", "text": ""}},
        {"headline": "x", "limit": 0},
        {"headline": "x", "article_id": "y"},
        {"headline": "x", "unknown": 1},
    ],
)
def test_a_bad_draft_is_refused(client: FlaskClient, draft: dict[str, Any]) -> None:
    reply = client.post("/v1/similar", json=draft, headers=KEY)
    assert reply.status_code == 422
    assert reply.get_json()["errors"]


@pytest.mark.parametrize("headline", ["'", '" OR "', "!!!", "\u200b", "ﷺ", "東京", "a" * 1000, "mot " * 250])
def test_any_text_is_a_draft(desk: Desk, client: FlaskClient, headline: str) -> None:
    desk.hear(live(told(1)))
    assert similar(client, headline=headline, body={"format": "markdown", "text": headline * 3}) is not None
    assert client.get(f"/v1/related/{new_id()}").status_code == 404
