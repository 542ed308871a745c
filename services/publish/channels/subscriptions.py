"""The verbs of subscriptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.publish import store as site_store
from services.publish.channels import domain, store
from services.publish.channels.contents import body_of_test
from services.publish.channels.owe import Told, ask_for_attempts, owe
from services.publish.errors import NoSecret, NotActive, SubscriptionNotFound
from services.publish.kinds import ATTEMPT_DELIVERY, REMOVE_SUBSCRIPTION, RESUME_SUBSCRIPTION
from services.publish.models import Subscription
from shared import clock, jobs
from shared.errors import Fault, Unprocessable
from shared.ids import new_id
from shared.jobs import Claim
from shared.newsroom import Newsroom
from shared.outgoing import Network, fault_of_url

SLICE = 500


def subscribe(
    session: Session,
    *,
    channel: str,
    url: str,
    filter: dict[str, Any],
    allow: Sequence[Network],
    newsroom: Newsroom,
    now: datetime,
    contact: str = "",
) -> Subscription:
    """Note who wants to be told. Raises Unprocessable for an address that may not be reached or an unknown name."""
    faults = faults_of_filter(filter, newsroom)
    if channel == "apprise":
        if "://" not in url:
            faults.append(Fault("/url", "url", "An Apprise URL begins with its service: mailto://, slack://, ntfy://."))
    elif fault := fault_of_url(url, allow):
        faults.append(Fault("/url", "url", f"The URL {fault}."))
    if faults:
        raise Unprocessable(errors=faults)
    made = _made(channel, url, filter, contact, now)
    session.add(made)
    session.flush()
    return made


def _made(channel: str, url: str, filter: dict[str, Any], contact: str, now: datetime) -> Subscription:
    return Subscription(
        id=new_id(),
        channel=channel,
        url=url,
        filter=filter,
        status="active",
        why="",
        secret_version=1,
        created_at=now,
        contact=contact,
    )


def keep_hubs(session: Session, hubs: Sequence[str], now: datetime) -> None:
    """Have every hub of the settings subscribed; one that was removed by hand is made anew."""
    known = {one.url for one in store.subscriptions(session, channel="websub", most=1000)}
    for url in hubs:
        if url not in known:
            session.add(_made("websub", url, {}, "", now))


def faults_of_filter(wanted: Mapping[str, Any], newsroom: Newsroom) -> list[Fault]:
    """The names in a filter that this newsroom does not know."""
    known = {"languages": set(newsroom.languages), "sections": set(newsroom.section_keys)}
    return [
        Fault(
            f"/filter/{field}/{index}",
            "not-allowed",
            f"{name!r} is none of this newsroom's {field}: {', '.join(sorted(names))}.",
        )
        for field, names in known.items()
        for index, name in enumerate(wanted.get(field, ()))
        if name not in names
    ]


def found(session: Session, subscription_id: UUID) -> Subscription:
    """The subscription, its row locked. Raises SubscriptionNotFound."""
    subscription = store.subscription(session, subscription_id, lock=True)
    if subscription is None:
        raise SubscriptionNotFound(
            f"There is no subscription {subscription_id}: GET /v1/subscriptions lists those there are."
        )
    return subscription


def change(
    session: Session, subscription_id: UUID, wanted: Mapping[str, Any], newsroom: Newsroom, now: datetime
) -> Subscription:
    """Change what a subscription hears of, or whom it belongs to; what it is owed already stays.

    What is live already is no news to it because its filter is another.
    """
    subscription = found(session, subscription_id)
    if "filter" in wanted:
        if faults := faults_of_filter(wanted["filter"], newsroom):
            raise Unprocessable(errors=faults)
        if subscription.filter != wanted["filter"]:
            # What it missed in a pause before that, it is not told any more.
            subscription.told_from, subscription.stopped_at = now, None
        subscription.filter = dict(wanted["filter"])
    subscription.contact = wanted.get("contact", subscription.contact)
    return subscription


def pause(session: Session, subscription_id: UUID, now: datetime) -> Subscription:
    """Tell it nothing until it is resumed: what it is owed waits, what is published meanwhile it does not hear."""
    subscription = found(session, subscription_id)
    if subscription.status == "active":
        subscription.status, subscription.why, subscription.stopped_at = "paused", "paused by hand", now
    return subscription


def resume(session: Session, subscription_id: UUID, now: datetime) -> Subscription:
    """Tell it again, beginning with what it is still owed and what was withdrawn meanwhile of what it had been told.

    Raises NotActive for one that was never confirmed.
    """
    subscription = found(session, subscription_id)
    unconfirmed = subscription.channel == "email" and subscription.confirmed_at is None
    if subscription.status == "pending" or (subscription.status == "disabled" and unconfirmed):
        raise NotActive("Its reader has not yet confirmed it.")
    if subscription.status != "active":
        subscription.status, subscription.why, subscription.failing_since = "active", "", None
        subscription.told_from = now
        jobs.add(session, RESUME_SUBSCRIPTION, str(subscription_id), lane="deliver", payload={})
    return subscription


def remove(session: Session, subscription_id: UUID) -> None:
    """Tell it nothing any more, at once; all that is known of it goes soon."""
    subscription = found(session, subscription_id)
    forget(session, subscription)


def forget(session: Session, subscription: Subscription) -> None:
    """The same, for a row at hand; what identifies its owner or reader goes with this transaction."""
    subscription.status, subscription.why = "removed", ""
    subscription.url = subscription.contact = ""
    subscription.reader = subscription.keys = None
    session.flush()
    jobs.add(session, REMOVE_SUBSCRIPTION, str(subscription.id), lane="deliver")


def rotate_secret(session: Session, subscription_id: UUID, now: datetime) -> Subscription:
    """Make a new secret. For a day what is sent is signed with the one before as well.

    Raises NoSecret for what is no webhook.
    """
    subscription = found(session, subscription_id)
    if subscription.channel != "webhook":
        raise NoSecret(f"What goes to {subscription.channel} is not signed with a secret.")
    subscription.secret_version += 1
    subscription.old_secret_until = now + domain.ROTATION
    return subscription


def send_test(session: Session, subscription_id: UUID, newsroom: Newsroom, now: datetime) -> UUID:
    """Send a test, as any delivery is sent; its id. Raises NotActive for a subscription that is told nothing."""
    subscription = found(session, subscription_id)
    if subscription.status != "active":
        raise NotActive(f"It is {subscription.status}: {subscription.why}.")
    delivery_id = new_id()
    store.add_deliveries(
        session,
        [
            {
                "id": delivery_id,
                "subscription_id": subscription.id,
                "article_id": delivery_id,
                "change": 1,
                "type": "subscription.test",
                "announces": None,
                "body": body_of_test(subscription.channel, delivery_id, newsroom, now),
                "state": "due",
                "tries": 0,
                "put_back": 0,
                "created_at": now,
                "next_attempt_at": now,
                "ended_at": None,
                "channel": subscription.channel,
            }
        ],
    )
    jobs.add(session, ATTEMPT_DELIVERY, str(delivery_id), lane="deliver")
    return delivery_id


def resume_deliveries(claim: Claim, *, newsroom: Newsroom) -> None:
    """Do, a slice at a time, what subscriptions that were resumed still want.

    First attempts at what they are owed; then they are owed the end of what they were told as live, if it was withdrawn
    while they heard of nothing.
    """
    job = claim.jobs[0]  # one at a time: the articles of a slice are locked before anything else is
    payload = job.payload or {}
    after = UUID(payload["after"]) if payload.get("after") else None
    subscription_id = UUID(job.reference)
    gone: list[UUID] = []
    if payload.get("gone"):
        with claim.db.reading() as session:
            stopped_at = _stopped_at(session, subscription_id)
            rows = store.told_and_gone(session, subscription_id, stopped_at, after, SLICE)
        gone = [row.article_id for row in rows]
    with claim.finish(first=partial(site_store.lock_articles, ids=gone, to_change=True)) as session:
        to = store.recipient(session, subscription_id)
        if to is None or not claim.jobs:
            return
        now = clock.now()
        rest: dict[str, Any] | None
        if payload.get("gone"):
            held = site_store.articles(session, gone)
            ended = [Told(one, f"article.{one.status}") for one in held.values() if one.status != "live"]
            owe(session, ended, [to], newsroom, now)
            rest = {"gone": True, "after": str(rows[-1].id)} if len(rows) == SLICE else None
        else:
            ids = store.held(session, subscription_id, after, SLICE)
            ask_for_attempts(session, [(one, to.channel) for one in ids], now)
            rest = {"after": str(ids[-1])} if len(ids) == SLICE else {"gone": True}
        if rest is not None:
            jobs.add(session, RESUME_SUBSCRIPTION, job.reference, lane="deliver", payload=rest)


def _stopped_at(session: Session, subscription_id: UUID) -> datetime | None:
    subscription = store.subscription(session, subscription_id)
    return subscription.stopped_at if subscription is not None else None


def remove_subscriptions(claim: Claim) -> None:
    """Remove, a slice at a time, what subscriptions that were removed have been told."""
    with claim.finish() as session:
        for job in claim.jobs:
            if not store.remove_slice(session, UUID(job.reference), SLICE):
                jobs.add(session, REMOVE_SUBSCRIPTION, job.reference, lane="deliver")
