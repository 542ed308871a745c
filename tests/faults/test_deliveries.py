"""Deliveries while receivers fail in every way and the delivering process is killed: none lost, none told differently.

Repeats happen only where an answer was lost, with the same id; letters by mail never.
"""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from services.publish.channels import deliveries, domain, readers, subscriptions
from services.publish.kinds import FAN_OUT
from services.publish.models import Delivery, Subscription
from shared import clock
from shared.tables import jobs as jobs_table
from tests.conftest import wait_for
from tests.factories import published
from tests.fakes import HALF, RESET, SILENT, Received, Receiver, receiver
from tests.faults.postman import Delivering, open_ones, ordeal
from tests.integration.publish.browsers import Browser
from tests.integration.publish.house import House, deliver, subscribe
from tests.relays import Relay

ARTICLES = 24
# What a receiver answers at first, delivery by delivery; then it takes everything. None: it hangs up.
FIRST = ((500, {}), (503, {"Retry-After": "7200"}), (429, {"Retry-After": "1"}), (301, {"Location": "/elsewhere"}))
FIRST += ((408, {}), (425, {}), None, (204, {}), (502, {}), RESET, HALF, SILENT)
KILLS = ("post.before", "post.after", "commit.before", "commit.after")


def test_webhooks_survive_every_answer_and_every_kill_and_repeat_only_with_their_own_id(
    house: House, variables: dict[str, str], told: Receiver
) -> None:
    subscribe(house, url=told.url)
    seen: Counter[str] = Counter()

    def answer(one: Received) -> tuple[int, dict[str, str]] | None:
        name = one.headers["webhook-id"]
        seen[name] += 1
        first = FIRST[sorted(seen).index(name) % len(FIRST)]
        if seen[name] > 1:
            return 204, {}
        return first

    told.answer = answer
    house.hear(*(published(slug=f"numero-{number}") for number in range(ARTICLES)))

    deaths = ordeal(house, variables, KILLS)

    assert deaths >= 2
    with house.node.reading() as session:
        rows = session.execute(select(Delivery.id, Delivery.state)).all()
    assert {row.state for row in rows} == {"delivered"}
    assert set(told.ids()) == {str(row.id) for row in rows}
    bodies = {(one.headers["webhook-id"], one.body) for one in told.got}
    assert len(bodies) == ARTICLES
    # One try each, one more for each first answer that was none, and what each death left without a record.
    assert len(told.got) <= 2 * ARTICLES + deaths * 20


def test_a_receiver_that_is_down_and_comes_back_gets_everything(house: House, variables: dict[str, str]) -> None:
    with receiver() as there:
        port = there.url
    subscribe(house, url=port)
    house.hear(*(published(slug=f"numero-{number}") for number in range(4)))
    delivering = Delivering(variables)
    try:
        wait_for(lambda: _attempts(house) >= 4, "attempts at a receiver that is down", 60)
        assert open_ones(house) == 4
    finally:
        delivering.end()
    with receiver() as back:
        with house.node.unit_of_work() as session:
            session.execute(update(Subscription).values(url=back.url))
        ordeal(house, variables, ())
        assert len(set(back.ids())) == len(back.got) == 4


# Every status that HTTP has, and some that it has not.
STATUSES = (200, 201, 202, 203, 204, 205, 206, 226, 299, 300, 301, 302, 303, 304, 305, 307, 308, *range(400, 419))
STATUSES += (421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499, *range(500, 509), 510, 511, 520, 599, 600, 999)


def test_whatever_status_a_receiver_always_answers_its_delivery_ends_and_can_be_made_again(
    house: House, variables: dict[str, str], told: Receiver
) -> None:
    base = told.url.removesuffix("/hook")
    with house.node.unit_of_work() as session:
        for status in STATUSES:
            subscriptions.subscribe(
                session,
                channel="webhook",
                url=f"{base}/{status}",
                filter={},
                allow=house.node.settings.webhook_allow,  # type: ignore[attr-defined]
                newsroom=house.publish.builder.newsroom,
                now=clock.now(),
            )
    told.answer = lambda one: (int(one.path[1:]), {})
    house.hear(published())
    while fan_outs(house):
        house.node.run_jobs("deliver")

    ordeal(house, variables, ())

    tries = Counter(int(one.path[1:]) for one in told.got)
    ended = {}
    with house.node.reading() as session:
        for url, state, status in session.execute(
            select(Subscription.url, Delivery.state, Subscription.status).join_from(Delivery, Subscription)
        ):
            ended[int(url.rpartition("/")[2])] = state, status
    assert {code: tries[code] for code in STATUSES} == {code: tries_at(code) for code in STATUSES}
    assert ended == {
        code: ("delivered" if code < 300 else "failed", "disabled" if code == 410 else "active") for code in STATUSES
    }

    told.answer = lambda _: (204, {})
    with house.node.unit_of_work() as session:
        for one in session.scalars(select(Subscription).where(Subscription.status == "disabled")).all():
            subscriptions.resume(session, one.id, clock.now())
        deliveries.ask_for_retries(session, {"channel": "webhook"})
    for _ in range(3):
        deliver(house)
    with house.node.reading() as session:
        assert set(session.scalars(select(Delivery.state))) == {"delivered"}


