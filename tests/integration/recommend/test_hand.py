"""What editors decide about related sets, and the words in which a set is explained, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.recommend import store
from services.recommend.app import create_app
from services.recommend.settings import RecommendSettings
from shared.events import PublicArticle
from shared.ids import new_id
from tests.factories import killed, today
from tests.integration.recommend.desk import Desk, live
from tests.integration.recommend.test_related_sets import about

KEY = {"Authorization": "Bearer the-first-key-of-the-tests"}


@pytest.fixture
def settings(database_of: Callable[[str], str], settings_for: Callable[..., RecommendSettings]) -> RecommendSettings:
    return settings_for("recommend", database_of("recommend"), cls=RecommendSettings)


@pytest.fixture
def desk(settings: RecommendSettings) -> Iterator[Desk]:
    desk = Desk(settings)
    desk.finish()
    desk.hear(live(about("budget", 900, section="opinions")))
    desk.finish()
    yield desk
    desk.node.close()


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return create_app(desk.settings).test_client()


@pytest.fixture
def stories(desk: Desk) -> list[PublicArticle]:
    """Six articles on the bridge and three on the opera."""
    articles = [about("pont", number) for number in range(6)] + [about("opéra", number) for number in range(6, 9)]
    desk.hear(*(live(one) for one in articles))
    return articles


def put(client: FlaskClient, path: str, body: Any) -> Any:
    reply = client.put(f"/v1/related/{path}", json=body, headers=KEY)
    assert reply.status_code == 200, reply.get_json()
    return reply.get_json()


def test_pins_open_the_set_and_what_is_not_live_yet_waits(
    desk: Desk, client: FlaskClient, stories: list[PublicArticle]
) -> None:
    article, opera, coming = stories[0], stories[7], about("opéra", 30, language="en")

    reply = put(client, f"{article.id}/pins", {"article_ids": [str(coming.id), str(opera.id)]})
    desk.finish()

    assert reply["pins"] == [
        {"article_id": str(coming.id), "headline": None, "live": False},
        {"article_id": str(opera.id), "headline": opera.headline, "live": True},
    ]
    assert desk.shown(article)[0] == opera.id
    (said,) = [one for one in desk.said("related.changed.v1")[-1]["sets"] if one["article_id"] == str(article.id)]
    assert said["entries"][0]["reason"] == "pinned"
    left = client.get(f"/v1/related/{article.id}").get_json()["left_out"]
    assert {"article_id": str(coming.id), "reason": "waiting"}.items() <= left[0].items()

    desk.hear(live(coming))
    assert desk.shown(article)[:2] == [coming.id, opera.id]
    desk.hear(killed(**vars(replace(opera, status="killed", change=2, body_html=""))), lane="urgent")
    assert desk.shown(article)[0] == coming.id
    assert opera.id not in desk.shown(article)
    put(client, f"{article.id}/pins", {"article_ids": []})
    desk.finish()
    assert coming.id not in desk.shown(article)


def test_pins_for_an_article_that_comes_later_hold_from_its_first_set_on(
    desk: Desk, client: FlaskClient, stories: list[PublicArticle]
) -> None:
    coming = about("pont", 40)
    put(client, f"{coming.id}/pins", {"article_ids": [str(stories[8].id)]})
    put(client, f"{coming.id}/bans", {"article_ids": [str(stories[1].id)]})

    desk.hear(live(coming))

    assert desk.shown(coming)[0] == stories[8].id
    assert stories[1].id not in desk.shown(coming)


def test_bans_hold_here_everywhere_and_for_the_article_itself(
    desk: Desk, client: FlaskClient, stories: list[PublicArticle]
) -> None:
    article, banned, gone, silent = stories[0], stories[1], stories[2], stories[3]
    assert {banned.id, gone.id} <= set(desk.shown(article))

    put(client, f"{article.id}/bans", {"article_ids": [str(banned.id)]})
    put(client, f"{gone.id}/bans", {"never_offered": True})
    put(client, f"{silent.id}/bans", {"never_gets_any": True})
    desk.finish()

    assert banned.id not in desk.shown(article)
    assert all(gone.id not in desk.shown(one) for one in stories)
    assert desk.shown(silent) == []
    assert silent.id in desk.shown(article)
    reasons = {one["article_id"]: one for one in client.get(f"/v1/related/{article.id}").get_json()["left_out"]}
    assert reasons[str(banned.id)]["why"] == "Écarté ici par la rédaction."

    desk.restart()
    desk.finish()
    assert desk.shown(silent) == []
    for one in (article, gone, silent):
        put(client, f"{one.id}/bans", {})
    desk.finish()
    assert {banned.id, gone.id} <= set(desk.shown(article))
    assert desk.shown(silent)


def test_a_pin_that_could_never_show_is_refused_and_what_makes_one_so_later_is_explained(
    desk: Desk, client: FlaskClient, stories: list[PublicArticle]
) -> None:
    article, banned, nowhere, gone, pinned = stories[0], stories[1], stories[7], stories[8], stories[6]
    put(client, f"{article.id}/pins", {"article_ids": [str(pinned.id)]})
    put(client, f"{article.id}/bans", {"article_ids": [str(banned.id)]})
    put(client, f"{nowhere.id}/bans", {"never_offered": True, "never_gets_any": True})
    desk.hear(killed(**vars(replace(gone, status="killed", change=2, body_html=""))), lane="urgent")

    wanted = {"article_ids": [str(one.id) for one in (pinned, banned, nowhere, gone)]}
    reply = client.put(f"/v1/related/{article.id}/pins", json=wanted, headers=KEY)

    assert reply.status_code == 422
    faults = [(fault["pointer"], fault["code"]) for fault in reply.get_json()["errors"]]
    assert faults == [("/article_ids/1", "banned"), ("/article_ids/2", "never-offered"), ("/article_ids/3", "killed")]

    put(client, f"{pinned.id}/bans", {"never_offered": True})
    desk.finish()
    told = client.get(f"/v1/related/{article.id}").get_json()
    assert str(pinned.id) not in {entry["article_id"] for entry in told["entries"]}
    assert {one["article_id"]: one["reason"] for one in told["left_out"]}[str(pinned.id)] == "never offered"
    assert told["note"] is None
    note = client.get(f"/v1/related/{nowhere.id}").get_json()["note"]
    assert note == "La rédaction ne montre rien sous cet article. La rédaction ne propose cet article nulle part."


def test_a_ban_names_the_pins_that_it_beats(client: FlaskClient, stories: list[PublicArticle]) -> None:
    article, here, everywhere = stories[0], stories[6], stories[7]
    put(client, f"{article.id}/pins", {"article_ids": [str(here.id), str(everywhere.id)]})

    beaten_here = put(client, f"{article.id}/bans", {"article_ids": [str(here.id)]})["beaten_pins"]
    beaten_everywhere = put(client, f"{everywhere.id}/bans", {"never_offered": True})["beaten_pins"]

    assert [(one["set_of"], one["article_id"]) for one in beaten_here] == [(str(article.id), str(here.id))]
    assert beaten_everywhere == [
        {
            "set_of": str(article.id),
            "article_id": str(everywhere.id),
            "headline": everywhere.headline,
            "live": True,
        }
    ]
    silenced = put(client, f"{article.id}/bans", {"never_gets_any": True})["beaten_pins"]
    assert [one["article_id"] for one in silenced] == [str(here.id), str(everywhere.id)]
    assert put(client, f"{everywhere.id}/bans", {})["beaten_pins"] == []


def test_pins_that_find_no_room_are_explained(desk: Desk, client: FlaskClient, stories: list[PublicArticle]) -> None:
    pins = [str(one.id) for one in stories[1:9]]
    put(client, f"{stories[0].id}/pins", {"article_ids": pins})
    desk.finish()

    told = client.get(f"/v1/related/{stories[0].id}").get_json()

    assert [entry["article_id"] for entry in told["entries"]] == pins[:6]
    assert {one["article_id"] for one in told["left_out"] if one["reason"] == "no room"} == set(pins[6:])


def test_an_age_limit_holds_first_where_it_shows_while_the_rest_waits_in_bulk(
    desk: Desk, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One urgent slice of no length: what shows something too old is in it, all others follow on the bulk lane."""
    monkeypatch.setattr("services.recommend.actions.LIMIT_SLICE_S", 0.0)
    old = about("pont", 1, first_published_at=today("08:00").replace(month=9))
    new = about("pont", 3)
    desk.hear(*(live(about("opéra", number, section="culture")) for number in range(10, 40)))
    desk.hear(live(old), live(new))
    desk.finish()
    assert old.id in desk.shown(new)
    put(client, "sections/societe", {"age_limit_days": 30})

    desk.node.run_jobs("urgent")

    assert old.id not in desk.shown(new)
    said = [one for one in desk.said("related.changed.v1") if one["lane"] == "urgent"]
    assert {one["article_id"] for event in said for one in event["sets"]} == {str(old.id), str(new.id)}
    desk.finish()
    with desk.node.reading() as session:
        assert not store.is_wanted(session, "limit_all_ages")
    section = client.get("/v1/related/sections/societe", headers=KEY).get_json()
    assert section == {"section": "societe", "age_limit_days": 30.0}
    assert client.get("/v1/related/sections/sport", headers=KEY).get_json()["age_limit_days"] is None


