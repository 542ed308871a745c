"""What operators do with subscriptions and failed deliveries, over HTTP, on both databases."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from standardwebhooks import Webhook, WebhookVerificationError

from services.publish.app import create_app
from services.publish.channels import announce as announcing
from services.publish.channels import store
from services.publish.kinds import TELL_OWNER
from services.publish.models import Attempt, Delivery, Flash, Subscription
from services.publish.service import create_service
from services.publish.settings import PublishSettings
from shared import clock, migrate
from shared import jobs as queue
from shared.db import Database
from shared.events import ArticleCorrected, ArticleRetracted, Correction, PublicArticle, Retraction
from shared.ids import new_id
from shared.tables import jobs as jobs_table
from shared.tables import outbox as outbox_table
from tests.factories import killed, public_article, published, today
from tests.fakes import Receiver, receiver
from tests.integration.publish.house import House, deliver, let_time_pass, publish_one, states, statuses, subscribe
from tests.javascript.reference import verify


class Operator:
    """Asks the API with the first key."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def __call__(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self.client.open(
            path, method=method, json=body, headers={"Authorization": "Bearer the-first-key-of-the-tests"}
        )
        assert answer.status_code == status, answer.text
        return answer.get_json(silent=True)


@pytest.fixture
def ask(settings: PublishSettings, house: House) -> Iterator[Operator]:
    app = create_app(settings)
    yield Operator(app.test_client())
    app.extensions["rotative"].close()


def made(ask: Operator, url: str, **values: Any) -> Any:
    return ask("POST", "/v1/subscriptions", {"channel": "webhook", "url": url, **values}, 201)


