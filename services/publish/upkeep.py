"""Looking after the site: build it again, mend it after a power cut, and find what differs from what was built."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from services.publish import list_store, lists, redirects, renditions, store
from services.publish.actions import shelve
from services.publish.build import NINJS, RELATED, Builder, beside_of
from services.publish.kinds import BUILD_PAGE, REBUILD_SITE, TAKE_THEME
from services.publish.lists import Listing
from services.publish.models import Page
from services.publish.renderers.theme import ASSETS
from shared import clock, jobs
from shared.errors import Fault, Unprocessable
from shared.jobs import Claim

log = logging.getLogger(__name__)

# So many articles are read whole: a slice of bulk work is to last 200 ms at most.
REBUILD_SLICE = 100
# After the machine's power failed, files written in the last moments may be damaged: this much is looked at again.
SUSPECT = timedelta(minutes=15)
# How long a file may stand without a page that explains it: longer than any build takes.
STRAY_REST = timedelta(minutes=1)
# The site's fact that says how many pages a rebuild has asked for so far; "" when all are.
ASKED = "rebuild"
MOST_STRAYS = 1000


def rebuild_site(claim: Claim, *, builder: Builder) -> None:
    """Ask, a slice at a time, for every page to be built and its files compared. The payload holds where to go on.

    First the articles, whose places in lists are looked after as well; then the lists; then files that nothing explains
    are looked for.
    """
    with claim.finish() as session:
        for job in claim.jobs:
            after, part = (job.payload or {}).get("after", ""), (job.payload or {}).get("part", "articles")
            if part == "strays":
                _sweep_strays(session, builder, (job.payload or {}).get("seen"))
                continue
            if part == "articles":
                paths = store.live_paths_after(session, after, REBUILD_SLICE)
                held = list(store.articles_at(session, paths).values())
                shelve(session, builder, {one.id for one in held}, held)
                renditions.mend(session, builder, [one.id for one in held if one.images])
                following: dict[str, Any] = {"part": "lists", "after": ""}
                if after == "":
                    builder.install()
                    redirects.ask_for_export(session)
                if paths:
                    following = {"part": "articles", "after": paths[-1]}
            else:
                found = list_store.list_paths_after(session, after, REBUILD_SLICE)
                paths = [path for base, size in found for path in _pages_of(builder, base, size)]
                if after == "":
                    paths += [lists.list_path(builder.newsroom, one) for one in lists.always(builder.newsroom)]
                following = {"part": "lists", "after": found[-1][0]} if found else {}
            jobs.add_many(session, BUILD_PAGE, [(path, {"check": True}) for path in set(paths)], lane="bulk")
            if not following:
                jobs.add(session, REBUILD_SITE, _then(job.reference, "strays"), lane="bulk", payload={"part": "strays"})
            following["asked"] = (job.payload or {}).get("asked", 0) + len(set(paths))
            store.save_fact(session, ASKED, str(following["asked"]) if "part" in following else "")
            if "part" in following:
                # A new reference: this job itself ends as done.
                name = _then(job.reference, f"{following['part']} {following['after']}")
                jobs.add(session, REBUILD_SITE, name, lane="bulk", payload=following)


def _then(reference: str, part: str) -> str:
    return f"{reference.partition(' then ')[0]} then {part}"[:400]


def _sweep_strays(session: Session, builder: Builder, seen: list[str] | None) -> None:
    """Take away files that nothing explains, a minute after they were first seen.

    One may belong to a page that is being built just now. seen: those of the first look; None for the first.
    """
    found = _strays(builder, _known(session, builder))
    if seen is None:
        if found:
            run_at = clock.now() + STRAY_REST
            payload = {"part": "strays", "seen": found[:MOST_STRAYS]}
            jobs.add(session, REBUILD_SITE, "strays", lane="bulk", run_at=run_at, payload=payload)
        return
    for path in set(found).intersection(seen):
        log.info("a file that no page explains is taken away", extra={"path": path})
        builder.site.remove(path)


def _known(session: Session, builder: Builder) -> set[str]:
    """The paths of everything that should be in place."""
    known = builder.installed_paths() | renditions.known_paths(session, builder.renderer.forms)
    after = ""
    while pages := store.pages_after(session, after, 500):
        after = pages[-1].path
        for page in pages:
            known.add(page.path)
            known.update(beside_of(page.path, name) for name in page.beside)
        session.expunge_all()
    return known


def _strays(builder: Builder, known: set[str]) -> list[str]:
    # What an earlier theme has left stays: pages that readers still have open ask for it.
    return sorted(path for path in set(builder.site.paths()) - known if not path.startswith(ASSETS))


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


def rebuild_progress(session: Session) -> dict[str, int]:
    """How many pages there are, and how many of them the rebuild has asked for that is at work; {} when none is."""
    asked = store.fact(session, ASKED)
    return {"rebuild_asked": int(asked), "rebuild_pages": store.count_pages(session)} if asked else {}


def ask_for_rebuild(session: Session, path: str | None, *, builder: Builder, now: datetime) -> None:
    """Have one page, or the whole site, built again and compared with the files that are there.

    Raises Unprocessable for a path at which there is no article and no list.
    """
    if path is None:
        jobs.add(session, REBUILD_SITE, now.isoformat(), lane="bulk")
        return
    path = lists.page_path(path)
    folder, _, name = path.rpartition("/")
    if name in {*lists.FEEDS, NINJS, RELATED}:
        path = lists.page_path(folder)
    if builder.list_at(path) is None and not store.ids_at(session, [path]):
        fault = Fault("/path", "unknown", f"No article or list of this site is at {path}.")
        raise Unprocessable(errors=[fault])
    jobs.add(session, BUILD_PAGE, path, lane="normal", payload={"check": True})


def look_after(session: Session, *, builder: Builder, now: datetime) -> None:
    """At a start: build the site again if the theme or the newsroom has changed, and mend what a power cut hurt."""
    take_theme(session, builder=builder, now=now)
    for page in store.pages_built_lately(session, SUSPECT):
        if _differences(session, builder, page):
            jobs.add(session, BUILD_PAGE, page.path, payload={"check": True})


def take_theme(session: Session, *, builder: Builder, now: datetime) -> None:
    """Put the theme's files in place, and build the site again if it differs from what the site was built with.

    While the theme is broken nothing is built again, and a dead letter says what is wrong with it.
    """
    builder.install()
    before = store.fact(session, "version")
    if builder.themes.fault:
        jobs.add(session, TAKE_THEME, "theme", lane="normal")
        if before is not None:
            return
    else:
        builder.themes.keep()
        if jobs.is_dead(session, TAKE_THEME, "theme"):
            jobs.add(session, TAKE_THEME, "theme", lane="normal")
    if before != builder.version:
        store.save_fact(session, "version", builder.version)
        ask_for_rebuild(session, None, builder=builder, now=now)


def try_theme(claim: Claim, *, builder: Builder) -> None:
    """Look at a theme that was broken: take it, or bury the job with its file, line and what is wrong there."""
    builder.take_theme()
    with claim.finish() as session:
        for job in claim.jobs:
            if builder.themes.fault:
                claim.bury(job, f"{builder.themes.fault} ({builder.themes.in_force} is in force)")
            else:
                take_theme(session, builder=builder, now=clock.now())


def age_news(session: Session, *, builder: Builder, now: datetime) -> None:
    """Have news sitemaps built again whose oldest article is too old for them by now."""
    for language in builder.newsroom.languages:
        path = lists.list_path(builder.newsroom, Listing("news", language))
        ages_at = store.fact(session, path)
        if ages_at and datetime.fromisoformat(ages_at) <= now:
            jobs.add(session, BUILD_PAGE, path)


def verify(session: Session, *, builder: Builder) -> list[dict[str, Any]]:
    """Every difference between the database and the store: {"path", "problem", "detail"} each."""
    found: list[dict[str, Any]] = []
    pictures = renditions.known_paths(session, builder.renderer.forms)
    known = builder.installed_paths() | pictures
    after = ""
    while pages := store.pages_after(session, after, 500):
        after = pages[-1].path
        for page in pages:
            known.add(page.path)
            known |= {beside_of(page.path, name) for name in page.beside}
            found += _differences(session, builder, page)
    found += [
        {"path": path, "problem": "missing", "detail": "a rendition of a picture is not there"}
        for path in sorted(pictures)
        if not builder.site.exists(path)
    ]
    found += _differing_installed(builder)
    found += [
        {"path": path, "problem": "missing", "detail": "a redirect does not lead where it should"}
        for path in redirects.astray(session, builder)
    ]
    for listing in lists.always(builder.newsroom):
        path = lists.list_path(builder.newsroom, listing)
        if path not in known and store.newest_versions(session, listing.language, listing.key or None, 1):
            found.append({"path": path, "problem": "missing", "detail": "the list was never built"})
    found += [
        {"path": path, "problem": "missing", "detail": "a live article has no page"}
        for path in store.live_paths_without_page(session)
    ]
    found += [
        {"path": path, "problem": "extra", "detail": "the store holds a file that no page explains"}
        for path in _strays(builder, known)
    ]
    return found


def _differing_installed(builder: Builder) -> list[dict[str, Any]]:
    """Files of the theme and the newsroom that are not as they should be; any that are there while it is broken."""
    found = []
    for path, content in builder.renderer.installed_files().items():
        there = builder.site.read(path)
        if there is None:
            found.append({"path": path, "problem": "missing", "detail": "a file of the theme or the newsroom"})
        elif there != content and not builder.themes.fault:
            found.append({"path": path, "problem": "changed", "detail": "a file of the theme or the newsroom"})
    return found


def _differences(session: Session, builder: Builder, page: Page) -> list[dict[str, Any]]:
    def difference(problem: str, detail: str, path: str = page.path) -> dict[str, Any]:
        return {"path": path, "problem": problem, "detail": detail}

    found: list[dict[str, Any]] = []
    for name, digest in page.beside.items():
        path = beside_of(page.path, name)
        if not builder.is_in_place(path, digest, False):
            problem = "missing" if builder.site.read(path) is None else "changed"
            found.append(difference(problem, "the file beside the page is not what was built", path))
        elif not builder.site.twin_fits(path, False):
            found.append(difference("changed", "a compressed twin stands beside the file", path))
    if not page.digest:
        return found
    if page.gone and builder.site.read(page.path) is not None:
        return [*found, difference("not gone", "a withdrawn page is still served")]
    if not builder.is_in_place(page.path, page.digest, page.gone):
        content = builder.site.tombstone(page.path) if page.gone else builder.site.read(page.path)
        return [*found, difference("missing" if content is None else "changed", "the file is not what was built")]
    if not builder.site.twin_fits(page.path, page.gone):
        return [*found, difference("changed", "the compressed twin does not fit the page")]
    if page.article_id is not None:
        article = store.articles(session, [page.article_id]).get(page.article_id)
        if article is not None and article.path == page.path and article.change != page.change:
            return [*found, difference("stale", f"shows change {page.change}; the article is at {article.change}")]
    return found