def test_pins_and_bans_of_one_article_do_not_overwrite_one_another(
    desk: Desk, client: FlaskClient, stories: list[PublicArticle]
) -> None:
    put(client, f"{stories[0].id}/pins", {"article_ids": [str(stories[8].id)]})
    put(client, f"{stories[0].id}/bans", {"article_ids": [str(stories[1].id)], "never_offered": True})
    put(client, f"{stories[0].id}/pins", {"article_ids": [str(stories[7].id)]})

    bans = client.get(f"/v1/related/{stories[0].id}/bans", headers=KEY).get_json()
    assert [one["article_id"] for one in bans["bans"]] == [str(stories[1].id)]
    assert bans["never_offered"] is True
    pins = client.get(f"/v1/related/{stories[0].id}/pins", headers=KEY).get_json()
    assert [one["headline"] for one in pins["pins"]] == [stories[7].headline]


def test_an_age_limit_of_a_section_holds_for_all_sets_and_evergreen_articles_are_spared(
    desk: Desk, client: FlaskClient
) -> None:
    old = about("pont", 1, first_published_at=today("08:00").replace(month=9))
    evergreen = about("pont", 2, first_published_at=today("08:00").replace(month=9), evergreen=True)
    new = about("pont", 3)
    desk.hear(live(old), live(evergreen), live(new))
    assert {old.id, evergreen.id} <= set(desk.shown(new))

    put(client, "sections/societe", {"age_limit_days": 30})
    desk.finish()

    assert old.id not in desk.shown(new)
    assert evergreen.id in desk.shown(new)
    desk.restart()
    desk.finish()
    desk.hear(live(about("pont", 4)))
    assert old.id not in desk.shown(new)
    assert client.get("/v1/related/sections", headers=KEY).get_json()["items"] == [
        {"section": "societe", "age_limit_days": 30.0}
    ]
    put(client, "sections/societe", {"age_limit_days": None})
    desk.finish()
    assert old.id in desk.shown(new)


