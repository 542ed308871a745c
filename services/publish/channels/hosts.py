"""What is known of receivers in this process: how many attempts run where, what takes long, what is to be left alone.

A host that cannot be reached is left alone as a whole. One that can be may still be slow or silent at some of its
addresses, which often belong to different people: of these each is known by itself. Whatever takes longer than a
second gives its place up to others of its host and goes on beside them, so many at most; an address that is slow or
silent has few attempts at once, and one that stays silent has none for a while. Places are given in turn, address by
address: a hundred deliveries to one of them do not stand before the one to another.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.publish.transports import NotYet, Outcome, Place

# So long a delivery waits for its turn; whoever would wait longer is put back at once.
LONGEST_WAIT_S = 3.0
# What takes longer than this is slow.
QUICK_S = 1.0
# So many attempts at once at an address of which nothing is known yet, and at one that is slow but answers.
NEW_EACH, SLOW_EACH = 2, 4
# So many slow attempts run at a host, for each of its places; so many in all.
SLOW_BESIDE, MOST_SLOW = 2, 500
# So many wait for a host of which nothing is known yet, for each of its places.
UNKNOWN_LINE = 5
# A host that was not reached so often in a row is left alone for a while, longer each time, so that it holds up
# nothing else. Then one attempt tries whether it is back. So is an address that hung up so often, or once was silent.
BREAKER_FAILURES = 5
BREAKER_S = 10.0
BREAKER_MOST_S = 300.0
# What is known of a host is forgotten after this without an attempt.
FORGET_S = 600.0
# Who waits is looked after so often, and who is turned away comes back after so long at most.
LOOK_S, LONGEST_PAUSE_S = 0.25, 30.0
# What asks its sender to slow down. Source: Standard Webhooks, "Deliverability"; 503 is said for the same reason.
SLOW_DOWN = frozenset({429, 502, 503, 504})


@dataclass(eq=False, slots=True)
class Trouble:
    """A breaker: failures in a row, how often it has opened since the last success, and until when it is open."""

    failures: int = 0
    opened: int = 0
    until: float = 0.0

    def open(self, now: float) -> None:
        """Leave it alone, longer each time."""
        if self.until <= now:
            self.until = now + min(BREAKER_S * 2**self.opened, BREAKER_MOST_S)
            self.opened = min(self.opened + 1, 10)

    def end(self) -> None:
        """It works."""
        self.failures = self.opened = 0
        self.until = 0.0


@dataclass(eq=False, slots=True)
class Address:
    """One address of a host, while something goes on there or it is in trouble. key "": the host is one receiver.

    proven: it has answered at once. slow: it has few attempts at once, `most`. turned_away: who asked meanwhile.
    """

    key: str
    proven: bool = False
    slow: bool = False
    most: int = SLOW_EACH
    usual_s: float = QUICK_S
    turned_away: float = 0.0
    running: int = 0
    trouble: Trouble = field(default_factory=Trouble)
    line: deque[tuple[asyncio.Future[None], Turn]] = field(default_factory=deque)
    used: float = field(default_factory=time.monotonic)

    @property
    def is_idle(self) -> bool:
        """Whether nothing need be known of it."""
        return not (self.running or self.line or self.slow or self.trouble.failures)


@dataclass(eq=False, slots=True)
class Host:
    """One host. quick: the attempts that hold its places, oldest first. usual_s: how long such have lately taken."""

    places: int
    quick: dict[Turn, None] = field(default_factory=dict)
    slow: int = 0
    waiting: int = 0
    line: dict[Address, None] = field(default_factory=dict)
    addresses: dict[str, Address] = field(default_factory=dict)
    trouble: Trouble = field(default_factory=Trouble)
    usual_s: float | None = None
    timer: asyncio.TimerHandle | None = None
    used: float = field(default_factory=time.monotonic)

    def pace_s(self, now: float) -> float:
        """How long an attempt that holds a place takes, as far as is known."""
        oldest = next(iter(self.quick), None)
        return max(self.usual_s or 0.0, now - oldest.began if oldest is not None else 0.0)

    def has_place_for(self, address: Address) -> bool:
        """Whether an attempt at this address may begin at once."""
        if len(self.quick) >= self.places:
            return False
        if not address.key:
            return True
        return address.running < (max(NEW_EACH, self.places // 2) if address.proven else NEW_EACH)


@dataclass(eq=False, slots=True)
class Turn:
    """An attempt that may be made. slow: it has given up its place and goes on beside the others."""

    host: Host
    address: Address
    began: float
    slow: bool = False


class Hosts:
    """The hosts of one process, used inside its event loop."""

    def __init__(self) -> None:
        self._hosts: dict[str, Host] = {}
        self._slow = 0
        self._swept = time.monotonic()

    @asynccontextmanager
    async def turn(self, place: Place, places: int) -> AsyncIterator[Turn]:
        """Hold one of a host's places. Raises NotYet when it, or the address there, is left alone or has enough."""
        now = time.monotonic()
        host = self._host(place.host, places, now)
        if host.trouble.until > now:
            raise NotYet(host.trouble.until - now + random.random(), "its host does not answer")  # noqa: S311
        if host.trouble.failures >= BREAKER_FAILURES and (host.quick or host.slow or host.waiting):
            raise NotYet(1.0 + random.random(), "its host is being tried")  # noqa: S311
        address = host.addresses.get(place.address)
        if address is None:
            address = host.addresses[place.address] = Address(place.address)
        address.used = now
        turn = Turn(host, address, now)
        try:
            await self._take(turn, now)
        except NotYet:
            self._forget_if_idle(host, address)
            raise
        try:
            yield turn
        finally:
            self._leave(turn)

    def note(self, turn: Turn, outcome: Outcome) -> None:
        """The attempt of this turn has ended."""
        host, address = turn.host, turn.address
        now = time.monotonic()
        took_s = now - turn.began
        if not turn.slow:
            host.usual_s = took_s if host.usual_s is None else host.usual_s + 0.2 * (took_s - host.usual_s)
        if outcome.refused:
            return
        answered = outcome.status is not None
        if not (outcome.reached if address.key else answered):
            self._host_failed(host, now)
            return
        host.trouble.end()
        address.usual_s += 0.2 * (took_s - address.usual_s)
        if answered:
            address.trouble.end()
            address.proven = True
            # A host that is one receiver has its places, and no more beside them: a relay bounds its connections.
            address.slow = bool(address.key) and (took_s > QUICK_S or outcome.status in SLOW_DOWN)
            address.most = 1 if outcome.status in SLOW_DOWN else SLOW_EACH
            return
        address.slow, address.proven, address.most = True, False, 1
        address.trouble.failures += 1
        if took_s > QUICK_S or address.trouble.failures >= BREAKER_FAILURES:
            address.trouble.open(now)
            _turn_away(address, address.trouble.until - now, "its address does not answer")

    # Getting a place

    async def _take(self, turn: Turn, now: float) -> None:
        host, address = turn.host, turn.address
        if not address.slow and not address.line and host.has_place_for(address):
            self._begin(turn, now)
            return
        self._grow_old(host, now)
        if address.slow:
            await self._take_beside(turn, now)
        elif not address.line and host.has_place_for(address):
            self._begin(turn, now)
        else:
            await self._wait(turn, now)

    def _begin(self, turn: Turn, now: float) -> None:
        turn.began = now
        turn.address.running += 1
        turn.host.quick[turn] = None

    async def _wait(self, turn: Turn, now: float) -> None:
        host, address = turn.host, turn.address
        ahead = (host.waiting + 1) * host.pace_s(now) / host.places
        if ahead > LONGEST_WAIT_S or (host.usual_s is None and host.waiting >= UNKNOWN_LINE * host.places):
            pause = min(max(1.0, ahead), LONGEST_PAUSE_S)
            raise NotYet(pause * (0.5 + random.random()), "its host has enough to do")  # noqa: S311
        host.line[address] = None
        if host.timer is None:
            host.timer = asyncio.get_running_loop().call_later(LOOK_S, self._look_after, host)
        host.waiting += 1
        try:
            await self._stand_in_line(turn)
        finally:
            host.waiting -= 1

    @staticmethod
    async def _stand_in_line(turn: Turn) -> None:
        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        entry = (place, turn)
        line = turn.address.line
        line.append(entry)
        patience = loop.call_later(LONGEST_WAIT_S, _give_up, place)
        try:
            await place
        finally:
            patience.cancel()
            if entry in line:
                line.remove(entry)

    # Beside those who hold a place, at addresses that are slow

    async def _take_beside(self, turn: Turn, now: float) -> None:
        host, address = turn.host, turn.address
        pause = address.trouble.until - now
        if pause > 0:
            raise NotYet(pause + random.random(), "its address does not answer")  # noqa: S311
        ahead = (len(address.line) + 1) * address.usual_s / address.most
        if not address.line and self._may_go_beside(host, address):
            self._begin_beside(turn, now)
        elif ahead <= LONGEST_WAIT_S and address.running:
            await self._stand_in_line(turn)
        else:
            address.turned_away += 1
            pause = min(max(1.0, address.turned_away * address.usual_s / address.most), LONGEST_PAUSE_S)
            raise NotYet(pause * (0.5 + random.random()), "its address is slow")  # noqa: S311

    def _begin_beside(self, turn: Turn, now: float) -> None:
        turn.began, turn.slow = now, True
        turn.address.turned_away *= 0.9
        turn.address.running += 1
        turn.host.slow += 1
        self._slow += 1

    def _may_go_beside(self, host: Host, address: Address) -> bool:
        return address.running < address.most and not self._is_crowded(host)

    def _is_crowded(self, host: Host) -> bool:
        return host.slow >= host.places * SLOW_BESIDE or self._slow >= MOST_SLOW

    def _let_in_beside(self, host: Host, address: Address) -> None:
        while address.line and self._may_go_beside(host, address):
            place, turn = address.line.popleft()
            if not place.done():
                self._begin_beside(turn, time.monotonic())
                place.set_result(None)

    # Giving it on

    def _leave(self, turn: Turn) -> None:
        host, address = turn.host, turn.address
        address.running -= 1
        if turn.slow:
            host.slow -= 1
            self._slow -= 1
        else:
            del host.quick[turn]
        if address.line and address.slow:
            self._let_in_beside(host, address)
        elif address.line:
            host.line[address] = None  # it has shown that it is well
        self._let_in(host)
        self._forget_if_idle(host, address)

    def _let_in(self, host: Host) -> None:
        """Give free places to those who wait: one to each address, and again while there are some."""
        let_in = True
        while let_in:
            let_in = False
            for _ in range(len(host.line)):
                if len(host.quick) >= host.places:
                    return
                address = next(iter(host.line))
                del host.line[address]
                while address.line and address.line[0][0].done():
                    address.line.popleft()
                if address.slow:
                    continue  # its line is its own
                if address.line and host.has_place_for(address):
                    place, turn = address.line.popleft()
                    self._begin(turn, time.monotonic())
                    place.set_result(None)
                    let_in = True
                if address.line:
                    host.line[address] = None

    def _look_after(self, host: Host) -> None:
        host.timer = None
        self._grow_old(host, time.monotonic())
        self._let_in(host)
        if host.line:
            host.timer = asyncio.get_running_loop().call_later(LOOK_S, self._look_after, host)

    def _grow_old(self, host: Host, now: float) -> None:
        """Let attempts that take long go on beside the others; their addresses are slow from now on."""
        for turn in list(host.quick):
            if now - turn.began < QUICK_S or self._is_crowded(host):
                return
            address = turn.address
            if not address.key:
                continue
            del host.quick[turn]
            turn.slow = True
            host.slow += 1
            self._slow += 1
            address.slow, address.most = True, SLOW_EACH if address.proven else 1
            _turn_away(address, 1.0, "its address is slow")

    def _host_failed(self, host: Host, now: float) -> None:
        host.trouble.failures += 1
        if host.trouble.failures < BREAKER_FAILURES:
            return
        host.trouble.open(now)
        for address in host.line:
            _turn_away(address, host.trouble.until - now, "its host does not answer")
        host.line.clear()

    # What is known

    def _host(self, name: str, places: int, now: float) -> Host:
        if now - self._swept > FORGET_S:
            self._swept = now
            self._sweep(now)
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = Host(places)
        host.used = now
        return host

    def _sweep(self, now: float) -> None:
        for name, host in list(self._hosts.items()):
            for key, address in list(host.addresses.items()):
                old = now - max(address.used, address.trouble.until) > FORGET_S
                if old and not address.running and not address.line:
                    del host.addresses[key]
            if not host.addresses and not host.line and now - max(host.used, host.trouble.until) > FORGET_S:
                del self._hosts[name]

    @staticmethod
    def _forget_if_idle(host: Host, address: Address) -> None:
        # Of thousands of addresses that answer, as of browsers at a push service, nothing is kept.
        if address.is_idle:
            host.addresses.pop(address.key, None)


def _give_up(place: asyncio.Future[None]) -> None:
    if not place.done():
        place.set_exception(NotYet(1.0 + random.random(), "its host has enough to do"))  # noqa: S311


def _turn_away(address: Address, seconds: float, why: str) -> None:
    """Let nobody wait for this address any longer."""
    for place, _ in address.line:
        if not place.done():
            place.set_exception(NotYet(seconds + random.random(), why))  # noqa: S311
