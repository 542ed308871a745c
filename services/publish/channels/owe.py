"""Owes an article's news to those who asked for it: which event each is told of, if any, and once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from services.publish.channels import domain, store
from services.publish.channels.contents import content_for, updated_at
from services.publish.channels.store import Recipient
from services.publish.kinds import ATTEMPT_DELIVERY
from shared import jobs
from shared.events import PublicArticle
from shared.ids import new_id
from shared.newsroom import Newsroom

# What one request serves is gathered for so long.
GATHER = {"websub": timedelta(seconds=1), "indexnow": timedelta(seconds=5)}
# Programs that keep copies of what the site shows: they may hold an article of which they were never told.
MIRRORS = frozenset({"webhook", "websub", "indexnow"})


@dataclass(frozen=True)
class Told:
    """What a change of an article is: event: "article.published" and so on."""

    article: PublicArticle
    event: str


def owe(
    session: Session, told: Sequence[Told], to: Sequence[Recipient], newsroom: Newsroom, now: datetime
) -> list[Counter[str]]:
    """Make the deliveries of these articles' news to these subscriptions; how many of each article, by channel.

    The first announcement to a subscription is always article.published, with the newest change; so is that an article
    is back of which it heard that it was gone. A refile after either is not told, nor one of an article that was live
    before somebody subscribed. A newer delivery ends older undelivered ones.
    """
    if not told or not to:
        return [Counter() for _ in told]
    ids = [one.article.id for one in told]
    earlier = store.earlier_deliveries(session, ids, [one.id for one in to])
    fresh = _withdraw_unsent(session, told, earlier)
    superseded: list[UUID] = []
    given_up: list[UUID] = []
    made: list[dict[str, Any]] = []
    counts: list[Counter[str]] = []
    for one in told:
        before = len(made)
        contents: dict[tuple[str, str], Any] = {}
        for recipient in to:
            known = earlier.get((one.article.id, recipient.id), [])
            if any(row.change >= one.article.change for row in known):
                continue
            name = _name_for(session, one, recipient, known, fresh)
            if name is None:
                continue
            superseded += [row.id for row in known if row.state == "due"]
            if name == "article.published":
                given_up += [row.id for row in known if row.announces]
            key = recipient.channel, name
            if key not in contents:
                contents[key] = content_for(recipient.channel, name, one.article, newsroom, now)
            made.append(_row(one, recipient, name, contents[key], now))
        counts.append(Counter(row["channel"] for row in made[before:]))
    # What is superseded gives up its uniqueness before its successor takes it.
    if superseded:
        store.supersede(session, superseded, now)
    if given_up:
        store.give_up_first(session, given_up)
    if made:
        store.add_deliveries(session, made)
        ask_for_attempts(session, [(row["id"], row["channel"]) for row in made], now)
    return counts


def ask_for_attempts(session: Session, due: Sequence[tuple[UUID, str]], now: datetime) -> None:
    """Have these deliveries, (id, channel) each, attempted."""
    by_pause: dict[timedelta, list[tuple[str, None]]] = {}
    for delivery_id, channel in due:
        by_pause.setdefault(GATHER.get(channel, timedelta(0)), []).append((str(delivery_id), None))
    for pause, wanted in sorted(by_pause.items()):
        jobs.add_many(session, ATTEMPT_DELIVERY, wanted, lane="deliver", run_at=now + pause if pause else None)


def _row(told: Told, recipient: Recipient, name: str, content: Any, now: datetime) -> dict[str, Any]:
    delivery_id = new_id()
    return {
        "id": delivery_id,
        "subscription_id": recipient.id,
        "article_id": told.article.id,
        "change": told.article.change,
        "type": name,
        "announces": True if name == "article.published" else None,
        "body": content.body(delivery_id),
        "state": "due",
        "tries": 0,
        "put_back": 0,
        "created_at": now,
        "next_attempt_at": now,
        "ended_at": None,
        "channel": recipient.channel,
    }


def _withdraw_unsent(
    session: Session, told: Sequence[Told], earlier: Mapping[tuple[UUID, UUID], Sequence[Row[Any]]]
) -> set[UUID]:
    """The first announcements of which no attempt can have reached its receiver; none will be made any more."""
    changed = {one.article.id: one for one in told if one.event not in domain.WITHDRAWALS and one.article.notify}
    waiting = [
        row
        for (article_id, _), rows in earlier.items()
        for row in rows
        if article_id in changed
        and row.announces
        and row.state == "due"
        and row.change < changed[article_id].article.change
    ]
    if not waiting:
        return set()
    doubtful = store.unanswered(session, [row.id for row in waiting])
    # More attempts than are on record: one of them was cut off between its request and its record.
    return {
        row.id
        for row in sorted(waiting, key=lambda row: str(row.id))
        if row.id not in doubtful
        and jobs.withdraw(session, ATTEMPT_DELIVERY, str(row.id), if_attempts=row.tries + row.put_back)
    }


def _name_for(
    session: Session, told: Told, recipient: Recipient, earlier: Sequence[Row[Any]], fresh: set[UUID]
) -> str | None:
    """What a subscription is told of this change; None for nothing.

    Whoever was told of an article hears of its corrections and its end even if it has left what his filter names. So do
    programs that subscribed when it was live already, if their filter lets it pass; nobody takes its refiles for news.
    Of the end of one that came in quietly they hear as well: they may have found it in a feed.
    """
    article, event = told.article, told.event
    events = domain.events_of(recipient.channel, recipient.filter)
    told_first = "article.published" in events
    if event in domain.WITHDRAWALS:
        quiet = not article.notify or _was_live_before(article, recipient)
        never_told = not told_first or (recipient.channel in MIRRORS and quiet)
        wanted = bool(earlier) or (never_told and domain.wants(recipient.filter, article))
        return event if wanted and event in events else None
    if not article.notify:
        return None
    newest = max(earlier, key=lambda row: row.change, default=None)
    if newest is not None and newest.type in domain.WITHDRAWALS and newest.state == "delivered":
        # It is back: whoever heard that it was gone hears that too, whatever the change was called.
        name = "article.published" if told_first else event
        return name if name in events else None
    announced = next((row for row in earlier if row.announces), None)
    if announced is None and _was_live_before(article, recipient):
        wanted = event == "article.corrected" and recipient.channel in MIRRORS
        return event if wanted and event in events and domain.wants(recipient.filter, article) else None
    if announced is None or announced.id in fresh:
        name = "article.published" if told_first else event
        return name if name in events and domain.wants(recipient.filter, article) else None
    if event == "article.published":
        # A refile is not told, but it may have overtaken a correction, whose note it carries.
        if _knows_corrections(session, article, earlier):
            return None
        event = "article.corrected"
    return event if event in events else None


def _was_live_before(article: PublicArticle, recipient: Recipient) -> bool:
    """Whether the article was live before this subscription was told of anything: it is no news to it."""
    return article.live_since is not None and article.live_since < recipient.told_from


def _knows_corrections(session: Session, article: PublicArticle, earlier: Sequence[Row[Any]]) -> bool:
    """Whether the newest of these deliveries tells of a state with the article's last correction."""
    if not article.corrections:
        return True
    newest = max(earlier, key=lambda row: row.change)
    told_of = updated_at(store.body_of(session, newest.id)) or newest.created_at
    return bool(article.corrections[-1].corrected_at <= told_of)