def tries_at(status: int) -> int:
    """How often a delivery is tried at a receiver that always answers this."""
    over_at_once = 200 <= status < 300 or (400 <= status < 500 and status not in {408, 425, 429})
    return 1 if over_at_once else len(domain.PAUSES) + 1


def fan_outs(house: House) -> int:
    with house.node.reading() as session:
        waiting = select(func.count()).where(jobs_table.c.kind == FAN_OUT, jobs_table.c.state == "ready")
        return session.scalar(waiting) or 0


def subscribe_all(house: House, channel: str, base: str) -> None:
    """Six subscriptions of a channel, each to a path of its own."""
    newsroom, allow = house.publish.builder.newsroom, house.node.settings.webhook_allow  # type: ignore[attr-defined]
    for number in range(6):
        url = f"{base}/{number}"
        with house.node.unit_of_work() as session:
            if channel == "web_push":
                browser = Browser(url).subscription()
                readers.take_push(
                    session,
                    endpoint=url,
                    **browser["keys"],
                    language="fr",
                    sections=[],
                    urgency=1,
                    reader=str(number),
                    newsroom=newsroom,
                    allow=allow,
                    now=clock.now(),
                )
            else:
                url = url.replace("http://", "json://") if channel == "apprise" else url
                subscriptions.subscribe(
                    session, channel=channel, url=url, filter={}, allow=allow, newsroom=newsroom, now=clock.now()
                )


@pytest.mark.parametrize("channel", ["webhook", "web_push", "websub", "indexnow", "apprise"])
def test_a_process_killed_between_request_and_record_loses_nothing_and_tells_no_reader_twice(
    house: House, variables: dict[str, str], told: Receiver, channel: str
) -> None:
    subscribe_all(house, channel, told.url)
    folder = Path(variables["ROTATIVE_FAILPOINTS_DIR"])
    deaths = 0
    # The last one: before the first commit after a request, which is its record.
    for number, kill in enumerate(("post.after", "record")):
        told.got.clear()
        asked = threading.Event()

        def answer(_: Received, kill: str = kill, asked: threading.Event = asked) -> tuple[int, dict[str, str]]:
            if kill == "record" and not asked.is_set():
                asked.set()
                (folder / "commit.before").touch()
            return 204, {}

        told.answer = answer
        house.hear(published(slug=f"numero-{number}", urgency=1))
        house.finish()

        deaths += ordeal(house, variables, () if kill == "record" else (kill,))

        came = Counter(one.path for one in told.got)
        with house.node.reading() as session:
            rows = session.execute(select(Delivery.id, Delivery.state).order_by(Delivery.id.desc()).limit(6)).all()
        if channel in domain.AT_MOST_ONCE:
            assert {row.state for row in rows} <= {"delivered", "unknown"}
            assert set(came.values()) <= {1}
            arrived = sum(row.state == "delivered" for row in rows)
            assert arrived <= len(came)
        else:
            assert {row.state for row in rows} == {"delivered"}
            assert len(came) == 6
    assert deaths == 2

    unknown = house_ids(house, "unknown")
    assert bool(unknown) == (channel in domain.AT_MOST_ONCE)
    told.got.clear()
    told.answer = lambda _: (204, {})
    with house.node.unit_of_work() as session:
        for one in unknown:
            deliveries.retry(session, one, clock.now())
    deliver(house)
    assert house_ids(house, "unknown") == []
    assert len(told.got) == len(unknown)


def house_ids(house: House, state: str) -> list[UUID]:
    with house.node.reading() as session:
        return list(session.scalars(select(Delivery.id).where(Delivery.state == state)))


def _attempts(house: House) -> int:
    with house.node.reading() as session:
        return session.scalar(select(func.sum(Delivery.tries))) or 0


def test_no_letter_comes_twice_whatever_dies_between_the_relay_and_the_record(
    house: House, variables: dict[str, str], mail: Relay
) -> None:
    mail.got.clear()
    with house.node.unit_of_work() as session:
        for number, name in enumerate(("ines", "omar", "vanish", "hangup", "lea", "amira") * 2):
            _sign_up(session, house, f"{name}.{number}@lecteurs.test", str(number))
        session.execute(update(Subscription).values(status="active"))
        session.execute(update(Delivery).values(state="discarded"))
    house.hear(published(urgency=1))

    deaths = ordeal(house, variables, ("post.after", "post.before", "commit.before"))

    assert deaths >= 1
    with house.node.reading() as session:
        states = Counter(session.scalars(select(Delivery.state).where(Delivery.type == "article.published")))
    assert set(states) <= {"delivered", "unknown"}
    assert states["delivered"] + states["unknown"] == 12
    came = Counter(address for address, _ in mail.got)
    assert set(came.values()) == {1}


def _sign_up(session: Any, house: House, address: str, reader: str) -> None:
    readers.sign_up(
        session,
        address=address,
        language="fr",
        daily=False,
        flash=True,
        reader=reader,
        newsroom=house.publish.builder.newsroom,
        now=clock.now(),
    )
