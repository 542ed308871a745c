"""Articles over HTTP: accepted, changed, corrected, killed, and what is said of it."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from services.ingest.models import Article, Revision
from services.ingest.schemas import replies
from shared import clock
from tests.integration.ingest.conftest import Newsroom


def test_a_live_article_is_accepted_with_its_address_and_said_with_its_whole_public_state(newsroom: Newsroom) -> None:
    answer = newsroom.post(
        standfirst="Les travaux commencent lundi.",
        body={"format": "html", "text": "<p>La mairie</p><script>x</script>"},
        tags=["pont", "port", "pont"],
        bylines=["Anne Roux", {"name": "Sami Haddad", "url": "https://example.org/sami"}],
        urgency=3,
        notify=False,
    )

    article = answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"1"'
    assert answer.headers["Location"] == f"/v1/articles/{article['id']}"
    assert (article["status"], article["revision"], article["change"], article["live_at"]) == ("live", 1, 1, None)
    assert article["url"] == "http://127.0.0.1:8000/societe/le-pont-du-port-ferme-pour-six-semaines"
    assert [warning["pointer"] for warning in article["warnings"]] == ["/body/text"]
    (said,) = newsroom.said()
    assert (said["type"], said["lane"]) == ("article.published.v1", "normal")
    public = said["data"]["article"]
    assert public["body_html"] == "<p>La mairie</p>"
    assert public["tags"] == ["pont", "port"]
    assert [one["name"] for one in public["bylines"]] == ["Anne Roux", "Sami Haddad"]
    assert public["first_published_at"] == public["updated_at"] == article["accepted_at"]
    assert (public["urgency"], public["notify"], public["corrections"]) == (3, False, [])
    assert newsroom.said("recommend")[0]["id"] == said["id"]


def test_a_draft_says_nothing_until_it_is_published(newsroom: Newsroom) -> None:
    draft = newsroom.accepted(status="draft")
    assert newsroom.said() == []

    published = newsroom.send("POST", f"/v1/articles/{draft['id']}/publish")

    assert published.status_code == 200
    assert (published.get_json()["status"], published.get_json()["change"]) == ("live", 2)
    assert [said["data"]["article"]["change"] for said in newsroom.said()] == [2]


def test_publishing_again_changes_nothing(newsroom: Newsroom) -> None:
    article = newsroom.accepted()

    again = newsroom.send("POST", f"/v1/articles/{article['id']}/publish")

    assert (again.status_code, again.headers["ETag"]) == (200, '"1"')
    assert len(newsroom.said()) == 1


def test_an_import_keeps_its_date_and_a_future_one_is_refused(newsroom: Newsroom) -> None:
    article = newsroom.accepted(published_at="2019-03-04T10:00:00+01:00", notify=False)

    assert article["published_at"] == "2019-03-04T09:00:00+00:00"
    assert newsroom.said()[0]["data"]["article"]["updated_at"] == "2019-03-04T09:00:00+00:00"
    refused = newsroom.post(published_at="2199-01-01T00:00:00Z")
    assert refused.status_code == 422
    assert refused.get_json()["errors"][0]["pointer"] == "/published_at"


def test_events_say_since_when_an_article_is_live_whatever_date_it_bears(newsroom: Newsroom) -> None:
    began = clock.now()
    article = newsroom.accepted(published_at="2019-03-04T10:00:00+01:00", expires="2199-01-01T00:00:00Z")
    path = f"/v1/articles/{article['id']}"
    assert newsroom.send("PATCH", path, {"headline": "Le pont ferme"}, If_Match="*").status_code == 200
    assert newsroom.send("POST", f"{path}/retract", {}).status_code == 200

    first, refiled, retracted = (one["data"]["article"] for one in newsroom.said())
    assert began <= datetime.fromisoformat(first["live_since"]) <= clock.now()
    assert first["live_since"] == refiled["live_since"] == retracted["live_since"]
    assert first["first_published_at"] == "2019-03-04T09:00:00+00:00"


def test_a_flash_travels_urgently(newsroom: Newsroom) -> None:
    newsroom.accepted(urgency=1)

    assert newsroom.said()[0]["lane"] == "urgent"


def test_articles_of_the_same_headline_are_numbered_in_their_section(newsroom: Newsroom) -> None:
    slugs = [newsroom.accepted(headline="Météo")["slug"] for _ in range(7)]
    elsewhere = newsroom.accepted(headline="Météo", section="sport")
    in_english = newsroom.accepted(headline="Météo", language="en")

    assert slugs == ["meteo", *[f"meteo-{n}" for n in range(2, 8)]]
    assert (elsewhere["slug"], elsewhere["path"]) == ("meteo", "/sport/meteo")
    assert in_english["path"] == "/en/societe/meteo"


def test_articles_of_the_same_headline_sent_at_the_same_moment_all_get_an_address(newsroom: Newsroom) -> None:
    answers: list[int] = []
    slugs: list[str] = []

    def send() -> None:
        answer = newsroom.post(headline="Séisme")
        answers.append(answer.status_code)
        slugs.append(answer.get_json()["slug"])

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert answers == [201] * 8
    assert len(set(slugs)) == 8


def test_a_word_that_the_site_needs_is_no_slug(newsroom: Newsroom) -> None:
    assert newsroom.accepted(headline="Page")["slug"] == "page-2"
    assert newsroom.accepted(headline="Politique")["slug"] == "politique-2"
    assert newsroom.accepted(headline="🤷")["slug"] not in {"", "page"}


def test_a_slug_that_was_asked_for_is_kept_or_refused(newsroom: Newsroom) -> None:
    assert newsroom.accepted(slug="pont-ferme")["slug"] == "pont-ferme"

    refused = newsroom.post(slug="pont-ferme")

    assert refused.status_code == 409
    assert refused.get_json()["code"] == "slug-taken"
    assert refused.get_json()["errors"][0]["pointer"] == "/slug"


def test_a_refile_is_a_new_revision_without_a_new_date(newsroom: Newsroom) -> None:
    article = newsroom.accepted(standfirst="Ancien", tags=["a"])

    answer = newsroom.send(
        "PATCH",
        f"/v1/articles/{article['id']}",
        {"headline": "Le pont ferme sept semaines", "standfirst": None, "tags": None},
        If_Match='"1"',
    )

    changed = answer.get_json()
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert (changed["headline"], changed["standfirst"], changed["tags"]) == ("Le pont ferme sept semaines", "", [])
    assert (changed["revision"], changed["slug"]) == (2, article["slug"])
    assert changed["body"] == article["body"]
    last = newsroom.said()[-1]
    assert last["type"] == "article.published.v1"
    assert last["data"]["article"]["updated_at"] == article["updated_at"]
    assert last["data"]["article"]["corrections"] == []


def test_a_correction_tells_readers_what_was_wrong_and_moves_the_date(newsroom: Newsroom) -> None:
    article = newsroom.accepted()
    path = f"/v1/articles/{article['id']}"
    change = {"change": "correction", "note": "Le pont ferme six semaines, non sept."}

    first = newsroom.send("PATCH", path, {**change, "body": {"text": "Corrigé."}}, If_Match='"1"').get_json()
    second = newsroom.send("PATCH", path, {"change": "correction", "note": "Et lundi."}, If_Match='"2"').get_json()

    assert first["body"] == {"format": "text", "text": "Corrigé.", "html": "<p>Corrigé.</p>"}
    assert first["updated_at"] > article["updated_at"]
    assert [one["note"] for one in second["corrections"]] == [change["note"], "Et lundi."]
    last = newsroom.said()[-1]
    assert (last["type"], last["lane"]) == ("article.corrected.v1", "urgent")
    assert [one["note"] for one in last["data"]["article"]["corrections"]] == [change["note"], "Et lundi."]
    refiled = newsroom.send("PATCH", path, {"headline": "Autre"}, If_Match='"3"')
    assert refiled.status_code == 200
    assert len(newsroom.said()[-1]["data"]["article"]["corrections"]) == 2


def test_a_change_that_changes_nothing_raises_no_number(newsroom: Newsroom) -> None:
    article = newsroom.accepted(tags=["a"], bylines=["Anne Roux"])

    answer = newsroom.send(
        "PATCH",
        f"/v1/articles/{article['id']}",
        {"headline": article["headline"], "tags": ["a"], "bylines": ["Anne Roux"], "slug": article["slug"]},
        If_Match='"1"',
    )

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
    assert len(newsroom.said()) == 1


def test_every_revision_is_kept(newsroom: Newsroom) -> None:
    article = newsroom.accepted()
    for number in (1, 2, 3):
        newsroom.send("PATCH", f"/v1/articles/{article['id']}", {"headline": f"Titre {number}"}, If_Match="*")

    with newsroom.node.reading() as session:
        headlines = session.scalars(select(Revision.headline).order_by(Revision.number)).all()
    assert headlines == [article["headline"], "Titre 1", "Titre 2", "Titre 3"]


def test_of_two_editors_the_second_is_told_that_the_first_was_faster(newsroom: Newsroom) -> None:
    article = newsroom.accepted()
    path = f"/v1/articles/{article['id']}"

    first = newsroom.send("PATCH", path, {"headline": "Un"}, If_Match=article_etag(newsroom, path))
    second = newsroom.send("PATCH", path, {"headline": "Deux"}, If_Match='"1"')
    without = newsroom.send("PATCH", path, {"headline": "Trois"})

    assert (first.status_code, second.status_code, without.status_code) == (200, 412, 428)
    assert "first-key" in second.get_json()["detail"]
    assert second.headers["ETag"] == '"2"'
    assert newsroom.send("GET", path).get_json()["headline"] == "Un"


def article_etag(newsroom: Newsroom, path: str) -> str:
    return newsroom.send("GET", path).headers["ETag"]


def test_a_draft_may_move_and_what_is_public_keeps_its_language_and_date(newsroom: Newsroom) -> None:
    newsroom.accepted(headline="Marché")
    draft = newsroom.accepted(headline="Marché", section="economie", status="draft")
    path = f"/v1/articles/{draft['id']}"

    moved = newsroom.send("PATCH", path, {"section": "societe"}, If_Match="*").get_json()
    named = newsroom.send("PATCH", path, {"slug": "halles", "language": "en"}, If_Match="*").get_json()
    taken = newsroom.send("PATCH", path, {"slug": "marche", "language": "fr"}, If_Match="*")
    newsroom.send("POST", f"{path}/publish")
    published_at = "2020-01-01T00:00:00Z"
    fixed = newsroom.send("PATCH", path, {"language": "fr", "published_at": published_at}, If_Match="*")

    assert moved["path"] == "/societe/marche-2"
    assert (named["path"], named["old_paths"]) == ("/en/societe/halles", [])
    assert (taken.status_code, taken.get_json()["code"]) == (409, "slug-taken")
    assert (fixed.status_code, fixed.get_json()["code"]) == (409, "address-fixed")
    assert [fault["pointer"] for fault in fixed.get_json()["errors"]] == ["/language", "/published_at"]


def test_the_old_address_of_what_is_public_leads_to_the_new_one_and_is_never_given_again(newsroom: Newsroom) -> None:
    article = newsroom.accepted(slug="pont")
    path = f"/v1/articles/{article['id']}"

    once = newsroom.send("PATCH", path, {"slug": "pont-ferme"}, If_Match="*").get_json()
    twice = newsroom.send("PATCH", path, {"section": "economie"}, If_Match="*").get_json()
    back = newsroom.send("PATCH", path, {"slug": "pont", "section": "societe"}, If_Match="*").get_json()
    other = newsroom.post(slug="pont-ferme")
    made = newsroom.accepted(headline="Pont ferme")

    assert (once["path"], once["old_paths"]) == ("/societe/pont-ferme", ["/societe/pont"])
    assert (twice["path"], twice["old_paths"]) == ("/economie/pont-ferme", ["/societe/pont", "/societe/pont-ferme"])
    assert (back["path"], back["old_paths"]) == ("/societe/pont", ["/societe/pont-ferme", "/economie/pont-ferme"])
    assert (other.status_code, made["slug"]) == (409, "pont-ferme-2")
    assert once["revision"] == 1
    assert newsroom.said()[-2]["data"]["article"]["old_paths"] == back["old_paths"]


def test_a_kill_is_said_urgently_without_a_text_and_no_editor_brings_the_article_back(newsroom: Newsroom) -> None:
    article = newsroom.accepted(standfirst="Faux")
    path = f"/v1/articles/{article['id']}"

    killed = newsroom.send("POST", f"{path}/kill", {"reason": "Tout est faux."}, If_Match='"99"')
    again = newsroom.send("POST", f"{path}/kill")
    publish = newsroom.send("POST", f"{path}/publish")
    patch = newsroom.send("PATCH", path, {"headline": "Vrai"}, If_Match="*")

    assert (killed.status_code, killed.get_json()["status"], killed.headers["ETag"]) == (200, "killed", '"2"')
    assert (again.status_code, again.headers["ETag"]) == (200, '"2"')
    assert (publish.status_code, patch.status_code) == (409, 409)
    assert patch.get_json()["code"] == "article-killed"
    last = newsroom.said()[-1]
    assert (last["type"], last["lane"]) == ("article.killed.v1", "urgent")
    public = last["data"]["article"]
    assert (public["status"], public["body_html"], public["standfirst"]) == ("killed", "", "")
    assert "faux" not in str(last).lower()
    assert len(newsroom.said()) == 2


def test_a_killed_draft_says_nothing_and_cannot_be_published(newsroom: Newsroom) -> None:
    draft = newsroom.accepted(status="draft")

    killed = newsroom.send("POST", f"/v1/articles/{draft['id']}/kill")
    published = newsroom.send("POST", f"/v1/articles/{draft['id']}/publish")

    assert (killed.status_code, published.status_code) == (200, 409)
    assert newsroom.said() == []


def test_the_slug_of_a_killed_article_is_never_given_again(newsroom: Newsroom) -> None:
    article = newsroom.accepted()
    newsroom.send("POST", f"/v1/articles/{article['id']}/kill")

    assert newsroom.accepted()["slug"] == f"{article['slug']}-2"


def test_an_article_is_read_with_its_tag_and_not_again_while_it_is_the_same(newsroom: Newsroom) -> None:
    article = newsroom.accepted(status="draft", published_at="2019-03-04T10:00:00Z")
    path = f"/v1/articles/{article['id']}"

    read = newsroom.send("GET", path)
    same = newsroom.send("GET", path, If_None_Match=read.headers["ETag"])
    other = newsroom.send("GET", path, If_None_Match='"7"')

    assert read.get_json() == article
    assert read.get_json()["published_at"] == "2019-03-04T10:00:00+00:00"
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", '"1"')
    assert other.status_code == 200


def test_lists_are_pages_newest_first_that_stay_in_place_when_articles_come_in(newsroom: Newsroom) -> None:
    ids = [newsroom.accepted(headline=f"Titre {n}")["id"] for n in range(5)]

    first = newsroom.send("GET", "/v1/articles?limit=2")
    newsroom.accepted(headline="Nouveau")
    second = newsroom.send("GET", links(first)["next"])
    third = newsroom.send("GET", links(second)["next"])
    back = newsroom.send("GET", links(second)["prev"])
    newest = newsroom.send("GET", links(back)["prev"])

    assert listed(first) == [ids[4], ids[3]]
    assert listed(second) == [ids[2], ids[1]]
    assert listed(third) == [ids[0]]
    assert "next" not in links(third)
    assert listed(back) == [ids[4], ids[3]]
    assert len(listed(newest)) == 1
    assert "prev" not in links(newest)


def test_lists_filter_by_state_section_and_language(newsroom: Newsroom) -> None:
    draft = newsroom.accepted(status="draft", section="sport")
    english = newsroom.accepted(language="en")
    killed = newsroom.accepted()
    newsroom.send("POST", f"/v1/articles/{killed['id']}/kill")

    assert listed(newsroom.send("GET", "/v1/articles?status=draft&section=sport")) == [draft["id"]]
    assert listed(newsroom.send("GET", "/v1/articles?language=en")) == [english["id"]]
    assert listed(newsroom.send("GET", "/v1/articles?status=killed&language=fr")) == [killed["id"]]
    assert listed(newsroom.send("GET", "/v1/articles?section=culture")) == []


def listed(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.get_json()["items"]]


def links(answer: Any) -> dict[str, str]:
    found = {}
    for part in filter(None, answer.headers.get("Link", "").split(", ")):
        target, _, relation = part.partition("; ")
        found[relation.removeprefix('rel="').rstrip('"')] = target.strip("<>")
    return found


def test_the_timeline_tells_the_newsrooms_own_steps_in_order(newsroom: Newsroom) -> None:
    article = newsroom.accepted()
    path = f"/v1/articles/{article['id']}"
    newsroom.send("PATCH", path, {"headline": "Autre"}, If_Match="*")
    newsroom.send("PATCH", path, {"change": "correction", "note": "Faux."}, If_Match="*")
    newsroom.send("POST", f"{path}/kill", {"reason": "Tout."})

    timeline = newsroom.send("GET", article["timeline"]).get_json()

    steps = [(one["step"], one["change"]) for one in timeline["items"]]
    assert steps == [("accepted", 1), ("published", 1), ("refiled", 2), ("corrected", 3), ("killed", 4)]
    assert timeline["items"][-1]["text"] == "It was killed by first-key: Tout."


# Requests that are repeated


def test_the_same_request_with_the_same_key_is_answered_with_the_first_answer(newsroom: Newsroom) -> None:
    first = newsroom.post({"Idempotency-Key": '"8e03978e"'})
    newsroom.send("PATCH", first.headers["Location"], {"headline": "Autre"}, If_Match="*")
    again = newsroom.post({"Idempotency-Key": "8e03978e"})

    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Location"] == first.headers["Location"]
    assert (again.headers["ETag"], again.headers["Idempotent-Replay"]) == ('"1"', "true")
    assert "Idempotent-Replay" not in first.headers
    assert count_articles(newsroom) == 1


def test_a_key_is_for_one_body_and_one_address(newsroom: Newsroom) -> None:
    first = newsroom.post({"Idempotency-Key": "k"})

    other = newsroom.post({"Idempotency-Key": "k"}, headline="Un autre")
    kill = newsroom.send("POST", f"{first.headers['Location']}/kill", Idempotency_Key="k")

    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency-key-reused")
    assert kill.status_code == 200
    assert count_articles(newsroom) == 1


def test_a_refused_request_may_be_put_right_under_the_same_key(newsroom: Newsroom) -> None:
    newsroom.accepted(slug="pont")
    refused = newsroom.post({"Idempotency-Key": "k"}, slug="pont")
    accepted = newsroom.post({"Idempotency-Key": "k"}, slug="quai")

    assert (refused.status_code, accepted.status_code) == (409, 201)


def test_twins_that_come_at_once_are_one_article(newsroom: Newsroom) -> None:
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(newsroom.post({"Idempotency-Key": "twin"}))) for _ in range(6)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert sum("Idempotent-Replay" in answer.headers for answer in answers) == 5
    assert count_articles(newsroom) == 1
    assert len(newsroom.said()) == 1


def count_articles(newsroom: Newsroom) -> int:
    with newsroom.node.reading() as session:
        return session.scalar(select(func.count()).select_from(Article)) or 0


def test_a_reply_has_just_the_fields_that_are_described(newsroom: Newsroom) -> None:
    article = newsroom.accepted(expires="2999-01-01T00:00:00Z", translations="01939c5e-0000-7000-8000-000000000000")
    corrected = newsroom.send(
        "PATCH", f"/v1/articles/{article['id']}", {"change": "correction", "note": "Faux."}, If_Match="*"
    ).get_json()
    (listed,) = newsroom.send("GET", "/v1/articles").get_json()["items"]

    assert corrected.keys() == replies.ArticleReply().fields.keys()
    assert listed.keys() == replies.ArticleSummaryReply().fields.keys()
    assert replies.ArticleReply().load(corrected, unknown="raise")
    assert replies.ArticleSummaryReply().load(listed, unknown="raise")
