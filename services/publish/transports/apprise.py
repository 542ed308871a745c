"""Chat, social and paging services by Apprise URLs, which operators alone may set.

Apprise speaks to services that the operator has named, with their passwords in the URL: its requests do not go through
the gate, and its URLs are never shown or logged.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from services.publish.transports import Letter, Outcome, Place
from shared import failpoints

THREADS = 4
LONGEST_S = 30.0


class Apprise:
    """The transport of Apprise."""

    places = THREADS

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="apprise")

    def place(self, letter: Letter) -> Place:
        """The service, which is the URL's scheme."""
        return Place(f"apprise {letter.to.partition('://')[0]}")

    async def attempt(self, letters: Sequence[Letter]) -> Outcome:
        """Send one message. Apprise says only whether the service took it."""
        (letter,) = letters
        began = time.monotonic()
        loop = asyncio.get_running_loop()
        try:
            taken = await asyncio.wait_for(loop.run_in_executor(self._threads, _notify, letter), LONGEST_S)
        except TimeoutError:
            return Outcome(None, "no answer in time", took_ms=round(LONGEST_S * 1000), sent=True, why="silent")
        took_ms = round((time.monotonic() - began) * 1000)
        if taken is None:
            return Outcome(None, "no Apprise URL", took_ms=took_ms, refused=True, why="unusable")
        return Outcome(200 if taken else 502, "taken" if taken else "not taken by the service", took_ms=took_ms)


def _notify(letter: Letter) -> bool | None:
    # Loading it costs memory and a second: only a process that has something to send by it does.
    library: Any = importlib.import_module("apprise")
    # It would log URLs that it does not understand, with the passwords in them.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    content = json.loads(letter.body)
    target = library.Apprise()
    if not target.add(letter.to):
        return None
    text = "\n".join(part for part in (content["note"] or content["summary"], content["url"]) if part)
    failpoints.hit("post.before")
    taken = bool(target.notify(title=content["headline"], body=text))
    failpoints.hit("post.after")
    return taken
