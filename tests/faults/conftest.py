"""Both arrangements suffer their ordeal at the same time; the tests look at what is left."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench import articles
from tests.faults import ordeal, proofs
from tests.faults.desk import pieces
from tests.faults.diary import Diary
from tests.faults.ordeal import Hurt
from tests.faults.proofs import Evidence
from tests.faults.systems import Apart, Embedded, System

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
