"""Has caches in front of the site forget what has changed: by HTTP, after each build, from rows and so with retries.

Nobody needs it whose cache keeps pages as long as they say (a second). It is for those that keep them longer.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from services.publish import store
from services.publish.build import Builder, beside_of
from services.publish.channels.loop import Loop
from shared import clock
from shared.jobs import Claim
from shared.outgoing import Answer, NoAnswer, Refused

log = logging.getLogger(__name__)

# Pages in one job, requests at once, and addresses in one request (what the strictest service takes).
AT_ONCE, TOGETHER, MOST_IN_LIST = 50, 10, 30
# A cache that does not answer is asked again after growing pauses, for about a day.
FIRST_PAUSE, LONGEST_PAUSE, TRIES = timedelta(seconds=1), timedelta(minutes=30), 55


@dataclass(frozen=True, kw_only=True)
class Purge:
    """How a cache is told. url: {path} stands for the address where each is told by itself.

    form: "each" sends one PURGE for each address; "paths" and "files" POST {"paths": ["/a"]} or {"files": ["https://…"]}.
    header: "Name: value" sent with it, "" for none.
    """

    url: str
    form: str = "each"
    header: str = field(default="", repr=False)


class Purger:
    """Tells one cache. make_gate: called inside the loop."""

    def __init__(self, purge: Purge, builder: Builder, loop: Loop, make_gate: Callable[[], Any]) -> None:
        self._purge = purge
        self._builder = builder
        self._loop = loop
        self._make_gate = make_gate
        self._gate: Any = None

    def run(self, claim: Claim) -> None:
        """Have the cache forget these jobs' pages with everything that stands beside them."""
        pages = [job.reference for job in claim.jobs]
        with claim.db.reading() as session:
            rows = store.pages(session, pages)
        addresses = {page: self._addresses(page, rows[page].beside if page in rows else ()) for page in pages}
        faults = self._loop.run(self._tell(addresses)).result(60)
        with claim.finish():
            now = clock.now()
            for job in claim.jobs:
                fault = faults.get(job.reference)
                if fault is None:
                    continue
                log.warning("a cache was not purged", extra={"path": job.reference, "error": fault})
                if job.attempts % TRIES == 0:
                    claim.bury(job, fault)
                else:
                    pause = min(FIRST_PAUSE * 2 ** min(job.attempts % TRIES - 1, 12), LONGEST_PAUSE)
                    claim.retry(job, at=now + pause, error=fault, counts=False)

    def _addresses(self, page: str, beside: Sequence[str]) -> list[str]:
        found = [page, *(beside_of(page, name) for name in beside)]
        listing = self._builder.list_at(page)
        if listing is not None and listing.is_html and page != "/":
            found.append(f"{page}/")
        return [quote(one) for one in found]

    async def _tell(self, addresses: dict[str, list[str]]) -> dict[str, str]:
        """What went wrong, by page."""
        if self._gate is None:
            self._gate = self._make_gate()
        turn = asyncio.Semaphore(TOGETHER)
        faults: dict[str, str] = {}

        async def tell(pages: Sequence[str], method: str, url: str, body: bytes) -> None:
            async with turn:
                fault = await self._ask(method, url, body)
            if fault is not None:
                faults.update(dict.fromkeys(pages, fault))

        asked: list[Any] = []
        if self._purge.form == "each":
            for page, found in addresses.items():
                asked += [tell([page], "PURGE", self._purge.url.replace("{path}", one), b"") for one in found]
        else:
            pairs = [(page, one) for page, found in addresses.items() for one in found]
            for start in range(0, len(pairs), MOST_IN_LIST):
                some = pairs[start : start + MOST_IN_LIST]
                listed = [one if self._purge.form == "paths" else self._builder.newsroom.url(one) for _, one in some]
                body = json.dumps({self._purge.form: listed}).encode()
                asked.append(tell([page for page, _ in some], "POST", self._purge.url, body))
        await asyncio.gather(*asked)
        return faults

    async def _ask(self, method: str, url: str, body: bytes) -> str | None:
        name, _, value = self._purge.header.partition(":")
        headers = {"Content-Type": "application/json"} if body else {}
        if name:
            headers[name.strip()] = value.strip()
        try:
            answer: Answer = await self._gate.send(method, url, body, headers)
        except (Refused, NoAnswer) as error:
            return str(error)
        # What a cache does not hold it need not forget.
        if 200 <= answer.status < 300 or answer.status == 404:
            return None
        return f"the cache answered {answer.status}: {answer.body[:200].decode('utf-8', 'replace')}"
