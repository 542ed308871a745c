"""The one gate for outgoing HTTP: no private network is reached, no answer is waited for or read without bounds.

Here is what everybody may ask about addresses; `gate.py` holds the client, which only processes that send load.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Every network there is: for addresses that the operator has chosen.
ANYWHERE: tuple[Network, ...] = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
# IPv6 addresses that carry an IPv4 one inside, which is where they lead: NAT64 (RFC 6052) and 6to4 (RFC 3056).
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# What no version of Python, or only newer ones, calls private: the IETF's own addresses (with a cloud's metadata among
# them), 6to4's relays, another cloud's host, local NAT64 (RFC 8215), IPv4 inside IPv6 in two old ways, site-local ones,
# and 2001::/23, which has Teredo. Source: IANA's registries of special-purpose addresses.
_NEVER: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "168.63.129.16/32",
        "64:ff9b:1::/48",
        "::/96",
        "::ffff:0:0:0/96",
        "fec0::/10",
        "2001::/23",
    )
)


class Refused(OSError):
    """The gate does not let this request out; str(error) says why. An OSError, so that a client tries on elsewhere."""


class NoAnswer(Exception):
    """No answer came, or none in time; str(error) says what happened.

    why: the reason in one word: silent, unreachable, closed (nobody listens there), unknown-name, insecure (no TLS, or
    a certificate that does not fit), hung-up, garbled, or "". reached: whether there was a connection.
    """

    def __init__(self, said: str, why: str = "", *, reached: bool = True) -> None:
        super().__init__(said)
        self.why = why
        self.reached = reached


@dataclass(frozen=True)
class Answer:
    """What came back. status: HTTP's; body: its first bytes; headers: lower-case names."""

    status: int
    body: bytes
    retry_after: str = ""

    @property
    def text(self) -> str:
        """The body as text that every database can hold."""
        return self.body.decode("utf-8", "replace").replace("\x00", "")


def is_allowed(address: Address, allow: Sequence[Network]) -> bool:
    """Whether requests may go to this address: a public one, or one in the networks that were let in."""
    address = _inner(address)
    if _inside(address, allow):
        return True
    special = address.is_multicast or address.is_reserved or _inside(address, _NEVER)
    return address.is_global and not special


def is_inside(address: Address, allow: Sequence[Network]) -> bool:
    """Whether this address is in one of these networks."""
    return _inside(_inner(address), allow)


def is_inside_any(host: str, allow: Sequence[Network]) -> bool:
    """Whether a host is an address, not a name, in one of these networks."""
    try:
        return is_inside(ipaddress.ip_address(host), allow)
    except ValueError:
        return False


def _inner(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _inside(address: Address, allow: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in allow)


def fault_of_url(url: str, allow: Sequence[Network]) -> str | None:
    """What is wrong with an address that requests should go to, without looking up its name; None when nothing is."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not a URL"
    host = parts.hostname or ""
    if parts.scheme not in {"https", "http"} or not host or port == 0:
        return "should be an absolute https:// URL"
    if any(character <= " " or character == "\x7f" for character in url):
        return "holds a blank or a control character"
    if not host.isascii():
        return "has a host that is no name as it travels: write it in its xn-- form"
    try:
        host.encode("idna")
    except UnicodeError:
        return "has a host that is no name"
    if parts.username or parts.password:
        return "should hold no user name or password"
    address = address_in(host)
    if address is not None and not is_allowed(address, allow):
        return "should not be in a private network"
    if parts.scheme == "http" and not (allow and (address is None or is_inside(address, allow))):
        return "should be https://; http:// is for networks that ROTATIVE_WEBHOOK_ALLOW names"
    return None


def address_in(host: str) -> Address | None:
    """The address that a host is written as, if it is no name: also as 2130706433, 0x7f.1 or 0177.0.0.1."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None
