"""The verbs of publish: take in what was heard, build what it touches, verify and rebuild. channels/ has the others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.publish import domain, store
from services.publish.build import Builder
from services.publish.channels.announce import News, announce_now_or_later
from services.publish.kinds import BUILD_PAGE, REBUILD_SITE
from services.publish.models import Page
from services.publish.views import teaser_of
from shared import clock, jobs
from shared.errors import Fault, Unprocessable
from shared.event_schemas import Heard
from shared.events import PublicArticle, RelatedSet
from shared.jobs import Claim

# Lists and others' related blocks are built together, at the next tick of this length that is at least a tenth of it
# away: at most 0.4 s later, and seldom more than three times a second.
COALESCE_S = 0.35
REBUILD_SLICE = 200
# After the machine's power failed, files written in the last moments may be damaged: this much is looked at again.
SUSPECT = timedelta(minutes=15)


def receive_articles(
    session: Session, heard: Sequence[Heard], *, builder: Builder, now: datetime, look_first: bool = False
) -> None:
    """Hold the articles' new states, write their pages, and ask for everything else that they touch.

    What is not newer than what is held is dropped. A withdrawn article's page becomes a tombstone at once, and
    whatever showed it is built without waiting. look_first: announce only what the public address shows.
    """
    newest: dict[UUID, Heard] = {}
    for one in heard:
        known = newest.get(one.event.article.id)
        if known is None or known.event.article.change < one.event.article.change:
            newest[one.event.article.id] = one
    store.lock_articles(session, newest, to_change=True)
    before = store.lock_known(session, newest)
    wanted = [newest[article_id].event.article for article_id in sorted(newest)]
    saved = store.save_articles(
        session, [one for one in wanted if one.id not in before or before[one.id].change < one.change]
    )
    articles = [one for one in wanted if one.id in saved]
    builder.build(session, [one.path for one in articles], now=now, articles={one.path: one for one in articles})
    for withdrawn in (True, False):
        group = [one for one in articles if (one.status != "live") == withdrawn]
        touched = _touched(session, builder, before, group)
        urgency = "withdrawn" if withdrawn else heard[0].lane
        ask_for_pages(session, touched, urgency=urgency, now=now)
    # What a replay has brought before the event itself is held already, but nobody was told.
    told_now = [one for one in wanted if one.id in saved or _was_replayed_first(before.get(one.id), newest[one.id])]
    news = [News(one, _event_name(newest[one.id]), newest[one.id].event.replayed, now) for one in told_now]
    announce_now_or_later(session, news, lane=heard[0].lane, builder=builder, now=now, look_first=look_first)


def _was_replayed_first(known: store.Known | None, heard: Heard) -> bool:
    return known is not None and known.change == heard.event.article.change and not heard.event.replayed


def _event_name(heard: Heard) -> str:
    return str(heard.event.type.rpartition(".")[0])


def _touched(
    session: Session, builder: Builder, before: Mapping[UUID, store.Known], articles: Sequence[PublicArticle]
) -> set[str]:
    """The paths of the pages that have to be built because these articles have new states."""
    touched: set[str] = set()
    look_different: list[UUID] = []
    for article in articles:
        known = before.get(article.id)
        was_live = known is not None and known.live
        if article.status == "live" or was_live:
            touched |= domain.lists_of(builder.newsroom, article.language, article.section)
        if known is not None and was_live:
            touched |= domain.lists_of(builder.newsroom, known.teaser.language, known.teaser.section)
            touched.add(known.teaser.path)
        if known is None or was_live != (article.status == "live") or known.teaser != teaser_of(article):
            look_different.append(article.id)
    if look_different:
        touched |= {path for path in store.users_of(session, look_different) if path not in builder.lists}
    touched -= {article.path for article in articles}
    # Their own pages were built just now, but what they show of others may be changing at this moment.
    with_sets = store.related_ids(session, [article.id for article in articles if article.status == "live"])
    return touched | {article.path for article in articles if with_sets.get(article.id)}


def receive_related(session: Session, heard: Sequence[Heard], *, now: datetime) -> None:
    """Hold the related sets that are newer than those held and ask for exactly the pages that show them."""
    newest: dict[UUID, RelatedSet] = {}
    for one in heard:
        for related in one.event.sets:
            known = newest.get(related.article_id)
            if known is None or known.set_number < related.set_number:
                newest[related.article_id] = related
    store.lock_articles(session, newest, to_change=True)
    changed = store.save_related(session, [newest[article_id] for article_id in sorted(newest)])
    bulk = all(one.lane == "bulk" for one in heard)
    ask_for_pages(session, store.paths_of_articles(session, changed), urgency="bulk" if bulk else "normal", now=now)


def ask_for_pages(session: Session, paths: Iterable[str], *, urgency: str, now: datetime) -> None:
    """Have these pages built: "withdrawn" at once, "urgent", "normal" in the next pass, "bulk" when there is time."""
    lane = "urgent" if urgency in {"urgent", "withdrawn"} else urgency
    run_at = now if urgency == "withdrawn" else next_pass(now)
    jobs.add_many(session, BUILD_PAGE, [(path, None) for path in paths], lane=lane, run_at=run_at)


def next_pass(now: datetime) -> datetime:
    """When the next pass over waiting pages is due: the same moment for all that is asked for at about one time."""
    ticks = math.ceil(now.timestamp() / COALESCE_S + 0.1)
    return datetime.fromtimestamp(ticks * COALESCE_S, UTC)


def build_pages(claim: Claim, *, builder: Builder) -> None:
    """Build the pages of these jobs in one transaction. A job's payload {"check": true} mends the file as well."""
    paths = [job.reference for job in claim.jobs]
    with claim.finish(first=partial(builder.lock_inputs, paths=paths)) as session:
        builder.build(
            session,
            [job.reference for job in claim.jobs],
            now=clock.now(),
            check={job.reference for job in claim.jobs if (job.payload or {}).get("check")},
        )