def test_while_a_secret_is_changed_both_secrets_verify_and_afterwards_only_the_new_one(
    house: House, ask: Operator, told: Receiver
) -> None:
    one = made(ask, told.url)
    new = ask("POST", f"/v1/subscriptions/{one['id']}/rotate")
    assert new["secret"] != one["secret"]
    publish_one(house, slug="un")
    deliver(house)
    for secret in (one["secret"], new["secret"]):
        Webhook(secret).verify(told.got[0].body, told.got[0].headers)

    with house.node.unit_of_work() as session:
        session.execute(update(Subscription).values(old_secret_until=clock.now() - timedelta(seconds=1)))
    publish_one(house, slug="deux")
    deliver(house)

    Webhook(new["secret"]).verify(told.got[1].body, told.got[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(one["secret"]).verify(told.got[1].body, told.got[1].headers)
    assert "secret" not in ask("GET", f"/v1/subscriptions/{one['id']}")


@pytest.mark.parametrize("channel", ["websub", "indexnow", "apprise"])
def test_only_webhooks_have_a_secret_to_be_changed(ask: Operator, told: Receiver, channel: str) -> None:
    url = told.url.replace("http://", "json://") if channel == "apprise" else told.url
    one = ask("POST", "/v1/subscriptions", {"channel": channel, "url": url}, 201)
    assert "secret" not in one
    assert ask("POST", f"/v1/subscriptions/{one['id']}/rotate", status=409)["code"] == "no-secret"


def test_the_javascript_reference_library_verifies_what_the_python_one_does(
    house: House, ask: Operator, told: Receiver
) -> None:
    one = made(ask, told.url)
    publish_one(house, slug="un", headline="العربية – l’été, « 🎉 »")
    deliver(house)
    new = ask("POST", f"/v1/subscriptions/{one['id']}/rotate")
    publish_one(house, slug="deux")
    deliver(house)
    before, changing = told.got
    forged = replace(before, body=before.body.replace(b"fr", b"en", 1))
    old_clock = replace(before, headers={**before.headers, "webhook-timestamp": "1700000000"})

    found = verify(
        [
            (one["secret"], before),
            (one["secret"], changing),
            (new["secret"], changing),
            (new["secret"], before),
            (one["secret"], forged),
            (one["secret"], old_clock),
        ]
    )

    assert [json.loads(text) for text in found[:3]] == [json.loads(one.body) for one in (before, changing, changing)]
    assert found[3:] == ["WebhookVerificationError"] * 3


def test_a_test_is_sent_signed_and_tells_nothing_of_an_article(house: House, ask: Operator, told: Receiver) -> None:
    one = made(ask, told.url, contact="web@example.org")
    delivery_id = ask("POST", f"/v1/subscriptions/{one['id']}/test", status=202)["delivery_id"]
    deliver(house)

    body = Webhook(one["secret"]).verify(told.got[0].body, told.got[0].headers)
    assert body["type"] == "subscription.test"
    shown = ask("GET", f"/v1/deliveries/{delivery_id}")
    assert (shown["state"], [attempt["status"] for attempt in shown["attempts"]]) == ("delivered", [204])
    with house.node.reading() as session:
        assert session.scalar(select(func.count()).select_from(outbox_table)) == 0


def test_a_paused_subscription_keeps_what_it_is_owed_and_hears_nothing_new(
    house: House, ask: Operator, told: Receiver
) -> None:
    one = made(ask, told.url)
    publish_one(house, slug="avant")
    ask("POST", f"/v1/subscriptions/{one['id']}/pause")
    deliver(house)
    publish_one(house, slug="pendant")
    assert (told.got, states(house)) == ([], ["due"])
    ask("POST", f"/v1/subscriptions/{one['id']}/test", status=409)

    ask("POST", f"/v1/subscriptions/{one['id']}/resume")
    deliver(house)
    deliver(house)

    assert states(house) == ["delivered"]
    assert len(told.got) == 1


def test_who_was_paused_hears_after_it_what_was_withdrawn_of_what_he_had_been_told(
    house: House, ask: Operator, told: Receiver
) -> None:
    one = made(ask, told.url)
    other = made(ask, f"{told.url}/other")
    articles = [public_article(slug=slug) for slug in ("avant", "tue", "retire", "reste")]
    house.hear(*(published(**vars(article)) for article in articles))
    house.finish()
    deliver(house)
    end(house, articles[0], "killed")
    ask("POST", f"/v1/subscriptions/{one['id']}/pause")
    end(house, articles[1], "killed")
    end(house, articles[2], "retracted")
    assert heard_by(told, "/hook", "article.retracted", "article.killed") == [("article.killed", "avant")]

    for _ in range(2):
        ask("POST", f"/v1/subscriptions/{one['id']}/resume")
        for _ in range(4):
            deliver(house)
        ask("POST", f"/v1/subscriptions/{one['id']}/pause")

    # Attempts run beside each other: their order says nothing.
    assert sorted(heard_by(told, "/hook", "article.retracted", "article.killed")) == [
        ("article.killed", "avant"),
        ("article.killed", "tue"),
        ("article.retracted", "retire"),
    ]
    assert len(heard_by(told, "/hook/other", "article.retracted", "article.killed")) == 3
    assert other["id"] != one["id"]


def end(house: House, article: PublicArticle, status: str) -> None:
    values = {**vars(article), "change": 2, "status": status}
    if status == "killed":
        house.hear(killed(**{**values, "body_html": ""}), lane="urgent")
    else:
        note = Retraction(note="Nous n'avons pu le vérifier.", retracted_at=clock.now())
        house.hear(ArticleRetracted(article=PublicArticle(**{**values, "retraction": note})), lane="urgent")
    house.finish()
    deliver(house)


def heard_by(told: Receiver, path: str, *events: str) -> list[tuple[str, str]]:
    bodies = [json.loads(one.body) for one in told.got if one.path == path]
    return [(one["type"], one["data"]["url"].rpartition("/")[2]) for one in bodies if one["type"] in events]


def test_a_query_that_there_is_not_is_refused_by_its_name(ask: Operator) -> None:
    for path in ("/v1/deliveries", "/v1/subscriptions", "/v1/redirects"):
        answer = ask("GET", f"{path}?limt=5", status=422)
        assert [one["pointer"] for one in answer["errors"]] == ["/limt"]


def test_a_removed_subscription_leaves_nothing_behind(house: House, ask: Operator, told: Receiver) -> None:
    one = made(ask, told.url, contact="web@example.org")
    publish_one(house, slug="un")
    deliver(house)
    publish_one(house, slug="deux")
    ask("DELETE", f"/v1/subscriptions/{one['id']}", status=204)
    ask("GET", f"/v1/subscriptions/{one['id']}", status=404)
    assert ask("GET", "/v1/subscriptions")["items"] == []
    deliver(house)

    assert len(told.got) == 1
    with house.node.reading() as session:
        for table in (Subscription, Delivery, Attempt):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_its_filter_can_be_changed_and_is_checked(house: House, ask: Operator, told: Receiver) -> None:
    one = made(ask, told.url, filter={"tags": ["port"], "urgency": 2})
    publish_one(house, slug="un")
    publish_one(house, slug="deux", tags=("port",), urgency=3)
    publish_one(house, slug="trois", tags=("port", "pont"), urgency=2)
    assert len(states(house)) == 1

    ask("PATCH", f"/v1/subscriptions/{one['id']}", {"filter": {"sections": ["nulle-part"]}}, 422)
    ask("PATCH", f"/v1/subscriptions/{one['id']}", {"filter": {"sections": ["societe"]}, "contact": "a@b.example"})
    publish_one(house, slug="quatre")

    assert len(states(house)) == 2
    assert ask("GET", f"/v1/subscriptions/{one['id']}")["contact"] == "a@b.example"


@pytest.mark.parametrize(
    "body",
    [
        {"channel": "email", "url": "https://example.org/"},
        {"channel": "webhook", "url": "https://10.0.0.1/"},
        {"channel": "webhook", "url": "https://example.org/", "contact": "nobody"},
        {"channel": "webhook", "url": "https://example.org/", "contact": "a@b.example\r\nBcc: c@d.example"},
        {"channel": "webhook", "url": "https://example.org/", "filter": {"urgency": 9}},
        {"channel": "webhook", "url": "https://example.org/", "filter": {"events": ["article.printed"]}},
        {"channel": "apprise", "url": "slack"},
    ],
)
def test_what_cannot_be_is_refused_with_a_pointer(ask: Operator, body: dict[str, Any]) -> None:
    assert ask("POST", "/v1/subscriptions", body, 422)["errors"][0]["pointer"]


def test_an_apprise_url_is_not_readable_back(ask: Operator) -> None:
    body = {"channel": "apprise", "url": "slack://very/secret/tokens"}
    one = ask("POST", "/v1/subscriptions", body, 201)
    assert one["url"] == "slack://…"
    assert ask("GET", "/v1/subscriptions")["items"][0]["url"] == "slack://…"


def test_a_failed_delivery_is_sent_again_by_hand_and_one_that_arrived_is_not(
    house: House, ask: Operator, told: Receiver
) -> None:
    made(ask, told.url)
    told.answer = lambda _: (404, {})
    publish_one(house)
    deliver(house)
    (failed,) = ask("GET", "/v1/deliveries?state=failed")["items"]
    assert failed["attempts"][0]["status"] == 404

    told.answer = lambda _: (204, {})
    ask("POST", f"/v1/deliveries/{failed['id']}/retry", status=204)
    deliver(house)

    assert states(house) == ["delivered"]
    assert len(set(told.ids())) == 1
    ask("POST", f"/v1/deliveries/{failed['id']}/retry", status=409)
    ask("DELETE", f"/v1/deliveries/{failed['id']}", status=409)


def test_many_are_sent_again_by_their_cause_and_none_that_something_newer_has_replaced(
    house: House, ask: Operator, told: Receiver
) -> None:
    made(ask, told.url)
    told.answer = lambda one: (404 if b"Quatre" in one.body else 403, {})
    publish_one(house, slug="un", headline="Quatre cent quatre")
    article = public_article(slug="deux", headline="Quatre aussi")
    house.hear(published(**vars(article)))
    publish_one(house, slug="trois", headline="Interdit")
    deliver(house)
    told.answer = lambda _: (204, {})
    note = Correction(note="Six semaines.", corrected_at=clock.now())
    values = {**vars(article), "change": 2, "revision": 2, "corrections": (note,)}
    house.hear(ArticleCorrected(article=PublicArticle(**values)), lane="urgent")
    deliver(house)
    assert states(house) == ["failed", "failed", "failed", "delivered"]

    ask("POST", "/v1/deliveries/retry", {}, 422)
    ask("POST", "/v1/deliveries/retry", {"status": 404, "since": clock.now().isoformat()}, 202)
    deliver(house)
    assert states(house) == ["failed", "failed", "failed", "delivered"]
    ask("POST", "/v1/deliveries/retry", {"status": 404}, 202)
    deliver(house)
    deliver(house)

    assert states(house) == ["delivered", "failed", "failed", "delivered"]


def test_a_failed_delivery_can_be_given_up(house: House, ask: Operator, told: Receiver) -> None:
    made(ask, told.url)
    told.answer = lambda _: (400, {})
    publish_one(house)
    deliver(house)
    (failed,) = ask("GET", "/v1/deliveries?state=failed&channel=webhook")["items"]
    ask("DELETE", f"/v1/deliveries/{failed['id']}", status=204)
    assert ask("GET", "/v1/deliveries?state=failed")["items"] == []
    assert states(house) == ["discarded"]


def test_after_five_days_of_nothing_but_failure_it_is_paused_and_its_owner_told(
    house: House, ask: Operator, told: Receiver
) -> None:
    one = made(ask, told.url, contact="web@example.org")
    told.answer = lambda _: (503, {})
    publish_one(house, slug="un")
    deliver(house)
    assert ask("GET", f"/v1/subscriptions/{one['id']}")["failing_since"] is not None
    with house.node.unit_of_work() as session:
        session.execute(update(Subscription).values(failing_since=clock.now() - timedelta(days=4, hours=23)))
    publish_one(house, slug="deux")
    deliver(house)
    assert ask("GET", f"/v1/subscriptions/{one['id']}")["status"] == "active"

    with house.node.unit_of_work() as session:
        session.execute(update(Subscription).values(failing_since=clock.now() - timedelta(days=5, minutes=1)))
    publish_one(house, slug="trois")
    with house.node.unit_of_work() as session:
        session.execute(update(jobs_table).where(jobs_table.c.lane == "retry").values(state="done"))
    house.node.run_jobs("deliver")
    house.publish.deliverer.drain(20)

    shown = ask("GET", f"/v1/subscriptions/{one['id']}")
    assert (shown["status"], "nothing but failures since" in shown["why"]) == ("paused", True)
    with house.node.reading() as session:
        assert session.scalar(select(func.count()).where(jobs_table.c.kind == TELL_OWNER)) == 1
    told.answer = lambda _: (204, {})
    ask("POST", f"/v1/subscriptions/{one['id']}/resume")
    deliver(house)
    deliver(house)
    assert set(states(house)) == {"delivered"}


def test_one_success_ends_a_time_of_failures(house: House, ask: Operator, told: Receiver) -> None:
    one = made(ask, told.url)
    told.answer = lambda _: (503, {})
    publish_one(house)
    deliver(house)
    told.answer = lambda _: (204, {})
    let_time_pass(house)
    deliver(house)
    assert ask("GET", f"/v1/subscriptions/{one['id']}")["failing_since"] is None


def test_a_retraction_is_told_to_those_who_were_told_even_if_it_has_left_their_filter(
    house: House, told: Receiver
) -> None:
    subscribe(house, url=told.url, filter={"sections": ["societe"]})
    subscribe(house, url=told.url, filter={"sections": ["sport"]})
    article = public_article()
    house.hear(published(**vars(article)))
    deliver(house)
    values = {
        **vars(article),
        "change": 2,
        "status": "retracted",
        "section": "culture",
        "retraction": Retraction(note="La source s'est trompée.", retracted_at=today("11:00")),
    }
    house.hear(ArticleRetracted(article=PublicArticle(**values)), lane="urgent")
    house.finish()
    deliver(house)

    bodies = [one.body.decode() for one in told.got]
    assert ['"type":"article.published"' in body for body in bodies] == [True, False]
    assert '"type":"article.retracted"' in bodies[1]
    assert "La source s'est trompée." in bodies[1]


def test_counts_by_channel_and_outcome_are_kept(house: House, ask: Operator, told: Receiver) -> None:
    made(ask, told.url)
    made(ask, told.url.replace("127.0.0.1", "127.0.0.2").replace("/hook", "/autre"))
    told.answer = lambda _: (204, {})
    publish_one(house)
    deliver(house)
    with house.node.reading() as session:
        counted = store.counts(session)
    assert counted["webhook", "delivered_total"] == 1
    metrics = ask.client.get("/metrics").text
    assert 'rotative_deliveries{channel="webhook",service="publish",state="delivered_total"} 1.0' in metrics


def test_a_flash_that_reached_nobody_of_a_channel_is_seen(house: House, ask: Operator, told: Receiver) -> None:
    made(ask, told.url)
    told.answer = lambda one: (204, {}) if b"Entendu" in one.body else (503, {})
    publish_one(house, slug="un", urgency=1, headline="Entendu")
    publish_one(house, slug="deux", urgency=1, headline="Perdu")
    publish_one(house, slug="trois", urgency=2, headline="Perdu aussi")
    deliver(house)
    with house.node.unit_of_work() as session:
        session.execute(update(Flash).values(announced_at=clock.now() - timedelta(minutes=2)))

    assert unheard(ask) == {"webhook": 1}


def unheard(ask: Operator) -> dict[str, int]:
    """What the probe says, by channel."""
    said = re.findall(
        r'rotative_flashes_unheard\{channel="(\w+)",service="publish"\} (\d)', ask.client.get("/metrics").text
    )
    return {channel: int(count) for channel, count in said}


def test_the_alert_rules_of_the_documentation_ask_for_numbers_that_there_are(
    house: House, ask: Operator, told: Receiver
) -> None:
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text("utf-8")
    rules = page.partition("`alerts.yml`")[2].partition("```yaml")[2].partition("```")[0]
    wanted = set(re.findall(r"\brotative_\w+", rules))
    states_asked_for = set(re.findall(r'state="(\w+)"', rules))
    made(ask, told.url)
    made(ask, f"{told.url}/later")
    told.answer = lambda one: (404 if one.path == "/hook" else 503, {})
    publish_one(house, urgency=1)
    deliver(house)

    said = ask.client.get("/metrics").text

    assert len(wanted) >= 5
    assert {name for name in wanted if f"# TYPE {name} gauge" not in said} == set()
    assert {state for state in states_asked_for if f'state="{state}"' not in said} == set()


def later(house: House) -> None:
    """Let a minute go by since the flashes, and since whatever was subscribed before them."""
    with house.node.unit_of_work() as session:
        session.execute(update(Flash).values(announced_at=clock.now() - timedelta(minutes=2)))
        session.execute(update(Subscription).values(created_at=clock.now() - timedelta(hours=1)))


def test_a_flash_that_nobody_was_told_of_at_all_is_seen_by_channel_and_wish(
    house: House, ask: Operator, told: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(ask, told.url, filter={"languages": ["fr"]})
    made(ask, told.url, channel="websub", filter={"languages": ["en"]})
    made(ask, told.url, channel="indexnow", filter={"events": ["article.killed"]})
    with monkeypatch.context() as broken:
        broken.setattr(house.publish.builder, "is_in_place", lambda *_: False)
        house.hear(published(urgency=1))
    later(house)

    assert states(house) == []
    assert unheard(ask) == {"webhook": 1, "websub": 0, "indexnow": 0}

    with house.node.unit_of_work() as session:
        session.execute(update(jobs_table).where(jobs_table.c.kind == "announce").values(run_at=clock.now()))
    house.finish()
    deliver(house)
    assert states(house) == ["delivered"]
    assert unheard(ask) == {"webhook": 0, "websub": 0, "indexnow": 0}


def test_a_flash_of_a_time_in_which_everybody_was_paused_is_no_alarm(
    house: House, ask: Operator, told: Receiver
) -> None:
    one = made(ask, told.url)
    ask("POST", f"/v1/subscriptions/{one['id']}/pause")
    house.hear(published(urgency=1))
    house.finish()
    with house.node.unit_of_work() as session:
        session.execute(update(Flash).values(announced_at=clock.now() - timedelta(minutes=2)))
        session.execute(update(Subscription).values(created_at=clock.now() - timedelta(hours=1)))
    ask("POST", f"/v1/subscriptions/{one['id']}/resume")
    assert unheard(ask) == {"webhook": 0}


def test_a_flash_that_was_killed_before_it_was_told_is_no_alarm(house: House, ask: Operator, told: Receiver) -> None:
    made(ask, told.url)
    article = public_article(urgency=1)
    house.hear(published(**vars(article)))
    house.hear(killed(id=article.id))
    later(house)
    assert unheard(ask) == {"webhook": 0}


# Many subscriptions


def test_many_subscriptions_are_owed_in_slices_and_each_once(
    house: House, told: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "AT_ONCE", 10)
    monkeypatch.setattr(announcing, "SLICE", 8)
    for _ in range(30):
        subscribe(house, url=told.url)
    article = public_article()
    house.hear(published(**vars(article)))
    assert states(house) == []
    deliver(house)
    deliver(house)

    assert states(house) == ["delivered"] * 30
    assert len(set(told.ids())) == len(told.got) == 30

    house.hear(killed(**{**vars(article), "change": 2, "status": "killed", "body_html": ""}), lane="urgent")
    deliver(house)
    deliver(house)
    assert len(states(house)) == 60


def test_a_kill_ends_a_fan_out_that_is_under_way(house: House, told: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcing, "AT_ONCE", 2)
    monkeypatch.setattr(announcing, "SLICE", 5)
    for _ in range(12):
        subscribe(house, url=told.url)
    article = public_article()
    house.hear(published(**vars(article)))
    with house.node.unit_of_work() as session:
        claimed = queue.claim(session, now=clock.now(), kinds=house.node.kinds, lane="deliver")
    queue.run(house.node.db, house.node.kinds["fan_out"], claimed)
    assert len(states(house)) == 5

    house.hear(killed(**{**vars(article), "change": 2, "status": "killed", "body_html": ""}), lane="urgent")
    deliver(house)
    deliver(house)

    with house.node.reading() as session:
        kinds = session.execute(select(Delivery.type, func.count()).group_by(Delivery.type)).all()
    assert sorted((row[0], row[1]) for row in kinds) == [("article.killed", 5), ("article.published", 5)]


# Retention


def test_retention_takes_a_bounded_number_of_rows_and_keeps_what_keeps_articles_from_being_told_twice(
    house: House, told: Receiver
) -> None:
    subscribe(house, url=told.url)
    for number in range(5):
        publish_one(house, slug=f"numero-{number}")
    deliver(house)
    with house.node.unit_of_work() as session:
        assert store.remove_old(session, clock.now() + timedelta(minutes=1), 3) == 6
    with house.node.unit_of_work() as session:
        assert store.remove_old(session, clock.now() + timedelta(minutes=1), 3) == 4
        assert store.remove_old(session, clock.now() + timedelta(minutes=1), 3) == 0
    with house.node.reading() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 5
        assert session.scalar(select(func.count()).where(Delivery.body != "")) == 0


def test_looking_for_what_is_owed_old_or_failed_reads_an_index_and_not_what_is_kept(sqlite_url: str) -> None:
    # On SQLite only: the plan for an empty table of PostgreSQL says nothing.
    migrate.upgrade(sqlite_url, "publish")
    db = Database(sqlite_url, "publish")
    seen: list[str] = []
    with db.unit_of_work() as session:
        real = session.execute

        def explain(statement: Any, *args: Any, **kwargs: Any) -> Any:
            text = statement.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
            if str(text).startswith("SELECT"):
                seen.extend(row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}"))
            return real(statement, *args, **kwargs)

        session.execute = explain  # type: ignore[method-assign]
        session.scalars = lambda statement: explain(statement).scalars()  # type: ignore[method-assign,assignment]
        store.remove_old(session, clock.now(), 3)
        store.counts(session)
        store.deliveries(session, state="failed", channel="webhook")
        store.held(session, new_id(), None, 5)
    db.close()
    of_deliveries = [line for line in seen if "deliveries" in line or "attempts" in line]
    assert len(of_deliveries) >= 7
    assert not [line for line in of_deliveries if "USING" not in line], seen


# True first


def test_nobody_is_told_before_the_public_address_shows_the_page(
    settings: PublishSettings, told: Receiver, settings_for: Callable[..., PublishSettings]
) -> None:
    with receiver() as front:
        shown: dict[str, bytes] = {}
        front.page = lambda path: shown.get(path)
        base = front.url.removesuffix("/hook")
        checking = settings_for(
            "publish",
            settings.database_url,
            cls=PublishSettings,
            ROTATIVE_WEBHOOK_ALLOW="127.0.0.0/8",
            ROTATIVE_BASE_URL=base,
            ROTATIVE_PUBLIC_CHECK="yes",
        )
        house = House(create_service(checking), checking)
        subscribe(house, url=told.url)
        article = public_article()
        house.hear(published(**vars(article)))
        deliver(house)
        assert states(house) == []
        shown[article.path] = house.site.read(article.path).replace(b"</html>", b"<!-- old --></html>")  # type: ignore[union-attr]
        let_time_pass(house)
        deliver(house)
        assert states(house) == []

        shown[article.path] = house.site.read(article.path) or b""
        let_time_pass(house)
        deliver(house)
        deliver(house)
        house.node.close()

    assert len(told.got) == 1
    assert statuses(house) == [204]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/subscriptions", '{"channel": "webhook", "url": "http://127.0.0.1:9/\\ud800"}'),
        ("/v1/subscriptions", '{"channel": "webhook", "url": "http://127.0.0.1:9/", "contact": "a\\u0000@b.org"}'),
        ("/v1/subscriptions", '{"\\ud800": 1}'),
        ("/v1/subscriptions", "[" * 100_000),
        ("/v1/subscriptions", '{"urgency": ' + "9" * 5000 + "}"),
        ("/v1/publish/readers/export", '{"address": "\\ud800abc"}'),
        ("/v1/publish/rebuild", '{"path": "/a\\u0000"}'),
    ],
)
def test_what_no_database_holds_is_refused_everywhere(ask: Operator, path: str, body: str) -> None:
    headers = {"Authorization": "Bearer the-first-key-of-the-tests", "Content-Type": "application/json"}
    answer = ask.client.post(path, data=body, headers=headers)
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "address", ["é@b.org", "a..b@c.org", ".a@c.org", "a@exämple.org", "a@b..org", "a@-b.org", "a@b.o"]
)
def test_a_contact_that_no_letter_can_be_sent_to_is_refused(ask: Operator, address: str) -> None:
    one = made(ask, "http://127.0.0.1:9/hook", contact="o'neill+x@bureau.example.org")
    path = f"/v1/subscriptions/{one['id']}"
    ask("PATCH", path, {"contact": address}, 422)
    assert ask("PATCH", path, {"contact": ""})["contact"] == ""


@pytest.mark.parametrize("when", [{"since": "0001-01-01T00:00:00+14:00"}, {"until": "9999-12-31T23:59:59-14:00"}])
def test_retries_of_no_time_that_there_is_are_refused(ask: Operator, when: dict[str, str]) -> None:
    ask("POST", "/v1/deliveries/retry", when, 422)


def test_a_full_page_leads_to_the_next(ask: Operator, house: House) -> None:
    for number in range(101):
        subscribe(house, url=f"http://127.0.0.1:9/{number}")
    headers = {"Authorization": "Bearer the-first-key-of-the-tests"}
    first = ask.client.get("/v1/subscriptions?channel=webhook", headers=headers)
    path = re.fullmatch(r'<(.+)>; rel="next"', first.headers["Link"])
    assert path is not None
    second = ask.client.get(path[1], headers=headers)

    assert (len(first.get_json()["items"]), len(second.get_json()["items"])) == (100, 1)
    assert "Link" not in second.headers
