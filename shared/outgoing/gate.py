"""The client of the gate. Importing this costs some 15 MB: only processes that send do.

An address is checked when connecting, on the very address that a socket is made for, after the name was looked up: a
name that changes its mind between two look-ups (rebinding) gains nothing. Redirects are not followed, nothing is
unpacked, and of an answer no more is read than was asked for.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from shared.outgoing import Answer, Network, NoAnswer, Refused, fault_of_url, is_allowed, is_inside

ANSWER_BYTES = 2_000
# Of the time for a request, the part in which there must be a connection, its name looked up and its TLS agreed upon.
CONNECT_SHARE = 2 / 3
# So long the text of an answer is read of which only the status counts.
TEXT_S = 2.0
# How long what a name led to is remembered; it is checked again when connecting all the same. Long enough that name
# servers of others, which keep all threads for looking up waiting, do not keep from those that were looked up lately.
NAMES_S = 60


class _CheckedResolver(AbstractResolver):
    """Looks names up and leaves out what may not be reached, so that the error says which name it was."""

    def __init__(self, allow: Sequence[Network], *, public: bool) -> None:
        self._allow = allow
        self._may = is_allowed if public else is_inside
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of the host that may be reached. Raises Refused when there are others only."""
        found = await self._inner.resolve(host, port, family)
        reachable = [one for one in found if self._may(ipaddress.ip_address(one["host"]), self._allow)]
        if not reachable:
            raise Refused(f"{host} is not in a network that may be reached")
        return reachable

    async def close(self) -> None:
        """Nothing to give back."""


def _connector(allow: Sequence[Network], *, public: bool, most: int) -> aiohttp.TCPConnector:
    may = is_allowed if public else is_inside

    def make_socket(info: Any) -> socket.socket:
        family, kind, protocol, _, address = info
        if not may(ipaddress.ip_address(address[0].partition("%")[0]), allow):
            raise Refused(f"{address[0]} is not in a network that may be reached")
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    return aiohttp.TCPConnector(
        resolver=_CheckedResolver(allow, public=public),
        socket_factory=make_socket,
        limit=most,
        ttl_dns_cache=NAMES_S,
        keepalive_timeout=20,
        family=socket.AF_UNSPEC,
    )


class Gate:
    """A client for requests to addresses that somebody else chose. Make and use it inside one event loop."""

    def __init__(self, allow: Sequence[Network], *, timeout_s: float, most_connections: int = 1000) -> None:
        self._allow = allow
        self._sessions = {
            scheme: aiohttp.ClientSession(
                connector=_connector(allow, public=public, most=most_connections),
                timeout=aiohttp.ClientTimeout(total=timeout_s, connect=timeout_s * CONNECT_SHARE),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                skip_auto_headers=("Accept-Encoding", "User-Agent", "Accept"),
            )
            for scheme, public in (("https", True), ("http", False))
        }

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST these bytes; the answer's status and its first 2,000 bytes, or those that came within two seconds.

        Raises Refused for an address that may not be reached, NoAnswer when none came within the gate's time.
        """
        return await self._ask("POST", url, body, headers, ANSWER_BYTES)

    async def get(self, url: str, headers: Mapping[str, str], *, most_bytes: int) -> Answer:
        """GET an address; the answer's status and its first bytes. Raises as `post` does."""
        return await self._ask("GET", url, None, headers, most_bytes, whole=True)

    async def send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """As `post`, by another method."""
        return await self._ask(method, url, body, headers, ANSWER_BYTES)

    async def _ask(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        most_bytes: int,
        *,
        whole: bool = False,
    ) -> Answer:
        fault = fault_of_url(url, self._allow)
        if fault is not None:
            raise Refused(f"the URL {fault}")
        session = self._sessions[url.partition(":")[0].lower()]
        try:
            # As it was given: what looks like an odd way to write an address may be its receiver's secret.
            address = URL(url, encoded=url.isascii())
            async with session.request(method, address, data=body, headers=headers, allow_redirects=False) as response:
                first = bytearray()
                try:
                    async with asyncio.timeout(None if whole else TEXT_S):
                        while more := await response.content.read(most_bytes - len(first)):
                            first += more
                except (TimeoutError, aiohttp.ClientError):
                    # With its status the receiver has answered, whatever becomes of the text that explains it.
                    if whole:
                        raise
                return Answer(response.status, bytes(first), response.headers.get("Retry-After", ""))
        except aiohttp.InvalidURL as error:
            raise Refused(f"the URL cannot be used: {error}") from error
        except (aiohttp.ClientError, OSError, ValueError, asyncio.IncompleteReadError) as error:
            raise _meant_by(error) from error

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()


def _meant_by(error: Exception) -> Refused | NoAnswer:
    """What a client's error means. Some of aiohttp's errors are several things at once: the narrowest first."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return NoAnswer(f"no connection: {error.certificate_error}", "insecure", reached=False)
    if isinstance(error, aiohttp.ClientConnectorError):
        cause = error.os_error
        if isinstance(cause, Refused):
            return Refused(str(cause))
        if isinstance(error, aiohttp.ClientConnectorSSLError):
            why = "insecure"
        elif isinstance(error, aiohttp.ClientConnectorDNSError):
            why = "unknown-name"
        else:
            why = "closed" if cause.errno == errno.ECONNREFUSED else "unreachable"
        return NoAnswer(f"no connection: {cause}", why, reached=False)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return NoAnswer("no connection in time", "unreachable", reached=False)
    if isinstance(error, TimeoutError):
        return NoAnswer("no answer in time", "silent")
    cut = (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, aiohttp.ClientOSError, ConnectionError)
    why = "hung-up" if isinstance(error, cut) else "garbled"
    return NoAnswer(f"no answer: {type(error).__name__} {error}".strip(), why)
