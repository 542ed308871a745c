"""A run: a system at work, hurt in every way there is, left to recover, and proved to have kept its promises.

In the short run, that of `make test`, every fault comes once, in a fixed order, over a fixed number of articles; in the
long one, that of `make chaos`, faults are drawn at random for as long as wanted.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from shared import failpoints
from tests.faults import poison, proofs
from tests.faults.desk import Desk, Piece
from tests.faults.diary import Diary
from tests.faults.proofs import Evidence
from tests.faults.receiver import Receiver
from tests.faults.systems import Apart, Embedded, System, wait_calmly

SETTLE_S = 400.0
# More than any long run can post: time bounds it.
MOST_PIECES = 100_000
# Filters of the run's subscriptions: one wants everything, one the French articles of some sections.
FILTERS: dict[str, dict[str, list[str]]] = {
    "all": {},
    "some": {"languages": ["fr"], "sections": ["politique", "economie", "societe", "culture"]},
}
# Where each failpoint can be passed, by the programs of the apart arrangement.
_EVERYWHERE = ("commit.before", "commit.after", "send.before", "send.after")
PASSES: dict[str, tuple[str, ...]] = {
    "ingest-api": _EVERYWHERE,
    "ingest-worker": ("commit.before", "commit.after", "receipt.before"),
    "recommend-worker": (*_EVERYWHERE, "receipt.before", "claim.after"),
    "publish-worker": (*_EVERYWHERE, "receipt.before", "claim.after", "page.before", "page.after"),
    "publish-deliver": (*_EVERYWHERE, "claim.after", "post.before", "post.after"),
    "ingest-sweeper": ("commit.before", "commit.after"),
    "publish-sweeper": ("commit.before", "commit.after"),
}
# Those of them that the short run has time for. What starts slowly comes least.
SHORT_PASSES: dict[str, tuple[str, ...]] = {
    "ingest-api": ("commit.after", "send.before"),
    "ingest-worker": ("commit.before", "receipt.before"),
    "recommend-worker": ("commit.before", "commit.after", "send.before", "send.after", "claim.after"),
    "publish-worker": ("page.before", "page.after", "claim.after", "commit.before", "commit.after", "send.before"),
    "publish-deliver": ("post.after",),
    "ingest-sweeper": ("commit.after",),
}
Hurt = Callable[[], None]


def begin(system: System, supply: Iterator[Piece], a_second: float) -> Evidence:
    """Start the system, subscribe a receiver of the run's own, and set the producers to wait for leave to post."""
    system.start()
    receiver = Receiver()
    desk = Desk(system.base_of, system.key, supply, a_second)
    evidence = Evidence(system, desk, receiver, system.diary, [])
    with system.client() as client:
        for name, wanted in FILTERS.items():
            body = {"channel": "webhook", "url": receiver.url(name), "filter": wanted}
            answer = client.post(system.base_of("/v1/subscriptions") + "/v1/subscriptions", json=body)
            assert answer.status_code == 201, answer.text
            evidence.subscriptions[name] = answer.json()
            receiver.trust(name, answer.json()["secret"])
    desk.start()
    return evidence


def at_once(*rows: Sequence[Hurt]) -> None:
    """Do several rows of faults beside each other, each in its order; raises the first failure."""
    with ThreadPoolExecutor(len(rows)) as pool:

        def do(row: Sequence[Hurt]) -> None:
            for hurt in row:
                hurt()

        for future in [pool.submit(do, row) for row in rows]:
            future.result()


def hurt_embedded(evidence: Evidence) -> list[Hurt]:
    """Every fault once, on the embedded system. What takes longest to get over comes first."""
    system = evidence.system
    assert isinstance(system, Embedded)

    def kill(part: str) -> Hurt:
        return lambda: system.kill(part)

    def fall(name: str) -> Hurt:
        return lambda: system.await_failpoint(name, "any process")

    def fall_everywhere() -> None:
        late = ("post.before", "post.after", "claim.after", "commit.before", "commit.after")
        at_once(
            [fall(name) for name in late],
            [fall(name) for name in failpoints.NAMES if name not in late],
            [kill("deliver"), kill("index"), kill("worker-2")],
        )

    return [
        lambda: evidence.poisons.extend(poison.plant(system, "publish", "any process", killers=True)),
        fall_everywhere,
        system.kill_everything,
        lambda: poison.push_garbage(system, "publish.normal"),
        lambda: poison.send_unknown_tasks(system),
        kill("redis"),
        kill("deliver"),
        system.wipe_redis,
        kill("worker-1"),
        kill("web"),
        lambda: system.freeze_redis(2.0),
    ]


