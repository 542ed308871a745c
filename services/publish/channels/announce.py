"""Announces articles: owes their news to everyone who asked, once their pages are certain."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.publish import domain, store
from services.publish.build import Builder
from services.publish.channels import store as channels
from services.publish.kinds import ANNOUNCE, ATTEMPT_DELIVERY, BUILD_PAGE
from services.publish.models import Delivery, Subscription
from shared import clock, jobs, outbox
from shared.events import ArticleProgress, ProgressFact, PublicArticle
from shared.ids import new_id
from shared.jobs import Claim, Job

# A page that was not in place when its article was heard is looked for again after this.
ANNOUNCE_AGAIN = timedelta(seconds=1)


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
    session: Session, news: Sequence[News], *, lane: str, builder: Builder, now: datetime
) -> None:
    """Announce what is in place, and have a job of this lane announce the rest as soon as it is."""
    later = announce(session, news, builder=builder, now=now)
    wanted = [(one.reference, one.to_payload()) for one in later]
    jobs.add_many(session, ANNOUNCE, wanted, lane=lane, run_at=now + ANNOUNCE_AGAIN)


def announce(session: Session, news: Sequence[News], *, builder: Builder, now: datetime) -> list[News]:
    """Make the deliveries of articles whose pages are certain: the store answers with just this change.

    They commit with the caller's transaction, after the page is in place. Gives back those whose pages are not there.
    """
    facts: list[ProgressFact] = []
    later: list[News] = []
    subscriptions = channels.active_subscriptions(session) if news else ()
    pages = store.pages(session, [one.article.path for one in news]) if news else {}
    owed = channels.deliveries_of(session, [one.article.id for one in news]) if subscriptions else {}
    for one in news:
        article = one.article
        page = pages.get(article.path)
        certain = page is not None and page.change == article.change
        if page is None or not (certain and builder.is_in_place(page.path, page.digest, page.gone)):
            later.append(one)
            continue
        facts += _seen(one, now)
        if not one.replayed:
            count = _make_deliveries(session, article, one.event, subscriptions, owed.get(article.id, {}), builder, now)
            if count:
                facts.append(_fact(article, "announced", now, deliveries=count))
    if facts:
        outbox.say(session, ArticleProgress(facts=tuple(facts)))
    return later


def announce_later(claim: Claim, *, builder: Builder) -> None:
    """Announce what could not be announced when it was heard; its page is mended, and tried again, if need be.

    An article of which a newer change is held meanwhile is left to that one's announcement.
    """
    with claim.finish() as session:
        now = clock.now()
        held = store.articles(session, [UUID(job.reference.partition(" ")[0]) for job in claim.jobs])
        jobs_of: dict[str, Job] = {}
        news: list[News] = []
        for job in claim.jobs:
            article_id, _, change = job.reference.partition(" ")
            article = held.get(UUID(article_id))
            if article is not None and article.change == int(change):
                jobs_of[job.reference] = job
                written_at = datetime.fromisoformat(job.payload["written_at"])
                news.append(News(article, job.payload["event"], job.payload["replayed"], written_at))
        for one in announce(session, news, builder=builder, now=now):
            claim.retry(jobs_of[one.reference], at=now + ANNOUNCE_AGAIN, error="the page is not in place yet")
            jobs.add(session, BUILD_PAGE, one.article.path, lane="urgent", payload={"check": True})


def _seen(news: News, now: datetime) -> list[ProgressFact]:
    if news.article.status != "live":
        return [_fact(news.article, "gone", now)]
    return [_fact(news.article, "page_written", news.written_at), _fact(news.article, "seen_live", now)]


def _fact(article: PublicArticle, step: str, at: datetime, **detail: str | int | float | bool | None) -> ProgressFact:
    return ProgressFact(article_id=article.id, change=article.change, step=step, at=at, detail=detail)


def _make_deliveries(
    session: Session,
    article: PublicArticle,
    event: str,
    subscriptions: Sequence[Subscription],
    owed: Mapping[UUID, Sequence[Delivery]],
    builder: Builder,
    now: datetime,
) -> int:
    """Owe this article's news to everyone who wants it; how many deliveries were made.

    The first announcement to a subscription is always article.published, with the newest change; a refile after it is
    not told. A newer delivery ends older undelivered ones. owed: the article's earlier ones, by subscription.
    """
    made: list[Delivery] = []
    for subscription in subscriptions:
        earlier = owed.get(subscription.id, [])
        if any(one.change >= article.change for one in earlier):
            continue
        told_first = "article.published" in (subscription.filter.get("events") or domain.TOLD_BY_DEFAULT)
        name = _name_for(session, event, article, earlier, told_first)
        if name is None or not domain.wants(subscription.filter, article, name):
            continue
        for one in earlier:
            if one.state == "due":
                one.state, one.ended_at, one.next_attempt_at = "superseded", now, None
            if name == "article.published":
                one.announces = None
        delivery_id = new_id()
        made.append(
            Delivery(
                id=delivery_id,
                subscription_id=subscription.id,
                article_id=article.id,
                change=article.change,
                type=name,
                announces=True if name == "article.published" else None,
                body=domain.delivery_body(
                    delivery_id, name, article, builder.newsroom.url(article.path), builder.newsroom.base_url, now
                ),
                state="due",
                tries=0,
                put_back=0,
                created_at=now,
                next_attempt_at=now,
            )
        )
    session.flush()  # what is superseded gives up its uniqueness before its successor takes it
    session.add_all(made)
    session.flush()
    jobs.add_many(session, ATTEMPT_DELIVERY, [(str(one.id), None) for one in made], lane="deliver")
    return len(made)


def _name_for(
    session: Session, event: str, article: PublicArticle, earlier: Sequence[Delivery], told_first: bool
) -> str | None:
    """What a subscription is told of this change; None for nothing.

    told_first: whether it hears of first publications at all. While no attempt at its first announcement can have
    arrived, that announcement is made anew with the newest change.
    """
    if event == "article.killed":
        return event if earlier or not told_first else None
    if not article.notify:
        return None
    announced = next((one for one in earlier if one.announces), None)
    if announced is None or _never_arrived(session, announced):
        return "article.published" if told_first else event
    if event == "article.published":
        # A refile is not told, but it may have overtaken a correction, whose note it carries.
        return None if _knows_corrections(article, earlier) else "article.corrected"
    return event


def _knows_corrections(article: PublicArticle, earlier: Sequence[Delivery]) -> bool:
    """Whether the newest of these deliveries tells of a state with the article's last correction."""
    if not article.corrections:
        return True
    newest = max(earlier, key=lambda one: one.change)
    told = datetime.fromisoformat(json.loads(newest.body)["data"]["updated_at"]) if newest.body else newest.created_at
    return article.corrections[-1].corrected_at <= told


def _never_arrived(session: Session, delivery: Delivery) -> bool:
    """Whether no attempt at a delivery can have reached its receiver; if so, none will be made any more."""
    if delivery.state != "due" or channels.was_unanswered(session, delivery.id):
        return False
    # More attempts than are on record: one of them was cut off between its request and its record.
    return jobs.withdraw(session, ATTEMPT_DELIVERY, str(delivery.id), if_attempts=delivery.tries + delivery.put_back)
