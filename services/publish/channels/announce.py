"""Announces articles: owes their news to everyone who asked, once their pages are certain.

A page is certain when the store, and the public address if that is to be looked at, answer with just this change. A
few subscriptions are owed in the article's own transaction; many, in slices by jobs, so that neither an article nor
memory waits for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from services.publish import store as site_store
from services.publish.build import Builder
from services.publish.channels import domain, store
from services.publish.channels.owe import Told, owe
from services.publish.kinds import ANNOUNCE, BUILD_PAGE, FAN_OUT
from shared import clock, jobs, outbox
from shared.events import ArticleProgress, ProgressFact, PublicArticle
from shared.jobs import Claim, Job
from shared.tables import jobs as jobs_table

# A page that was not in place when its article was heard is looked for again after this, and then less and less often.
ANNOUNCE_AGAIN = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=30)
# The timeline tells that an announcement waits when it has been looked for so often: after half a minute.
TOLD_AFTER = 5
# Then it is tried a few times more, and becomes a dead letter; whoever retries it has as many tries.
PATIENCE = timedelta(hours=1)
LAST_TRIES = 3
# So many subscriptions are owed with the article; more, in slices of this size.
AT_ONCE = 100
SLICE = 250

# Answers, for pages by path, which of them the public address shows as they are: (url, digest, gone) -> whether.
LookAt = Callable[[Sequence[tuple[str, str, bool]]], Sequence[bool]]


@dataclass(frozen=True)
class News:
    """That an article has a new state. event: "article.published" and so on; replayed: told to nobody again."""

    article: PublicArticle
    event: str
    replayed: bool
    written_at: datetime

    @property
    def reference(self) -> str:
        """Of the job that announces it later."""
        return f"{self.article.id} {self.article.change}"

    def to_payload(self) -> dict[str, Any]:
        """For the job that announces it later."""
        return {"event": self.event, "replayed": self.replayed, "written_at": self.written_at.isoformat()}


def announce_now_or_later(
    session: Session,
    news: Sequence[News],
    *,
    lane: str,
    builder: Builder,
    now: datetime,
    look_first: bool = False,
) -> None:
    """Announce what is in place, and have a job announce the rest as soon as it is.

    look_first: the public address is to be looked at, which takes a request: leave all to jobs of the delivering
    processes.
    """
    flashes = [(one.article.id, one.article.change) for one in news if not one.replayed and _is_flash(one.article)]
    if flashes:
        # Before anything can go wrong with telling it: the probe is to see just that.
        store.note_flashes(session, flashes, now)
    if look_first:
        jobs.add_many(session, ANNOUNCE, [(one.reference, one.to_payload()) for one in news], lane="deliver")
        return
    later = announce(session, news, builder=builder, now=now)
    wanted = [(one.reference, one.to_payload()) for one in later]
    jobs.add_many(session, ANNOUNCE, wanted, lane=lane, run_at=now + ANNOUNCE_AGAIN)


def announce(session: Session, news: Sequence[News], *, builder: Builder, now: datetime) -> list[News]:
    """Make the deliveries of articles whose pages are certain: the store answers with just this change.

    They commit with the caller's transaction, after the page is in place. Gives back those whose pages are not there.
    """
    if not news:
        return []
    pages = site_store.pages(session, [one.article.path for one in news])
    there = [one for one in news if _stands(pages.get(one.article.path), one, builder)]
    facts = [fact for one in there for fact in _seen(one, now)]
    told = [one for one in there if not one.replayed]
    counts = _tell(session, told, builder, now) if told else []
    for one, count in zip(told, counts, strict=True):
        for channel, deliveries in sorted(count.items()):
            facts.append(_fact(one.article, "announced", now, channel=channel, deliveries=deliveries))
    if facts:
        outbox.say(session, ArticleProgress(facts=tuple(facts)))
    certain = {one.reference for one in there}
    return [one for one in news if one.reference not in certain]


def _is_flash(article: PublicArticle) -> bool:
    return article.status == "live" and article.urgency <= domain.FLASH and article.notify


def _stands(page: Row[Any] | None, news: News, builder: Builder) -> bool:
    if page is None or page.change != news.article.change:
        return False
    return builder.is_in_place(page.path, page.digest, page.gone)


def _tell(session: Session, told: Sequence[News], builder: Builder, now: datetime) -> list[Counter[str]]:
    """Owe these articles' news; how many deliveries each has by channel, none while jobs still make them."""
    flash = any(_is_flash(one.article) for one in told)
    channels = [one for one in domain.CHANNELS if flash or one != "email"]
    to = store.recipients(session, channels, AT_ONCE + 1)
    if len(to) <= AT_ONCE:
        return owe(session, [Told(one.article, one.event) for one in told], to, builder.newsroom, now)
    for channel in channels:
        if store.is_in_use(session, channel):
            wanted = [(f"{one.reference} {channel}", {"event": one.event}) for one in told]
            jobs.add_many(session, FAN_OUT, wanted, lane="deliver")
    return [Counter() for _ in told]


