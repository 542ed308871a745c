"""recommend hears articles, on both databases: related sets kept, said, and the same whatever happens on the way."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.recommend import domain, store
from services.recommend.app import create_app
from services.recommend.settings import RecommendSettings
from shared import migrate
from shared.events import ArticleCorrected, PublicArticle
from shared.ids import new_id
from tests.factories import killed, public_article, published, today
from tests.integration.recommend.desk import Desk, live

OWN = ("bra", "tol", "mer", "vin", "gul", "ser", "pon", "dar")
KEY = {"Authorization": "Bearer the-first-key-of-the-tests"}
STORIES = {
    "pont": "pont suspendu Valbourg camions câbles travaux fermeture mairie ingénieurs rive péage trafic piétons acier",
    "opéra": "opéra Marsanne saison création chœur orchestre soprano décor costumes livret public billetterie scène",
    "budget": "budget région crédits lycées routes départementales impôt vote élus dette emprunt dépenses recettes",
}


@pytest.fixture
def settings(database_url: str, settings_for: Callable[..., RecommendSettings]) -> RecommendSettings:
    migrate.upgrade(database_url, "recommend")
    return settings_for("recommend", database_url, cls=RecommendSettings)


@pytest.fixture
def desk(settings: RecommendSettings) -> Iterator[Desk]:
    desk = Desk(settings)
    desk.finish()
    desk.hear(published(headline="Pour commencer", body_html="<p>Un premier article.</p>", section="opinions"))
    desk.finish()
    yield desk
    desk.node.close()


def about(story: str, number: int, **values: Any) -> PublicArticle:
    """An article of a story: half of its words, and as many that are its own, so that none is a copy of another."""
    pick = random.Random(f"{story} {number}")
    words = pick.sample(STORIES[story].split(), 8)
    own = [f"{pick.choice(OWN)}{pick.choice(OWN)}{number}" for _ in range(8)]
    defaults: dict[str, Any] = {
        "headline": f"{' '.join(words[:3])} {own[0]}".capitalize(),
        "standfirst": "",
        "body_html": f"<p>{' '.join(words)} <em>{story}</em></p><p>{' '.join(own)}.</p>",
        "section": "societe",
        "first_published_at": today("08:00") + timedelta(minutes=number),
    }
    return public_article(**(defaults | values))


def archive(count: int = 24) -> list[PublicArticle]:
    return [about(list(STORIES)[number % 3], number) for number in range(count)]


def test_a_new_article_gets_its_set_and_enters_the_older_one_in_one_event(desk: Desk) -> None:
    first, other = about("pont", 1), about("opéra", 2)
    desk.hear(live(first), live(other))
    since = desk.last_said()
    second = about("pont", 3)

    desk.hear(live(second))

    assert desk.shown(second)[0] == first.id
    assert desk.shown(first)[0] == second.id
    (changed,) = desk.said("related.changed.v1", since)
    told = {one["article_id"] for one in changed["sets"]}
    assert {str(second.id), str(first.id)} <= told
    entries = {one["article_id"]: one["entries"] for one in changed["sets"]}[str(first.id)]
    assert entries[0]["article_id"] == str(second.id)
    assert entries[0]["reason"] == "text"
    (progress,) = desk.said("article.progress.v1", since)
    (fact,) = progress["facts"]
    assert fact["step"] == "related_set_made"
    assert fact["detail"]["changed"] >= 1


def test_an_event_heard_again_or_out_of_order_changes_nothing(desk: Desk) -> None:
    article = about("pont", 1)
    desk.hear(live(replace(article, change=3)), live(about("pont", 2)))
    before, since = desk.sets(), desk.last_said()

    desk.hear(live(replace(article, change=3)))
    desk.hear(live(replace(article, change=2, headline="Une version ancienne")))

    assert desk.sets() == before
    assert desk.last_said() == since


def test_a_killed_article_leaves_every_set_at_once_and_stays_out(desk: Desk) -> None:
    articles = archive(12)
    for one in articles:
        desk.hear(live(one))
    gone = articles[3]
    assert any(gone.id in desk.shown(one) for one in articles if one is not gone)

    desk.hear(killed(**vars(replace(gone, status="killed", change=9, body_html=""))), lane="urgent")

    assert gone.id not in desk.sets()
    assert all(gone.id not in desk.shown(one) for one in articles if one is not gone)
    assert desk.said("related.changed.v1")[-1]["lane"] == "urgent"
    desk.hear(live(replace(gone, change=8)))
    assert gone.id not in desk.sets()


def test_a_correction_moves_an_article_to_its_new_story(desk: Desk) -> None:
    article, bridge, opera = about("pont", 1), about("pont", 2), about("opéra", 4)
    desk.hear(live(article), live(bridge), live(opera))
    moved = replace(about("opéra", 7), id=article.id, change=2)

    desk.hear(ArticleCorrected(article=moved), lane="urgent")

    assert desk.shown(opera)[0] == article.id
    assert desk.shown(article)[0] == opera.id


def test_set_numbers_never_repeat(desk: Desk) -> None:
    for one in archive(15):
        desk.hear(live(one))

    numbers = [one["set_number"] for said in desk.said("related.changed.v1") for one in said["sets"]]

    assert len(numbers) == len(set(numbers))
    assert numbers == sorted(numbers)


def test_articles_that_come_while_the_index_is_not_here_are_placed_when_it_is(desk: Desk) -> None:
    first = about("pont", 1)
    desk.hear(live(first))
    desk.restart()
    second, third = about("pont", 2), about("pont", 5)
    desk.hear(live(second), live(third))

    desk.finish()

    assert {second.id, third.id} <= set(desk.shown(first))
    with desk.node.reading() as session:
        assert store.count_waiting(session) == 0


def test_a_restart_goes_on_from_the_snapshot_without_changing_a_set(desk: Desk) -> None:
    for one in archive(30):
        desk.hear(live(one))
    desk.finish()
    assert desk.settings.snapshot_file.exists()
    late = about("pont", 40)
    desk.hear(live(late))
    before, since = desk.sets(), desk.last_said()

    desk.restart()
    desk.hear(live(about("opéra", 50, language="en")))
    desk.finish()

    assert {key: value for key, value in desk.sets().items() if key in before} == before
    assert sum(len(said["sets"]) for said in desk.said("related.changed.v1", since)) == 1


@pytest.mark.parametrize("harm", ["gone", "damaged"])
def test_without_its_snapshot_the_index_is_built_from_the_database(desk: Desk, harm: str) -> None:
    articles = archive(30)
    for one in articles:
        desk.hear(live(one))
    desk.finish()
    refreshed(desk)
    before = desk.sets()
    if harm == "gone":
        desk.settings.snapshot_file.unlink()
    else:
        desk.settings.snapshot_file.write_bytes(desk.settings.snapshot_file.read_bytes()[:-7])

    desk.restart()
    desk.hear(live(about("pont", 40, language="en")))
    desk.finish()

    assert {key: value for key, value in desk.sets().items() if key in before} == before


def refreshed(desk: Desk) -> None:
    client = create_app(desk.settings).test_client()
    assert client.post("/v1/recommend/refresh", headers=KEY).status_code == 202
    desk.finish()
    assert client.get("/v1/recommend/refresh", headers=KEY).get_json()["running"] is False


def test_after_a_refresh_the_order_of_arrival_is_forgotten(
    desk: Desk, settings_for: Callable[..., RecommendSettings], tmp_path: Path
) -> None:
    articles = archive(30)
    other_place, other_url = tmp_path / "other", f"sqlite:///{tmp_path / 'other.db'}"
    migrate.upgrade(other_url, "recommend")
    other = Desk(settings_for("recommend", other_url, cls=RecommendSettings, ROTATIVE_DATA_DIR=str(other_place)))
    first = next(iter(desk.sets()))
    desk.hear(killed(id=first, change=5))
    for one in articles:
        desk.hear(live(one))
    other.hear(*(live(one) for one in reversed(articles)), lane="bulk")
    for one in (desk, other):
        one.finish()
        refreshed(one)

    assert desk.sets() == other.sets()
    other.node.close()


def test_a_turn_that_is_not_committed_leaves_the_index_as_the_database_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    articles = archive(10)
    for one in articles[:-1]:
        desk.hear(live(one))
    before = desk.sets()
    healthy = store.save_sets
    failing = {"left": 2}

    def save_sets(session: Any, rows: Any) -> None:
        healthy(session, rows)
        if failing["left"]:
            failing["left"] -= 1
            raise RuntimeError("the disk is full")

    monkeypatch.setattr(store, "save_sets", save_sets)
    desk.hear(live(articles[-1]))
    assert desk.sets() == before

    extra = about("pont", 60)
    desk.hear(live(extra))
    desk.finish()

    assert articles[-1].id in desk.sets()
    for one in articles:
        desk.hear(live(replace(one, change=2)))
    assert desk.said("related.changed.v1", desk.last_said()) == []


def test_while_another_process_keeps_the_index_this_one_only_stores(desk: Desk) -> None:
    desk.hear(live(about("pont", 1)))
    second = Desk(desk.settings)

    article = about("pont", 2)
    second.hear(live(article))
    assert article.id not in second.sets()

    desk.finish()
    assert article.id in desk.sets()
    second.node.close()


def test_a_process_that_takes_over_makes_the_other_load_again(desk: Desk) -> None:
    first = about("pont", 1)
    desk.hear(live(first))
    second = Desk(desk.settings)
    desk.forget_lease()
    article = about("pont", 2)
    second.hear(live(article))
    second.finish()
    assert second.shown(first)[0] == article.id

    desk.forget_lease()
    last = about("pont", 5)
    desk.hear(live(last))
    desk.finish()

    assert {article.id, first.id} <= set(desk.shown(last))
    second.node.close()


def test_the_weights_are_refreshed_by_themselves_as_the_archive_grows(desk: Desk) -> None:
    desk.hear(*(live(one) for one in archive(30)), lane="bulk")
    desk.finish()

    with desk.node.reading() as session:
        state = store.state(session)
    assert state.counted == 31
    assert state.refreshed_at is not None
    assert {said["lane"] for said in desk.said("related.changed.v1")} == {"normal", "bulk"}


def test_one_event_carries_at_most_a_hundred_sets(desk: Desk) -> None:
    desk.hear(*(live(one) for one in archive(130)), lane="bulk")

    sizes = [len(said["sets"]) for said in desk.said("related.changed.v1")]
    assert max(sizes) == 100


def test_a_reader_of_the_api_sees_the_set_and_why(desk: Desk) -> None:
    first, second = about("pont", 1), about("pont", 2)
    desk.hear(live(first), live(second))
    client = create_app(desk.settings).test_client()

    reply = client.get(f"/v1/related/{second.id}")

    assert reply.status_code == 200
    entry = reply.get_json()["entries"][0]
    assert entry["article_id"] == str(first.id)
    assert entry["headline"] == first.headline
    assert entry["reason"] == domain.NEAR
    assert set(entry["words"]) & set(STORIES["pont"].split())
    assert 0 < entry["score"] < 1.4
    assert client.get(f"/v1/related/{new_id()}").status_code == 404
    assert client.post("/v1/recommend/refresh").status_code == 401
