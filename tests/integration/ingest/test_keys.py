"""API keys: made, shown once, checked, revoked, limited; and who did what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from services.ingest.app import create_app
from services.ingest.settings import IngestSettings
from shared import clock, keys
from shared.event_schemas import decode
from shared.migrate import upgrade
from shared.tables import first_answers, jobs
from tests.conftest import wait_for
from tests.integration.ingest.conftest import Newsroom


def with_key(newsroom: Newsroom, role: str, **fields: Any) -> Newsroom:
    """An editor at work with a key of this role."""
    made = newsroom.send("POST", "/v1/keys", {"name": f"a {role}", "role": role, **fields})
    assert made.status_code == 201, made.text
    other = Newsroom(newsroom.app)
    other.headers = {"Authorization": f"Bearer {made.get_json()['key']}"}
    return other


def test_a_key_is_shown_once_and_kept_as_a_hash(newsroom: Newsroom) -> None:
    made = newsroom.send("POST", "/v1/keys", {"name": "desk politique", "role": "editor"}, Idempotency_Key="k")
    token = made.get_json()["key"]
    again = newsroom.send("POST", "/v1/keys", {"name": "desk politique", "role": "editor"}, Idempotency_Key="k")

    assert (made.status_code, len(token)) == (201, 47)
    # Whoever lost the answer gets it again, key and all, though that stands nowhere.
    assert (again.status_code, again.get_json()) == (201, made.get_json())
    assert again.headers["Idempotent-Replay"] == "true"
    listed = newsroom.send("GET", "/v1/keys")
    assert token not in listed.text
    assert [one["name"] for one in listed.get_json()["items"]] == ["desk politique"]
    with newsroom.node.reading() as session:
        rows = session.execute(select(keys.api_keys)).all()
        bodies = session.scalars(select(first_answers.c.body)).all()
    assert rows[0].digest == keys.digest_of(token)
    assert token not in str(rows) + str(bodies) + str(newsroom.said())
    (said,) = newsroom.said()
    assert (said["type"], said["lane"], said["data"]["role"]) == ("key.changed.v1", "urgent", "editor")
    assert newsroom.said("recommend")[0]["id"] == said["id"]


def test_each_role_may_do_its_own(newsroom: Newsroom) -> None:
    reporter, editor, chief = (with_key(newsroom, role) for role in ("reporter", "editor", "chief"))

    draft = reporter.accepted(status="draft")
    path = f"/v1/articles/{draft['id']}"
    assert reporter.post(headline="En ligne").status_code == 403
    assert reporter.send("PATCH", path, {"headline": "Mieux"}, If_Match="*").status_code == 200
    assert reporter.send("POST", f"{path}/publish").status_code == 403
    assert editor.send("POST", f"{path}/publish").status_code == 200
    refused = reporter.send("PATCH", path, {"headline": "Non"}, If_Match="*")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "role-missing")
    assert editor.send("PATCH", path, {"change": "correction", "note": "Faux."}, If_Match="*").status_code == 200
    assert editor.post(headline="Éclair", urgency=1).status_code == 403
    assert editor.send("PATCH", path, {"urgency": 1}, If_Match="*").status_code == 403
    assert chief.post(headline="Éclair", urgency=1).status_code == 201
    assert editor.send("POST", f"{path}/kill").status_code == 403
    assert chief.send("POST", f"{path}/kill").status_code == 200
    assert editor.send("POST", f"{path}/revisions/1/restore").status_code == 403
    assert chief.send("POST", f"{path}/revisions/1/restore").status_code == 200
    timeline = newsroom.send("GET", draft["timeline"]).get_json()["items"]
    assert [(one["step"], one["detail"]["by"]) for one in timeline] == [
        ("accepted", "a reporter"),
        ("edited", "a reporter"),
        ("published", "a editor"),
        ("corrected", "a editor"),
        ("killed", "a chief"),
        ("restored", "a chief"),
    ]


def test_an_operator_sees_to_keys_and_to_no_article(newsroom: Newsroom) -> None:
    operator = with_key(newsroom, "operator")

    assert operator.post().status_code == 403
    assert operator.send("GET", "/v1/articles").status_code == 403
    assert operator.send("GET", "/v1/ingest/status").status_code == 200
    assert operator.send("POST", "/v1/keys", {"name": "b", "role": "chief"}).status_code == 201


def test_a_revoked_key_opens_nothing(newsroom: Newsroom) -> None:
    editor = with_key(newsroom, "editor")
    assert editor.send("GET", "/v1/articles").status_code == 200
    (key,) = newsroom.send("GET", "/v1/keys").get_json()["items"]

    revoked = newsroom.send("POST", f"/v1/keys/{key['id']}/revoke")
    again = newsroom.send("POST", f"/v1/keys/{key['id']}/revoke")

    assert (revoked.status_code, again.get_json()) == (200, revoked.get_json())
    assert editor.send("GET", "/v1/articles").status_code == 401
    assert [said["data"]["change"] for said in newsroom.said()] == [1, 2]
    assert newsroom.said()[-1]["data"]["revoked_at"] == revoked.get_json()["revoked_at"]
    assert newsroom.send("POST", "/v1/keys", {"name": key["name"], "role": "editor"}).status_code == 201
    assert newsroom.send("POST", "/v1/keys/01939c5e-0000-7000-8000-000000000000/revoke").status_code == 404


def test_a_key_ends_at_its_time_and_its_last_use_is_known(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = clock.now() + timedelta(hours=1)
    editor = with_key(newsroom, "editor", expires_at=ends.isoformat())

    assert editor.send("GET", "/v1/articles").status_code == 200
    (key,) = newsroom.send("GET", "/v1/keys").get_json()["items"]
    assert key["last_used_at"] is not None
    with monkeypatch.context() as then:
        then.setattr(clock, "now", lambda: ends)
        assert editor.send("GET", "/v1/articles").status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"name": "a", "role": "boss"}, 422),
        ({"name": "", "role": "editor"}, 422),
        ({"name": "a" * 81, "role": "editor"}, 422),
        ({"name": "a", "role": "editor", "expires_at": "2020-01-01T00:00:00Z"}, 422),
        ({"name": "a", "role": "editor", "colour": "red"}, 422),
        ({"name": "first-key", "role": "editor"}, 409),
        ([], 422),
    ],
)
def test_a_key_that_cannot_be_made_is_refused(newsroom: Newsroom, body: Any, status: int) -> None:
    assert newsroom.send("POST", "/v1/keys", body).status_code == status
    assert newsroom.send("GET", "/v1/keys").get_json() == {"items": []}


def test_two_valid_keys_have_no_name_in_common(newsroom: Newsroom) -> None:
    with_key(newsroom, "editor")

    assert newsroom.send("POST", "/v1/keys", {"name": "a editor", "role": "chief"}).status_code == 409


def test_what_other_services_hear_of_a_key_they_hold_in_the_order_of_its_changes(newsroom: Newsroom) -> None:
    editor = with_key(newsroom, "editor")
    (key,) = newsroom.send("GET", "/v1/keys").get_json()["items"]
    newsroom.send("POST", f"/v1/keys/{key['id']}/revoke")
    made, revoked = (decode(said, "urgent") for said in newsroom.said())

    with newsroom.node.unit_of_work() as session:
        keys.receive_keys(session, [revoked])
        keys.receive_keys(session, [made])
        row = keys.get_key(session, made.event.id)

    assert (row.change, row.revoked_at) == (2, revoked.event.revoked_at)
    assert editor.send("GET", "/v1/articles").status_code == 401


def test_a_replay_says_the_keys_again(newsroom: Newsroom) -> None:
    with_key(newsroom, "editor")

    newsroom.send("POST", "/v1/ingest/replay")

    said = newsroom.said()[-1]
    assert (said["type"], said["lane"]) == ("key.changed.v1", "bulk")


def test_a_key_that_asks_too_often_is_told_when_to_come_again(
    sqlite_url: str, settings_for: Any, redis_url: str
) -> None:
    settings = settings_for("ingest", sqlite_url, cls=IngestSettings, ROTATIVE_RATE_LIMIT="5")
    upgrade(sqlite_url, "ingest")
    app = create_app(settings)
    try:
        newsroom = Newsroom(app)

        def refused() -> Any:
            answer = newsroom.send("GET", "/v1/articles")
            return answer if answer.status_code == 429 else None

        answer: Any = wait_for(refused, "a request to be refused")
        assert answer.get_json()["code"] == "too-many-requests"
        assert int(answer.headers["Retry-After"]) >= 1
        wait_for(lambda: newsroom.send("GET", "/v1/articles").status_code == 200, "the key to be let in again")
    finally:
        app.extensions["rotative"].close()


def test_without_redis_nobody_is_refused(sqlite_url: str, settings_for: Any) -> None:
    variables = {"ROTATIVE_RATE_LIMIT": "1", "ROTATIVE_REDIS_URL": "redis://127.0.0.1:1/0"}
    settings = settings_for("ingest", sqlite_url, cls=IngestSettings, **variables)
    upgrade(sqlite_url, "ingest")
    app = create_app(settings)
    try:
        newsroom = Newsroom(app)
        assert {newsroom.send("GET", "/v1/articles").status_code for _ in range(30)} == {200}
        with newsroom.node.reading() as session:
            assert session.scalars(select(jobs.c.id)).all() == []
    finally:
        app.extensions["rotative"].close()
