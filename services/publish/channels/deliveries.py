"""What people do with deliveries that have failed: send them again, one or many, or give them up."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.publish.channels import store
from services.publish.channels.owe import ask_for_attempts
from services.publish.errors import DeliveryNotFound, NotActive, NotRetryable
from services.publish.kinds import RETRY_DELIVERIES
from services.publish.models import Delivery
from shared import clock, jobs
from shared.ids import new_id
from shared.jobs import Claim

SLICE = 200
RETRYABLE = ("failed", "unknown")


def retry(session: Session, delivery_id: UUID, now: datetime) -> Delivery:
    """Send a delivery that failed again, with all its tries, or at once one that waits for its next try.

    Raises DeliveryNotFound, NotActive, or NotRetryable: it has arrived, a newer one has, or its text is no longer kept.
    """
    delivery = _found(session, delivery_id)
    subscription = store.subscription(session, delivery.subscription_id)
    if subscription is None or subscription.status != "active":
        status = "gone" if subscription is None else subscription.status
        raise NotActive(f"Its subscription is {status}; resume it first.")
    if delivery.state not in (*RETRYABLE, "due"):
        raise NotRetryable(f"It is {delivery.state}.")
    if delivery.body == "":
        raise NotRetryable("Its text is no longer kept.")
    if store.has_newer(session, delivery):
        raise NotRetryable("A newer delivery of the same article has been made.")
    _make_due(session, [delivery], now)
    return delivery


def discard(session: Session, delivery_id: UUID, now: datetime) -> None:
    """Give up a delivery that has failed or is still due. Raises DeliveryNotFound, or NotRetryable for others."""
    delivery = _found(session, delivery_id)
    if delivery.state not in (*RETRYABLE, "due"):
        raise NotRetryable(f"It is {delivery.state}.")
    delivery.state, delivery.ended_at, delivery.next_attempt_at = "discarded", now, None


def ask_for_retries(session: Session, wanted: dict[str, Any]) -> None:
    """Send again, by a job, all that failed for a cause or in a time: see schemas.RetryBody."""
    payload = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in wanted.items()}
    payload = {name: str(value) if isinstance(value, UUID) else value for name, value in payload.items()}
    # What fails again while this runs is not taken up a second time.
    payload.setdefault("until", clock.now().isoformat())
    jobs.add(session, RETRY_DELIVERIES, str(new_id()), lane="deliver", payload=payload)


def retry_many(claim: Claim) -> None:
    """Do what was asked for by `ask_for_retries`, a slice at a time."""
    with claim.finish() as session:
        now = clock.now()
        for job in claim.jobs:
            wanted = job.payload
            after = UUID(wanted["after"]) if wanted.get("after") else None
            found = store.failed_slice(
                session,
                since=datetime.fromisoformat(wanted["since"]) if wanted.get("since") else None,
                until=datetime.fromisoformat(wanted["until"]),
                channel=wanted.get("channel"),
                subscription_id=UUID(wanted["subscription_id"]) if wanted.get("subscription_id") else None,
                status=wanted.get("status"),
                after=after,
                most=SLICE,
            )
            active = store.active_among(session, {one.subscription_id for one in found})
            again = [
                one for one in found if one.body and one.subscription_id in active and not store.has_newer(session, one)
            ]
            _make_due(session, again, now)
            if len(found) == SLICE:
                rest = {**wanted, "after": str(found[-1].id)}
                jobs.add(session, RETRY_DELIVERIES, job.reference, lane="deliver", payload=rest)


def _found(session: Session, delivery_id: UUID) -> Delivery:
    delivery = store.delivery(session, delivery_id, lock=True)
    if delivery is None:
        raise DeliveryNotFound(f"There is no delivery {delivery_id}: GET /v1/deliveries lists those there are.")
    return delivery


def _make_due(session: Session, again: list[Delivery], now: datetime) -> None:
    for one in again:
        if one.state != "due":
            one.state, one.tries, one.ended_at = "due", 0, None
        one.next_attempt_at = now
    session.flush()
    ask_for_attempts(session, [(one.id, one.channel) for one in again], now)
