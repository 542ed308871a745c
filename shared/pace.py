"""How often an address may ask what everybody may ask: so many times a second, with some patience for bursts."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from flask import Request

from shared.errors import TooManyRequests
from shared.outgoing import Network, is_inside

MOST_ADDRESSES = 20_000
# So many proxies may stand one behind the other.
MOST_HOPS = 10


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


def address_of(request: Request, proxies: Sequence[Network] = ()) -> str:
    """Who asks: the address that our own gateway saw, else the one that is connected. IPv6: the network of 64 bits.

    A forwarded address counts only from a private network or from one of `proxies`, and of several only the last, which
    the gateway added; where that is one of `proxies` too, the one before it, and so on. What clients wrote themselves
    stands further to the left, and never counts.
    """
    found = _parsed(request.remote_addr or "")
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")[-MOST_HOPS:]
    may_tell = found is None or found.is_private or is_inside(found, proxies)
    while may_tell and forwarded:
        told = _parsed(forwarded.pop().strip())
        if told is None:
            break
        found, may_tell = told, is_inside(told, proxies)
    if found is None:
        return ""
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        # Another service of ours tells of whom it counts: of IPv6, a network.
        return ipaddress.ip_address(text.partition("/")[0])
    except ValueError:
        return None
