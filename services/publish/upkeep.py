"""Looking after the site: build it again, mend it after a power cut, and find what differs from what was built."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from services.publish import lists, picture_files, rebuilding, redirects, store, strays
from services.publish.build import NINJS, RELATED, Builder, beside_of
from services.publish.kinds import BUILD_PAGE, TAKE_THEME
from services.publish.lists import Listing
from services.publish.models import Page
from services.publish.site import path_of
from shared import clock, jobs
from shared.errors import Fault, Unprocessable
from shared.jobs import Claim

log = logging.getLogger(__name__)

# After the machine's power failed, files written in the last moments may be damaged: this much is looked at again.
SUSPECT = timedelta(minutes=15)


def ask_for_rebuild(session: Session, path: str | None, *, builder: Builder, now: datetime) -> None:
    """Have one page, or the whole site, built again and compared with the files that are there.

    Raises Unprocessable for a path at which there is no article and no list.
    """
    if path is None:
        rebuilding.ask_for_rebuild(session, now=now)
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
    known: set[str] = set()
    after = ""
    while pages := store.pages_after(session, after, 500):
        after = pages[-1].path
        for page in pages:
            known.add(page.path)
            found += _differences(session, builder, page)
        session.expunge_all()
    found += _differing_pictures(session, builder)
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
        {"path": path_of(file), "problem": "extra", "detail": "the store holds a file that no page explains"}
        for file in strays.everywhere(session, builder)
    ]
    return found


def _differing_pictures(session: Session, builder: Builder) -> list[dict[str, Any]]:
    """Renditions of pictures that are missing, or are not as they were made; one of several looks is named once."""
    found: dict[str, dict[str, Any]] = {}
    details = {"missing": "a rendition of a picture is not there", "changed": "a rendition is not as it was made"}
    after = ""
    while rows := picture_files.looks_after(session, after, 200):
        after = rows[-1].look
        for row in rows:
            for one in picture_files.wrong(builder.site, row, builder.renderer.forms):
                found[one.path] = {"path": one.path, "problem": one.problem, "detail": details[one.problem]}
    return list(found.values())


def _differing_installed(builder: Builder) -> list[dict[str, Any]]:
    """Files of the theme and the newsroom that are not as they should be; any that are there while it is broken."""
    found = []
    for path, content in builder.renderer.installed_files().items():
        if not builder.site.exists(path):
            found.append({"path": path, "problem": "missing", "detail": "a file of the theme or the newsroom"})
        elif not builder.themes.fault and not builder.site.holds(path, content, False):
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
