"""What other services tell of an article's journey, and saying everything again."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from services.ingest import actions, listing
from services.ingest.actions import replay
from services.ingest.app import create_app
from services.ingest.service import create_service
from services.ingest.settings import IngestSettings
from shared import events
from shared.event_schemas import Heard
from shared.ids import new_id
from shared.line import Line
from shared.migrate import upgrade
from shared.tables import jobs
from tests.conftest import wait_for
from tests.factories import today
from tests.integration.ingest.conftest import Newsroom


def tell(newsroom: Newsroom, *facts: events.ProgressFact) -> None:
    heard = Heard(event=events.ArticleProgress(facts=facts), id=new_id(), source="publish", lane="normal", trace="t")
    with newsroom.node.unit_of_work() as session:
        newsroom.node.service.listeners["article.progress.v1"](session, [heard])


def fact(article: dict[str, Any], step: str, at: str, **detail: Any) -> events.ProgressFact:
    return events.ProgressFact(
        article_id=article["id"], change=article["change"], step=step, at=today(at), detail=detail
    )


def test_progress_that_is_told_twice_is_one_step_and_the_first_sight_stays(newsroom: Newsroom) -> None:
    article = newsroom.accepted()
    typed = {**article, "id": store_id(newsroom, article)}
    seen = fact(typed, "seen_live", "09:00:01")
    one, two = (fact(typed, "delivered", "09:00:02", subscription=name) for name in ("a", "b"))

    tell(newsroom, fact(typed, "page_written", "09:00:00", ms=4), seen, one, two)
    tell(newsroom, seen, one, fact(typed, "seen_live", "09:05"))

    timeline = newsroom.send("GET", article["timeline"]).get_json()
    told = [item["step"] for item in timeline["items"] if item["step"] not in {"accepted", "published"}]
    assert told == ["page_written", "seen_live", "delivered", "delivered", "seen_live"]
    assert timeline["live_at"] == "2026-11-23T09:00:01+00:00"
    read = newsroom.send("GET", f"/v1/articles/{article['id']}").get_json()
    assert (read["live_at"], read["change"]) == (timeline["live_at"], 1)


def store_id(newsroom: Newsroom, article: dict[str, Any]) -> Any:
    with newsroom.node.reading() as session:
        wanted = listing.Filter(equal={"path": article["path"]})
        (found,) = listing.list_articles(session, wanted, before=None, after=None, most=2)
    return found.id


def test_progress_of_an_article_that_is_not_here_is_kept_and_harms_nothing(newsroom: Newsroom) -> None:
    tell(newsroom, events.ProgressFact(article_id=new_id(), change=1, step="gone", at=today("09:00"), detail={}))


def run_bulk_jobs(newsroom: Newsroom) -> int:
    """Do every bulk job that is due; how many slices that took."""
    with newsroom.node.reading() as session:
        before = session.scalars(select(jobs.c.id).where(jobs.c.state == "done")).all()
    for _ in range(200):
        newsroom.node.run_jobs("bulk")
        with newsroom.node.reading() as session:
            ready = session.scalars(select(jobs.c.id).where(jobs.c.state == "ready")).all()
            done = session.scalars(select(jobs.c.id).where(jobs.c.state == "done")).all()
        if not ready:
            return len(done) - len(before)
    raise AssertionError("the replay does not end")


def test_a_replay_says_the_present_state_of_everything_that_was_ever_live_in_slices(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "REPLAY_SAY", 2)
    monkeypatch.setattr(replay, "REPLAY_LOOK", 3)
    live = [newsroom.accepted(headline=f"Titre {n}") for n in range(7)]
    newsroom.accepted(status="draft")
    killed_draft = newsroom.accepted(status="draft")
    newsroom.send("POST", f"/v1/articles/{killed_draft['id']}/kill")
    newsroom.send("POST", f"/v1/articles/{live[2]['id']}/kill")
    correction = {"change": "correction", "note": "Faux."}
    newsroom.send("PATCH", f"/v1/articles/{live[4]['id']}", correction, If_Match="*")
    before = len(newsroom.said())

    asked = newsroom.send("POST", "/v1/ingest/replay")
    slices = run_bulk_jobs(newsroom)

    again = newsroom.said()[before:]
    assert asked.status_code == 202
    assert slices >= 4
    assert [said["data"]["article"]["id"] for said in again] == [article["id"] for article in live]
    assert {said["lane"] for said in again} == {"bulk"}
    assert all(said["data"]["replayed"] for said in again)
    types = [said["type"] for said in again]
    assert types.count("article.killed.v1") == 1
    assert types[2] == "article.killed.v1"
    assert again[2]["data"]["article"]["body_html"] == ""
    assert [one["note"] for one in again[4]["data"]["article"]["corrections"]] == ["Faux."]


def test_a_replay_since_a_time_says_only_what_has_changed_since(newsroom: Newsroom) -> None:
    old = newsroom.accepted(headline="Ancien")
    moment = newsroom.accepted(headline="Moment")["accepted_at"]
    newsroom.send("PATCH", f"/v1/articles/{old['id']}", {"headline": "Neuf"}, If_Match="*")
    newest = newsroom.accepted(headline="Dernier")
    first = newsroom.accepted(headline="Jamais")
    before = len(newsroom.said())

    newsroom.send("POST", "/v1/ingest/replay", {"since": newest["accepted_at"]})
    run_bulk_jobs(newsroom)

    assert moment < newest["accepted_at"]
    said = [one["data"]["article"]["id"] for one in newsroom.said()[before:]]
    assert said == [newest["id"], first["id"]]


def test_operators_see_drafts_and_killed_articles(newsroom: Newsroom) -> None:
    newsroom.accepted(status="draft")

    answer = newsroom.send("GET", "/v1/ingest/status").get_json()

    assert answer["numbers"] == {"draft_articles": 1, "scheduled_articles": 0, "killed_articles": 0}
    assert newsroom.send("GET", "/v1/ingest/dead").get_json() == {"items": []}


def test_an_article_accepted_while_redis_is_there_reaches_the_queue(sqlite_url: str, settings_for: Any) -> None:
    settings = settings_for("ingest", sqlite_url, cls=IngestSettings)
    upgrade(sqlite_url, "ingest")
    app = create_app(settings)
    try:
        line = Line(settings.redis_url)
        before = line.queue_length("publish.normal")
        Newsroom(app).accepted()
        wait_for(lambda: line.queue_length("publish.normal") > before, "the event to be in publish's queue")
    finally:
        app.extensions["rotative"].close()


def test_ingest_hears_progress_and_does_replays_and_what_has_a_time(settings_for: Any, sqlite_url: str) -> None:
    service = create_service(settings_for("ingest", sqlite_url, cls=IngestSettings))

    assert set(service.listeners) == {"article.progress.v1", "key.used.v1"}
    assert [kind.name for kind in service.kinds] == [actions.REPLAY, actions.RELEASE, actions.EXPIRE]
