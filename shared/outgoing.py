"""The one gate for outgoing HTTP: no private network is reached, no answer is waited for or read without bounds.

The address is checked when connecting, after the name was looked up and on the very address that is connected to, so
that a name that changes its mind between two look-ups (rebinding) gains nothing. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

ANSWER_BYTES = 2_000


class Refused(Exception):
    """The gate does not let this request out; str(error) says why."""


@dataclass(frozen=True)
class Answer:
    """What came back. status: HTTP's; text: its first bytes, as text; retry_after: the header, or ""."""

    status: int
    text: str
    retry_after: str


def is_allowed(address: Address, allow: Sequence[Network]) -> bool:
    """Whether requests may go to this address: a public one, or one in the networks that were let in."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address.version == network.version and address in network for network in allow):
        return True
    return address.is_global and not address.is_multicast and not address.is_reserved


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
    try:
        host.encode("idna")
        httpx.URL(url)
    except (UnicodeError, httpx.InvalidURL):
        return "has a host that is no name"
    if parts.username or parts.password:
        return "should hold no user name or password"
    try:
        address: Address | None = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is not None and not is_allowed(address, allow):
        return "should not be in a private network"
    if parts.scheme == "http" and not (allow and (address is None or _inside(address, allow))):
        return "should be https://; http:// is for networks that ROTATIVE_WEBHOOK_ALLOW names"
    return None


def _inside(address: Address, allow: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in allow)


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Looks the name up itself, and connects only to an address that may be reached: public, if so said, or allowed."""

    def __init__(self, allow: Sequence[Network], *, public: bool) -> None:
        self._allow = allow
        self._public = public
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address of the host that may be reached and answers."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(f"the name {host} is not known: {error}") from error
        addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
        may = is_allowed if self._public else _inside
        reachable = [address for address in addresses if may(address, self._allow)]
        if not reachable:
            raise Refused(f"{host} is not in a network that may be reached")
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in reachable:
            try:
                return await self._inner.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise Refused("no Unix sockets")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._inner.sleep(seconds)


class Gate:
    """A client for requests to addresses that somebody else chose. Use it inside one event loop."""

    def __init__(self, allow: Sequence[Network], *, timeout_s: float, most_connections: int = 100) -> None:
        self._allow = allow
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            mounts={
                "https://": _transport(allow, public=True, most=most_connections),
                "http://": _transport(allow, public=False, most=most_connections),
            },
            timeout=httpx.Timeout(timeout_s),
            follow_redirects=False,
            trust_env=False,
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST these bytes; the answer's status and first bytes.

        Raises Refused for an address that may not be reached, httpx.HTTPError or TimeoutError when no answer came
        within the gate's time.
        """
        fault = fault_of_url(url, self._allow)
        if fault is not None:
            raise Refused(f"the URL {fault}")
        async with asyncio.timeout(self._timeout_s):
            async with self._client.stream("POST", url, content=body, headers=dict(headers)) as response:
                first = b""
                async for chunk in response.aiter_raw(ANSWER_BYTES):
                    first += chunk
                    if len(first) >= ANSWER_BYTES:
                        break
                text = first[:ANSWER_BYTES].decode("utf-8", "replace").replace("\x00", "")
                return Answer(response.status_code, text, response.headers.get("retry-after", ""))

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


def _transport(allow: Sequence[Network], *, public: bool, most: int) -> httpx.AsyncHTTPTransport:
    transport = httpx.AsyncHTTPTransport()
    transport._pool = httpcore.AsyncConnectionPool(
        ssl_context=ssl.create_default_context(),
        max_connections=most,
        max_keepalive_connections=most,
        keepalive_expiry=20,
        network_backend=_CheckedBackend(allow, public=public),
    )
    return transport
