"""Proves, surface by surface, that a killed article is gone from the site: for its kill report.

A kill asks for a proof in the transaction that takes the page away. The proof is a job that looks at the files
themselves, with the pages' rows locked, so that no build that began before the kill can still put a file in place
behind it. What is gone is told as "gone" steps of the article's journey; for what is not, the job looks again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.publish import renditions, store
from services.publish.build import NINJS, RELATED, Builder, beside_of
from services.publish.kinds import BUILD_PAGE, EXPORT_REDIRECTS, MAKE_RENDITIONS, PROVE_GONE
from services.publish.pictures import Original, all_renditions
from shared import clock, jobs, outbox
from shared.events import ArticleProgress, ProgressFact, PublicArticle
from shared.jobs import Claim, Job
from shared.tables import jobs as jobs_table

# Surfaces as the kill report names them. The page itself is told of by channels/announce.py, when its tombstone stands.
COPIES, ADDRESSES, PICTURES = "copies", "addresses", "pictures"
LISTS, FEEDS, SITEMAPS, BLOCKS = "lists", "feeds", "sitemaps", "related-blocks"
_OF_PAGES = (LISTS, SITEMAPS, BLOCKS)
# Looked for again after these pauses, the last one again and again: until then the report says "not yet". Seconds.
PAUSES_S = (0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 6.0, 15.0)
# Pages whose rows are locked and whose files are read in one transaction.
PAGES_AT_ONCE = 200
_OUTSTANDING = ("ready", "leased", "dead")


@dataclass(frozen=True)
class Kill:
    """An article that was just killed, and all in which readers could have met it.

    paths: of pages that showed it, or may have. former: its former addresses. looks: its pictures.
    """

    article: PublicArticle
    paths: Collection[str]
    former: Collection[str]
    looks: Sequence[renditions.Look]


def ask_for_proof(session: Session, kills: Sequence[Kill], *, builder: Builder, lane: str, now: datetime) -> None:
    """Have it proved that these articles are gone, in the transaction of their kill."""
    exported = _attempts_at_export(session)
    wanted = []
    for kill in kills:
        payload: dict[str, Any] = {name: [] for name in _OF_PAGES}
        for path in sorted(set(kill.paths) - {kill.article.path}):
            payload[_surface_of(builder, path)].append(path)
        payload[ADDRESSES] = sorted(kill.former)
        payload[PICTURES] = [[one.name, one.width, one.height, one.focus_x, one.focus_y] for one in kill.looks]
        payload |= {"exported": exported, "left": [COPIES, ADDRESSES, PICTURES, *_OF_PAGES], "looked": 0}
        wanted.append((f"{kill.article.id} {kill.article.change}", payload))
    jobs.add_many(session, PROVE_GONE, wanted, lane=lane, run_at=now)


def _surface_of(builder: Builder, path: str) -> str:
    listing = builder.list_at(path)
    if listing is None:
        return BLOCKS
    return LISTS if listing.is_html else SITEMAPS


def prove_gone(claim: Claim, *, builder: Builder) -> None:
    """Look where a killed article still is, and tell from where it is gone. A restored one's job ends."""
    with claim.finish() as session:
        now = clock.now()
        held = store.articles(session, [UUID(job.reference.split(" ")[0]) for job in claim.jobs])
        facts: list[ProgressFact] = []
        for job in claim.jobs:
            article_id, change = job.reference.split(" ")
            article = held.get(UUID(article_id))
            if article is not None and article.status == "killed" and article.change == int(change):
                facts += _prove(session, job, article, builder, now)
        if facts:
            outbox.say(session, ArticleProgress(facts=tuple(facts)))


def _prove(session: Session, job: Job, article: PublicArticle, builder: Builder, now: datetime) -> list[ProgressFact]:
    """What is proved now; the job asks for itself again for the rest."""
    payload = dict(job.payload)
    left: list[str] = payload["left"]
    gone = set()
    if COPIES in left and _has_no_copies(builder, article.path):
        gone.add(COPIES)
    if ADDRESSES in left and _lead_nowhere(session, builder, payload):
        gone.add(ADDRESSES)
    if PICTURES in left and _has_no_pictures(session, builder, payload[PICTURES]):
        gone.add(PICTURES)
    budget = PAGES_AT_ONCE
    for surface in _OF_PAGES:
        if surface in left and budget > 0:
            now_looked_at, later = payload[surface][:budget], payload[surface][budget:]
            budget -= len(now_looked_at)
            payload[surface] = [*later, *_still_showing(session, builder, article.path, now_looked_at)]
            if not payload[surface]:
                gone.add(surface)
    payload["left"] = [one for one in left if one not in gone]
    if payload["left"]:
        pause = PAUSES_S[min(payload["looked"], len(PAUSES_S) - 1)]
        payload["looked"] += 1
        run_at = now + timedelta(seconds=pause if budget > 0 else 0)
        jobs.add(session, PROVE_GONE, job.reference, lane=job.lane, run_at=run_at, payload=payload)
    # A list's feeds are files of the list's own build, looked at together with its page.
    named = [*(one for one in left if one in gone), *((FEEDS,) if LISTS in gone else ())]
    return [
        ProgressFact(article_id=article.id, change=article.change, step="gone", at=now, detail={"surface": surface})
        for surface in named
    ]


