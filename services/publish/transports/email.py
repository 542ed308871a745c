"""Mail through the operator's relay: few connections, a bounded pace, one recipient a message."""

from __future__ import annotations

import asyncio
import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from services.publish.settings import Smtp
from services.publish.transports import Letter, NotYet, Outcome, Place
from shared import failpoints

TIMEOUT_S = 20.0
# A connection is given back after so many messages, or when nothing has been sent for so long: relays bound both.
MESSAGES_EACH = 50
IDLE_S = 10.0
# Who would have to wait longer for his turn is put back.
LONGEST_PAUSE_S = 2.0
_DOTS = re.compile(rb"(?m)^\.")
_ADDRESS = re.compile(r"[^\s<>@]{1,64}@[^\s<>@,;:]{1,253}")


class Relay:
    """Connections to the relay. Safe to share between threads."""

    def __init__(self, smtp: Smtp) -> None:
        self._smtp = smtp
        self._free: list[tuple[smtplib.SMTP, int, float]] = []
        self._lock = threading.Lock()

    def send(self, sender: str, to: str, message: bytes) -> Outcome:
        """Hand over one message. Never raises: the relay's answer, or that there was none and what may have arrived."""
        began = time.perf_counter()
        handed_over = False

        def outcome(status: int | None, said: bytes | str, why: str = "") -> Outcome:
            text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
            took_ms = round((time.perf_counter() - began) * 1000)
            # No address: an answer may repeat the reader's in any form, and what is recorded is read by people.
            return Outcome(status, _ADDRESS.sub("…", text)[:500], took_ms=took_ms, sent=handed_over, why=why)

        connection: smtplib.SMTP | None = None
        sent = 0
        try:
            connection, sent = self._connection()
            for step, call in (
                ("sender", lambda: connection.mail(sender)),
                ("recipient", lambda: connection.rcpt(to)),
                ("data", lambda: connection.docmd("DATA")),
            ):
                code, said = call()
                if code >= 400:
                    self._give_back(connection, sent, reset=True)
                    # Only of the recipient does a refusal say that his address is wrong.
                    return outcome(code if step == "recipient" or code < 500 else 554, said)
            failpoints.hit("post.before")
            connection.send(_DOTS.sub(b"..", message))
            handed_over = True
            connection.send(b".\r\n")
            code, said = connection.getreply()
            failpoints.hit("post.after")
            self._give_back(connection, sent + 1)
            return outcome(code if code < 500 else 554, said)
        except smtplib.SMTPAuthenticationError as error:
            # The operator's fault, which he will put right: no reader is to lose a letter by it.
            return outcome(454, f"the relay does not take our password: {error.smtp_code} {error.smtp_error!r}")
        except UnicodeError as error:
            if connection is not None:
                connection.close()
            why = f"it cannot be written: {type(error).__name__}"
            return Outcome(None, why, sent=handed_over, refused=not handed_over, why="unusable")
        except (smtplib.SMTPException, OSError, ssl.SSLError) as error:
            if connection is not None:
                connection.close()
            return outcome(None, f"no answer: {type(error).__name__} {error}", _why(error))

    def close(self) -> None:
        """Take leave of the relay."""
        with self._lock:
            free, self._free = self._free, []
        for connection, _, _ in free:
            connection.close()

    def _connection(self) -> tuple[smtplib.SMTP, int]:
        while True:
            with self._lock:
                if not self._free:
                    break
                connection, sent, used = self._free.pop()
            if time.monotonic() - used < IDLE_S:
                return connection, sent
            connection.close()
        return self._open(), 0

    def _open(self) -> smtplib.SMTP:
        smtp = self._smtp
        context = ssl.create_default_context()
        if smtp.tls == "tls":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=TIMEOUT_S, context=context)
        else:
            connection = smtplib.SMTP(smtp.host, smtp.port, timeout=TIMEOUT_S)
        try:
            connection.ehlo()
            if smtp.tls == "starttls" and connection.has_extn("starttls"):
                connection.starttls(context=context)
                connection.ehlo()
            elif smtp.tls == "starttls" and smtp.user:
                raise smtplib.SMTPAuthenticationError(0, b"it offers no TLS, and a password is not sent without")
            if smtp.user:
                connection.login(smtp.user, smtp.password)
        except BaseException:
            connection.close()
            raise
        return connection

    def _give_back(self, connection: smtplib.SMTP, sent: int, *, reset: bool = False) -> None:
        if (reset and connection.rset()[0] >= 400) or sent >= MESSAGES_EACH:
            connection.close()
            return
        with self._lock:
            self._free.append((connection, sent, time.monotonic()))


def _why(error: Exception) -> str:
    """The reason in one word, as NoAnswer names them."""
    if isinstance(error, ssl.SSLError):
        return "insecure"
    if isinstance(error, TimeoutError):
        return "silent"
    if isinstance(error, socket.gaierror):
        return "unknown-name"
    if isinstance(error, ConnectionRefusedError):
        return "closed"
    return "hung-up" if isinstance(error, smtplib.SMTPServerDisconnected | ConnectionError) else "unreachable"


class Email:
    """The transport of mail. write: a letter's message. sender: the address that it comes from."""

    def __init__(self, smtp: Smtp, sender: str, write: Callable[[Letter], bytes]) -> None:
        self.places = smtp.connections
        self._relay = Relay(smtp)
        self._sender = sender
        self._write = write
        self._threads = ThreadPoolExecutor(smtp.connections, thread_name_prefix="smtp")
        self._pause_s = 1 / smtp.per_second
        self._next = 0.0

    def place(self, letter: Letter) -> Place:
        """The relay, whoever the mail is for."""
        return Place("smtp")

    async def attempt(self, letters: Sequence[Letter]) -> Outcome:
        """Hand one message to the relay, at its pace."""
        (letter,) = letters
        now = time.monotonic()
        turn = max(self._next, now)
        if turn - now > LONGEST_PAUSE_S:
            raise NotYet(turn - now, "the relay has enough to do")
        self._next = turn + self._pause_s
        if turn > now:
            await asyncio.sleep(turn - now)
        try:
            message = self._write(letter)
        except (ValueError, KeyError, TypeError) as error:
            return Outcome(None, f"it cannot be written: {error!r}"[:500], refused=True, why="unusable")
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, self._relay.send, self._sender, letter.to, message
        )

    def close(self) -> None:
        """Take leave of the relay."""
        self._relay.close()
