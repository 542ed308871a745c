"""Apprise targets on this machine: held to the networks that may be reached, and to bounds of time and size."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from services.publish.channels import receivers
from services.publish.transports import Letter, Outcome
from services.publish.transports.apprise import Apprise
from services.publish.transports.apprise_process import Watch
from shared.errors import Unprocessable
from shared.ids import new_id
from shared.outgoing import Refused
from tests.conftest import wait_for
from tests.fakes import HALF, RESET, SILENT, Receiver, receiver
from tests.relays import relay

HERE = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.fixture
def service() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def send(url: str, allow: Any = HERE, longest_s: float = 30.0) -> Outcome:
    content = {"headline": "Le pont ferme", "summary": "Six semaines.", "note": "", "url": "https://journal.test/pont"}
    letter = Letter(
        delivery_id=new_id(),
        subscription_id=new_id(),
        article_id=new_id(),
        change=1,
        channel="apprise",
        to=url,
        type="article.published",
        body=json.dumps(content),
    )
    return asyncio.run(Apprise(allow, longest_s).attempt([letter]))


def at(service: Receiver, scheme: str = "json") -> str:
    return service.url.replace("http://", f"{scheme}://")


def test_a_private_address_is_refused_when_connecting_however_it_was_subscribed(service: Receiver) -> None:
    for host in ("127.0.0.1", "localhost"):
        outcome = send(at(service).replace("127.0.0.1", host), allow=())
        assert (outcome.status, outcome.refused) == (None, True)
        assert "is not in a network that may be reached" in outcome.answer
    assert service.got == []


@pytest.mark.parametrize("family", ["127.0.0.1", "::1", "169.254.169.254", "::ffff:10.0.0.1"])
def test_every_connection_is_looked_at_whatever_made_it(family: str) -> None:
    watch = Watch()
    kind = socket.AF_INET6 if ":" in family else socket.AF_INET
    with socket.socket(kind, socket.SOCK_STREAM) as made, pytest.raises(Refused):
        watch.audit("socket.connect", (made, (family, 443)))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made, pytest.raises(Refused):
        watch.audit("socket.connect", (made, "/dev/log"))
    with pytest.raises(Refused):
        watch.audit("subprocess.Popen", ("sh",))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as made:
        watch.audit("socket.connect", (made, ("93.184.216.34", 443)))
        watch.plain = True
        with pytest.raises(Refused):
            watch.audit("socket.connect", (made, ("93.184.216.34", 80)))


def test_a_redirect_is_not_followed(service: Receiver) -> None:
    with receiver() as other:
        service.answer = lambda _: (307, {"Location": other.url})
        outcome = send(at(service))
        assert (outcome.status, len(service.got), other.got) == (307, 1, [])
        assert "redirects are not followed" in outcome.answer


@pytest.mark.parametrize(
    ("answer", "status", "sent"),
    [
        ((204, {}), 200, False),
        ((403, {}), 403, False),
        ((503, {}), 503, False),
        (RESET, None, True),
        (HALF, 200, False),
    ],
)
def test_what_came_of_it_is_known(service: Receiver, answer: Any, status: int | None, sent: bool) -> None:
    service.answer = lambda _: answer
    outcome = send(at(service))
    assert (outcome.status, outcome.sent) == (status, sent)


def test_a_service_that_never_answers_is_waited_for_no_longer_than_is_bounded(service: Receiver) -> None:
    service.answer = lambda _: SILENT
    outcome = send(at(service), longest_s=4.0)
    assert (outcome.status, outcome.sent, outcome.why) == (None, True, "silent")
    assert outcome.took_ms < 9_000


def test_nobody_listening_is_no_connection_and_may_be_tried_again(service: Receiver) -> None:
    outcome = send("json://127.0.0.1:9/")
    assert (outcome.status, outcome.sent, outcome.reached) == (None, False, False)


def test_a_mail_goes_through_the_same_watch() -> None:
    with relay() as post:
        url = f"mailto://127.0.0.1:{post.port}?from=desk@journal.test&to=chief@journal.test&mode=insecure"
        assert send(url).status == 200
        wait_for(lambda: post.to("chief@journal.test"), "the mail")
        assert send(url, allow=()).refused
        assert len(post.got) == 1


@pytest.mark.parametrize(
    "url", ["syslog://", "dbus://", "mqtt://hooks.example.com/t", "jsons://127.0.0.1/", "json://8.8.8.8/"]
)
def test_what_could_not_be_bounded_is_refused_when_it_is_subscribed(url: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        receivers.check("apprise", url, ())
    assert refused.value.errors[0].pointer == "/url"
