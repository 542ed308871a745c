"""Chat, social and paging services by Apprise URLs, which operators alone may set.

Apprise has its own clients for hundreds of services. So it speaks in a process of its own (`apprise_process.py`), where
every connection is held to what the one gate lets out, and which is ended when it takes too long. Its URLs, with
passwords in them, are never shown or logged, and go there by standard input: other users see a program's arguments.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from services.publish.transports import Letter, Outcome, Place
from shared import failpoints
from shared.outgoing import Network

PROCESSES = 2
LONGEST_S = 30.0
# One that has had nothing to do for so long is ended: it holds some 60 MB.
IDLE_S = 30.0
COMMAND = (sys.executable, "-m", "services.publish.transports.apprise_process")
# What it may know of this process: no settings, no secrets.
_KNOWN = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


class Speaker:
    """One process that speaks for Apprise, asked one thing at a time."""

    def __init__(self) -> None:
        env = {name: os.environ[name] for name in _KNOWN if name in os.environ}
        self._process = subprocess.Popen(  # noqa: S603 (a program of our own)
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, text=True
        )
        self.used = time.monotonic()

    def ask(self, question: dict[str, Any], within_s: float) -> dict[str, Any] | None:
        """Its answer; None when there was none in time, and then it has been ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        patience = threading.Timer(within_s, self._process.kill)
        patience.start()
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
            answer: dict[str, Any] | None = json.loads(line) if line else None
        except (OSError, ValueError):
            answer = None
        finally:
            patience.cancel()
        self.used = time.monotonic()
        if answer is None:
            self.end()
        return answer

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def fault_of(url: str, allow: Sequence[Network], within_s: float) -> str | None:
    """What is wrong with an Apprise URL; None when nothing is, or when nobody could say in time."""
    speaker = Speaker()
    answer = speaker.ask({"url": url, "allow": [str(one) for one in allow], "check": True}, within_s)
    if answer is None:
        return None
    speaker.end()
    return answer["fault"] or None


class Apprise:
    """The transport of Apprise. allow: private networks that it may reach."""

    places = PROCESSES

    def __init__(self, allow: Sequence[Network] = (), longest_s: float = LONGEST_S) -> None:
        self._allow = [str(one) for one in allow]
        self._longest_s = longest_s
        self._threads = ThreadPoolExecutor(PROCESSES, thread_name_prefix="apprise")
        self._free: list[Speaker] = []
        self._lock = threading.Lock()

    def place(self, letter: Letter) -> Place:
        """The service, which is the URL's scheme."""
        return Place(f"apprise {letter.to.partition('://')[0]}")

    async def attempt(self, letters: Sequence[Letter]) -> Outcome:
        """Send one message."""
        (letter,) = letters
        outcome = await asyncio.get_running_loop().run_in_executor(self._threads, self._send, letter)
        asyncio.get_running_loop().call_later(IDLE_S + 1, self._rest)
        return outcome

    def _send(self, letter: Letter) -> Outcome:
        began = time.monotonic()
        content = json.loads(letter.body)
        text = "\n".join(part for part in (content["note"] or content["summary"], content["url"]) if part)
        question = {"url": letter.to, "allow": self._allow, "title": content["headline"], "body": text}
        self._rest()
        with self._lock:
            speaker = self._free.pop() if self._free else None
        speaker = speaker or Speaker()
        failpoints.hit("post.before")
        answer = speaker.ask(question, self._longest_s)
        failpoints.hit("post.after")
        took_ms = round((time.monotonic() - began) * 1000)
        if answer is None:
            return Outcome(None, "no answer in time", took_ms=took_ms, sent=True, why="silent")
        with self._lock:
            self._free.append(speaker)
        return _outcome(answer, took_ms)

    def _rest(self) -> None:
        with self._lock:
            idle = [one for one in self._free if time.monotonic() - one.used > IDLE_S]
            self._free = [one for one in self._free if one not in idle]
        for one in idle:
            one.end()


def _outcome(answer: dict[str, Any], took_ms: int) -> Outcome:
    if answer["fault"]:
        return Outcome(None, answer["fault"], took_ms=took_ms, refused=True, why="unusable")
    if answer["taken"]:
        return Outcome(200, "taken", took_ms=took_ms)
    status = answer["status"]
    if status is not None:
        # What was answered with 2xx and yet not taken is the service's way to say no.
        said = "it leads elsewhere, and redirects are not followed" if 300 <= status < 400 else "not taken"
        return Outcome(status if status >= 300 else 502, said, took_ms=took_ms)
    if answer["refused"]:
        return Outcome(None, answer["refused"], took_ms=took_ms, refused=True, why="not-allowed")
    if answer["sent"]:
        return Outcome(None, "no answer", took_ms=took_ms, sent=True, why="silent")
    return Outcome(None, "no connection, or not taken", took_ms=took_ms, reached=False, why="unreachable")
