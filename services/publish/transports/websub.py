"""WebSub: tells a hub which feeds have changed; the hub fetches them and tells its subscribers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from services.publish.transports import Letter, Outcome, Place
from services.publish.transports.posting import PER_HOST, Post, host_of, post_once


class WebSub:
    """The transport of WebSub. url_of_existing: of feed paths, the URLs of those that the site has."""

    places = PER_HOST

    def __init__(self, post: Post, urls_of_existing: Callable[[Sequence[str]], list[str]]) -> None:
        self._post = post
        self._urls_of_existing = urls_of_existing

    def place(self, letter: Letter) -> Place:
        """The hub's host."""
        return Place(host_of(letter.to))

    async def attempt(self, letters: Sequence[Letter]) -> Outcome:
        """One ping for each feed that any of these has changed; the worst answer is theirs.

        How a publisher tells a hub is left open by the standard: most hubs take `hub.url`, some `hub.topic`, so both.
        """
        paths = sorted({path for letter in letters for path in json.loads(letter.body)["feeds"]})
        worst = Outcome(204, "no feed of this site has changed")
        for url in self._urls_of_existing(paths):
            form = urlencode({"hub.mode": "publish", "hub.url": url, "hub.topic": url}).encode()
            headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Rotative"}
            outcome = await post_once(self._post, letters[0].to, form, headers)
            if outcome.status is None:
                return outcome
            if not 200 <= outcome.status < 300 or worst.status == 204:
                worst = outcome
        return worst