def _has_no_copies(builder: Builder, path: str) -> bool:
    site = builder.site
    beside = (beside_of(path, name) for name in (NINJS, RELATED))
    return all(site.encoded(path, coding) is None for coding in ("gzip", "br")) and not any(
        site.exists(one) for one in (path, *beside)
    )


def _lead_nowhere(session: Session, builder: Builder, payload: Mapping[str, Any]) -> bool:
    """Whether the former addresses answer as gone here, and the web server's map was written after the kill."""
    site = builder.site
    for path in payload[ADDRESSES]:
        if site.redirected(path) is not None or not (site.exists(path) or site.tombstone(path) is not None):
            return False
    if not payload[ADDRESSES]:
        return True
    row = _export(session)
    if row is None or row.state == "done":
        return True
    # Asked for again already: it has succeeded since the kill if it was begun since and has not failed since.
    return bool(row.attempts > payload["exported"] and row.failed == 0)


def _export(session: Session) -> Any:
    columns = jobs_table.c.state, jobs_table.c.attempts, jobs_table.c.failed
    return session.execute(select(*columns).where(jobs_table.c.kind == EXPORT_REDIRECTS)).first()


def _attempts_at_export(session: Session) -> int:
    row = _export(session)
    # One that runs now may have read the addresses before.
    return 0 if row is None else row.attempts + (row.state == "leased")


def _has_no_pictures(session: Session, builder: Builder, looks: Sequence[Sequence[Any]]) -> bool:
    """Whether its pictures' files are gone, but for those of pictures that others show."""
    for name, width, height, focus_x, focus_y in looks:
        if renditions.is_used(session, name):
            continue
        if _outstanding(session, MAKE_RENDITIONS, [name], states=("ready", "leased")):
            return False
        look: Original = renditions.Look(name.partition(" ")[0], width, height, focus_x, focus_y)
        if any(builder.site.exists(one.path) for one in all_renditions(look, builder.renderer.forms)):
            renditions.remove_unused(session, builder, name)
            return False
    return True


def _still_showing(session: Session, builder: Builder, killed_path: str, paths: Sequence[str]) -> list[str]:
    """Those of these pages that name the killed article, they or a file beside them, or may still be about to.

    A page whose newest build is done and in place shows nothing of it: an address that it names all the same is a link
    in somebody's text.
    """
    names = re.compile(re.escape(killed_path).encode() + rb"(?![a-z0-9-])")
    rows = store.lock_pages(session, paths, clock.now())
    site = builder.site
    suspects = [
        path
        for path in paths
        if any(names.search(site.read(one) or b"") for one in (path, *_beside(path, rows[path].beside)))
    ]
    waiting = _outstanding(session, BUILD_PAGE, suspects)
    still = []
    for path in suspects:
        row = rows[path]
        whole = builder.is_in_place(path, row.digest, row.gone) and all(
            builder.is_in_place(one, row.beside[name], False)
            for one, name in zip(_beside(path, row.beside), row.beside, strict=True)
        )
        if path in waiting:
            still.append(path)
        elif not whole:
            jobs.add(session, BUILD_PAGE, path, lane="urgent", payload={"check": True})
            still.append(path)
    return still


def _beside(path: str, beside: Iterable[str]) -> list[str]:
    return [beside_of(path, name) for name in beside]


def _outstanding(
    session: Session, kind: str, references: Sequence[str], states: Sequence[str] = _OUTSTANDING
) -> set[str]:
    wanted = select(jobs_table.c.reference).where(
        jobs_table.c.kind == kind, jobs_table.c.reference.in_(list(references)), jobs_table.c.state.in_(states)
    )
    return set(session.scalars(wanted)) if references else set()
