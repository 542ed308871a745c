"""Looks at the public address, where that is to be certain too before anybody is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Protocol

from services.publish.channels.loop import Loop
from services.publish.site import digest_of
from shared.outgoing import Answer, NoAnswer, Refused

log = logging.getLogger(__name__)

# A page is far smaller; what is longer is not one of ours.
MOST_BYTES = 8_000_000
TOGETHER = 10


class Get(Protocol):
    """Reads a URL: Gate.get, or a stand-in."""

    async def __call__(self, url: str, headers: dict[str, str], *, most_bytes: int) -> Answer:
        """The answer. Raises Refused or NoAnswer."""
        ...


class PublicAddress:
    """The site as readers reach it. make_get: called inside the loop."""

    def __init__(self, loop: Loop, make_get: Any) -> None:
        self._loop = loop
        self._make_get = make_get
        self._get: Get | None = None

    def look_at(self, pages: Sequence[tuple[str, str, bool]]) -> list[bool]:
        """Which of these pages, (URL, digest, gone) each, are shown as they are: the same bytes, or 410 or 404."""
        return self._loop.run(self._look(pages)).result(60)

    async def _look(self, pages: Sequence[tuple[str, str, bool]]) -> list[bool]:
        if self._get is None:
            self._get = self._make_get()
        turn = asyncio.Semaphore(TOGETHER)

        async def shows(url: str, digest: str, gone: bool) -> bool:
            async with turn:
                try:
                    # A cache in front is to ask behind, as it does for a reader who reloads.
                    answer = await self._get(url, {"Cache-Control": "no-cache"}, most_bytes=MOST_BYTES)  # type: ignore[misc]
                except (Refused, NoAnswer) as error:
                    log.info("the public address does not answer", extra={"url": url, "error": str(error)})
                    return False
            if gone:
                return answer.status in {404, 410}
            return answer.status == 200 and digest_of(answer.body) == digest

        return list(await asyncio.gather(*(shows(*page) for page in pages)))
