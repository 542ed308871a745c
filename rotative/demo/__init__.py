"""The demo newspaper: thirty original articles in three languages, posted to a running system.

Places, clubs and people in them are invented. Dates are spread over the month before they are posted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rotative.client import Client, Failure
from rotative.files import read_articles

FOLDER = Path(__file__).parent
PATIENCE_S = 120.0  # until all pages are there


def articles(now: datetime) -> Iterator[dict[str, Any]]:
    """The demo's articles as the API takes them, oldest first, dated before `now` (aware UTC), announced to nobody."""
    read = [article for path in sorted(FOLDER.glob("*.md")) for article in read_articles(path)]
    for article in sorted(read, key=lambda one: -float(one["days_ago"])):
        published_at = now - timedelta(days=float(article.pop("days_ago")))
        yield {**article, "published_at": published_at.isoformat(timespec="seconds"), "notify": False}


def post_demo(client: Client, *, say: Callable[[str], object], now: datetime | None = None) -> int:
    """Post the articles that are not there yet and wait until every page is; gives back how many failed.

    An article is known by its slug, which no other article of its section can have. Raises Failure when the system
    cannot be asked at all.
    """
    posted, there, failed = [], 0, 0
    for article in articles(now or datetime.now(UTC)):
        try:
            posted.append(client.post(article)[0])
        except Failure as failure:
            if failure.status == 0:
                raise
            if ("/slug", "taken") in failure.faults:
                there += 1
            else:
                failed += 1
                say(f"{article['slug']}: {failure}")
    ends = time.monotonic() + PATIENCE_S
    for article in posted:
        if not client.wait_until_live(article, timeout_s=max(0.0, ends - time.monotonic())):
            failed += 1
            say(f"{article['url']} is not live yet; `rotative status` may say why.")
    if posted and not client.wait_until_built(timeout_s=max(0.0, ends - time.monotonic())):
        say("Lists and related articles are still being built; `rotative status` shows what is left.")
    if failed:
        say(f"The demo newspaper is not complete: {failed} articles are not in place.")
    else:
        say(f"The demo newspaper is in place: {len(posted)} articles posted, {there} were there already.")
    return failed
