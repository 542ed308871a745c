"""Whether what is to be subscribed can work at all: told to whoever subscribes it, rather than by its first delivery.

Only what is certain is refused. A name that cannot be looked up just now may be there later; every request is checked
again when it is made (shared/outgoing).
"""

from __future__ import annotations

import ipaddress
import socket
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from shared.errors import Fault, Unprocessable
from shared.outgoing import Network, address_in, fault_of_url, is_allowed, is_inside

LOOK_UP_S = 3.0
APPRISE_S = 20.0
_NOT_KNOWN = 3
# Apprise takes a second and tens of megabytes to load: not in a process that answers requests.
_ASK_APPRISE = f"""
import logging, sys
import apprise
logging.getLogger("apprise").setLevel(logging.CRITICAL)
sys.exit(0 if apprise.Apprise().add(sys.stdin.read()) else {_NOT_KNOWN})
"""

_names = ThreadPoolExecutor(4, thread_name_prefix="names")


def check(channel: str, url: str, allow: Sequence[Network]) -> None:
    """Raise Unprocessable for an address to which no delivery can ever go by this channel."""
    if channel == "apprise":
        fault = _fault_of_apprise(url)
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


def _fault_of_apprise(url: str) -> str | None:
    if "://" not in url:
        return "An Apprise URL begins with its service: mailto://, slack://, ntfy://."
    try:
        # By its standard input: other users of the machine see a program's arguments, and the URL holds passwords.
        command = [sys.executable, "-c", _ASK_APPRISE]
        asked = subprocess.run(  # noqa: S603 (a program of our own)
            command, input=url.encode(), capture_output=True, timeout=APPRISE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if asked.returncode == _NOT_KNOWN:
        return "Apprise knows no such service, or this URL lacks something that the service needs."
    return None
