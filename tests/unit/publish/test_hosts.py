"""Turns at receivers' hosts: who is slow or silent holds up nobody else of the same host."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import pytest

from services.publish.channels import hosts as module
from services.publish.channels.hosts import Hosts
from services.publish.transports import NotYet, Outcome, Place

PLACES = 20
GOOD = Outcome(204, "")
SILENT = Outcome(None, "no answer in time", sent=True, why="silent")
HUNG_UP = Outcome(None, "no answer", sent=True, why="hung-up")
CLOSED = Outcome(None, "no connection", reached=False, why="closed")


class Running:
    """Attempts on their way: how many at each address, and how many there were at once."""

    def __init__(self) -> None:
        self.hosts = Hosts()
        self.now: Counter[str] = Counter()
        self.most = 0
        self.began: list[str] = []
        self.put_back: Counter[str] = Counter()

    async def attempt(
        self, address: str, outcome: Outcome = GOOD, until: asyncio.Event | None = None, host: str = "hooks.test"
    ) -> None:
        try:
            async with self.hosts.turn(Place(host, address), PLACES) as turn:
                self.now[address] += 1
                self.began.append(address)
                self.most = max(self.most, self.now.total())
                if until is not None:
                    await until.wait()
                self.now[address] -= 1
                self.hosts.note(turn, outcome)
        except NotYet:
            self.put_back[address] += 1


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Running:
    monkeypatch.setattr(module, "QUICK_S", 0.05)
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    return Running()


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


def test_ten_silent_addresses_with_many_deliveries_each_hold_up_no_other_address_of_their_host(
    running: Running,
) -> None:
    async def main() -> None:
        ended = asyncio.Event()
        silent = [
            asyncio.create_task(running.attempt(f"/silent/{number}", SILENT, ended))
            for number in range(10)
            for _ in range(30)
        ]
        while running.now.total() < PLACES:
            await asyncio.sleep(0)
        for _ in range(50):
            before = running.put_back["/well"]
            await running.attempt("/well")
            while running.put_back["/well"] > before:  # as a delivery that is put back is taken up again
                before = running.put_back["/well"]
                await running.attempt("/well")
        assert running.began.count("/well") == 50
        assert {address for address, count in running.now.items() if count} == {f"/silent/{n}" for n in range(10)}
        assert running.most <= PLACES * (1 + module.SLOW_BESIDE)
        ended.set()
        await asyncio.gather(*silent)

    run(main())


def test_an_address_that_was_silent_is_left_alone_and_its_neighbour_is_not(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUICK_S", -1.0)  # whatever takes any time is slow

    async def main() -> None:
        await running.attempt("/silent", SILENT)
        await running.attempt("/silent", GOOD)
        await running.attempt("/well", GOOD)
        assert (running.began, running.put_back) == (["/silent", "/well"], {"/silent": 1})

    run(main())


def test_an_address_that_hangs_up_is_left_alone_after_the_fifth_time(running: Running) -> None:
    async def main() -> None:
        for _ in range(8):
            await running.attempt("/rude", HUNG_UP)
        await running.attempt("/well")
        assert running.began == ["/rude"] * module.BREAKER_FAILURES + ["/well"]

    run(main())


def test_a_host_that_cannot_be_reached_is_left_alone_with_all_its_addresses_and_no_other_host(
    running: Running,
) -> None:
    async def main() -> None:
        for number in range(8):
            await running.attempt(f"/{number}", CLOSED)
        await running.attempt("/well", host="other.test")
        assert running.began == [f"/{number}" for number in range(module.BREAKER_FAILURES)] + ["/well"]

    run(main())


def test_of_a_host_that_is_tried_again_one_attempt_is_made_and_then_all(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BREAKER_S", 0.0)

    async def main() -> None:
        for number in range(module.BREAKER_FAILURES):
            await running.attempt(f"/{number}", CLOSED)
        back = asyncio.Event()
        first = asyncio.create_task(running.attempt("/first", GOOD, back))
        await asyncio.sleep(0)
        await running.attempt("/second")
        assert running.put_back == {"/second": 1}
        back.set()
        await first
        await running.attempt("/second")
        assert running.began[-2:] == ["/first", "/second"]

    run(main())


def test_a_receiver_that_asks_to_slow_down_gets_one_at_a_time(running: Running) -> None:
    async def main() -> None:
        await running.attempt("/busy", Outcome(429, ""))
        ended = asyncio.Event()
        tasks = [asyncio.create_task(running.attempt("/busy", Outcome(429, ""), ended)) for _ in range(5)]
        while running.put_back["/busy"] < 4:
            await asyncio.sleep(0)
        assert running.now["/busy"] == 1
        ended.set()
        await asyncio.gather(*tasks)
        await running.attempt("/busy", GOOD)
        tasks = [asyncio.create_task(running.attempt("/busy")) for _ in range(5)]
        await asyncio.gather(*tasks)
        assert running.began.count("/busy") == 1 + 1 + 1 + 5

    run(main())


def test_places_are_given_in_turn_address_by_address(running: Running) -> None:
    async def main() -> None:
        gate = asyncio.Event()
        full = [asyncio.create_task(running.attempt(f"/{number}", GOOD, gate)) for number in range(PLACES)]
        many = [asyncio.create_task(running.attempt("/many")) for _ in range(60)]
        await asyncio.sleep(0)
        one = asyncio.create_task(running.attempt("/one"))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*full, *many, one)
        assert running.began.index("/one") <= PLACES + 2

    run(main())


def test_a_host_that_is_one_receiver_never_has_more_than_its_places(running: Running) -> None:
    async def main() -> None:
        ended = asyncio.Event()
        tasks = [asyncio.create_task(running.attempt("", GOOD, ended, host="smtp")) for _ in range(60)]
        slow = asyncio.create_task(running.attempt("/slow", GOOD, ended))
        while not slow.done() and running.now["/slow"] == 0:
            await asyncio.sleep(0)
        await asyncio.sleep(0.2)  # long enough to be slow: it makes no difference
        assert running.now[""] == PLACES
        ended.set()
        await asyncio.gather(*tasks, slow)

    run(main())


def test_nothing_is_kept_of_addresses_that_answer(running: Running) -> None:
    async def main() -> None:
        await asyncio.gather(*(running.attempt(f"/{number}") for number in range(500)))
        (host,) = running.hosts._hosts.values()
        assert host.addresses == {}
        assert (host.line, host.quick, host.slow, host.waiting) == ({}, {}, 0, 0)

    run(main())


def test_whoever_waits_for_a_host_that_turns_out_to_be_away_waits_no_longer(running: Running) -> None:
    async def main() -> None:
        ended = asyncio.Event()
        tasks = [asyncio.create_task(running.attempt(f"/{number}", CLOSED, ended)) for number in range(PLACES)]
        waiting = [asyncio.create_task(running.attempt(f"/late/{number}")) for number in range(30)]
        await asyncio.sleep(0)
        ended.set()
        await asyncio.gather(*tasks, *waiting)
        assert running.put_back.total() >= 30 - module.BREAKER_FAILURES

    run(main())
