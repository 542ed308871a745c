"""What is known of receivers' hosts in this process: how many attempts run, how long they take, which do not answer."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.publish.transports import NotYet

# So long a delivery waits for its host's turn; whoever would wait longer is put back at once.
LONGEST_WAIT_S = 3.0
# A host that failed to answer so often in a row is left alone for a while, longer each time, so that it holds up
# nothing else. Then one attempt tries whether it is back.
BREAKER_FAILURES = 5
BREAKER_S = 10.0
BREAKER_MOST_S = 300.0
# What is known of a host is forgotten after this without an attempt.
FORGET_S = 600.0


@dataclass
class Host:
    """One host. usual_s: how long attempts at it have lately taken."""

    slots: asyncio.Semaphore
    places: int
    waiting: int = 0
    running: int = 0
    failures: int = 0
    opened: int = 0
    until: float = 0.0
    usual_s: float = 0.05
    used: float = field(default_factory=time.monotonic)


class Hosts:
    """The hosts of one process, used inside its event loop."""

    def __init__(self) -> None:
        self._hosts: dict[str, Host] = {}
        self._swept = time.monotonic()

    @asynccontextmanager
    async def turn(self, name: str, places: int) -> AsyncIterator[Host]:
        """Hold one of a host's places. Raises NotYet when it is to be left alone, or has enough to do."""
        host = self._host(name, places)
        now = host.used = time.monotonic()
        if host.until > now:
            raise NotYet(host.until - now + random.random(), "its host does not answer")  # noqa: S311
        if host.failures >= BREAKER_FAILURES and host.running + host.waiting:
            raise NotYet(1.0 + random.random(), "its host is being tried")  # noqa: S311
        ahead = (host.waiting + 1) * host.usual_s / host.places
        if host.slots.locked() and ahead > LONGEST_WAIT_S:
            raise NotYet(min(30.0, ahead) * (0.5 + random.random()), "its host has enough to do")  # noqa: S311
        if host.slots.locked():
            await self._wait(host)
        else:
            await host.slots.acquire()  # at once
        try:
            pause = host.until - time.monotonic()
            if pause > 0:
                raise NotYet(pause + random.random(), "its host does not answer")  # noqa: S311
            host.running += 1
            try:
                yield host
            finally:
                host.running -= 1
        finally:
            host.slots.release()

    @staticmethod
    async def _wait(host: Host) -> None:
        host.waiting += 1
        try:
            await asyncio.wait_for(host.slots.acquire(), LONGEST_WAIT_S)
        except TimeoutError:
            raise NotYet(1.0 + random.random(), "its host has enough to do") from None  # noqa: S311
        finally:
            host.waiting -= 1

    def note(self, host: Host, answered: bool, took_s: float) -> None:
        """An attempt has ended."""
        host.usual_s += 0.2 * (took_s - host.usual_s)
        if answered:
            host.failures = host.opened = 0
            host.until = 0.0
            return
        host.failures += 1
        if host.failures >= BREAKER_FAILURES and host.until <= time.monotonic():
            host.until = time.monotonic() + min(BREAKER_S * 2**host.opened, BREAKER_MOST_S)
            host.opened += 1

    def _host(self, name: str, places: int) -> Host:
        now = time.monotonic()
        if now - self._swept > FORGET_S:
            self._swept = now
            for old, host in list(self._hosts.items()):
                if now - host.used > FORGET_S and not host.running and not host.waiting:
                    del self._hosts[old]
        if name not in self._hosts:
            self._hosts[name] = Host(asyncio.Semaphore(places), places)
        return self._hosts[name]