def test_a_set_is_explained_in_words(desk: Desk, client: FlaskClient, stories: list[PublicArticle]) -> None:
    copy = replace(stories[1], id=new_id(), slug="copie", first_published_at=today("10:00"))
    desk.hear(live(copy))

    told = client.get(f"/v1/related/{stories[0].id}").get_json()

    near = next(entry for entry in told["entries"] if entry["reason"] == "text")
    assert near["why"].startswith("Les deux parlent de : ")
    assert near["words"][0] in near["why"]
    assert near["days_apart"] < 1
    assert "même rubrique" in near["why"]
    shown = {entry["article_id"] for entry in told["entries"]}
    reasons = {one["reason"] for one in told["left_out"]}
    assert {str(copy.id), str(stories[1].id)} - shown
    assert "copy" in reasons
    assert not shown & {one["article_id"] for one in told["left_out"]}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("{id}/pins", {}, 422, "missing"),
        ("{id}/pins", {"article_ids": ["{id}"]}, 422, "itself"),
        ("{id}/pins", {"article_ids": "x"}, 422, "wrong-type"),
        ("{id}/pins", {"article_ids": ["nonsense"]}, 422, "wrong-type"),
        ("{id}/pins", {"article_ids": [None]}, 422, "null"),
        ("{id}/pins", {"article_ids": ["{other}", "{other}"]}, 422, "invalid"),
        ("{id}/pins", {"article_ids": [], "more": 1}, 422, "unknown-field"),
        ("{id}/pins", {"article_ids": 13 * ["{new}"]}, 422, "too-long"),
        ("{id}/pins", [], 422, "wrong-type"),
        ("{id}/bans", {"never_offered": "yes"}, 422, "wrong-type"),
        ("{id}/bans", {"article_ids": ["{id}"]}, 422, "itself"),
        ("sections/societe", {"age_limit_days": 0}, 422, "invalid"),
        ("sections/societe", {"age_limit_days": "NaN"}, 422, "invalid"),
        ("sections/societe", {}, 422, "missing"),
        ("sections/" + "s" * 90, {"age_limit_days": 3}, 422, "length"),
    ],
)
def test_what_cannot_be_decided_is_refused_with_where_and_why(
    client: FlaskClient, path: str, body: Any, status: int, code: str
) -> None:
    named = {"{id}": str(new_id()), "{other}": str(new_id())}

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(one) for one in value]
        if isinstance(value, dict):
            return {name: filled(one) for name, one in value.items()}
        return str(new_id()) if value == "{new}" else named.get(value, value) if isinstance(value, str) else value

    reply = client.put(f"/v1/related/{path.replace('{id}', named['{id}'])}", json=filled(body), headers=KEY)

    assert reply.status_code == status, reply.get_json()
    assert code in {fault["code"] for fault in reply.get_json()["errors"]}, reply.get_json()


def test_deciding_needs_a_key(client: FlaskClient) -> None:
    for method, path in (("put", "pins"), ("get", "pins"), ("put", "bans"), ("get", "bans")):
        assert getattr(client, method)(f"/v1/related/{new_id()}/{path}", json={}).status_code == 401
    assert client.put("/v1/related/sections/sport", json={}).status_code == 401
    assert client.post("/v1/similar", json={}).status_code == 401
