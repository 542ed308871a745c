"""Both arrangements suffer their ordeal at the same time, and tests look at what is left. A publish to be killed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench import articles
from services.publish.service import create_service
from services.publish.settings import PublishSettings
from tests.fakes import Receiver, receiver
from tests.faults import ordeal, proofs
from tests.faults.desk import pieces
from tests.faults.diary import Diary
from tests.faults.ordeal import Hurt
from tests.faults.proofs import Evidence
from tests.faults.systems import Apart, Embedded, System
from tests.integration.publish.house import House
from tests.relays import Relay, relay

SEED = 20261123
PIECES = 100
A_SECOND = 5.0
PLACES: dict[str, tuple[type[System], Callable[[Evidence], list[Hurt]]]] = {
    "embedded": (Embedded, ordeal.hurt_embedded),
    "apart": (Apart, ordeal.hurt_apart),
}


@pytest.fixture(scope="session")
def ordeals() -> Iterator[dict[str, Evidence]]:
    """What each arrangement's ordeal has left behind, related sets compared with an undisturbed system's.

    Both get the same articles, so that one undisturbed system, which works while they recover, serves both.
    """
    until = datetime.now(UTC)
    begun: list[Evidence] = []

    def begin(place: str, folder: Path) -> Evidence:
        supply = articles.generated(SEED)
        bodies = iter(lambda: supply.take(notify=True), None)
        system = PLACES[place][0](folder / place, Diary())
        try:
            evidence = ordeal.begin(system, pieces(bodies, seed=SEED, until=until), A_SECOND)
        except BaseException:
            system.stop()
            raise
        begun.append(evidence)
        return evidence

    def suffer(place: str, folder: Path) -> Evidence:
        evidence = begin(place, folder)
        with ordeal.explained(evidence):
            ordeal.suffer(evidence, PLACES[place][1](evidence), PIECES)
        return evidence

    def finish(suffered: Future[Evidence]) -> Evidence:
        evidence = suffered.result()
        with ordeal.explained(evidence):
            ordeal.finish(evidence)
        return evidence

    def stay_calm(suffered: Future[Evidence], folder: Path) -> dict[int, Any]:
        return ordeal.undisturbed_related(folder / "calm", suffered.result().desk.pieces)

    with tempfile.TemporaryDirectory(prefix="rt-faults-") as name, ThreadPoolExecutor(5) as pool:
        folder = Path(name)
        try:
            suffered = {place: pool.submit(suffer, place, folder) for place in PLACES}
            calm = pool.submit(stay_calm, suffered["embedded"], folder)
            finished = {place: pool.submit(finish, one) for place, one in suffered.items()}
            found = {place: one.result() for place, one in finished.items()}
            for evidence in found.values():
                evidence.prove("same related", lambda one=evidence: proofs.same_related(one, calm.result()))  # type: ignore[misc]
                print(ordeal.report(evidence))
            yield found
        finally:
            for evidence in begun:
                ordeal.close(evidence)


@pytest.fixture(params=list(PLACES))
def evidence(request: pytest.FixtureRequest, ordeals: dict[str, Evidence]) -> Evidence:
    """What one arrangement's ordeal has left behind."""
    return ordeals[request.param]


@pytest.fixture
def told() -> Iterator[Receiver]:
    """A receiver that takes everything, until told otherwise."""
    with receiver() as made:
        yield made


@pytest.fixture(scope="module")
def mail() -> Iterator[Relay]:
    """A mail relay, a process of its own."""
    with relay() as running:
        yield running


@pytest.fixture
def variables(database_of: Callable[[str], str], tmp_path: Path, redis_url: str, mail: Relay) -> dict[str, str]:
    """The settings of a publish whose processes are to be killed, as their environment."""
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
    """The same publish in the test's own process, which no failpoint kills."""
    settings = PublishSettings.from_env({**variables, "ROTATIVE_FAILPOINTS_DIR": ""}, "publish")
    house = House(create_service(settings), settings)
    yield house
    house.node.close()
