"""Deliveries to a real receiver on this machine: signed, recorded, tried again, ended; one delays no other."""

from __future__ import annotations

import base64
import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from standardwebhooks import Webhook

from services.publish.channels import store, subscriptions
from services.publish.channels.secrets import webhook_secret
from services.publish.kinds import RESUME_SUBSCRIPTION
from services.publish.models import Delivery, Subscription
from services.publish.service import create_service
from services.publish.settings import PublishSettings
from services.publish.transports.webhook import shown_secret
from shared import clock, jobs, migrate
from shared.events import ArticleCorrected, Correction, PublicArticle
from shared.tables import jobs as jobs_table
from shared.tables import outbox as outbox_table
from tests.conftest import wait_for
from tests.factories import killed, public_article, published, today
from tests.fakes import SILENT, Received, Receiver, receiver
from tests.integration.publish.house import House, deliver, let_time_pass, publish_one, states, statuses, subscribe


def test_a_delivery_is_a_cloudevent_that_the_reference_library_verifies(house: House, told: Receiver) -> None:
    subscription_id = subscribe(house, url=told.url)
    article = public_article(headline="Le pont ferme")
    house.hear(published(**vars(article)))
    house.finish()

    deliver(house)

    (one,) = told.got
    secret = webhook_secret(house.node.settings, subscription_id, 1)
    assert base64.b64decode(shown_secret(secret).removeprefix("whsec_")) == secret
    body = Webhook(shown_secret(secret)).verify(one.body, one.headers)
    assert body["type"] == "article.published"
    assert body["id"] == one.headers["webhook-id"]
    assert body["data"]["headline"] == "Le pont ferme"
    assert body["data"]["url"] == f"https://journal.test{article.path}"
    assert states(house) == ["delivered"]
    deliver(house)
    assert len(told.got) == 1


@pytest.mark.parametrize("status", [500, 503, 429, 408, 425, 301])
def test_a_refused_delivery_is_tried_again_with_the_same_id(house: House, told: Receiver, status: int) -> None:
    subscribe(house, url=told.url)
    told.answer = lambda _: (status, {"Location": "/elsewhere"})
    publish_one(house)
    deliver(house)
    told.answer = lambda _: (200, {})
    deliver(house)
    assert states(house) == ["due"]

    let_time_pass(house)
    deliver(house)

    assert statuses(house) == [status, 200]
    assert states(house) == ["delivered"]
    assert len(set(told.ids())) == 1


@pytest.mark.parametrize("paused", [False, True])
def test_nobody_is_told_that_an_article_is_live_which_was_killed_meanwhile(
    house: House, told: Receiver, paused: bool
) -> None:
    # One who does not hear of kills, or was paused when it was: what he is owed of the article ends all the same.
    subscription_id = subscribe(house, url=told.url, filter={"events": ["article.published"]})
    told.answer = lambda _: (503, {})
    article = public_article()
    house.hear(published(**vars(article)))
    house.finish()
    deliver(house)
    if paused:
        with house.node.unit_of_work() as session:
            session.execute(update(Subscription).values(status="paused"))
        let_time_pass(house)
        deliver(house)
    asked = len(told.got)

    house.hear(killed(**{**vars(article), "change": 2, "status": "killed", "body_html": ""}), lane="urgent")
    if paused:
        with house.node.unit_of_work() as session:
            session.execute(update(Subscription).values(status="active"))
            jobs.add(session, RESUME_SUBSCRIPTION, str(subscription_id), lane="deliver")
    told.answer = lambda _: (200, {})
    let_time_pass(house)
    deliver(house)
    deliver(house)

    assert len(told.got) == asked
    assert states(house) == ["superseded"]


