"""Subscriptions that can never work are refused when they are made, each with a text that says why."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

from services.publish.channels import receivers
from shared.errors import Unprocessable

INTRANET = (ipaddress.ip_network("10.1.0.0/16"),)
NAMES = {
    "hooks.example.com": ["203.0.113.7", "10.9.9.9"],
    "public.example.com": ["93.184.216.34", "2606:2800:220:1::1"],
    "half.example.com": ["192.168.1.1", "93.184.216.34"],
    "inside.example.com": ["192.168.1.1", "fd00::1", "169.254.169.254"],
    "mapped.example.com": ["::ffff:127.0.0.1"],
    "loopback.example.com": ["127.0.0.1", "::1"],
    "intranet.example.com": ["10.1.2.3"],
}


@pytest.fixture(autouse=True)
def name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        if host not in NAMES:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in NAMES[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def fault(channel: str, url: str, allow: Any = ()) -> str:
    with pytest.raises(Unprocessable) as refused:
        receivers.check(channel, url, allow)
    (one,) = refused.value.errors
    assert one.pointer == "/url"
    return one.detail


@pytest.mark.parametrize(
    "url",
    [
        "https://public.example.com/hook",
        "https://half.example.com/hook",
        "https://93.184.216.34/hook",
        "https://[2606:2800:220:1::1]:8443/hook",
        "https://not-there-today.example.com/hook",
    ],
)
def test_what_may_work_is_taken(url: str) -> None:
    receivers.check("webhook", url, ())
    receivers.check("websub", url, ())
    receivers.check("indexnow", url, ())


@pytest.mark.parametrize("name", ["inside", "mapped", "loopback", "intranet"])
def test_a_name_that_leads_only_to_private_networks_is_refused(name: str) -> None:
    assert "private network" in fault("webhook", f"https://{name}.example.com/hook")


def test_a_network_that_is_let_in_may_be_named_and_spoken_to_without_tls() -> None:
    receivers.check("webhook", "https://intranet.example.com/hook", INTRANET)
    receivers.check("webhook", "http://intranet.example.com/hook", INTRANET)
    assert "should be https://" in fault("webhook", "http://public.example.com/hook", INTRANET)
    assert "should be https://" in fault("webhook", "http://public.example.com/hook")
    assert "should be https://" in fault("webhook", "http://93.184.216.34/hook", INTRANET)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1", "[::ffff:7f00:1]"])
def test_this_machine_is_refused_however_it_is_written(host: str) -> None:
    assert "private network" in fault("webhook", f"https://{host}/hook")


@pytest.mark.parametrize("host", ["1572395042", "0x5db8d822", "0135.0270.0330.042", "93.184.55330"])
def test_a_public_address_is_taken_only_as_people_write_it(host: str) -> None:
    assert "unusual form" in fault("webhook", f"https://{host}/hook")


@pytest.mark.parametrize("url", ["nowhere", "telegraf://a/b", "slack://", "https//x", "://", "mailto://"])
def test_an_apprise_url_of_no_service_is_refused(url: str) -> None:
    assert "Apprise" in fault("apprise", url)


@pytest.mark.parametrize(
    "url", ["ntfy://rotative-desk", "json://hooks.example.com/a", "tgram://123456789:abcdefg_hijklmnop/12315544/"]
)
def test_an_apprise_url_of_a_service_is_taken(url: str) -> None:
    receivers.check("apprise", url, ())


def test_a_name_server_that_does_not_answer_refuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:

    class Silent:
        def submit(self, *_: Any, **__: Any) -> Silent:
            return self

        def result(self, _: float) -> None:
            raise TimeoutError

    monkeypatch.setattr(receivers, "_names", Silent())
    receivers.check("webhook", "https://slow.example.com/hook", ())
