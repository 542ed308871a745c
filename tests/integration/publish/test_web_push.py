"""Alerts in browsers: subscribed over HTTP, sent encrypted and signed, read by a browser's half, ended with it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from flask.testing import FlaskClient
from sqlalchemy import select

from services.publish.app import create_app
from services.publish.models import Delivery, Subscription
from shared.events import ArticleCorrected, Correction, PublicArticle
from tests.factories import killed, public_article, published, today
from tests.fakes import Received, Receiver, receiver
from tests.integration.publish.browsers import Browser
from tests.integration.publish.house import House, deliver, states, statuses


@pytest.fixture
def reader(house: House) -> Iterator[FlaskClient]:
    app = create_app(house.node.settings)  # type: ignore[arg-type]
    yield app.test_client()
    app.extensions["rotative"].close()


@pytest.fixture
def service() -> Iterator[Receiver]:
    with receiver() as made:
        made.answer = lambda _: (201, {})
        yield made


@pytest.fixture
def browser(service: Receiver) -> Browser:
    return Browser(service.url)


def subscribe(reader: FlaskClient, browser: Browser, **wishes: Any) -> None:
    answer = reader.post("/push/subscriptions", json=browser.subscription(**wishes))
    assert answer.status_code == 201, answer.text


def claims_of(one: Received, key: str) -> dict[str, Any]:
    """The claims of a request's VAPID header, its signature checked with the key that browsers are given."""
    scheme, _, fields = one.headers["authorization"].partition(" ")
    assert scheme == "vapid"
    named = dict(field.strip().split("=", 1) for field in fields.split(","))
    assert named["k"] == key
    head, payload, signature = named["t"].split(".")

    def raw(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    assert json.loads(raw(head))["alg"] == "ES256"
    both = raw(signature)
    encoded = encode_dss_signature(int.from_bytes(both[:32], "big"), int.from_bytes(both[32:], "big"))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw(key))
    public.verify(encoded, f"{head}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
    return dict(json.loads(raw(payload)))


def test_an_urgent_article_reaches_the_browser_encrypted_and_signed(
    house: House, reader: FlaskClient, service: Receiver, browser: Browser
) -> None:
    subscribe(reader, browser, language="fr")
    article = public_article(headline="ه" * 190 + " العاجل", standfirst="م" * 600, urgency=1)
    house.hear(published(**vars(article)))
    deliver(house)

    (one,) = service.got
    assert len(one.body) <= 4096
    message = browser.read(one.body)
    assert message["url"] == f"https://journal.test{article.path}"
    assert message["title"] == article.headline
    assert one.headers["content-encoding"] == "aes128gcm"
    assert one.headers["urgency"] == "high"
    assert int(one.headers["ttl"]) > 0
    assert len(one.headers["topic"]) <= 32
    claims = claims_of(one, json.loads(reader.get("/push/key").text)["key"])
    assert claims["aud"] == service.url.removesuffix("/hook")
    assert claims["sub"] == "mailto:lettre@example.org"
    assert time.time() < claims["exp"] <= time.time() + 24 * 3600
    assert states(house) == ["delivered"]


def test_readers_are_alerted_to_what_is_urgent_in_their_language_and_sections(
    house: House, reader: FlaskClient, service: Receiver, browser: Browser
) -> None:
    subscribe(reader, browser, language="fr", sections=["societe"])
    house.hear(published(slug="calme", urgency=4), published(slug="ailleurs", urgency=2, section="sport"))
    house.hear(published(slug="english", urgency=2, language="en"))
    house.hear(published(slug="urgent", urgency=3))
    deliver(house)
    assert [browser.read(one.body)["url"].rpartition("/")[2] for one in service.got] == ["urgent"]


def test_a_correction_and_a_kill_take_the_alerts_place(
    house: House, reader: FlaskClient, service: Receiver, browser: Browser
) -> None:
    subscribe(reader, browser, language="fr")
    article = public_article(urgency=2)
    house.hear(published(**vars(article)))
    deliver(house)
    note = Correction(note="Six semaines, et non huit.", corrected_at=today("10:00"))
    values = {**vars(article), "change": 2, "revision": 2, "corrections": (note,)}
    house.hear(ArticleCorrected(article=PublicArticle(**values)), lane="urgent")
    deliver(house)
    house.hear(killed(**{**values, "change": 3, "status": "killed", "body_html": ""}), lane="urgent")
    deliver(house)

    messages = [browser.read(one.body) for one in service.got]
    assert [one["event"] for one in messages] == ["article.published", "article.corrected", "article.killed"]
    assert len({one["tag"] for one in messages}) == 1
    assert len({one.headers["topic"] for one in service.got}) == 1
    assert messages[1]["body"] == "Six semaines, et non huit."


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_told_nothing_more(
    house: House, reader: FlaskClient, service: Receiver, browser: Browser, status: int
) -> None:
    subscribe(reader, browser)
    service.answer = lambda _: (status, {})
    house.hear(published(slug="un", urgency=1))
    deliver(house)
    house.hear(published(slug="deux", urgency=1))
    deliver(house)
    assert len(service.got) == 1
    deliver(house)
    with house.node.reading() as session:
        for table in (Subscription, Delivery):
            assert session.scalars(select(table.id)).all() == []
    subscribe(reader, browser)  # the same browser may ask again


def test_a_push_without_an_answer_is_unknown_and_not_sent_twice(
    house: House, reader: FlaskClient, service: Receiver, browser: Browser
) -> None:
    subscribe(reader, browser)
    service.answer = lambda _: None
    house.hear(published(urgency=1))
    deliver(house)
    service.answer = lambda _: (201, {})
    deliver(house)
    assert len(service.got) == 1
    assert states(house) == ["unknown"]
    assert statuses(house) == [None]


def test_a_push_service_that_is_busy_is_asked_again(
    house: House, reader: FlaskClient, service: Receiver, browser: Browser
) -> None:
    subscribe(reader, browser)
    service.answer = lambda _: (429, {"Retry-After": "60"})
    house.hear(published(urgency=1))
    deliver(house)
    assert states(house) == ["due"]


def test_a_reader_leaves_and_nothing_of_him_is_kept(
    house: House, reader: FlaskClient, service: Receiver, browser: Browser
) -> None:
    subscribe(reader, browser)
    subscribe(reader, browser, urgency=1)
    house.hear(published(urgency=1))
    deliver(house)
    assert reader.delete("/push/subscriptions", json={"endpoint": browser.endpoint}).status_code == 204
    assert reader.delete("/push/subscriptions", json={"endpoint": browser.endpoint}).status_code == 204
    with house.node.reading() as session:
        assert session.scalars(select(Subscription.url)).all() == [""]
    deliver(house)

    with house.node.reading() as session:
        assert session.scalars(select(Subscription.id)).all() == []
        assert session.scalars(select(Delivery.id)).all() == []


def test_a_browser_with_a_new_endpoint_keeps_its_wishes(house: House, reader: FlaskClient, service: Receiver) -> None:
    old, new = Browser(f"{service.url}/old"), Browser(f"{service.url}/new")
    subscribe(reader, old, language="en", urgency=1)
    answer = reader.post("/push/subscriptions", json=new.subscription(replaces=old.endpoint))
    assert answer.status_code == 201
    with house.node.reading() as session:
        rows = session.scalars(select(Subscription).where(Subscription.status == "active")).all()
    assert [(row.url, row.language, row.filter["urgency"]) for row in rows] == [(new.endpoint, "en", 1)]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"endpoint": "https://10.0.0.1/push"}, "/endpoint"),
        ({"endpoint": "ftp://push.example/"}, "/endpoint"),
        ({"keys": {"p256dh": "AAAA", "auth": "AAAA"}}, "/keys"),
        ({"keys": {"p256dh": "é", "auth": "AAAA"}}, "/keys"),
        ({"keys": None}, "/keys"),
        ({"sections": ["nulle-part"]}, "/sections/0"),
        ({"urgency": 0}, "/urgency"),
    ],
)
def test_what_no_browser_would_send_is_refused(
    reader: FlaskClient, browser: Browser, change: dict[str, Any], pointer: str
) -> None:
    answer = reader.post("/push/subscriptions", json={**browser.subscription(), **change})
    assert answer.status_code == 422
    assert pointer in [fault["pointer"] for fault in answer.get_json()["errors"]]


def test_an_address_that_asks_too_often_has_to_wait(reader: FlaskClient, browser: Browser) -> None:
    answers = [reader.delete("/push/subscriptions", json={"endpoint": "x"}).status_code for _ in range(30)]
    assert answers[0] == 204
    assert answers[-1] == 429


def test_the_service_worker_knows_the_newspaper(reader: FlaskClient) -> None:
    answer = reader.get("/push/worker.js")
    assert answer.content_type.startswith("text/javascript")
    assert '"Les Deux Rives"' in answer.text
    assert "notificationclick" in answer.text
