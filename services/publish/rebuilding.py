"""Builds the whole site again, a slice at a time, while articles go on coming in.

One job goes over the articles and builds their pages itself. It has each list built by the list's own job, since a list
is built by one job at a time. Then it looks at the pictures' files, and takes away what nothing explains. Asked for
again while it is at work, it begins anew.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.publish import list_store, lists, picture_files, redirects, store, strays
from services.publish.actions import shelve
from services.publish.build import Builder
from services.publish.kinds import BUILD_PAGE, BULK_WORK_S, MAKE_RENDITIONS, REBUILD_SITE
from services.publish.lists import Listing
from shared import clock, jobs
from shared.jobs import Claim, Job
from shared.tables import jobs as jobs_table

# There is one such job.
WHOLE_SITE = "site"
# At most so many articles, lists and pictures are read for one slice; time ends it before that.
ARTICLES, LISTS, PAGES_OF_LISTS, PICTURES = 60, 100, 500, 50
# The site's fact that says how many pages a rebuild has come to so far; "" when none is at work.
COME_TO = "rebuild"
_OUTSTANDING = (
    select(func.count())
    .select_from(jobs_table)
    .where(
        jobs_table.c.state.in_(("ready", "leased")),
        jobs_table.c.lane == "bulk",
        jobs_table.c.kind.in_((BUILD_PAGE, REBUILD_SITE, MAKE_RENDITIONS)),
    )
)


@dataclass(frozen=True)
class Mark:
    """How far a rebuild has come. since: when it was asked for. after: the last of this part that is done.

    part: "articles", "lists", "pictures", "strays", or "" at the end. pages: how many it has come to.
    """

    since: str = ""
    part: str = "articles"
    after: str = ""
    pages: int = 0

    def then(self, part: str) -> Mark:
        """At the beginning of the next part."""
        return replace(self, part=part, after="")

    @classmethod
    def of(cls, payload: Any) -> Mark:
        """As a job has it; what an older version has left begins anew."""
        known = isinstance(payload, dict) and payload.get("part") in _PARTS and "since" in payload
        return cls(**{name: payload[name] for name in cls.__dataclass_fields__}) if known else cls()


@dataclass(frozen=True)
class Slice:
    """A part of the work. do: what is left of it, in the transaction in which it ends; the mark from which to go on.

    lock: what is called in that transaction before all else.
    """

    do: Callable[[Session], Mark]
    lock: Callable[[Session], None] | None = None


def ask_for_rebuild(session: Session, *, now: datetime) -> None:
    """Have the whole site built again, and compared with the files that are there."""
    jobs.add(session, REBUILD_SITE, WHOLE_SITE, lane="bulk", payload=vars(Mark(since=now.isoformat())))


def rebuild_site(claim: Claim, *, builder: Builder) -> None:
    """Do the next slice, and ask for the one after it."""
    job = claim.jobs[0]
    mark = Mark.of(job.payload)
    begins = mark == Mark(since=mark.since)
    if begins:
        builder.install()
    with claim.db.reading() as session:
        piece = _PARTS[mark.part](session, builder, mark, apart=job.failed > 1)
    with claim.finish(first=piece.lock) as session:
        if not claim.jobs:
            return
        if begins:
            redirects.ask_for_export(session)
        following = piece.do(session)
        if _has_begun_anew(session, job):
            return
        store.save_fact(session, COME_TO, str(following.pages) if following.part else "")
        if following.part:
            jobs.add(session, REBUILD_SITE, job.reference, lane="bulk", payload=vars(following))


def _has_begun_anew(session: Session, job: Job) -> bool:
    """Whether the rebuild was asked for again since this slice of it began: its job has another payload then."""
    held = session.scalar(select(jobs_table.c.payload).where(jobs_table.c.id == job.id))
    return (json.loads(held) if held else None) != job.payload


def _articles(session: Session, builder: Builder, mark: Mark, *, apart: bool) -> Slice:
    """The pages of the next articles, live or withdrawn, and their places in lists.

    apart: have each built by a job of its own: one of them has failed, or its worker died of it.
    """
    following = store.articles_after(session, _id_of(mark.after), ARTICLES)
    if not following:
        return Slice(lambda _: mark.then("lists"))
    paths = list(dict.fromkeys(path for _, path in following))
    if apart:

        def ask(session: Session) -> Mark:
            held = list(store.articles_at(session, paths).values())
            shelve(session, builder, {one.id for one in held}, held)
            _ask_for_pages(session, paths)
            return replace(mark, after=str(following[-1][0]), pages=mark.pages + len(paths))

        return Slice(ask)
    draft = builder.draft(session, paths, now=clock.now(), check=paths, within_s=BULK_WORK_S)
    drafted = [path for path in paths if path in draft.made]
    last = [one for one, _ in itertools.takewhile(lambda found: found[1] in draft.made, following)][-1]

    def put(session: Session) -> Mark:
        held = [one.article for one in draft.made.values() if one.article is not None]
        shelve(session, builder, {one.id for one in held}, held)
        built = builder.put(session, draft, drafted, now=clock.now())
        _ask_for_pages(session, built.stale)
        # Theirs are the dead letters that say where the theme failed.
        jobs.add_many(session, BUILD_PAGE, [(path, {"check": True}) for path in built.faults], lane="normal")
        return replace(mark, after=str(last), pages=mark.pages + len(drafted))

    return Slice(put, partial(builder.lock_inputs, draft=draft))


def _id_of(after: str) -> UUID:
    """The article that a mark names; what an older version has left begins anew."""
    try:
        return UUID(after)
    except ValueError:
        return UUID(int=0)


def _lists(session: Session, builder: Builder, mark: Mark, *, apart: bool) -> Slice:
    """The pages of the next lists, by jobs."""
    found = list_store.list_paths_after(session, mark.after, LISTS)
    wanted = set()
    if mark.after == "":
        wanted = {lists.list_path(builder.newsroom, one) for one in lists.always(builder.newsroom)}
    last = ""
    for base, size in found:
        last = base
        wanted.update(_pages_of(builder, base, size))
        if len(wanted) >= PAGES_OF_LISTS:
            break

    def ask(session: Session) -> Mark:
        _ask_for_pages(session, wanted)
        come_to = replace(mark, after=last, pages=mark.pages + len(wanted))
        return come_to if found else come_to.then("pictures")

    return Slice(ask)


def _ask_for_pages(session: Session, paths: Any) -> None:
    jobs.add_many(session, BUILD_PAGE, [(path, {"check": True}) for path in paths], lane="bulk")


def _pages_of(builder: Builder, base: str, size: int) -> list[str]:
    """The paths of a list's pages, and of a month's sitemaps."""
    listing = builder.list_at(base)
    if listing is None:
        return []
    found = [base, *(f"{base}/page/{page}" for page in range(1, size // lists.PLACES[listing.kind] + 1))]
    if listing.kind == "month":
        for page in range(1, (size - 1) // lists.SITEMAP_PLACES + 2):
            sitemap = Listing("sitemap", listing.language, listing.key, page)
            found.append(lists.list_path(builder.newsroom, sitemap))
    return found


def _pictures(session: Session, builder: Builder, mark: Mark, *, apart: bool) -> Slice:
    """The files of the next pictures: those that are not as they were made are made again."""
    until = time.thread_time() + BULK_WORK_S
    last, broken = "", set[str]()
    for row in picture_files.looks_after(session, mark.after, PICTURES):
        last = row.look
        broken.update(one.look for one in picture_files.wrong(builder.site, row, builder.renderer.forms))
        if time.thread_time() > until:
            break

    def ask(session: Session) -> Mark:
        jobs.add_many(session, MAKE_RENDITIONS, [(look, None) for look in broken], lane="bulk")
        return replace(mark, after=last) if last else mark.then("strays")

    return Slice(ask)


def _strays(session: Session, builder: Builder, mark: Mark, *, apart: bool) -> Slice:
    """The next files that nothing explains: they are taken away."""
    found, last = strays.found(session, builder, mark.after, within_s=BULK_WORK_S)

    def sweep(session: Session) -> Mark:
        strays.sweep(session, builder, found)
        return replace(mark, after=last) if last else mark.then("")

    return Slice(sweep)


_PARTS: dict[str, Callable[..., Slice]] = {
    "articles": _articles,
    "lists": _lists,
    "pictures": _pictures,
    "strays": _strays,
}


def progress(session: Session) -> dict[str, int]:
    """What is left to do of a rebuild, in jobs; while one is at work also how many pages it has come to, and of what.

    Builds of pages that a replay has asked for count as well.
    """
    left = session.scalar(_OUTSTANDING) or 0
    come_to = store.fact(session, COME_TO)
    pages = {"rebuild_pages_asked": int(come_to), "rebuild_pages": store.count_pages(session)} if come_to else {}
    return {"rebuild_left": left, **pages}
