"""Whether what is to be subscribed can work at all: told to whoever subscribes it, rather than by its first delivery.

Only what is certain is refused. A name that cannot be looked up just now may be there later; every request is checked
again when it is made (shared/outgoing).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from services.publish.transports import apprise
from shared.errors import Fault, Unprocessable
from shared.outgoing import Network, address_in, fault_of_url, is_allowed, is_inside

LOOK_UP_S = 3.0
APPRISE_S = 20.0

_names = ThreadPoolExecutor(4, thread_name_prefix="names")


def check(channel: str, url: str, allow: Sequence[Network]) -> None:
    """Raise Unprocessable for an address to which no delivery can ever go by this channel."""
    if channel == "apprise":
        fault = apprise.fault_of(url, allow, APPRISE_S)
    elif found := fault_of_url(url, allow) or fault_of_host(url, allow):
        fault = f"The URL {found}."
    else:
        fault = None
    if fault:
        raise Unprocessable(errors=[Fault("/url", "url", fault)])


def fault_of_host(url: str, allow: Sequence[Network]) -> str | None:
    """What is wrong with where a URL leads, its name looked up; None when nothing is, or nobody knows just now."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if address_in(host) is not None:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return "has an address in an unusual form: write it as four numbers with dots, like 203.0.113.7"
        return None
    found = _looked_up(host, parts.port or (80 if parts.scheme == "http" else 443))
    if not found:
        return None
    if parts.scheme == "http":
        if any(is_inside(one, allow) for one in found):
            return None
        return "should be https://; http:// is for networks that ROTATIVE_WEBHOOK_ALLOW names"
    if any(is_allowed(one, allow) for one in found):
        return None
    return "leads to a private network, which ROTATIVE_WEBHOOK_ALLOW does not name"


def _looked_up(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        rows = _names.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM).result(LOOK_UP_S)
    except (OSError, UnicodeError, TimeoutError):
        return []
    return [ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in rows]