def hurt_apart(evidence: Evidence) -> list[Hurt]:
    """Every fault once, on processes of their own with PostgreSQL; failpoints at the programs that pass them."""
    system = evidence.system
    assert isinstance(system, Apart)

    def kill(part: str) -> Hurt:
        return lambda: system.kill(part)

    def plant() -> None:
        evidence.poisons += poison.plant(system, "publish", "publish-worker", killers=False)
        evidence.poisons += poison.plant(system, "recommend", "recommend-worker", killers=False)

    def fall_everywhere() -> None:
        at_once(
            *(
                [lambda name=name, part=part: system.await_failpoint(name, part) for name in names]
                for part, names in SHORT_PASSES.items()
            )
        )

    def kill_many() -> None:
        at_once(
            [kill("publish-deliver"), kill("publish-api"), kill("recommend-sweeper")],
            [kill("recommend-worker"), kill("ingest-worker child"), kill("ingest-sweeper")],
        )

    return [
        plant,
        fall_everywhere,
        kill_many,
        lambda: system.restart_postgresql(away_s=1.0, mode="immediate"),
        lambda: system.kill_redis(away_s=1.0),
        lambda: poison.push_garbage(system, "publish.normal"),
        lambda: poison.send_unknown_tasks(system),
        kill("ingest-api"),
        system.wipe_redis,
        kill("publish-worker"),
        lambda: system.freeze_redis(2.0),
        lambda: system.restart_postgresql(away_s=0.5, mode="fast"),
    ]


def suffer(evidence: Evidence, hurts: Sequence[Hurt], pieces: int) -> None:
    """Do these one after the other, a share of the pieces posted meanwhile; then let the producers get through.

    pieces: how many are posted in all. Half of them may be posted from the second of these on, the others evenly.
    """
    for number, hurt in enumerate(hurts):
        share = 0.05 if number == 0 else 0.5 + 0.5 * number / len(hurts)
        evidence.desk.allow(int(pieces * share))
        hurt()
    evidence.desk.allow(pieces)
    evidence.desk.finish(SETTLE_S)


def finish(evidence: Evidence, *, within_s: float = SETTLE_S) -> None:
    """Let the system do all of its work, then prove everything but that related sets are those of a calm run."""
    system = evidence.system
    evidence.figures["settled after s"] = round(proofs.wait_until_settled(system, within_s), 1)
    refresh_weights(system)
    proofs.wait_until_settled(system, within_s)
    with system.client() as client:
        evidence.prove("accepted", lambda: proofs.accepted(evidence, client))
        evidence.prove("live", lambda: proofs.live(evidence, client))
        evidence.prove("journeys", lambda: proofs.journeys(evidence, client))
        evidence.prove("killed", lambda: proofs.killed_are_nowhere(evidence))
        evidence.prove("verified", lambda: proofs.verified(evidence, client))
        evidence.prove("listed", lambda: proofs.listed(evidence, client))
        evidence.prove("told", lambda: proofs.told(evidence, client))
        evidence.prove("related pages", lambda: proofs.related_pages(evidence, client))
        evidence.prove("dead letters", lambda: proofs.dead_letters(evidence, client))
    evidence.prove("frozen", lambda: proofs.answered_while_frozen(evidence, 1.0))
    kinds = [piece.status for piece in evidence.desk.pieces]
    evidence.figures |= {
        "articles": len(kinds),
        "killed articles": kinds.count("killed"),
        "changes answered": sum(piece.change for piece in evidence.desk.pieces),
        "requests": len(evidence.desk.tries),
        "requests repeated": sum(1 for one in evidence.desk.tries if one.status == 0 or one.status >= 500),
        "faults": len(evidence.diary.faults),
    }


def refresh_weights(system: System) -> None:
    """Have the weights of all terms counted anew, and wait until that is done."""
    path = "/v1/recommend/refresh"
    with system.client() as client:
        asked = client.post(system.base_of(path) + path)
        assert asked.status_code == 202, asked.text

        def done() -> bool:
            return not system.get(client, path).json()["running"]

        wait_calmly(done, "the weights to be refreshed", 60, every_s=0.1)


