"""`make chaos`: minutes of random faults on both arrangements in turn, and the proof that nothing was lost.

`python -m tests.faults.chaos --minutes N [--articles FILE]`: FILE holds real news as JSON Lines (id, lang, title, body,
section, published_at); without it articles are generated. Ends with 1 when a promise was broken, and says which.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from bench import articles, newsroom
from tests.faults import ordeal, proofs
from tests.faults.desk import pieces
from tests.faults.diary import Diary
from tests.faults.proofs import Evidence
from tests.faults.systems import Apart, Embedded, System

A_SECOND = 4.0
PLACES: dict[str, type[System]] = {"embedded": Embedded, "apart": Apart}


def say(line: str) -> None:
    """Tell whoever watches."""
    print(line, flush=True)


def suffer(place: str, supply: articles.Supply, folder: Path, *, seconds: float, seed: int) -> Evidence:
    """One arrangement's ordeal and its proofs, with everything stopped afterwards."""
    variables = newsroom.environment_for(supply.languages, folder / "newsroom")
    bodies = iter(lambda: supply.take(notify=True), None)
    wanted = pieces(bodies, seed=seed, until=datetime.now(UTC))
    system = PLACES[place](folder / place, Diary(), variables)
    try:
        evidence = ordeal.begin(system, wanted, A_SECOND)
    except BaseException:
        system.stop()
        raise
    try:
        with ordeal.explained(evidence):
            ordeal.hurt_at_random(evidence, seconds, seed, say)
            say("       faults are over; waiting until all work is done")
            ordeal.finish(evidence)
            say("       comparing related sets with those of an undisturbed system")
            prove_related(evidence, folder / f"{place}-calm", variables)
    finally:
        ordeal.close(evidence)
    return evidence


def prove_related(evidence: Evidence, folder: Path, variables: Mapping[str, str]) -> None:
    """Compare the run's related sets with those of the same articles on a fresh system."""
    calm = ordeal.undisturbed_related(folder, evidence.desk.pieces, variables)
    evidence.prove("same related", lambda: proofs.same_related(evidence, calm))


def main() -> int:
    """0 when every promise was kept."""
    parser = argparse.ArgumentParser(description="Faults at random, and the proof that nothing was lost.")
    parser.add_argument("--minutes", type=float, default=5.0, help="of faults, shared by the arrangements")
    parser.add_argument("--articles", type=Path, help="real news, JSON Lines")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another order of faults")
    parser.add_argument("--only", choices=sorted(PLACES), help="one arrangement alone")
    wanted = parser.parse_args()
    places = [wanted.only] if wanted.only else list(PLACES)
    broken = False
    for place in places:
        if wanted.articles:
            supply = articles.from_file(wanted.articles, newsroom.section_keys())
        else:
            supply = articles.generated(wanted.seed)
        with tempfile.TemporaryDirectory(prefix="rt-chaos-") as name:
            say(f"{place}: {supply.source}, seed {wanted.seed}")
            seconds = wanted.minutes * 60 / len(places)
            evidence = suffer(place, supply, Path(name), seconds=seconds, seed=wanted.seed)
            say(ordeal.report(evidence))
            broken = broken or any(evidence.violations.values())
    say("A promise was broken." if broken else "Nothing lost, nothing told twice, nothing went backwards.")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
