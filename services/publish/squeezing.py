"""Brotli beside gzip, in the background: about a minute after a page was last written, as bulk work.

Pages that are written again all the time (a front page in a busy hour) are left alone; unchanged ones are not
compressed again: the mark of how far it has come is the time and path of the last page that was looked at.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from services.publish import store
from services.publish.build import Builder
from services.publish.kinds import SQUEEZE_PAGES
from services.publish.models import Page
from services.publish.site import digest_of
from services.publish.site.compress import TEXTS, squeezed
from shared import clock, jobs
from shared.jobs import Claim

# A page that is written again within this time is not worth it.
REST = timedelta(seconds=30)
MARK = "squeezed"
SLICE, SLICE_S = 50, 0.15


def ask(session: Session, *, now: datetime) -> None:
    """Have what was written since the last time compressed, if there is anything."""
    if _next(session, now - REST, 1):
        jobs.add(session, SQUEEZE_PAGES, "all", lane="bulk")


def squeeze_pages(claim: Claim, *, builder: Builder) -> None:
    """Compress the next pages, for 0.15 s at most, and ask for the rest."""
    until = time.monotonic() + SLICE_S
    with claim.db.reading() as session:
        found = _next(session, clock.now() - REST, SLICE)
    done: list[Page] = []
    packed: dict[str, tuple[str, bytes]] = {}
    for page in found:
        done.append(page)
        if page.digest and not page.gone and "." not in page.path.rpartition("/")[2]:
            content = builder.site.read(page.path)
            if content is not None and digest_of(content) == page.digest and _lacks(builder, page.path):
                packed[page.path] = (page.digest, squeezed(content))
        if time.monotonic() > until:
            break
    if not done:
        _squeeze_installed(builder)
    with claim.finish() as session:
        if not claim.jobs:
            return
        # With the rows locked nobody writes these pages: what was made of other bytes is left out.
        rows = store.lock_pages(session, packed, clock.now()) if packed else {}
        for path, (digest, content) in packed.items():
            if rows[path].digest == digest:
                builder.site.squeeze(path, digest, content)
        if done:
            store.save_fact(session, MARK, f"{done[-1].built_at.isoformat()} {_mark_of(done[-1].path)}")
            jobs.add(session, SQUEEZE_PAGES, "all", lane="bulk")


def _next(session: Session, before: datetime, most: int) -> list[Page]:
    mark = store.fact(session, MARK)
    wanted = select(Page).where(Page.built_at < before).order_by(Page.built_at, Page.path).limit(most)
    if mark is not None:
        at, _, path = mark.partition(" ")
        since = datetime.fromisoformat(at)
        wanted = wanted.where(or_(Page.built_at > since, and_(Page.built_at == since, Page.path > path)))
    return list(session.scalars(wanted))


def _mark_of(path: str) -> str:
    # What a fact holds is bounded; of longer paths some are looked at twice.
    return path[:150]


def _lacks(builder: Builder, path: str) -> bool:
    return builder.site.encoded(path, "br") is None


def _squeeze_installed(builder: Builder) -> None:
    """The theme's own texts: few, and written by a start or a change of the theme alone."""
    for path, content in builder.renderer.installed_files().items():
        if path.endswith(TEXTS) and _lacks(builder, path) and builder.site.read(path) == content:
            builder.site.squeeze(path, digest_of(content), squeezed(content, lasting=True))