def fan_out(claim: Claim, *, builder: Builder) -> None:
    """Owe an article's news to the next slice of a channel's subscriptions, and go on from there.

    Of an article that has changed meanwhile the newer change is told to all who have not heard of this one.
    """
    ids = [UUID(job.reference.split(" ")[0]) for job in claim.jobs]
    with claim.finish(first=partial(site_store.lock_articles, ids=ids, to_change=True)) as session:
        now = clock.now()
        held = site_store.articles(session, ids)
        for job in claim.jobs:
            article_id, change, channel = job.reference.split(" ")
            article = held.get(UUID(article_id))
            if article is None or article.change != int(change):
                continue
            payload = job.payload
            after = UUID(payload["after"]) if payload.get("after") else None
            to = store.recipients(session, [channel], SLICE, after)
            (count,) = owe(session, [Told(article, payload["event"])], to, builder.newsroom, now)
            made = payload.get("made", 0) + count.total()
            if len(to) == SLICE:
                rest = {"event": payload["event"], "after": str(to[-1].id), "made": made}
                jobs.add(session, FAN_OUT, job.reference, lane="deliver", payload=rest)
            elif made:
                fact = _fact(article, "announced", now, deliveries=made, channel=channel)
                outbox.say(session, ArticleProgress(facts=(fact,)))


def announce_later(claim: Claim, *, builder: Builder, look_at: LookAt | None = None) -> None:
    """Announce what could not be announced when it was heard; its page is mended, and tried again, if need be.

    An article of which a newer change is held meanwhile is left to that one's announcement. One whose page does not
    come within PATIENCE becomes a dead letter that says why. look_at: looks at the public address as well.
    """
    shown = _look(claim, builder, look_at) if look_at is not None else {}
    with claim.finish() as session:
        now = clock.now()
        jobs_of: dict[str, Job] = {}
        news: list[News] = []
        facts: list[ProgressFact] = []
        for one, job in _news_of(session, claim.jobs):
            jobs_of[one.reference] = job
            if look_at is None or shown.get(one.reference, False):
                news.append(one)
            else:
                where = builder.newsroom.url(one.article.path)
                facts += _again(claim, job, one, now, "the public address does not show it", where)
        for one in announce(session, news, builder=builder, now=now):
            facts += _again(claim, jobs_of[one.reference], one, now, "its page is not in place", one.article.path)
            jobs.add(session, BUILD_PAGE, one.article.path, lane="urgent", payload={"check": True})
        if facts:
            outbox.say(session, ArticleProgress(facts=tuple(facts)))


def _again(claim: Claim, job: Job, news: News, now: datetime, why: str, where: str) -> list[ProgressFact]:
    """Have it looked for again, or give it up for people to see; what the article's timeline is to tell of that."""
    over = now - news.written_at > PATIENCE
    if over and job.failed >= LAST_TRIES:
        claim.bury(job, f"nobody was told of this article: {why} ({where})")
        return [_fact(news.article, "announcement_given_up", now, where=where)]
    pause = min(ANNOUNCE_AGAIN * 2 ** min(job.attempts - 1, 10), LONGEST_PAUSE)
    claim.retry(job, at=now + pause, error=f"{why} ({where})", counts=over)
    return [_fact(news.article, "announcement_waits", now, where=where)] if job.attempts == TOLD_AFTER else []


def waiting(session: Session) -> int:
    """How many articles nobody is told of yet because their pages are not there."""
    late = jobs_table.c.kind == ANNOUNCE, jobs_table.c.state == "ready", jobs_table.c.error.is_not(None)
    return session.scalar(select(func.count()).select_from(jobs_table).where(*late)) or 0


def _news_of(session: Session, claimed: Sequence[Job]) -> list[tuple[News, Job]]:
    held = site_store.articles(session, [UUID(job.reference.partition(" ")[0]) for job in claimed])
    found = []
    for job in claimed:
        article_id, _, change = job.reference.partition(" ")
        article = held.get(UUID(article_id))
        if article is not None and article.change == int(change):
            written_at = datetime.fromisoformat(job.payload["written_at"])
            found.append((News(article, job.payload["event"], job.payload["replayed"], written_at), job))
    return found


def _look(claim: Claim, builder: Builder, look_at: LookAt) -> Mapping[str, bool]:
    with claim.db.reading() as session:
        wanted = [news for news, _ in _news_of(session, claim.jobs)]
        pages = site_store.pages(session, [one.article.path for one in wanted])
    asked = [one for one in wanted if one.article.path in pages]
    answers = look_at(
        [
            (builder.newsroom.url(page.path), page.digest, page.gone)
            for page in (pages[one.article.path] for one in asked)
        ]
    )
    return {one.reference: shown for one, shown in zip(asked, answers, strict=True)}


def _seen(news: News, now: datetime) -> list[ProgressFact]:
    if news.article.status == "live":
        return [_fact(news.article, "page_written", news.written_at), _fact(news.article, "seen_live", now)]
    if news.article.status == "retracted":
        return [_fact(news.article, "page_written", news.written_at)]
    detail = {"surface": "page"} if news.article.status == "killed" else {}
    return [_fact(news.article, "gone", now, **detail)]


def _fact(article: PublicArticle, step: str, at: datetime, **detail: str | int | float | bool | None) -> ProgressFact:
    return ProgressFact(article_id=article.id, change=article.change, step=step, at=at, detail=detail)