def test_who_heard_that_an_article_was_gone_hears_that_it_is_back_and_nobody_else_does(
    house: House, told: Receiver
) -> None:
    subscribe(house, url=told.url)
    subscribe(house, url=f"{told.url}/first", filter={"events": ["article.published"]})
    article = public_article()
    house.hear(published(**vars(article)))
    house.finish()
    deliver(house)
    house.hear(killed(**{**vars(article), "change": 2, "status": "killed", "body_html": ""}), lane="urgent")
    house.finish()
    deliver(house)
    for change in (3, 4):  # restored, then refiled
        house.hear(published(**{**vars(article), "change": change}))
        house.finish()
        deliver(house)

    heard = Counter((one.path, json.loads(one.body)["type"]) for one in told.got)
    paths = sorted({path for path, _ in heard}, key=len)
    assert heard == {
        (paths[0], "article.published"): 2,
        (paths[0], "article.killed"): 1,
        (paths[1], "article.published"): 1,
    }


@pytest.mark.parametrize("channel", ["webhook", "indexnow"])
def test_a_refile_is_no_news_to_who_subscribed_when_the_article_was_live_already(
    house: House, told: Receiver, channel: str
) -> None:
    first, archived = (
        public_article(live_since=clock.now()),
        public_article(slug="archive", first_published_at=today("06:00")),
    )
    house.hear(published(**vars(first)), published(**{**vars(archived), "live_since": clock.now()}))
    house.finish()
    subscribe(house, channel=channel, url=told.url)

    for one in (first, archived):
        house.hear(published(**{**vars(one), "live_since": first.live_since, "change": 2, "revision": 2}))
        house.finish()
        let_time_pass(house)
        deliver(house)
    assert told.got == []

    # A correction is news all the same, to programs that hold what the site shows; and so is its end.
    note = Correction(note="Six semaines, et non huit.", corrected_at=clock.now())
    corrected = {**vars(first), "change": 3, "revision": 3, "corrections": (note,)}
    house.hear(ArticleCorrected(article=PublicArticle(**corrected)), lane="urgent")
    house.hear(published(**{**corrected, "change": 4, "revision": 4}))
    house.hear(killed(**{**vars(archived), "live_since": first.live_since, "change": 3, "status": "killed"}))
    house.finish()
    let_time_pass(house)
    deliver(house)
    assert sorted(types(house)) == ["article.corrected", "article.killed"]
    assert set(states(house)) == {"delivered"}


def test_what_went_live_after_somebody_subscribed_is_told_though_its_first_event_was_overtaken(
    house: House, told: Receiver
) -> None:
    subscribe(house, url=told.url)
    # Of a refile that came first; and as services said it before they said since when.
    house.hear(published(change=2, revision=2, live_since=clock.now()))
    house.hear(published(slug="jadis", change=5, revision=3))
    house.finish()
    deliver(house)
    assert [json.loads(one.body)["type"] for one in told.got] == ["article.published"] * 2


def test_another_filter_or_an_end_of_a_pause_makes_no_news_of_refiles(house: House, told: Receiver) -> None:
    changed, paused = subscribe(house, url=told.url, filter={"sections": ["sport"]}), subscribe(house, url=told.url)
    newsroom = house.publish.builder.newsroom
    with house.node.unit_of_work() as session:
        subscriptions.pause(session, paused, clock.now())
    article = public_article(live_since=clock.now())
    house.hear(published(**vars(article)))
    house.finish()
    with house.node.unit_of_work() as session:
        subscriptions.change(session, changed, {"filter": {"sections": ["societe"]}}, newsroom, clock.now())
        subscriptions.resume(session, paused, clock.now())
    house.hear(published(**{**vars(article), "change": 2, "revision": 2}))
    house.finish()
    deliver(house)
    assert types(house) == []


def types(house: House) -> list[str]:
    with house.node.reading() as session:
        return list(session.scalars(select(Delivery.type).order_by(Delivery.id)))


def test_retry_after_is_honoured(house: House, told: Receiver) -> None:
    subscribe(house, url=told.url)
    told.answer = lambda _: (503, {"Retry-After": "3600"})
    before = clock.now()
    publish_one(house)
    deliver(house)
    with house.node.reading() as session:
        at = session.scalar(select(Delivery.next_attempt_at))
    assert at is not None
    assert at >= before + timedelta(hours=1)


