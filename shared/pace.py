"""How often an address may ask what everybody may ask: so many times a second, with some patience for bursts."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from flask import Request

from shared.errors import TooManyRequests

MOST_ADDRESSES = 20_000


class Pace:
    """Counts what each address asks of this process. Safe to share between threads; bounded in memory."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, and when that was so
        self._lock = threading.Lock()

    def take(self, address: str) -> None:
        """Count one request of an address. Raises TooManyRequests when it has none left."""
        now = self._clock()
        with self._lock:
            left, at = self._left.pop(address, (float(self._burst), now))
            left = min(float(self._burst), left + (now - at) * self._per_second)
            allowed = left >= 1
            self._left[address] = (left - 1 if allowed else left, now)
            if len(self._left) > MOST_ADDRESSES:
                self._left.popitem(last=False)
        if not allowed:
            wait_s = max(1, round(1 / self._per_second))
            raise TooManyRequests("Too many requests from this address.", headers={"Retry-After": str(wait_s)})


def address_of(request: Request) -> str:
    """Who asks: the address that our own gateway saw, else the one that is connected. IPv6: the network of 64 bits.

    A forwarded address counts only from a private network, and of several only the last, which the gateway added.
    """
    peer = _parsed(request.remote_addr or "")
    forwarded = _parsed(request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip())
    found = forwarded if forwarded is not None and (peer is None or peer.is_private) else peer
    if found is None:
        return ""
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
