"""Requests to publish that are repeated with their Idempotency-Key: each of its POSTs, on both databases."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from services.publish.app import create_app
from services.publish.channels import readers, store
from services.publish.channels.secrets import reader_secret, webhook_secret
from services.publish.kinds import RETRY_DELIVERIES
from services.publish.models import Delivery, Subscription
from services.publish.settings import PublishSettings
from services.publish.transports.webhook import shown_secret
from shared import clock
from shared.sweeper import tidy
from shared.tables import first_answers
from shared.tables import jobs as jobs_table
from tests.fakes import Receiver
from tests.integration.publish.house import House, deliver, publish_one, subscribe
from tests.wiring.test_repeats import ONLY_READ

KEY = {"Authorization": "Bearer the-first-key-of-the-tests"}
URL = "http://127.0.0.1:9/hook"


@pytest.fixture
def app(settings: PublishSettings, house: House) -> Iterator[Flask]:
    app = create_app(settings)
    yield app
    app.extensions["rotative"].close()


def post(app: Flask, path: str, body: Any = None, key: str | None = "k") -> TestResponse:
    headers = KEY | ({"Idempotency-Key": key} if key else {})
    return app.test_client().post(path, json=body, headers=headers)


def new_subscription(app: Flask) -> str:
    made = post(app, "/v1/subscriptions", {"channel": "webhook", "url": URL}, key=None)
    assert made.status_code == 201, made.text
    return str(made.get_json()["id"])


def failed_delivery(house: House, told: Receiver) -> UUID:
    subscribe(house, url=told.url)
    told.answer = lambda _: (404, {})
    publish_one(house)
    deliver(house)
    with house.node.reading() as session:
        return session.scalars(select(Delivery.id).where(Delivery.state == "failed")).one()


def dead_letter(house: House) -> int:
    with house.node.unit_of_work() as session:
        values = {"kind": "build_page", "reference": "/dead", "lane": "bulk", "state": "dead", "run_at": clock.now()}
        values |= {"attempts": 1, "failed": 1, "crashed": 0, "alone": False, "trace": "", "created_at": clock.now()}
        session.execute(jobs_table.insert().values(values))
        return session.scalars(select(jobs_table.c.id).where(jobs_table.c.state == "dead")).one()


def a_reader(house: House) -> str:
    address = "lea@lecteurs.test"
    settings: Any = house.node.settings
    with house.node.unit_of_work() as session:
        readers.sign_up(
            session,
            address=address,
            language="fr",
            daily=True,
            flash=False,
            reader=readers.reader_of("email", address, reader_secret(settings)),
            newsroom=house.publish.builder.newsroom,
            now=clock.now(),
        )
    return address


def a_request(rule: str, app: Flask, house: House, told: Receiver) -> tuple[str, Any]:
    """The path and the body of a request to a route that can be done once."""
    if rule == "/v1/subscriptions":
        return rule, {"channel": "webhook", "url": URL}
    if rule.startswith("/v1/subscriptions/<"):
        return re.sub("<[^>]*>", new_subscription(app), rule), None
    if rule.startswith("/v1/deliveries/<"):
        return re.sub("<[^>]*>", str(failed_delivery(house, told)), rule), None
    if rule.startswith("/v1/publish/dead/"):
        return re.sub("<[^>]*>", str(dead_letter(house)), rule), None
    if rule == "/v1/deliveries/retry":
        return rule, {"channel": "webhook", "since": "2026-01-01T00:00:00Z"}
    if rule == "/v1/publish/rebuild":
        return rule, {"path": "/"}
    if rule == "/v1/publish/readers/erase":
        return rule, {"address": a_reader(house)}
    raise AssertionError(f"this test has no request to {rule}")


def test_every_post_is_done_once_and_its_repetition_gets_the_first_answer(
    app: Flask, house: House, told: Receiver
) -> None:
    rules = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and rule.rule.startswith("/v1/") and rule.rule not in ONLY_READ
    ]
    assert len(rules) >= 9
    for number, rule in enumerate(sorted(rules)):
        path, body = a_request(rule, app, house, told)
        first = post(app, path, body, key=f'"key {number}"'.replace(" ", "-"))
        done = jobs_asked(house)
        again = post(app, path, body, key=f"key-{number}")

        assert 200 <= first.status_code < 300, (rule, first.text)
        assert (again.status_code, again.data) == (first.status_code, first.data), rule
        assert again.headers.get("Location") == first.headers.get("Location")
        assert "Idempotent-Replay" not in first.headers
        assert again.headers["Idempotent-Replay"] == "true", rule
        assert jobs_asked(house) == done, rule


def jobs_asked(house: House) -> int:
    with house.node.reading() as session:
        return session.scalar(select(func.count()).select_from(jobs_table)) or 0


def test_the_same_key_with_another_body_is_refused_and_of_another_path_or_owner_is_another(app: Flask) -> None:
    first = post(app, "/v1/subscriptions", {"channel": "webhook", "url": URL})
    other = post(app, "/v1/subscriptions", {"channel": "webhook", "url": f"{URL}/2"})
    paused = post(app, f"{first.headers['Location']}/pause")

    assert first.status_code == 201
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency-key-reused")
    assert paused.status_code == 200
    assert "Idempotent-Replay" not in paused.headers


@pytest.mark.parametrize("key", ["", '""', "two words", "é", "x" * 256])
def test_a_bad_key_is_refused(app: Flask, key: str) -> None:
    headers = KEY | {"Idempotency-Key": key.encode().decode("latin-1")}
    answer = app.test_client().post("/v1/subscriptions", json={"channel": "webhook", "url": URL}, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad-request")


def test_a_refused_request_keeps_nothing_and_may_be_tried_again(app: Flask) -> None:
    refused = post(app, "/v1/subscriptions", {"channel": "webhook", "url": "nowhere"})
    taken = post(app, "/v1/subscriptions", {"channel": "webhook", "url": URL})
    assert (refused.status_code, taken.status_code) == (422, 201)


def test_twins_make_one_subscription(app: Flask, house: House) -> None:
    answers: list[TestResponse] = []
    body = {"channel": "webhook", "url": URL}
    twins = [threading.Thread(target=lambda: answers.append(post(app, "/v1/subscriptions", body))) for _ in range(6)]
    for one in twins:
        one.start()
    for one in twins:
        one.join()

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert sum("Idempotent-Replay" in answer.headers for answer in answers) == 5
    with house.node.reading() as session:
        assert session.scalar(select(func.count()).select_from(Subscription)) == 1


def test_a_secret_is_shown_again_to_a_repetition_and_stands_nowhere(
    app: Flask, house: House, settings: PublishSettings
) -> None:
    body = {"channel": "webhook", "url": URL}
    made = post(app, "/v1/subscriptions", body).get_json()
    turned = post(app, f"/v1/subscriptions/{made['id']}/rotate").get_json()

    assert post(app, "/v1/subscriptions", body).get_json() == made
    assert post(app, f"/v1/subscriptions/{made['id']}/rotate").get_json() == turned
    secrets = [shown_secret(webhook_secret(settings, UUID(made["id"]), version)) for version in (1, 2)]
    assert [made["secret"], turned["secret"]] == secrets
    with house.node.reading() as session:
        kept = str(session.execute(select(first_answers)).all())
        subscription = store.subscription(session, UUID(made["id"]))
    assert not any(secret in kept for secret in secrets)
    assert subscription is not None
    assert subscription.secret_version == 2


def test_answers_survive_a_restart_and_are_kept_for_a_day(
    app: Flask, house: House, settings: PublishSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"channel": "webhook", "url": URL}
    first = post(app, "/v1/subscriptions", body)
    restarted = create_app(settings)
    assert post(restarted, "/v1/subscriptions", body).data == first.data
    restarted.extensions["rotative"].close()

    def left_after(hours: int) -> int:
        at = clock.now() + timedelta(hours=hours)
        with monkeypatch.context() as then:
            then.setattr(clock, "now", lambda: at)
            tidy(house.node)
        with house.node.reading() as session:
            return session.scalar(select(func.count()).select_from(first_answers)) or 0

    assert (left_after(23), left_after(25)) == (1, 0)


def test_an_erased_reader_is_not_kept_in_an_answer(app: Flask, house: House) -> None:
    address = a_reader(house)
    assert post(app, "/v1/publish/readers/erase", {"address": address}).status_code == 204
    with house.node.reading() as session:
        kept = str(session.execute(select(first_answers)).all())
    assert address not in kept


def test_bulk_retries_are_asked_for_once(app: Flask, house: House) -> None:
    for _ in range(3):
        assert post(app, "/v1/deliveries/retry", {"status": 503}).status_code == 202
    with house.node.reading() as session:
        asked = select(func.count()).select_from(jobs_table).where(jobs_table.c.kind == RETRY_DELIVERIES)
        assert session.scalar(asked) == 1


def test_what_cannot_be_tried_is_refused_instead_of_done(app: Flask) -> None:
    refused = post(app, "/v1/subscriptions?dry_run=true", {"channel": "webhook", "url": "http://127.0.0.1:9/hook"})

    assert refused.status_code == 400
    assert "dry_run" in refused.get_json()["detail"]
