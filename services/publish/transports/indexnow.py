"""IndexNow: tells search engines which pages have changed. Source: indexnow.org/documentation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import urlsplit

from services.publish.transports import Letter, Outcome, Place
from services.publish.transports.posting import PER_HOST, Post, host_of, post_once


class IndexNow:
    """The transport of IndexNow. key: of this site, which answers with it at `/{key}.txt`."""

    places = PER_HOST

    def __init__(self, post: Post, base_url: str, key: str) -> None:
        self._post = post
        self._base_url = base_url
        self._key = key

    def place(self, letter: Letter) -> Place:
        """The search engine's host."""
        return Place(host_of(letter.to))

    async def attempt(self, letters: Sequence[Letter]) -> Outcome:
        """One batch of the pages that these are about; far fewer than the 10,000 that one may hold."""
        batch = {
            "host": urlsplit(self._base_url).netloc,
            "key": self._key,
            "keyLocation": f"{self._base_url}/{self._key}.txt",
            "urlList": sorted({json.loads(letter.body)["about"] for letter in letters}),
        }
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Rotative"}
        return await post_once(self._post, letters[0].to, json.dumps(batch, ensure_ascii=False).encode(), headers)