def test_410_ends_the_subscription_and_other_4xx_only_the_delivery(house: House, told: Receiver) -> None:
    subscribe(house, url=told.url)
    told.answer = lambda _: (404, {})
    publish_one(house, slug="un")
    deliver(house)
    told.answer = lambda _: (410, {})
    publish_one(house, slug="deux")
    deliver(house)
    publish_one(house, slug="trois")

    assert states(house) == ["failed", "failed"]
    with house.node.reading() as session:
        assert [one.status for one in store.subscriptions(session, None, 10)] == ["disabled"]


def test_an_attempt_without_an_answer_is_recorded_as_such(house: House, told: Receiver) -> None:
    subscribe(house, url=told.url)
    told.answer = lambda _: None
    publish_one(house)
    deliver(house)
    assert statuses(house) == [None]
    assert states(house) == ["due"]
    with house.node.reading() as session:
        said = " ".join(session.scalars(select(outbox_table.c.envelope)))
    assert '"why": "hung-up"' in said or '"why":"hung-up"' in said  # for the article's timeline


def test_a_url_that_nothing_can_be_sent_to_fails_and_holds_up_nobody(house: House, told: Receiver) -> None:
    bad = subscribe(house, url=told.url)
    with house.node.unit_of_work() as session:
        session.execute(
            update(Subscription).where(Subscription.id == bad).values(url="https://hooks..example.com/" + "x" * 5)
        )
    subscribe(house, url=told.url)
    publish_one(house)

    deliver(house)

    assert sorted(states(house)) == ["delivered", "failed"]


def test_one_dead_receiver_delays_no_other(house: House, told: Receiver) -> None:
    subscribe(house, url="http://127.0.0.1:9/nobody")
    subscribe(house, url=told.url)
    for number in range(4):
        publish_one(house, slug=f"numero-{number}")
    deliver(house)
    assert len(told.got) == 4
    assert sorted(states(house)) == ["delivered"] * 4 + ["due"] * 4


def test_an_address_in_a_private_network_is_refused_when_connecting(
    sqlite_url: str, settings_for: Callable[..., PublishSettings], told: Receiver, tmp_path: Path
) -> None:
    settings = settings_for("publish", sqlite_url, cls=PublishSettings, ROTATIVE_WEBHOOK_ALLOW="10.0.0.0/8")
    migrate.upgrade(sqlite_url, "publish")
    house = House(create_service(settings), settings)
    with house.node.unit_of_work() as session:
        url = told.url.replace("127.0.0.1", "localhost")
        subscriptions.subscribe(
            session,
            channel="webhook",
            url=url,
            filter={},
            allow=settings.webhook_allow,
            newsroom=house.publish.builder.newsroom,
            now=clock.now(),
        )
    publish_one(house)
    deliver(house)
    assert told.got == []
    assert states(house) == ["failed"]
    house.node.close()


def test_an_answer_lost_between_request_and_record_repeats_with_the_same_id(house: House, told: Receiver) -> None:
    subscribe(house, url=told.url)
    publish_one(house)
    another = House(create_service(house.node.settings), house.node.settings)  # type: ignore[arg-type]

    def lose_the_lease(one: Received) -> tuple[int, dict[str, str]]:
        if len(told.got) == 1:
            with another.node.unit_of_work() as session:
                session.execute(update(jobs_table).values(lease_until=clock.now() - timedelta(1)))
                jobs.free_expired(session, now=clock.now())
            deliver(another)
        return 200, {}

    told.answer = lose_the_lease
    deliver(house)
    another.node.close()

    assert len(told.got) == 2
    assert len(set(told.ids())) == 1
    assert json.loads(told.got[0].body) == json.loads(told.got[1].body)
    assert states(house) == ["delivered"]
    assert statuses(house) == [200]


