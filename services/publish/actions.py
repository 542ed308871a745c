"""The verbs of publish: take in what was heard, build what it touches, announce what is there, verify and rebuild."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.publish import domain, store
from services.publish.build import Builder
from services.publish.models import Delivery, Page, Subscription
from services.publish.views import teaser_of
from shared import clock, jobs, outbox
from shared.errors import Fault, Unprocessable
from shared.event_schemas import Heard
from shared.events import ArticleProgress, ProgressFact, PublicArticle, RelatedSet
from shared.ids import new_id
from shared.jobs import Claim, Job
from shared.newsroom import Newsroom
from shared.outgoing import Network, fault_of_url

BUILD_PAGE = "build_page"
ANNOUNCE = "announce"
ATTEMPT_DELIVERY = "attempt_delivery"
REBUILD_SITE = "rebuild_site"

# Lists and others' related blocks are built together, at the next tick of this length that is at least a tenth of it
# away: at most 0.4 s later, and seldom more than three times a second.
COALESCE_S = 0.35
# A page that was not in place when its article was heard is looked for again after this.
ANNOUNCE_AGAIN = timedelta(seconds=1)
REBUILD_SLICE = 200
# After the machine's power failed, files written in the last moments may be damaged: this much is looked at again.
SUSPECT = timedelta(minutes=15)


def receive_articles(session: Session, heard: Sequence[Heard], *, builder: Builder, now: datetime) -> None:
    """Hold the articles' new states, write their pages, and ask for everything else that they touch.

    What is not newer than what is held is dropped. A withdrawn article's page becomes a tombstone at once, and
    whatever showed it is built without waiting.
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
    jobs.add_many(
        session,
        ANNOUNCE,
        [(one.reference, one.to_payload()) for one in announce(session, news, builder=builder, now=now)],
        lane=heard[0].lane,
        run_at=now + ANNOUNCE_AGAIN,
    )


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


# Announcing


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


def announce(session: Session, news: Sequence[News], *, builder: Builder, now: datetime) -> list[News]:
    """Make the deliveries of articles whose pages are certain: the store answers with just this change.

    They commit with the caller's transaction, after the page is in place. Gives back those whose pages are not there.
    """
    facts: list[ProgressFact] = []
    later: list[News] = []
    subscriptions = store.active_subscriptions(session) if news else ()
    pages = store.pages(session, [one.article.path for one in news]) if news else {}
    owed = store.deliveries_of(session, [one.article.id for one in news]) if subscriptions else {}
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
    if delivery.state != "due" or store.was_unanswered(session, delivery.id):
        return False
    # More attempts than are on record: one of them was cut off between its request and its record.
    return jobs.withdraw(session, ATTEMPT_DELIVERY, str(delivery.id), if_attempts=delivery.tries + delivery.put_back)


# Subscribing


def subscribe(
    session: Session,
    *,
    channel: str,
    url: str,
    filter: dict[str, list[str]],
    allow: Sequence[Network],
    newsroom: Newsroom,
    now: datetime,
) -> Subscription:
    """Note who wants to be told. Raises Unprocessable for an address that may not be reached or an unknown name."""
    faults = []
    if fault := fault_of_url(url, allow):
        faults.append(Fault("/url", "url", f"The URL {fault}."))
    known = {"languages": set(newsroom.languages), "sections": set(newsroom.section_keys)}
    for field, names in known.items():
        for index, name in enumerate(filter.get(field, ())):
            if name not in names:
                should = f"{name!r} is none of this newsroom's {field}: {', '.join(sorted(names))}."
                faults.append(Fault(f"/filter/{field}/{index}", "not-allowed", should))
    if faults:
        raise Unprocessable(errors=faults)
    made = Subscription(
        id=new_id(),
        channel=channel,
        url=url,
        filter=filter,
        status="active",
        why="",
        secret_version=1,
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made


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
