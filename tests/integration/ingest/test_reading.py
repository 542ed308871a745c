"""Lists by words, tags and dates; timelines as events; kill reports."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

import pytest

from services.ingest import listing
from services.ingest.actions.reports import SURFACES
from services.ingest.domain import words
from services.ingest.routes import following
from shared import events
from tests.integration.ingest.conftest import Newsroom
from tests.integration.ingest.test_articles import links, listed
from tests.integration.ingest.test_progress_and_replay import tell


def search(newsroom: Newsroom, query: str) -> list[str]:
    return listed(newsroom.send("GET", f"/v1/articles?{query}"))


def test_articles_are_found_by_their_words_whatever_the_accents(newsroom: Newsroom) -> None:
    bridge = newsroom.accepted(
        headline="L’écluse d’Évry fermée", standfirst="Pendant six semaines", bylines=["Inès Roux"]
    )
    arabic = newsroom.accepted(headline="إغلاق الجِسر في الميناء", language="ar")
    other = newsroom.accepted(headline="Le marché rouvre", source="AFP", status="draft")

    assert search(newsroom, "q=ecluse") == [bridge["id"]]
    assert search(newsroom, "q=ÉCLUSE+semai") == [bridge["id"]]
    assert search(newsroom, "q=roux") == [bridge["id"]]
    assert search(newsroom, "q=اغلاق+الجسر") == [arabic["id"]]
    assert search(newsroom, "q=afp") == [other["id"]]
    assert search(newsroom, "q=afp&status=live") == []
    assert search(newsroom, "q=marche+ecluse") == []


@pytest.mark.parametrize(
    "query", ["q=t", "q=titre", "q=titre+pa", "q=pair&section=sport", "tag=a", "q=titre&status=draft"]
)
def test_common_words_are_found_among_the_newest_as_by_the_index(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    for n in range(16):
        fields = {"section": "sport" if n % 4 else "culture", "tags": ["a"] if n % 2 else []}
        newsroom.accepted(headline=f"Titre {'pair' if n % 2 else 'impair'} {n}", status="draft", **fields)

    found = []
    for near in (0, 7, 500):
        monkeypatch.setattr(listing, "_NEAR", near)
        pages, path = [], f"/v1/articles?{query}&limit=3"
        while path:
            answer = newsroom.send("GET", path)
            pages.append(listed(answer))
            path = links(answer).get("next", "")
        found.append(pages)

    assert found[0] == found[1] == found[2]
    assert sum(map(len, found[0])) >= 6


@pytest.mark.parametrize(
    "q", ['"', "a_b", "a AND b", "NEAR(a b)", "*", "'; DROP TABLE articles", "l'eau", "a:b", "(", "٣"]
)
def test_a_search_may_hold_any_sign(newsroom: Newsroom, q: str) -> None:
    answer = newsroom.client.get("/v1/articles", query_string={"q": q}, headers=newsroom.headers)

    assert answer.status_code == (200 if words.of_search(q) else 422)


def test_a_changed_text_is_found_by_its_new_words_only(newsroom: Newsroom) -> None:
    article = newsroom.accepted(headline="Ancien titre", slug="un", tags=["Été"])
    path = f"/v1/articles/{article['id']}"
    newsroom.send("PATCH", path, {"headline": "Nouveau", "tags": ["Hiver"]}, If_Match="*")

    assert search(newsroom, "q=ancien") == []
    assert search(newsroom, "q=nouveau") == [article["id"]]
    assert (search(newsroom, "tag=ete"), search(newsroom, "tag=HIVER")) == ([], [article["id"]])
    newsroom.send("POST", f"{path}/revisions/1/restore")
    assert (search(newsroom, "q=ancien"), search(newsroom, "tag=été")) == ([article["id"]], [article["id"]])


def test_the_index_of_words_holds_what_changed_before_and_after_it_was_brought_up_to_date(newsroom: Newsroom) -> None:
    never, once, twice = (newsroom.accepted(headline=f"Titre {n}", slug=f"s{n}", status="draft") for n in range(3))
    newsroom.send("DELETE", f"/v1/articles/{never['id']}", If_Match="*")
    newsroom.send("PATCH", f"/v1/articles/{once['id']}", {"headline": "Autre"}, If_Match="*")
    assert search(newsroom, "q=titre") == [twice["id"]]
    for headline in ("Deux", "Trois"):
        newsroom.send("PATCH", f"/v1/articles/{twice['id']}", {"headline": headline}, If_Match="*")
    newsroom.send("DELETE", f"/v1/articles/{once['id']}", If_Match="*")

    assert (search(newsroom, "q=titre"), search(newsroom, "q=deux"), search(newsroom, "q=autre")) == ([], [], [])
    assert search(newsroom, "q=trois") == [twice["id"]]
    newsroom.send("PATCH", f"/v1/articles/{twice['id']}", {"headline": "Quatre"}, If_Match="*")
    newsroom.send("DELETE", f"/v1/articles/{twice['id']}", If_Match="*")
    assert (search(newsroom, "q=trois"), search(newsroom, "q=quatre")) == ([], [])


def test_a_tag_is_the_whole_tag(newsroom: Newsroom) -> None:
    one = newsroom.accepted(tags=["pont neuf", "travaux"])
    newsroom.accepted(headline="Autre", tags=["pont"])

    assert search(newsroom, "tag=pont+neuf") == [one["id"]]
    assert search(newsroom, "tag=travaux&q=pont") == [one["id"]]
    assert search(newsroom, "tag=neuf") == []


def test_a_search_has_pages_too(newsroom: Newsroom) -> None:
    ids = [newsroom.accepted(headline=f"Météo {n}")["id"] for n in range(5)]
    newsroom.accepted(headline="Autre")

    first = newsroom.send("GET", "/v1/articles?q=meteo&limit=2")
    newsroom.accepted(headline="Météo nouvelle")
    second = newsroom.send("GET", links(first)["next"])
    back = newsroom.send("GET", links(second)["prev"])
    start = newsroom.send("GET", links(second)["first"])

    assert (listed(first), listed(second), listed(back)) == ([ids[4], ids[3]], [ids[2], ids[1]], [ids[4], ids[3]])
    assert len(listed(start)) == 2
    assert listed(start)[1] == ids[4]


def test_dates_narrow_a_list(newsroom: Newsroom) -> None:
    old = newsroom.accepted(published_at="2019-05-01T10:00:00Z")
    newer = newsroom.accepted(headline="Autre", published_at="2021-05-01T10:00:00Z")
    third = newsroom.accepted(headline="Troisième")
    moment = third["accepted_at"].replace("+", "%2B")

    assert search(newsroom, "published_from=2019-01-01T00:00:00Z&published_to=2020-01-01T00:00:00Z") == [old["id"]]
    assert search(newsroom, "published_to=2021-05-01T10:00:00Z") == [old["id"]]
    assert third["id"] in search(newsroom, f"accepted_from={moment}")
    assert old["id"] not in search(newsroom, f"accepted_from={moment}") or old["accepted_at"][:23] == moment[:23]
    assert search(newsroom, "accepted_to=2020-01-01T00:00:00Z") == []
    assert newsroom.send("GET", "/v1/articles?accepted_from=yesterday").status_code == 422
    assert newer["id"] in search(newsroom, "accepted_to=2999-01-01T00:00:00Z")


def parsed(text: str) -> list[dict[str, Any]]:
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines.get("event") == "step":
            found.append({"id": lines["id"], **json.loads(lines["data"])})
    return found


def test_a_timeline_is_followed_as_events_and_goes_on_where_it_was_left(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LAST_S", 0.3)
    article = newsroom.accepted()

    first = newsroom.send("GET", article["timeline"], Accept="text/event-stream", Accept_Language="fr")
    steps = parsed(first.text)
    newsroom.send("PATCH", f"/v1/articles/{article['id']}", {"headline": "Autre"}, If_Match="*")
    second = newsroom.send("GET", article["timeline"], Accept="text/event-stream", Last_Event_ID=steps[-1]["id"])

    assert first.mimetype == "text/event-stream"
    assert [one["step"] for one in steps] == ["accepted", "published"]
    assert steps[1]["text"] == "Il a été publié par first-key."
    assert [one["text"] for one in parsed(second.text)] == ["It was refiled by first-key."]


def test_beyond_the_places_that_there_are_a_timeline_is_told_as_far_as_it_goes_and_ends(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = newsroom.accepted()
    ask = {"headers": {**newsroom.headers, "Accept": "text/event-stream"}}
    held = [newsroom.client.get(article["timeline"], **ask) for _ in range(following.AT_ONCE)]

    brief = newsroom.client.get(article["timeline"], **ask)
    last_seen = re.findall("^id: (.+)$", brief.text, re.MULTILINE)[-1]
    rest = newsroom.client.get(article["timeline"], headers={**ask["headers"], "Last-Event-ID": last_seen})
    for answer in held:
        answer.close()
    monkeypatch.setattr(following, "LAST_S", 0.1)
    again = newsroom.client.get(article["timeline"], **ask)

    assert (brief.status_code, rest.status_code, again.status_code) == (200, 200, 200)
    assert "retry: 2000" in brief.text
    assert len(parsed(brief.text)) == len(parsed(again.text)) == 2
    assert parsed(rest.text) == []
    assert "retry: 1000" in again.text
    again.close()
    assert newsroom.send("GET", article["timeline"]).get_json()["items"]


def test_a_kill_report_tells_surface_by_surface_since_when_an_article_is_gone(newsroom: Newsroom) -> None:
    article = newsroom.accepted()
    path = f"/v1/articles/{article['id']}"
    assert newsroom.send("GET", f"{path}/kill-report").status_code == 409
    newsroom.send("POST", f"{path}/kill", {"reason": "Faux"})
    begun = newsroom.send("GET", f"{path}/kill-report").get_json()
    killed_at = newsroom.send("GET", article["timeline"]).get_json()["items"][-1]["at"]

    def gone(**detail: Any) -> events.ProgressFact:
        at = events.datetime.fromisoformat(killed_at)
        return events.ProgressFact(article_id=UUID(article["id"]), change=2, step="gone", at=at, detail=detail)

    tell(newsroom, gone(), gone(surface="feeds"))
    waiting = newsroom.send("GET", f"{path}/kill-report").get_json()
    tell(newsroom, *(gone(surface=one) for one in SURFACES))
    done = newsroom.send("GET", f"{path}/kill-report", Accept_Language="fr").get_json()

    assert (begun["complete"], begun["killed_by"], begun["reason"], begun["was_public"]) == (
        False,
        "first-key",
        "Faux",
        True,
    )
    assert {one["surface"] for one in waiting["surfaces"] if one["gone"]} == {"page", "feeds"}
    assert [one["surface"] for one in waiting["surfaces"]] == list(SURFACES)
    assert (waiting["complete"], waiting["completed_at"]) == (False, None)
    assert (done["complete"], done["completed_at"]) == (True, killed_at)
    assert {one["after_ms"] for one in done["surfaces"]} == {0}
    assert (done["surfaces"][0]["name"], done["text"][:17]) == ("sa page", "Il a disparu de p")


def test_the_kill_of_a_draft_with_a_preview_waits_for_that_alone(newsroom: Newsroom) -> None:
    draft = newsroom.accepted(status="draft")
    path = f"/v1/articles/{draft['id']}"
    newsroom.send("POST", f"{path}/previews")
    preview = newsroom.send("POST", f"{path}/previews").get_json()
    newsroom.send("DELETE", f"{path}/previews/{preview['id']}")
    newsroom.send("POST", f"{path}/kill")
    (ended,) = [one["data"] for one in newsroom.said() if one["data"].get("killed_article")]
    begun = newsroom.send("GET", f"{path}/kill-report").get_json()
    at = events.datetime.fromisoformat(begun["killed_at"])
    detail = {"surface": "previews", "preview": ended["id"]}
    change = ended["killed_change"]

    tell(newsroom, events.ProgressFact(article_id=UUID(draft["id"]), change=change, step="gone", at=at, detail=detail))

    done = newsroom.send("GET", f"{path}/kill-report").get_json()
    assert (begun["complete"], [one["surface"] for one in begun["surfaces"]]) == (False, ["previews"])
    assert (done["complete"], done["was_public"]) == (True, False)


def test_the_kill_of_a_draft_is_complete_at_once(newsroom: Newsroom) -> None:
    draft = newsroom.accepted(status="draft")
    newsroom.send("POST", f"/v1/articles/{draft['id']}/kill")

    report = newsroom.send("GET", f"/v1/articles/{draft['id']}/kill-report").get_json()

    assert (report["was_public"], report["complete"], report["surfaces"]) == (False, True, [])
    assert report["text"] == "It was never public: there was nothing to take away."
