"""WebSub hubs, search engines by IndexNow, and Apprise targets, each a real server on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs

import pytest
from sqlalchemy import select, update

from services.publish.app import create_app
from services.publish.channels import deliveries, subscriptions
from services.publish.channels.deliver import SURFACES_PATIENCE
from services.publish.channels.surfaces import LONGEST_PASS
from services.publish.kinds import BUILD_PAGE
from services.publish.models import Attempt, Delivery
from services.publish.service import create_service
from services.publish.settings import PublishSettings
from shared import clock, jobs, migrate
from shared.tables import jobs as jobs_table
from tests.factories import killed, public_article, published
from tests.fakes import Receiver, receiver
from tests.integration.publish.house import House, deliver, let_time_pass, states, statuses, subscribe

FEEDS = ("atom.xml", "feed.json", "feed.xml")


@pytest.fixture
def hub() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def attempt(house: House) -> None:
    let_time_pass(house)
    deliver(house)


def test_a_hub_is_pinged_once_for_each_feed_and_only_when_the_feeds_show_the_article(
    house: House, hub: Receiver
) -> None:
    subscribe(house, channel="websub", url=hub.url)
    house.hear(published(slug="un"), published(slug="deux"))
    deliver(house)
    with house.node.unit_of_work():
        pass
    house.node.run_jobs("retry")
    assert hub.got == []

    house.finish()
    attempt(house)

    forms = [parse_qs(one.body.decode()) for one in hub.got]
    assert {form["hub.mode"][0] for form in forms} == {"publish"}
    assert sorted(form["hub.url"][0] for form in forms) == [
        f"https://journal.test{folder}{feed}" for folder in ("/", "/societe/") for feed in FEEDS
    ]
    assert all(form["hub.url"] == form["hub.topic"] for form in forms)
    assert "un" in house.page("/feed.xml")
    assert states(house) == ["delivered", "delivered"]


def test_a_hub_is_never_sent_to_a_feed_that_is_not_built_and_the_delivery_says_so(house: House, hub: Receiver) -> None:
    subscribe(house, channel="websub", url=hub.url)
    house.hear(published(slug="un"))
    stuck = (jobs_table.c.kind == BUILD_PAGE) & (jobs_table.c.reference == "/societe")
    with house.node.unit_of_work() as session:
        session.execute(update(jobs_table).where(stuck).values(state="dead", error="the disk is full"))
    house.finish()
    attempt(house)
    assert states(house) == ["due"]

    with house.node.unit_of_work() as session:
        session.execute(update(Delivery).values(created_at=clock.now() - SURFACES_PATIENCE * 1.1))
    attempt(house)
    assert hub.got == []
    assert states(house) == ["failed"]
    with house.node.reading() as session:
        assert [one.answer for one in session.scalars(select(Attempt))] == ["not yet built: /societe"]

    with house.node.unit_of_work() as session:
        for dead in jobs.dead(session):
            jobs.retry_dead(session, dead.id, now=clock.now())
    house.finish()
    with house.node.unit_of_work() as session:
        deliveries.retry(session, session.scalars(select(Delivery.id)).one(), clock.now())
    attempt(house)
    assert states(house) == ["delivered"]
    assert len(hub.got) == 2 * len(FEEDS)


def test_a_hub_is_pinged_though_the_lists_are_asked_for_again_all_the_time(house: House, hub: Receiver) -> None:
    subscribe(house, channel="websub", url=hub.url)
    house.hear(published(slug="un"))
    house.finish()
    with house.node.unit_of_work() as session:
        session.execute(update(Delivery).values(created_at=clock.now() - LONGEST_PASS * 2))
        again = [(path, None) for path in ("/", "/societe", "/sitemaps/news-fr.xml", "/sitemap.xml")]
        jobs.add_many(session, BUILD_PAGE, again, run_at=clock.now())
    deliver(house)
    with house.node.unit_of_work() as session:
        mine = jobs_table.c.lane.in_(("deliver", "retry"))
        session.execute(update(jobs_table).where(mine, jobs_table.c.state == "ready").values(run_at=clock.now()))
    deliver(house)
    assert states(house) == ["delivered"]


def test_a_hub_waits_for_the_sitemap_too(house: House, hub: Receiver) -> None:
    subscribe(house, channel="indexnow", url=hub.url)
    article = public_article(slug="un")
    house.hear(published(**vars(article)))
    house.finish()
    month = f"{article.first_published_at:%Y-%m}"
    sitemap = f"/sitemaps/fr-{month}-1.xml"
    text = house.page(sitemap)
    house.site.put(sitemap, text.replace("/societe/un<", "/societe/autre<").encode())
    with house.node.unit_of_work() as session:
        session.execute(update(Delivery).values(created_at=clock.now() - LONGEST_PASS * 2))
        jobs.add(session, BUILD_PAGE, sitemap, run_at=clock.now(), payload={"check": True})
    attempt(house)
    assert hub.got == []

    house.finish()
    attempt(house)
    assert states(house) == ["delivered"]


def test_a_hub_hears_of_a_kill_and_nothing_of_a_refile(house: House, hub: Receiver) -> None:
    subscribe(house, channel="websub", url=hub.url)
    article = public_article()
    house.hear(published(**vars(article)))
    house.finish()
    attempt(house)
    told = len(hub.got)
    house.hear(published(**{**vars(article), "change": 2, "revision": 2}))
    house.finish()
    attempt(house)
    assert len(hub.got) == told

    house.hear(killed(**{**vars(article), "change": 3, "status": "killed", "body_html": ""}), lane="urgent")
    house.finish()
    attempt(house)

    assert len(hub.got) == 2 * told
    assert article.slug not in house.page("/feed.xml")


def test_a_hub_that_refuses_is_tried_again(house: House, hub: Receiver) -> None:
    subscribe(house, channel="websub", url=hub.url)
    hub.answer = lambda _: (503, {})
    house.hear(published())
    house.finish()
    attempt(house)
    hub.answer = lambda _: (202, {})
    attempt(house)
    assert statuses(house) == [503, 202]


def test_search_engines_get_one_batch_and_find_the_key_at_the_site(house: House, hub: Receiver) -> None:
    subscribe(house, channel="indexnow", url=hub.url)
    house.hear(*(published(slug=f"numero-{number}") for number in range(5)))
    house.finish()
    attempt(house)

    (one,) = hub.got
    batch = json.loads(one.body)
    assert batch["host"] == "journal.test"
    assert batch["keyLocation"] == f"https://journal.test/{batch['key']}.txt"
    assert batch["urlList"] == [f"https://journal.test/societe/numero-{number}" for number in range(5)]
    app = create_app(house.node.settings)  # type: ignore[arg-type]
    assert app.test_client().get(f"/{batch['key']}.txt").text == batch["key"]
    app.extensions["rotative"].close()
    assert states(house) == ["delivered"] * 5


def test_an_apprise_target_gets_the_headline_once(house: House, hub: Receiver) -> None:
    target = hub.url.replace("http://", "json://")
    subscribe(house, channel="apprise", url=target)
    subscribe(house, channel="apprise", url="nothing://known")
    house.hear(published(headline="Le pont ferme"))
    house.finish()
    attempt(house)

    (one,) = hub.got
    message = json.loads(one.body)
    assert message["title"] == "Le pont ferme"
    assert "https://journal.test/societe/le-pont-du-port-ferme" in message["message"]
    assert sorted(states(house)) == ["delivered", "failed"]


def test_an_apprise_message_begun_by_a_worker_that_died_is_not_sent_again(house: House, hub: Receiver) -> None:
    subscribe(house, channel="apprise", url=hub.url.replace("http://", "json://"))
    house.hear(published())
    with house.node.unit_of_work() as session:
        session.execute(update(Delivery).values(state="sending"))
    attempt(house)
    assert hub.got == []
    assert states(house) == ["unknown"]


def test_a_hub_of_the_settings_is_named_in_every_feed_and_subscribed_once(
    sqlite_url: str, settings_for: Callable[..., PublishSettings], hub: Receiver
) -> None:
    migrate.upgrade(sqlite_url, "publish")
    settings = settings_for(
        "publish",
        sqlite_url,
        cls=PublishSettings,
        ROTATIVE_WEBHOOK_ALLOW="127.0.0.0/8",
        ROTATIVE_WEBSUB_HUBS=hub.url,
        ROTATIVE_BASE_URL="https://journal.test",
    )
    house = House(create_service(settings), settings)
    for _ in range(2):
        with house.node.unit_of_work() as session:
            subscriptions.keep_hubs(session, settings.websub_hubs, clock.now())
    house.hear(published())
    house.finish()
    attempt(house)

    assert f'<atom:link rel="hub" href="{hub.url}"/>' in house.page("/feed.xml")
    assert f'<link rel="hub" href="{hub.url}"/>' in house.page("/atom.xml")
    assert json.loads(house.page("/feed.json"))["hubs"] == [{"type": "WebSub", "url": hub.url}]
    assert len(hub.got) == 6
    house.node.close()