# Looking after the site


def rebuild_site(claim: Claim, *, builder: Builder) -> None:
    """Ask, a slice at a time, for every page to be built and its file compared. The payload holds where to go on."""
    with claim.finish() as session:
        for job in claim.jobs:
            after = (job.payload or {}).get("after", "")
            paths = sorted({*store.live_paths_after(session, after, REBUILD_SLICE)})
            if after == "":
                paths += [path for path in builder.lists if path not in paths]
            jobs.add_many(session, BUILD_PAGE, [(path, {"check": True}) for path in paths], lane="bulk")
            later = [path for path in paths if path not in builder.lists]
            if later:
                # A new reference: this job itself ends as done.
                jobs.add(
                    session,
                    REBUILD_SITE,
                    f"{job.reference.partition(' after ')[0]} after {later[-1]}"[:400],
                    lane="bulk",
                    payload={"after": later[-1]},
                )


def ask_for_rebuild(session: Session, path: str | None, *, builder: Builder, now: datetime) -> None:
    """Have one page, or the whole site, built again and compared with the files that are there.

    Raises Unprocessable for a path at which there is no article and no list.
    """
    if path is not None:
        path = domain.page_path(path)
        if path not in builder.lists and not store.ids_at(session, [path]):
            fault = Fault("/path", "unknown", f"No article or list of this site is at {path}.")
            raise Unprocessable(errors=[fault])
        jobs.add(session, BUILD_PAGE, path, lane="normal", payload={"check": True})
    else:
        jobs.add(session, REBUILD_SITE, now.isoformat(), lane="bulk")


def look_after(session: Session, *, builder: Builder, now: datetime) -> None:
    """At a start: build the site again if the theme or the newsroom has changed, and mend what a power cut hurt."""
    if store.fact(session, "version") != builder.version:
        store.save_fact(session, "version", builder.version)
        ask_for_rebuild(session, None, builder=builder, now=now)
    for page in store.pages_built_lately(session, SUSPECT):
        if not builder.is_in_place(page.path, page.digest, page.gone) and page.digest:
            jobs.add(session, BUILD_PAGE, page.path, payload={"check": True})


def verify(session: Session, *, builder: Builder) -> list[dict[str, Any]]:
    """Every difference between the database, the store and the feeds: {"path", "problem", "detail"} each."""
    found: list[dict[str, Any]] = []
    known = builder.installed_paths()
    after = ""
    while pages := store.pages_after(session, after, 500):
        after = pages[-1].path
        for page in pages:
            known.add(page.path)
            found += _differences(session, builder, page)
    found += [
        {"path": path, "problem": "missing", "detail": "the list was never built"}
        for path in builder.lists
        if path not in known and store.newest(session, builder.lists[path].language, builder.lists[path].section, 1)
    ]
    found += [
        {"path": path, "problem": "missing", "detail": "a live article has no page"}
        for path in store.live_paths_without_page(session)
    ]
    found += [
        {"path": path, "problem": "extra", "detail": "the store holds a file that no page explains"}
        for path in sorted(set(builder.site.paths()) - known)
    ]
    return found


def _differences(session: Session, builder: Builder, page: Page) -> list[dict[str, Any]]:
    def difference(problem: str, detail: str) -> dict[str, Any]:
        return {"path": page.path, "problem": problem, "detail": detail}

    if not page.digest:
        return []
    if page.gone and builder.site.read(page.path) is not None:
        return [difference("not gone", "a withdrawn page is still served")]
    if not builder.is_in_place(page.path, page.digest, page.gone):
        content = builder.site.tombstone(page.path) if page.gone else builder.site.read(page.path)
        return [difference("missing" if content is None else "changed", "the file is not what was built")]
    if not builder.site.twin_fits(page.path, page.gone):
        return [difference("changed", "the compressed twin does not fit the page")]
    if page.article_id is not None:
        article = store.articles(session, [page.article_id]).get(page.article_id)
        if article is not None and article.path == page.path and article.change != page.change:
            return [difference("stale", f"shows change {page.change}; the article is at {article.change}")]
    return []
