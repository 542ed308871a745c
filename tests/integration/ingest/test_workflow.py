"""From state to state: schedules, embargoes and expiries, retractions, kills and restores, and what is said of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from services.ingest import actions, store
from services.ingest.domain.moments import spoken
from services.ingest.models import Article, Media
from shared import clock
from shared.ids import new_id
from shared.tables import jobs
from tests.integration.ingest.conftest import Newsroom


def later(**delta: float) -> datetime:
    return clock.now().replace(microsecond=0) + timedelta(**delta)


def do_what_is_due(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    """Do the urgent jobs that are due at a time, as a worker that is woken then."""
    with monkeypatch.context() as then:
        then.setattr(clock, "now", lambda: at)
        newsroom.node.run_jobs("urgent")


def read(newsroom: Newsroom, article: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = newsroom.send("GET", f"/v1/articles/{article['id']}").get_json()
    return answer


def steps(newsroom: Newsroom, article: dict[str, Any]) -> list[str]:
    return [one["step"] for one in newsroom.send("GET", article["timeline"]).get_json()["items"]]


def test_an_embargo_is_kept_and_lifted_at_its_moment(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    embargo = later(hours=2)
    article = newsroom.accepted(embargo=embargo.isoformat())
    assert (article["status"], article["published_at"]) == ("scheduled", None)
    assert newsroom.said() == []

    do_what_is_due(newsroom, monkeypatch, embargo - timedelta(milliseconds=1))
    assert read(newsroom, article)["status"] == "scheduled"
    do_what_is_due(newsroom, monkeypatch, embargo)

    live = read(newsroom, article)
    assert (live["status"], live["embargo"], live["change"]) == ("live", None, 2)
    assert live["published_at"] == embargo.isoformat()
    (said,) = newsroom.said()
    assert (said["type"], said["lane"]) == ("article.published.v1", "urgent")
    assert steps(newsroom, article) == ["accepted", "scheduled", "released"]
    told = newsroom.send("GET", article["timeline"], Accept_Language="fr").get_json()["items"][1]
    assert told["detail"]["embargo"] == embargo.isoformat()
    assert told["text"].endswith(f"pour le {spoken(embargo, 'fr', ZoneInfo('Europe/Paris'))}.")


def test_what_fell_due_while_the_system_was_down_is_released_at_once(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    articles = [newsroom.accepted(headline=f"Titre {n}", embargo=later(hours=n).isoformat()) for n in (1, 2, 3)]

    do_what_is_due(newsroom, monkeypatch, later(days=2))

    assert [read(newsroom, one)["status"] for one in articles] == ["live"] * 3


def test_an_embargo_in_the_past_publishes_at_once(newsroom: Newsroom) -> None:
    assert newsroom.accepted(embargo="2020-01-01T00:00:00Z")["status"] == "live"


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2027-03-28T01:59:59[Europe/Paris]", "2027-03-28T00:59:59+00:00"),
        ("2027-03-28T03:00:00[Europe/Paris]", "2027-03-28T01:00:00+00:00"),
        ("2027-10-31T02:30:00+02:00[Europe/Paris]", "2027-10-31T00:30:00+00:00"),
        ("2027-10-31T02:30:00+01:00", "2027-10-31T01:30:00+00:00"),
        ("2027-10-31T03:00:00[Europe/Paris]", "2027-10-31T02:00:00+00:00"),
        ("2027-07-01T09:00:00+09:00", "2027-07-01T00:00:00+00:00"),
        ("2027-07-01t09:00:00z", "2027-07-01T09:00:00+00:00"),
        ("2027-10-31t03:00:00[Europe/Paris]", "2027-10-31T02:00:00+00:00"),
    ],
)
def test_a_time_of_any_zone_is_kept_as_utc_over_both_changes_of_the_clocks(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch, written: str, utc: str
) -> None:
    article = newsroom.accepted(embargo=written)
    moment = datetime.fromisoformat(utc)
    zone = ZoneInfo("Europe/Paris")

    assert article["embargo"] == utc
    assert datetime.fromisoformat(article["embargo_local"]) == moment
    assert article["embargo_local"] == moment.astimezone(zone).isoformat()
    do_what_is_due(newsroom, monkeypatch, moment - timedelta(seconds=1))
    assert read(newsroom, article)["status"] == "scheduled"
    do_what_is_due(newsroom, monkeypatch, moment)
    assert read(newsroom, article)["status"] == "live"


def test_a_local_time_that_the_clocks_skip_or_show_twice_is_refused_with_why(newsroom: Newsroom) -> None:
    skipped = newsroom.post(embargo="2027-03-28T02:30:00[Europe/Paris]").get_json()
    twice = newsroom.post(embargo="2027-10-31T02:30:00[Europe/Paris]").get_json()

    assert [fault["code"] for fault in skipped["errors"]] == ["skipped-by-the-clocks"]
    assert [fault["code"] for fault in twice["errors"]] == ["shown-twice"]


def test_a_scheduled_article_is_put_off_brought_forward_and_cancelled(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = newsroom.accepted(embargo=later(hours=1).isoformat())
    path = f"/v1/articles/{article['id']}"

    put_off = newsroom.send("PATCH", path, {"embargo": later(hours=5).isoformat()}, If_Match="*").get_json()
    do_what_is_due(newsroom, monkeypatch, later(hours=2))
    assert (put_off["status"], read(newsroom, article)["status"]) == ("scheduled", "scheduled")
    newsroom.send("POST", f"{path}/publish", {"embargo": later(hours=3).isoformat()})
    do_what_is_due(newsroom, monkeypatch, later(hours=3, seconds=1))
    assert read(newsroom, article)["status"] == "live"

    other = newsroom.accepted(headline="Autre", embargo=later(hours=1).isoformat())
    cancelled = newsroom.send("POST", f"/v1/articles/{other['id']}/cancel").get_json()
    again = newsroom.send("POST", f"/v1/articles/{other['id']}/cancel")
    do_what_is_due(newsroom, monkeypatch, later(days=1))
    assert (cancelled["status"], again.status_code) == ("draft", 200)
    assert read(newsroom, other)["status"] == "draft"
    assert steps(newsroom, article) == ["accepted", "scheduled", "rescheduled", "rescheduled", "released"]
    assert newsroom.send("POST", f"{path}/cancel").status_code == 409


def test_publishing_with_the_embargo_lifted_is_at_once_and_under_it_waits(newsroom: Newsroom) -> None:
    draft = newsroom.accepted(status="draft", embargo=later(hours=1).isoformat())
    path = f"/v1/articles/{draft['id']}"
    assert draft["status"] == "draft"

    waits = newsroom.send("POST", f"{path}/publish").get_json()
    same = newsroom.send("POST", f"{path}/publish").get_json()
    live = newsroom.send("POST", f"{path}/publish", {"embargo": None}).get_json()

    assert (waits["status"], waits["change"]) == ("scheduled", 2)
    assert (same["status"], same["change"]) == ("scheduled", 2)
    assert (live["status"], live["change"], live["embargo"]) == ("live", 3, None)
    assert len(newsroom.said()) == 1


def test_taking_the_embargo_away_publishes_and_a_new_one_for_what_is_public_is_refused(newsroom: Newsroom) -> None:
    article = newsroom.accepted(embargo=later(hours=1).isoformat())
    path = f"/v1/articles/{article['id']}"

    live = newsroom.send("PATCH", path, {"embargo": None}, If_Match="*").get_json()
    refused = newsroom.send("PATCH", path, {"embargo": later(hours=1).isoformat()}, If_Match="*")

    assert live["status"] == "live"
    assert (refused.status_code, refused.get_json()["errors"][0]["code"]) == (422, "too-late")


def test_an_article_expires_and_may_be_live_again_with_a_later_time(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    expires = later(hours=1)
    article = newsroom.accepted(expires=expires.isoformat(), standfirst="Sous licence")
    path = f"/v1/articles/{article['id']}"

    do_what_is_due(newsroom, monkeypatch, expires)

    assert read(newsroom, article)["status"] == "expired"
    said = newsroom.said()[-1]
    assert (said["type"], said["data"]["article"]["status"]) == ("article.expired.v1", "expired")
    assert said["data"]["article"]["standfirst"] == "Sous licence"
    with monkeypatch.context() as then:
        then.setattr(clock, "now", lambda: expires + timedelta(hours=1))
        over = newsroom.send("POST", f"{path}/publish")
    newsroom.send("PATCH", path, {"expires": later(days=3).isoformat()}, If_Match="*")
    again = newsroom.send("POST", f"{path}/publish").get_json()
    assert over.status_code == 422
    assert (again["status"], again["published_at"]) == ("live", article["published_at"])
    assert newsroom.said()[-1]["data"]["article"]["body_html"]


def test_an_expiry_that_was_put_off_waits(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    article = newsroom.accepted(expires=later(hours=1).isoformat())
    newsroom.send("PATCH", f"/v1/articles/{article['id']}", {"expires": later(hours=4).isoformat()}, If_Match="*")

    do_what_is_due(newsroom, monkeypatch, later(hours=2))
    assert read(newsroom, article)["status"] == "live"
    do_what_is_due(newsroom, monkeypatch, later(hours=4, seconds=1))
    assert read(newsroom, article)["status"] == "expired"


def test_what_is_over_before_it_could_begin_is_not_shown(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    article = newsroom.accepted(embargo=later(hours=1).isoformat(), expires=later(hours=2).isoformat())

    do_what_is_due(newsroom, monkeypatch, later(hours=3))

    assert read(newsroom, article)["status"] == "draft"
    assert newsroom.said() == []
    assert steps(newsroom, article)[-1] == "missed"


def test_a_retraction_keeps_the_text_and_tells_readers_why(newsroom: Newsroom) -> None:
    article = newsroom.accepted()
    path = f"/v1/articles/{article['id']}"

    retracted = newsroom.send("POST", f"{path}/retract", {"reason": "Rien n’est vrai."}).get_json()
    again = newsroom.send("POST", f"{path}/retract", {"reason": "Rien n’est vrai."})
    without = newsroom.send("POST", f"{path}/retract")
    changed = newsroom.send("PATCH", path, {"headline": "Autre"}, If_Match="*")

    assert (retracted["status"], retracted["retraction"]["note"]) == ("retracted", "Rien n’est vrai.")
    assert [(one.status_code, one.get_json()["change"]) for one in (again, without)] == [(200, 2)] * 2
    assert changed.status_code == 409
    said = newsroom.said()[-1]
    assert (said["type"], said["lane"]) == ("article.retracted.v1", "urgent")
    assert said["data"]["article"]["retraction"]["note"] == "Rien n’est vrai."
    assert said["data"]["article"]["body_html"]


def test_another_reason_takes_the_place_of_the_one_that_a_retraction_or_a_kill_had(newsroom: Newsroom) -> None:
    article, killed = newsroom.accepted(), newsroom.accepted(headline="Autre")
    retract, kill = f"/v1/articles/{article['id']}/retract", f"/v1/articles/{killed['id']}/kill"
    first = newsroom.send("POST", retract, {"reason": "Rien n’est vrai."}).get_json()
    newsroom.send("POST", kill, {"reason": "Diffamation"})

    second = newsroom.send("POST", retract, {"reason": "Presque rien n’est vrai."})
    stale = newsroom.send("POST", retract, {"reason": "Tout est faux."}, If_Match='"2"')
    said = newsroom.said()[-1]
    before = len(newsroom.said())
    other = newsroom.send("POST", kill, {"reason": "Plainte"}).get_json()
    without = newsroom.send("POST", kill).get_json()

    shown = second.get_json()
    assert (second.status_code, stale.status_code, shown["change"]) == (200, 412, 3)
    assert shown["retraction"] == {**first["retraction"], "note": "Presque rien n’est vrai."}
    assert (said["type"], said["lane"]) == ("article.retracted.v1", "urgent")
    assert said["data"]["article"]["retraction"]["note"] == "Presque rien n’est vrai."
    assert (other["status"], other["kill_reason"], other["change"]) == ("killed", "Plainte", 3)
    assert (without["kill_reason"], without["change"]) == ("Plainte", 3)
    # A kill's reason is the newsroom's own.
    assert len(newsroom.said()) == before
    assert steps(newsroom, killed) == ["accepted", "published", "killed", "reason_changed"]
    assert newsroom.send("GET", f"/v1/articles/{killed['id']}/kill-report").get_json()["reason"] == "Plainte"


@pytest.mark.parametrize("status", ["draft", "scheduled", "live", "retracted", "expired"])
def test_everything_can_be_killed_and_no_job_that_waits_brings_it_back(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    times = {"embargo" if status == "scheduled" else "expires": later(hours=1).isoformat()}
    article = newsroom.accepted(status="draft" if status == "draft" else "live", **times)
    path = f"/v1/articles/{article['id']}"
    if status == "retracted":
        newsroom.send("POST", f"{path}/retract")
    if status == "expired":
        do_what_is_due(newsroom, monkeypatch, later(hours=2))
    assert read(newsroom, article)["status"] == status
    before = len(newsroom.said())

    killed = newsroom.send("POST", f"{path}/kill", {"reason": "Diffamation"}).get_json()
    do_what_is_due(newsroom, monkeypatch, later(days=1))

    assert (killed["status"], read(newsroom, article)["status"]) == ("killed", "killed")
    public = status in {"live", "retracted", "expired"}
    assert [one["type"] for one in newsroom.said()[before:]] == ["article.killed.v1"] * public
    for move in ("publish", "retract", "cancel"):
        assert newsroom.send("POST", f"{path}/{move}").status_code == 409
    assert newsroom.send("DELETE", path, If_Match="*").status_code == 409


def test_only_an_explicit_restore_brings_a_killed_article_back(newsroom: Newsroom) -> None:
    article = newsroom.accepted()
    draft = newsroom.accepted(headline="Jamais vu", status="draft")
    for one in (article, draft):
        newsroom.send("POST", f"/v1/articles/{one['id']}/kill", {"reason": "Erreur"})

    restored = newsroom.send("POST", f"/v1/articles/{article['id']}/revisions/1/restore").get_json()
    reopened = newsroom.send("POST", f"/v1/articles/{draft['id']}/revisions/1/restore").get_json()

    assert (restored["status"], restored["change"], restored["kill_reason"]) == ("live", 3, None)
    assert (reopened["status"], reopened["published_at"]) == ("draft", None)
    said = newsroom.said()[-1]
    assert (said["type"], said["data"]["article"]["change"]) == ("article.published.v1", 3)
    assert said["data"]["article"]["body_html"]


def test_an_earlier_revision_is_restored_as_a_new_one(newsroom: Newsroom) -> None:
    article = newsroom.accepted(headline="Premier", tags=["a"])
    path = f"/v1/articles/{article['id']}"
    newsroom.send("PATCH", path, {"headline": "Second", "tags": ["b"]}, If_Match="*")

    restored = newsroom.send("POST", f"{path}/revisions/1/restore", If_Match='"2"').get_json()
    stale = newsroom.send("POST", f"{path}/revisions/1/restore", If_Match='"2"')
    missing = newsroom.send("POST", f"{path}/revisions/9/restore")

    assert (restored["headline"], restored["tags"], restored["revision"]) == ("Premier", ["a"], 3)
    assert (stale.status_code, missing.status_code) == (412, 404)
    assert newsroom.said()[-1]["data"]["article"]["headline"] == "Premier"


def test_revisions_are_listed_read_and_compared_in_words(newsroom: Newsroom) -> None:
    article = newsroom.accepted(headline="Le pont ferme", standfirst="Lundi")
    path = f"/v1/articles/{article['id']}"
    text = "La mairie a confirmé la réouverture.\n\nLes cars passeront par le nord."
    newsroom.send("PATCH", path, {"headline": "Le pont rouvre", "body": {"text": text}}, If_Match="*")
    newsroom.send("PATCH", path, {"standfirst": None, "change": "correction", "note": "Mardi."}, If_Match="*")

    listed = newsroom.send("GET", f"{path}/revisions?limit=2")
    older = newsroom.send("GET", listed.headers["Link"].partition(">")[0].strip("<")).get_json()
    first = newsroom.send("GET", f"{path}/revisions/1").get_json()
    compared = newsroom.send("GET", f"{path}/diff?from=1&to=2").get_json()
    newest = newsroom.send("GET", f"{path}/diff").get_json()

    assert [(one["number"], one["note"]) for one in listed.get_json()["items"]] == [(3, "Mardi."), (2, None)]
    assert [one["number"] for one in older["items"]] == [1]
    assert (first["headline"], first["body"]) == ("Le pont ferme", article["body"])
    fields = {one["field"]: one["parts"] for one in compared["fields"]}
    assert fields.keys() == {"headline", "body"}
    assert {"change": "removed", "text": "ferme"} in fields["headline"]
    assert {"change": "added", "text": "rouvre"} in fields["headline"]
    changed = [part for part in fields["body"] if part["change"] != "same"]
    assert changed == [{"change": "removed", "text": "fermeture."}, {"change": "added", "text": "réouverture."}]
    assert [one["field"] for one in newest["fields"]] == ["standfirst"]
    assert newsroom.send("GET", f"{path}/diff?from=1&to=9").status_code == 404
    assert newsroom.send("GET", f"{path}/revisions/7").status_code == 404


def test_a_whole_article_is_put_and_what_is_left_out_gets_its_default(newsroom: Newsroom) -> None:
    article = newsroom.accepted(standfirst="Lundi", tags=["a"], urgency=2, source="AFP", custom={"a": 1}, slug="pont")
    path = f"/v1/articles/{article['id']}"
    whole = {"headline": "Autre", "section": "societe", "body": {"format": "text", "text": "Neuf."}}

    without = newsroom.send("PUT", path, whole)
    put = newsroom.send("PUT", path, whole, If_Match='"1"')
    same = newsroom.send("PUT", path, whole, If_Match='"2"')
    stale = newsroom.send("PUT", path, whole, If_Match='"1"')
    partial = newsroom.send("PUT", path, {"headline": "Autre"}, If_Match="*")

    assert (without.status_code, stale.status_code, partial.status_code) == (428, 412, 422)
    changed = put.get_json()
    names = ("headline", "standfirst", "tags", "urgency", "source", "custom", "slug", "language")
    assert [changed[name] for name in names] == ["Autre", "", [], 4, "", {}, "pont", "fr"]
    assert (changed["body"]["html"], changed["revision"]) == ("<p>Neuf.</p>", 2)
    assert same.get_json()["change"] == 2


def test_a_draft_is_deleted_and_its_address_is_free_again(newsroom: Newsroom) -> None:
    draft = newsroom.accepted(status="draft")
    live = newsroom.accepted(headline="Autre")

    without = newsroom.send("DELETE", f"/v1/articles/{draft['id']}")
    stale = newsroom.send("DELETE", f"/v1/articles/{draft['id']}", If_Match='"7"')
    deleted = newsroom.send("DELETE", f"/v1/articles/{draft['id']}", If_Match='"1"')
    refused = newsroom.send("DELETE", f"/v1/articles/{live['id']}", If_Match="*")

    assert (without.status_code, stale.status_code, deleted.status_code, refused.status_code) == (428, 412, 204, 409)
    assert newsroom.send("GET", f"/v1/articles/{draft['id']}").status_code == 404
    assert newsroom.accepted()["slug"] == draft["slug"]


def test_the_remaining_fields_are_kept_said_and_merged(newsroom: Newsroom) -> None:
    group = str(new_id())
    article = newsroom.accepted(
        source="AFP",
        canonical_url="https://example.org/a",
        translations=group,
        evergreen=True,
        custom={"desk": {"name": "local", "phone": "1"}},
        old_paths=["/2019/03/pont/", "/2019/03/pont/"],
    )

    path = f"/v1/articles/{article['id']}"
    patched = newsroom.send("PATCH", path, {"custom": {"desk": {"phone": None}, "x": 2}}, If_Match="*").get_json()
    cleared = newsroom.send("PATCH", path, {"custom": None, "source": None}, If_Match="*").get_json()
    clash = newsroom.post(headline="Autre", old_paths=["/2019/03/pont/"])

    public = newsroom.said()[0]["data"]["article"]
    assert (public["source"], public["translations"]) == ("AFP", group)
    assert public["canonical_url"] == "https://example.org/a"
    assert (public["evergreen"], public["old_paths"]) == (True, ["/2019/03/pont/"])
    assert patched["custom"] == {"desk": {"name": "local"}, "x": 2}
    assert (cleared["custom"], cleared["source"]) == ({}, "")
    assert (clash.status_code, clash.get_json()["errors"][0]["pointer"]) == (409, "/old_paths/0")


def add_media(newsroom: Newsroom, **values: Any) -> UUID:
    media = Media(
        **{
            "id": new_id(),
            "digest": "ab" * 32,
            "media_type": "image/jpeg",
            "width": 1200,
            "height": 800,
            "size": 1000,
            "name": "pont.jpg",
            "alt": "Le pont",
            "decorative": False,
            "caption": "Le pont fermé",
            "credit": "I. Maurel",
            "copyright": "",
            "words": "",
            "uploaded_at": clock.now(),
            "uploaded_by": "first-key",
            **values,
        }
    )
    with newsroom.node.unit_of_work() as session:
        session.add(media)
    return media.id


def test_pictures_come_with_what_is_known_of_them_and_what_the_article_says(newsroom: Newsroom) -> None:
    media = add_media(newsroom)
    asked = [
        {"media": str(media)},
        {"media": str(media), "alt": "Vu du quai", "caption": "", "focal_point": {"x": 0.2, "y": 1}},
        {"media": str(media), "decorative": True},
    ]

    article = newsroom.accepted(images=asked)

    public = newsroom.said()[0]["data"]["article"]["images"]
    assert [one["alt"] for one in public] == ["Le pont", "Vu du quai", ""]
    assert [one["caption"] for one in public] == ["Le pont fermé", "", "Le pont fermé"]
    assert (public[0]["digest"], public[0]["width"], public[0]["credit"]) == ("ab" * 32, 1200, "I. Maurel")
    assert (public[1]["focus_x"], public[1]["focus_y"]) == (0.2, 1.0)
    assert article["images"][1]["focal_point"] == {"x": 0.2, "y": 1.0}
    removed = newsroom.send("PATCH", f"/v1/articles/{article['id']}", {"images": None}, If_Match="*").get_json()
    assert (removed["images"], removed["revision"]) == ([], 2)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<p>Loading...</p><p>La mairie.</p>", "placeholder-text"),
        ("<p>Lorem ipsum dolor sit amet.</p>", "placeholder-text"),
        ("<p>La mairie.</p><p>You may also like</p>", "leftover-at-the-end"),
        ("<p>La mairie.</p><h3>À lire aussi :</h3>", "leftover-at-the-end"),
        ("<p>La mairie.</p><p>Vous aimerez aussi…</p>", "leftover-at-the-end"),
        ("<p>La mairie.</p><p>VOUS AIMEREZ PEUT-ÊTRE AUSSI\u202f:</p>", "leftover-at-the-end"),
        ("<p>أكدت البلدية.</p><p>قد يعجبك أيضًا:</p>", "leftover-at-the-end"),
        ("<p>أكدت البلدية.</p><p>إقرأ أيضاً</p>", "leftover-at-the-end"),
        ("<p>جارٍ التحميل…</p><p>أكدت البلدية.</p>", "placeholder-text"),
        ("<p>Le pont du port ferme pour six semaines.</p><p>La mairie.</p>", "headline-repeated"),
    ],
)
def test_leftovers_of_a_web_page_are_warned_of_and_kept(newsroom: Newsroom, text: str, code: str) -> None:
    article = newsroom.accepted(body={"format": "html", "text": text})

    codes = [one["code"] for one in article["warnings"]]
    assert code in codes
    assert "element-removed" not in codes


def test_an_ordinary_text_has_no_warnings(newsroom: Newsroom) -> None:
    text = "<p>The loading dock is closed; more to read in the paper you may also like.</p><p>Fin.</p>"

    assert newsroom.accepted(body={"format": "html", "text": text})["warnings"] == []


def test_a_dry_run_checks_everything_and_keeps_nothing(newsroom: Newsroom) -> None:
    newsroom.accepted(slug="pont")
    before = newsroom.send("GET", "/v1/articles").get_json()
    sent = {"headline": "T", "section": "sport", "body": {"format": "text", "text": "a"}, "status": "live"}

    dry = newsroom.send("POST", "/v1/articles?dry_run=true", sent)
    taken = newsroom.send("POST", "/v1/articles?dry_run=true", {**sent, "slug": "pont", "section": "societe"})
    patch = newsroom.send(
        "PATCH", f"/v1/articles/{before['items'][0]['id']}?dry_run=true", {"headline": "X"}, If_Match="*"
    )
    bad = newsroom.send("POST", "/v1/articles?dry_run=perhaps", sent)

    assert (dry.status_code, dry.headers["Dry-Run"], dry.get_json()["slug"]) == (200, "true", "t")
    assert (taken.status_code, patch.status_code, bad.status_code) == (409, 200, 422)
    assert patch.get_json()["headline"] == "X"
    assert "Location" not in dry.headers
    assert newsroom.send("GET", "/v1/articles").get_json() == before
    assert len(newsroom.said()) == 1


def test_a_job_for_an_article_that_is_no_more_does_nothing(newsroom: Newsroom) -> None:
    with newsroom.node.unit_of_work() as session:
        actions.release_article(session, new_id(), now=datetime.now(UTC))
        actions.expire_article(session, new_id(), now=datetime.now(UTC))
        assert store.get_article(session, new_id()) is None
        assert session.scalars(select(jobs.c.id)).all() == []


def test_a_whole_article_that_names_no_embargo_keeps_the_one_it_has_and_null_lifts_it(newsroom: Newsroom) -> None:
    embargo = later(hours=5).isoformat()
    article = newsroom.accepted(embargo=embargo)
    path = f"/v1/articles/{article['id']}"
    whole = {"headline": "Autre titre", "section": "societe", "body": {"format": "text", "text": "Autre texte."}}

    kept = newsroom.send("PUT", path, whole, If_Match="*").get_json()
    lifted = newsroom.send("PUT", path, {**whole, "embargo": None}, If_Match="*").get_json()

    assert (kept["status"], kept["embargo"], kept["headline"]) == ("scheduled", embargo, "Autre titre")
    assert (lifted["status"], lifted["embargo"]) == ("live", None)


@pytest.mark.parametrize("name", ["dryrun", "dry_runn", "dry-run", "dryRun"])
def test_a_dry_run_that_is_mistyped_is_refused_instead_of_done(newsroom: Newsroom, name: str) -> None:
    article = newsroom.accepted()

    answer = newsroom.send("POST", f"/v1/articles/{article['id']}/kill?{name}=true", {"reason": "Essai"})

    assert answer.status_code == 400
    assert "dry_run" in answer.get_json()["detail"]
    assert read(newsroom, article)["status"] == "live"


@pytest.mark.parametrize("address", ["https://[::", "https://", "http:///x", "https://[x]/"])
def test_an_address_without_a_host_is_refused(newsroom: Newsroom, address: str) -> None:
    answer = newsroom.post(canonical_url=address)

    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.get_json()["errors"]] == ["/canonical_url"]


def test_who_publishes_what_is_over_or_patches_a_state_is_told_what_to_do(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = newsroom.accepted(expires=later(hours=1).isoformat())
    path = f"/v1/articles/{article['id']}"
    do_what_is_due(newsroom, monkeypatch, later(hours=2))

    with newsroom.node.unit_of_work() as session:
        session.execute(update(Article).values(expires=later(hours=-1)))
    (over,) = newsroom.send("POST", f"{path}/publish").get_json()["errors"]
    (state,) = newsroom.send("PATCH", path, {"status": "live"}, If_Match="*").get_json()["errors"]

    assert (over["pointer"], over["code"]) == ("/expires", "too-early")
    assert "PATCH" in over["detail"]
    assert "/publish" in state["detail"]
