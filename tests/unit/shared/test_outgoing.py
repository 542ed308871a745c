"""The gate for outgoing HTTP: which addresses it lets through."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from shared.outgoing import Answer, NoAnswer, Refused, fault_of_url, is_allowed
from shared.outgoing import gate as gate_module
from shared.outgoing.gate import ANSWER_BYTES, Gate
from tests.fakes import HALF, RESET, SILENT, receiver

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fc00::1",
        "::",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "::7f00:1",
        "::ffff:0:7f00:1",
        "2001:0:7f00:1::",
        "2002:a9fe:a9fe::",
        "fec0::1",
        "fd00:ec2::254",
        "192.0.0.192",
        "192.88.99.1",
        "168.63.129.16",
        "198.18.0.1",
        "203.0.113.1",
        "240.0.0.1",
        "255.255.255.255",
    ],
)
def test_private_and_special_addresses_are_not_reached(address: str) -> None:
    assert not is_allowed(ipaddress.ip_address(address), ())


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "2a01:4f8::1", "64:ff9b::5db8:d822"])
def test_public_addresses_are_reached(address: str) -> None:
    assert is_allowed(ipaddress.ip_address(address), ())


def test_public_addresses_and_networks_let_in_are_reached() -> None:
    assert is_allowed(ipaddress.ip_address("93.184.216.34"), ())
    assert is_allowed(ipaddress.ip_address("127.0.0.1"), LOOPBACK)
    assert is_allowed(ipaddress.ip_address("::ffff:127.0.0.1"), LOOPBACK)
    assert not is_allowed(ipaddress.ip_address("10.0.0.1"), LOOPBACK)


@pytest.mark.parametrize(
    ("url", "allow", "fine"),
    [
        ("https://example.org/hook", (), True),
        ("http://example.org/hook", (), False),
        ("http://127.0.0.1:8/hook", LOOPBACK, True),
        ("http://10.0.0.1/hook", LOOPBACK, False),
        ("https://10.0.0.1/hook", (), False),
        ("https://[::1]/hook", (), False),
        ("https://2130706433/", (), False),
        ("https://0x7f000001/", (), False),
        ("https://0177.0.0.1/", (), False),
        ("https://127.1/", (), False),
        ("https://127.0.0.1./", (), False),
        ("https://[::ffff:7f00:1]/", (), False),
        ("https://1572395042/", (), True),
        ("https://user:secret@example.org/", (), False),
        ("ftp://example.org/", (), False),
        ("https:///nowhere", (), False),
        ("https://example.org:99999/", (), False),
        ("not a url", (), False),
        ("https://hooks..example.com/", (), False),
        ("https://\u2603.net/", (), False),
        ("https://xn--bcher-kva.example/", (), True),
    ],
)
def test_an_address_is_judged_before_anything_is_sent(url: str, allow: tuple, fine: bool) -> None:
    assert (fault_of_url(url, allow) is None) == fine


def test_a_name_that_leads_to_a_private_address_is_refused_when_connecting() -> None:
    async def post() -> None:
        gate = Gate((), timeout_s=2)
        try:
            await gate.post("https://localhost:9/", b"", {})
        finally:
            await gate.close()

    with pytest.raises(Refused):
        asyncio.run(post())


@pytest.mark.parametrize("address", ["2002:7f00:1::", "64:ff9b::a00:1", "::ffff:169.254.169.254", "fe80::1%eth0"])
def test_an_ipv6_address_that_leads_to_a_private_one_is_not_reached(address: str) -> None:
    assert not is_allowed(ipaddress.ip_address(address), ())


def test_a_name_that_changes_its_mind_is_refused_at_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lie(*_: object, **__: object) -> list[dict[str, object]]:
        return [{"hostname": "x", "host": "127.0.0.1", "port": 9, "family": 2, "proto": 6, "flags": 0}]

    async def post() -> None:
        gate = Gate((), timeout_s=2)
        try:
            await gate.post("https://rebinding.example/", b"", {})
        finally:
            await gate.close()

    # As if the checked look-up had answered with something else than what is connected to.
    monkeypatch.setattr("shared.outgoing.gate._CheckedResolver.resolve", lie)
    with pytest.raises(Refused, match=r"127\.0\.0\.1 is not in a network that may be reached"):
        asyncio.run(post())


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.1", "127.0.0.1.", "[::ffff:127.0.0.1]", "localhost."])
def test_however_a_private_address_is_written_nothing_is_sent_to_it(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)

        async def post() -> None:
            gate = Gate((), timeout_s=2)
            try:
                await gate.post(f"https://{host}:{listening.getsockname()[1]}/", b"", {})
            finally:
                await gate.close()

        # As if the first look at the address had let it pass: the look-up, or the socket, refuses it.
        monkeypatch.setattr("shared.outgoing.gate.fault_of_url", lambda *_: None)
        with pytest.raises((Refused, NoAnswer)):
            asyncio.run(post())
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with receiver() as inside, receiver() as outside:
        outside.answer = lambda _: (307, {"Location": inside.url})
        answer = asyncio.run(_post(outside.url))
        assert (answer.status, inside.got) == (307, [])


def test_no_more_of_an_answer_is_read_than_was_asked_for() -> None:
    with receiver() as told:
        told.page = lambda _: b"x" * 5_000_000
        answer = asyncio.run(_get(told.url))
    assert len(answer.body) == ANSWER_BYTES


def test_with_its_status_a_receiver_has_answered_whatever_becomes_of_the_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate_module, "TEXT_S", 0.05)
    with receiver() as told:
        told.answer = lambda _: HALF
        assert asyncio.run(_post(told.url)).status == 200
    with _says(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\nslow") as url:
        answer = asyncio.run(_post(url))
        assert (answer.status, answer.retry_after, answer.body) == (503, "7", b"slow")


def test_why_no_answer_came_is_said_in_one_word_and_whether_there_was_a_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def why(url: str, timeout_s: float = 5) -> tuple[str, bool]:
        with pytest.raises(NoAnswer) as said:
            asyncio.run(_post(url, timeout_s))
        return said.value.why, said.value.reached

    with receiver() as told:
        closed = told.url
        told.answer = lambda _: None
        assert why(told.url) == ("hung-up", True)
        told.answer = lambda _: RESET
        assert why(told.url) == ("hung-up", True)
        told.answer = lambda _: SILENT
        assert why(told.url, 0.3) == ("silent", True)
        told.ended.set()
    assert why(closed) == ("closed", False)
    with _says(b"SSH-2.0-OpenSSH_9.9\r\n") as url:
        assert why(url) == ("garbled", True)
        assert why(url.replace("http://", "https://")) == ("insecure", False)
    with _says(b"") as url:  # what is silent before TLS is agreed upon is no connection
        assert why(url.replace("http://", "https://"), 0.3) == ("unreachable", False)

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert why("https://nowhere.example.com/") == ("unknown-name", False)


@contextmanager
def _says(raw: bytes) -> Iterator[str]:
    """A server that says this to whoever connects, and then nothing."""
    server = socket.create_server(("127.0.0.1", 0))
    open_ones: list[socket.socket] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                open_ones.append(connection)
                if raw:
                    connection.sendall(raw)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    finally:
        server.close()
        for connection in open_ones:
            connection.close()


async def _post(url: str, timeout_s: float = 5) -> Answer:
    gate = Gate(LOOPBACK, timeout_s=timeout_s)
    try:
        return await gate.post(url, b"{}", {})
    finally:
        await gate.close()


async def _get(url: str) -> Answer:
    gate = Gate(LOOPBACK, timeout_s=5)
    try:
        return await gate.get(url, {}, most_bytes=ANSWER_BYTES)
    finally:
        await gate.close()
