"""Deliveries while receivers fail in every way and the delivering process is killed: none lost, none told differently.

Repeats happen only where an answer was lost, with the same id; letters by mail never.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from services.publish.channels import readers
from services.publish.models import Delivery, Subscription
from services.publish.service import create_service
from services.publish.settings import PublishSettings
from shared import clock
from shared.tables import jobs as jobs_table
from tests.conftest import wait_for
from tests.factories import published
from tests.fakes import Received, Receiver, receiver
from tests.integration.publish.house import House, subscribe
from tests.relays import Relay, relay

ARTICLES = 24
# What a receiver answers at first, delivery by delivery; then it takes everything. None: it hangs up.
FIRST = (500, 503, 429, 301, 408, 425, None, 204, 502)
KILLS = ("post.before", "post.after", "commit.before", "commit.after")


class Delivering:
    """The process, started again whenever it dies."""

    def __init__(self, variables: dict[str, str]) -> None:
        self._variables = {**os.environ, **variables}
        self.process = self._start()
        self.deaths = 0

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.faults.delivering"]
        return subprocess.Popen(command, stdin=subprocess.PIPE, env=self._variables)

    def mind(self, house: House) -> None:
        """Start it again if it has died; what it had leased is free at once: nobody holds it."""
        if self.process.poll() is None:
            return
        self.deaths += 1
        with house.node.unit_of_work() as session:
            leased = update(jobs_table).where(jobs_table.c.state == "leased")
            session.execute(leased.values(lease_until=clock.now() - timedelta(seconds=1)))
        self.process = self._start()

    def end(self) -> None:
        """Let it end."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()  # type: ignore[union-attr]
        try:
            self.process.wait(20)
        finally:
            self.process.kill()


@pytest.fixture
def told() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture(scope="module")
def mail() -> Iterator[Relay]:
    with relay() as running:
        yield running


@pytest.fixture
def variables(database_of: Callable[[str], str], tmp_path: Path, redis_url: str, mail: Relay) -> dict[str, str]:
    failpoints = tmp_path / "failpoints"
    failpoints.mkdir()
    return {
        "ROTATIVE_DATA_DIR": str(tmp_path),
        "ROTATIVE_PUBLISH_DATABASE_URL": database_of("publish"),
        "ROTATIVE_REDIS_URL": redis_url,
        "ROTATIVE_SECRET_KEY": "a-secret-of-the-tests-only",
        "ROTATIVE_WEBHOOK_ALLOW": "127.0.0.0/8",
        "ROTATIVE_WEBHOOK_TIMEOUT_S": "2",
        "ROTATIVE_BASE_URL": "https://journal.test",
        "ROTATIVE_SMTP_URL": mail.url,
        "ROTATIVE_SMTP_PER_SECOND": "500",
        "ROTATIVE_LOG_LEVEL": "ERROR",
        "ROTATIVE_FAILPOINTS_DIR": str(failpoints),
    }


@pytest.fixture
def house(variables: dict[str, str]) -> Iterator[House]:
    # Not to be killed itself.
    settings = PublishSettings.from_env({**variables, "ROTATIVE_FAILPOINTS_DIR": ""}, "publish")
    house = House(create_service(settings), settings)
    yield house
    house.node.close()


def open_ones(house: House) -> int:
    with house.node.reading() as session:
        return session.scalar(select(func.count()).where(Delivery.state.in_(("due", "sending")))) or 0


def ordeal(house: House, variables: dict[str, str], kills: tuple[str, ...]) -> int:
    """Have everything delivered by a process that is killed at each of these points; how often it died."""
    folder = Path(variables["ROTATIVE_FAILPOINTS_DIR"])
    delivering = Delivering(variables)
    waiting = list(kills)
    try:

        def over() -> bool:
            delivering.mind(house)
            if waiting and not any(folder.iterdir()):
                (folder / waiting.pop(0)).touch()
            return not open_ones(house)

        wait_for(over, "every delivery to have ended", 120)
    finally:
        delivering.end()
    return delivering.deaths


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
        return None if first is None else (first, {"Location": "/elsewhere"})

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