def test_a_slow_receiver_holds_up_nobody_however_much_it_is_owed(house: House, told: Receiver) -> None:
    freed = threading.Event()

    def wait(_: Received) -> tuple[int, dict[str, str]]:
        freed.wait(20)
        return 204, {}

    with receiver() as slow:
        slow.answer = wait
        for _ in range(30):
            subscribe(house, url=slow.url)
            subscribe(house, url=told.url)
        publish_one(house, slug="un")
        publish_one(house, slug="deux")
        house.node.run_jobs("deliver")
        wait_for(lambda: len(told.got) == 60, "everything for the fast receiver")
        assert states(house).count("due") >= 60

        freed.set()

        def all_arrived() -> bool:
            let_time_pass(house)
            deliver(house)
            return states(house) == ["delivered"] * 120

        wait_for(all_arrived, "what the slow receiver was owed, few at a time")


def test_ten_addresses_of_a_host_that_hang_or_fail_delay_no_other_address_there(
    house: House, settings: PublishSettings, told: Receiver
) -> None:
    patient = replace(settings, webhook_timeout_s=30.0)  # whoever hangs does so until the test is over
    house.node.close()
    there = House(create_service(patient), patient)
    base = told.url.removesuffix("/hook")
    failing = [f"/{kind}/{number}" for number in range(5) for kind in ("hangs", "fails")]
    for path in (*failing, "/well"):
        subscribe(there, url=f"{base}{path}")
    told.answer = lambda one: SILENT if "hangs" in one.path else (500 if "fails" in one.path else 204, {})
    for number in range(20):
        there.hear(published(slug=f"numero-{number}"))
    there.finish()

    def all_is_well() -> bool:
        for lane in ("deliver", "retry"):
            there.node.run_jobs(lane)
        let_time_pass(there)
        return sum(one.path == "/well" for one in told.got) >= 20

    wait_for(all_is_well, "everything at the address that is well", 25)
    ways = Counter(one.path for one in told.got)
    assert ways["/well"] == 20
    assert all(ways[f"/hangs/{number}"] < 20 for number in range(5))  # still waited for
    told.ended.set()
    there.node.close()


@pytest.mark.parametrize("correction", [False, True])
def test_a_receiver_that_was_down_hears_first_of_the_newest_state(
    house: House, told: Receiver, correction: bool
) -> None:
    subscription_id = subscribe(house, url="http://127.0.0.1:9/nobody")
    article = public_article(live_since=clock.now())
    house.hear(published(**vars(article)))
    house.finish()
    deliver(house)
    assert statuses(house) == [None]

    note = (Correction(note="Six semaines.", corrected_at=clock.now()),) if correction else ()
    newer = {**vars(article), "change": 2, "revision": 2, "headline": "Le pont rouvre", "corrections": note}
    event = ArticleCorrected(article=PublicArticle(**newer)) if correction else published(**newer)
    house.hear(event)
    house.finish()
    with house.node.unit_of_work() as session:
        session.execute(update(Subscription).where(Subscription.id == subscription_id).values(url=told.url))
    let_time_pass(house)
    deliver(house)

    (one,) = [json.loads(one.body) for one in told.got]
    assert (one["type"], one["data"]["headline"]) == ("article.published", "Le pont rouvre")


@pytest.mark.parametrize("channel", ["webhook", "websub"])
def test_the_end_of_what_came_in_quietly_is_told_to_programs(house: House, told: Receiver, channel: str) -> None:
    subscribe(house, channel=channel, url=told.url)
    article = public_article(live_since=clock.now(), notify=False)
    house.hear(published(**vars(article)))
    house.finish()
    deliver(house)
    assert types(house) == []

    house.hear(killed(**{**vars(article), "change": 2, "status": "killed"}))
    house.finish()
    let_time_pass(house)
    deliver(house)
    assert types(house) == ["article.killed"]
    assert set(states(house)) == {"delivered"}
