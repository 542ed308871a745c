"""A mail relay as a process of its own: it accepts, defers, refuses, or hangs up as the address asks.

The part of an address before its first dot says what happens: `defer`, `refuse`, `full`, `hangup` (in mid-message),
`vanish` (after the whole message, without an answer), `slow`; all else is accepted. What was accepted is printed as
JSON, a line a message.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, ClassVar

from aiosmtpd.smtp import SMTP, Envelope, Session

SLOW_S = 1.0


class Desk:
    """Answers at each step."""

    deferred: ClassVar[set[str]] = set()

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        """The answer to a recipient."""
        wish = address.partition(".")[0]
        if wish == "refuse":
            return "550 5.1.1 no such mailbox"
        if wish == "full":
            return "552 5.2.2 mailbox full"
        if wish == "defer" and address not in self.deferred:
            self.deferred.add(address)
            return "451 4.7.1 greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        """The answer to a message."""
        wish = envelope.rcpt_tos[0].partition(".")[0]
        if wish == "slow":
            await asyncio.sleep(SLOW_S)
        text = (envelope.content or b"").decode("utf-8", "replace")  # type: ignore[union-attr]
        print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "text": text}), flush=True)
        if wish == "vanish":
            server.transport.close()
        return "250 taken"


class Server(SMTP):
    """Hangs up in the middle of a message where the recipient is `hangup`."""

    async def smtp_DATA(self, arg: str) -> None:
        """DATA."""
        if self.envelope.rcpt_tos and self.envelope.rcpt_tos[0].startswith("hangup."):
            await self.push("354 go on")
            await self._reader.readline()
            self.transport.close()
            return
        await super().smtp_DATA(arg)


@dataclass
class Relay:
    """The running relay. got: (recipient, message) of each accepted one, in order."""

    port: int
    got: list[tuple[str, EmailMessage]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """For ROTATIVE_SMTP_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    def to(self, address: str) -> list[EmailMessage]:
        """What came for an address."""
        return [message for recipient, message in list(self.got) if recipient == address]


@contextmanager
def relay() -> Iterator[Relay]:
    """A relay that runs while the block does."""
    command = [sys.executable, "-m", "tests.relays"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        running = Relay(int(process.stdout.readline()))

        def read() -> None:
            for line in process.stdout or ():
                one = json.loads(line)
                message = message_from_bytes(one["text"].encode(), policy=policy.default)
                running.got.append((one["to"][0], message))  # type: ignore[arg-type]

        reading = threading.Thread(target=read, daemon=True)
        reading.start()
        try:
            yield running
        finally:
            process.stdin.close()
            process.wait(10)
            reading.join(5)


async def serve() -> None:
    """Listen on a free port, say which, and end with standard input."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(Desk(), data_size_limit=1_000_000), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
