"""The feeds and sitemaps in which an article stands: hubs and search engines hear of it when these are in place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from services.publish import list_store, lists, passes
from services.publish.kinds import BUILD_PAGE
from services.publish.site import Site
from shared.events import PublicArticle
from shared.newsroom import Newsroom
from shared.tables import jobs as jobs_table

# What an article touches is built in a pass that begins at most so long after it; a second to spare.
LONGEST_PASS = timedelta(seconds=passes.LONGEST_S + 1)


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


def not_in_place(session: Session, site: Site, newsroom: Newsroom, owed: Row[Any]) -> list[str]:
    """The lists and sitemaps that do not yet show what a delivery tells of, its row given: by their paths, in order.

    A list is built after the article has changed, or it waits: that it is asked for again meanwhile, as under load it
    is all the time, holds up nothing.
    """
    content: dict[str, Any] = json.loads(owed.body)
    paths = list(content.get("waits_for", ()))
    if not paths:
        return []
    sitemap = _sitemap_of(session, newsroom, owed.article_id)
    found = {row.reference: row for row in session.execute(_ASKED_FOR, {"paths": [*paths, sitemap]})}
    latest = owed.created_at + LONGEST_PASS
    late = [path for path, job in found.items() if _is_of_then(job, latest)]
    if sitemap in found and sitemap not in late:
        # Asked for by the build of its month, whenever that came: only its text tells.
        text = (site.read(sitemap) or b"").decode("utf-8", "replace")
        if (f"<loc>{content['about']}</loc>" in text) != content["live"]:
            late.append(sitemap)
    return sorted(late)


_ASKED_FOR = select(
    jobs_table.c.reference, jobs_table.c.state, jobs_table.c.run_at, jobs_table.c.again_at, jobs_table.c.error
).where(
    jobs_table.c.kind == BUILD_PAGE,
    jobs_table.c.reference.in_(bindparam("paths", expanding=True)),
    jobs_table.c.state.in_(("ready", "leased", "dead")),
)


def _is_of_then(job: Any, latest: datetime) -> bool:
    """Whether a build may be the one that was asked for up to then; a later one means that it has been done.

    A job that is ready keeps its earliest time; one that failed has another time, and why.
    """
    times = [one for one in (job.run_at, job.again_at) if one is not None]
    return job.state == "dead" or bool(job.error) or min(times) <= latest


def _sitemap_of(session: Session, newsroom: Newsroom, article_id: UUID) -> str:
    """The path of the sitemap that an article stands in; "" when it stands in none, or has no number in its month."""
    for place in list_store.places_of(session, [article_id]).get(article_id, ()):
        listing = lists.list_at(newsroom, place.list_path)
        if listing is not None and listing.kind == "month" and place.position is not None:
            page = place.position // lists.SITEMAP_PLACES + 1
            return lists.list_path(newsroom, lists.Listing("sitemap", listing.language, listing.key, page))
    return ""


def existing(site: Site, paths: Iterable[str]) -> list[str]:
    """Those of these paths that the site has."""
    return [path for path in paths if site.read(path) is not None]


def paths_of(urls: Sequence[str]) -> list[str]:
    """The paths of these URLs."""
    return [urlsplit(url).path for url in urls]