def undisturbed_related(
    folder: Path, pieces: Sequence[Piece], variables: Mapping[str, str] | None = None
) -> dict[int, Any]:
    """The related sets of the same final articles on a fresh system that nothing happens to, by the pieces' numbers."""
    system = Embedded(folder, Diary(), variables)
    try:
        system.start()
        alive = [piece for piece in pieces if piece.status == "live"]
        finals = iter([Piece(piece.number, piece.final | {"notify": False}, (), piece.key) for piece in alive])
        desk = Desk(system.base_of, system.key, finals, a_second=200.0)
        desk.start()
        desk.allow(len(alive))
        desk.finish(SETTLE_S)
        proofs.wait_until_settled(system, SETTLE_S)
        refresh_weights(system)
        proofs.wait_until_settled(system, SETTLE_S)
        calm = Evidence(system, desk, Receiver(), system.diary, [])
        calm.receiver.close()
        with system.client() as client:
            violations = [*desk.refusals, *proofs.related_pages(calm, client)]
        assert not violations, violations
        return calm.related
    finally:
        system.stop()


def close(evidence: Evidence) -> None:
    """Stop everything that a run started."""
    with contextlib.suppress(Exception):
        evidence.desk.finish(0.1)
    evidence.system.stop()
    evidence.receiver.close()


@contextlib.contextmanager
def explained(evidence: Evidence) -> Iterator[None]:
    """Tell all that happened along with whatever fails in the block."""
    try:
        yield
    except Exception as error:
        evidence.violations["the run itself"] = [f"{type(error).__name__}: {error}"]
        raise AssertionError(report(evidence)) from error


def report(evidence: Evidence) -> str:
    """What happened, for whoever has to find out why a proof failed."""
    wrong = {name: found for name, found in evidence.violations.items() if found}
    lines = [f"== {evidence.system.name}: {evidence.figures}"]
    lines += [f"{count:4d} × {what}" for what, count in evidence.diary.counts().items()]
    for name, found in wrong.items():
        lines += [f"-- {name}: {len(found)} violations", *(f"   {one[:2000]}" for one in found[:8])]
    if wrong:
        lines += ["-- the faults, in seconds", evidence.diary.text(), "-- logs", evidence.system.tails()]
    return "\n".join(lines)


# The long form


def hurt_at_random(evidence: Evidence, seconds: float, seed: int, say: Callable[[str], None]) -> None:
    """Hurt the system again and again for so long, while articles are posted; then let the producers get through.

    say: told of each fault in a line.
    """
    chance = random.Random(seed)
    ends = time.monotonic() + seconds
    poisons = _poisons(evidence)
    evidence.desk.allow(MOST_PIECES)
    while time.monotonic() < ends:
        seen = len(evidence.diary.faults)
        hurt = poisons.pop() if poisons and chance.random() < 0.1 else chance.choice(_hurts(evidence, chance))
        hurt()
        for fault in evidence.diary.faults[seen:]:
            say(f"{fault.ended - evidence.diary.born:6.0f} s  {fault.kind}: {fault.target}")
        # The pauses between faults are a part of the load: from hardly any to enough to recover.
        threading.Event().wait(chance.choice((0.0, 0.2, 1.0, 3.0, 6.0)))
    evidence.desk.stop_posting()
    evidence.desk.finish(SETTLE_S)


def _hurts(evidence: Evidence, chance: random.Random) -> list[Hurt]:
    system = evidence.system
    part = chance.choice([name for name in system.parts() if name != "redis"])
    hurts: list[Hurt] = [
        lambda: system.kill(part),
        lambda: system.kill(part),
        system.wipe_redis,
        lambda: system.freeze_redis(chance.uniform(0.5, 4.0)),
        lambda: poison.push_garbage(system, chance.choice(("publish.normal", "ingest.urgent", "recommend.normal"))),
        lambda: poison.send_unknown_tasks(system),
    ]
    if isinstance(system, Apart):
        place = chance.choice(list(PASSES))
        name = chance.choice(PASSES[place])
        mode = chance.choice(("fast", "immediate"))
        hurts += [lambda: system.await_failpoint(name, place)] * 3
        hurts += [lambda: system.restart_postgresql(away_s=chance.uniform(0.1, 4.0), mode=mode)]
        hurts += [lambda: system.kill_redis(away_s=chance.uniform(0.1, 4.0))]
    elif isinstance(system, Embedded):
        name = chance.choice(failpoints.NAMES)
        hurts += [lambda: system.await_failpoint(name, "any process")] * 3
        hurts += [system.kill_everything, lambda: system.kill("redis")]
    return hurts


def _poisons(evidence: Evidence) -> list[Hurt]:
    """A few of each: every one that kills takes its worker down four times."""
    system = evidence.system
    apart = isinstance(system, Apart)

    def plant(listener: str) -> Hurt:
        part = f"{listener}-worker" if apart else "any process"
        return lambda: evidence.poisons.extend(poison.plant(system, listener, part, killers=True))

    return [plant("publish"), plant("recommend"), plant("publish")]
