"""Fetches the pictures that an archive only names, while its articles are being sent, and uploads them.

Through the one gate for outgoing requests, a few at a time, each bounded in bytes and time. An import never waits long
for a picture: what is not there in time, or whose host has stopped answering, is left out and reported.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from pathlib import PurePosixPath
from types import TracebackType
from typing import Self
from urllib.parse import quote, unquote, urlsplit

from rotative.client import Client, Failure
from rotative.importing.items import Item, PictureElsewhere
from shared.outgoing import Network, NoAnswer, Refused, is_inside_any
from shared.outgoing.gate import Gate

AT_ONCE = 3
# One request, and between two pictures of a batch. Seconds.
TIMEOUT_S = 10.0
BATCH_S = 20.0
# ingest takes no larger file, and no more of one article.
BYTES_MOST = 25 * 1024 * 1024
IMAGES_MOST = 30
# A host that has failed so often in a row is asked no more.
FAILURES_MOST = 3
_REMEMBERED = 50_000

Get = Callable[[str], tuple[int, bytes]]


class NotTaken(Exception):
    """A picture is left out; str(error) says why."""


class Pictures:
    """The pictures of one import. Use it as a context; allow: private networks that may be asked all the same.

    get: asks for an address: (status, bytes); by default through the gate. Raises NotTaken.
    """

    def __init__(self, client: Client, allow: Sequence[Network] = (), get: Get | None = None) -> None:
        self._client, self._allow = client, allow
        self._get = get or self._ask
        self._workers = ThreadPoolExecutor(AT_ONCE, "pictures")
        self._asked: dict[str, Future[str]] = {}
        self._failures: Counter[str] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gate: Gate | None = None
        self._starting = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._workers.shutdown(wait=True, cancel_futures=True)
        if self._loop is not None and self._gate is not None:
            asyncio.run_coroutine_threadsafe(self._gate.close(), self._loop).result(5)
            self._loop.call_soon_threadsafe(self._loop.stop)

    def ask_for(self, items: Sequence[Item]) -> None:
        """Begin to fetch the pictures of these items."""
        while len(self._asked) > _REMEMBERED:
            self._asked.pop(next(iter(self._asked)))
        for picture in _of(items):
            if picture.url not in self._asked:
                self._asked[picture.url] = self._workers.submit(self._take, picture)

    def put_into(self, items: Sequence[Item], missing: Callable[[Item, PictureElsewhere, str], object]) -> int:
        """Have each of these articles show its pictures; how many there are. missing: told of each that is left out.

        As long as pictures come they are waited for, and 20 s after the last one for no other.
        """
        ends = time.monotonic() + BATCH_S
        self.ask_for(items)
        taken = 0
        for item in items:
            images: dict[str, dict[str, str]] = {}
            for picture in item.pictures if item.article is not None else ():
                fetched = self._asked[picture.url]
                try:
                    media = fetched.result(max(0.0, ends - time.monotonic()))
                except NotTaken as reason:
                    missing(item, picture, str(reason))
                except (NotInTime, CancelledError):
                    fetched.cancel()
                    missing(item, picture, "it was not there in time")
                else:
                    ends = time.monotonic() + BATCH_S
                    said = {"alt": picture.alt, "caption": picture.caption}
                    images.setdefault(media, {"media": media, "caption": ""}).update(
                        {name: text for name, text in said.items() if text}
                    )
                    taken += 1
            if images and item.article is not None:
                item.article["images"] = list(images.values())[:IMAGES_MOST]
        return taken

    def _take(self, picture: PictureElsewhere) -> str:
        """Fetch a picture and upload it; its media id."""
        url = secure(picture.url, self._allow)
        host = urlsplit(url).hostname or ""
        if self._failures[host] >= FAILURES_MOST:
            raise NotTaken(f"{host} has not answered {FAILURES_MOST} times")
        try:
            status, content = self._get(url)
        except NotTaken:
            self._failures[host] += 1
            raise
        self._failures[host] = 0
        if status != 200:
            raise NotTaken(f"its address answers {status}")
        if len(content) > BYTES_MOST:
            raise NotTaken(f"it has more than {BYTES_MOST} bytes")
        about: Mapping[str, str] = {"alt": picture.alt[:500]} if picture.alt else {"decorative": "true"}
        if picture.caption:
            about = {**about, "caption": picture.caption[:1000]}
        name = PurePosixPath(unquote(urlsplit(url).path)).name or "picture"
        try:
            return str(self._client.upload_bytes(name, content, about)["id"])
        except Failure as failure:
            raise NotTaken(" ".join(str(failure).split())) from failure

    def _ask(self, url: str) -> tuple[int, bytes]:
        loop, gate = self._started()
        asking = gate.get(url, {"Accept": "image/*", "User-Agent": "Rotative"}, most_bytes=BYTES_MOST + 1)
        try:
            answer = asyncio.run_coroutine_threadsafe(asking, loop).result(TIMEOUT_S + 5)
        except (Refused, NoAnswer, NotInTime) as error:
            raise NotTaken(str(error) or "no answer in time") from error
        return answer.status, answer.body

    def _started(self) -> tuple[asyncio.AbstractEventLoop, Gate]:
        with self._starting:
            if self._loop is None or self._gate is None:
                loop = asyncio.new_event_loop()
                threading.Thread(target=loop.run_forever, name="gate", daemon=True).start()
                self._gate = asyncio.run_coroutine_threadsafe(self._made(), loop).result(10)
                self._loop = loop
            return self._loop, self._gate

    async def _made(self) -> Gate:
        return Gate(self._allow, timeout_s=TIMEOUT_S, most_connections=AT_ONCE)


def _of(items: Sequence[Item]) -> Iterator[PictureElsewhere]:
    for item in items:
        yield from item.pictures


def secure(url: str, allow: Sequence[Network]) -> str:
    """The address as it is asked: over TLS, which an old export seldom says, unless its network is let in as it is."""
    parts = urlsplit(url)
    url = quote(url, safe="/:?#[]@!$&'()*+,;=%-._~") if not url.isascii() else url
    if parts.scheme == "http" and not is_inside_any(parts.hostname or "", allow):
        return f"https{url[4:]}"
    return url
