"""The feeds and sitemaps in which an article stands: hubs and search engines hear of it when these are in place."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.publish import lists
from services.publish.kinds import BUILD_PAGE
from services.publish.site import Site
from shared.events import PublicArticle
from shared.newsroom import Newsroom
from shared.tables import jobs as jobs_table

# An old article's correction is in no feed, and its lists may be asked for all the time: it waits no longer than this.
LONGEST_WAIT = timedelta(seconds=30)


def feeds_of(newsroom: Newsroom, article: PublicArticle) -> list[str]:
    """The URL paths of its feeds: of its edition, section, tags and authors, in every form."""
    language = newsroom.edition(article.language)
    front = lists.Listing("front", language)
    found = [one for one in (front, *lists.listings_of(newsroom, article)) if one.has_feeds]
    folders = [lists.list_path(newsroom, one).rstrip("/") for one in found]
    return [f"{folder}/{feed}" for folder in folders for feed in lists.FEEDS]


def waits_for(newsroom: Newsroom, article: PublicArticle) -> list[str]:
    """The pages that must not be waiting to be built: lists, with which their feeds are built, and sitemaps."""
    language = newsroom.edition(article.language)
    listings = [
        lists.Listing("front", language),
        lists.Listing("news", language),
        lists.Listing("index", newsroom.default_language),
        *lists.listings_of(newsroom, article),
    ]
    return [lists.list_path(newsroom, one) for one in listings]


def are_in_place(session: Session, site: Site, body: str, created_at: datetime, now: datetime) -> bool:
    """Whether the feeds that a delivery's body names mention, or no longer mention, its article."""
    content: dict[str, Any] = json.loads(body)
    if now - created_at > LONGEST_WAIT:
        return True
    if not _pending(session, content.get("waits_for", ())):
        return True
    about = str(content["about"])
    feeds = [path for path in existing(site, content["feeds"]) if path.endswith("feed.xml")]
    return bool(feeds) and all((about in _text(site, path)) == content["live"] for path in feeds)


def existing(site: Site, paths: Iterable[str]) -> list[str]:
    """Those of these paths that the site has."""
    return [path for path in paths if site.read(path) is not None]


def paths_of(urls: Sequence[str]) -> list[str]:
    """The paths of these URLs."""
    return [urlsplit(url).path for url in urls]


def _pending(session: Session, paths: Collection[str]) -> bool:
    waiting = select(jobs_table.c.id).where(
        jobs_table.c.kind == BUILD_PAGE,
        jobs_table.c.reference.in_(list(paths)),
        jobs_table.c.state.in_(("ready", "leased")),
    )
    return session.execute(waiting.limit(1)).first() is not None


def _text(site: Site, path: str) -> str:
    return (site.read(path) or b"").decode("utf-8", "replace")
