"""What readers ask for themselves, without an account: alerts in their browser, letters by mail. And its end.

Kept of a reader is what is needed to reach him, and nothing else: no address of his machine, no name. When he leaves,
or when an operator erases him, that goes with the same transaction and the record of what he was sent soon after.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.publish.channels import domain, store, subscriptions
from services.publish.channels.owe import ask_for_attempts
from services.publish.channels.secrets import web_push
from services.publish.models import Subscription
from shared.errors import Fault, Unprocessable
from shared.ids import new_id
from shared.newsroom import Newsroom
from shared.outgoing import Network, fault_of_url

# An address is asked to confirm so often at most, and so often in all: sign-up is no way to fill somebody's mailbox.
ASK_AGAIN = timedelta(hours=1)
MOST_ASKED = 3
# A sign-up that nobody confirms is forgotten.
UNCONFIRMED = timedelta(days=7)
CONFIRMATION = "subscription.confirm"
# Source: support.google.com/mail/answer/7436150, "Dots don't matter in Gmail addresses".
GMAIL = ("gmail.com", "googlemail.com")


def reader_of(channel: str, address: str, secret: bytes) -> str:
    """By what a reader's address is found again: 64 hex digits, of one mailbox however its address is written.

    Case, what follows a plus, and at Gmail the dots say nothing: without this, whoever signs somebody else up could
    have him asked to confirm once for every way to write his address.
    """
    if channel == "email":
        local, _, host = address.strip().lower().rpartition("@")
        local = local.partition("+")[0]
        if host in GMAIL:
            local, host = local.replace(".", ""), GMAIL[0]
        address = f"{local}@{host}"
    return hashlib.blake2b(f"{channel} {address}".encode(), key=secret, digest_size=32).hexdigest()


def take_push(
    session: Session,
    *,
    endpoint: str,
    p256dh: str,
    auth: str,
    language: str,
    sections: Sequence[str],
    urgency: int,
    reader: str,
    newsroom: Newsroom,
    allow: Sequence[Network],
    now: datetime,
) -> Subscription:
    """Note a browser that asks for alerts; one that is known gets its new wishes. Raises Unprocessable."""
    faults = []
    if fault := fault_of_url(endpoint, allow):
        faults.append(Fault("/endpoint", "url", f"The endpoint {fault}."))
    if fault := web_push().fault_of_keys(p256dh, auth):
        faults.append(Fault("/keys", "keys", f"The browser's {fault}."))
    wanted: dict[str, Any] = {"languages": [newsroom.edition(language)], "urgency": urgency}
    if sections:
        wanted["sections"] = list(sections)
    # Here the wishes are named without a filter around them.
    found = subscriptions.faults_of_filter(wanted, newsroom)
    faults += [replace(one, pointer=one.pointer.removeprefix("/filter")) for one in found]
    if faults:
        raise Unprocessable(errors=faults)
    known = store.of_reader(session, reader)
    if known is None:
        known = _new("web_push", reader, now)
        session.add(known)
    known.url, known.keys = endpoint, {"p256dh": p256dh, "auth": auth}
    known.filter, known.language = wanted, newsroom.edition(language)
    known.status, known.why, known.failing_since, known.confirmed_at = "active", "", None, now
    session.flush()
    return known


def leave(session: Session, reader: str) -> bool:
    """Forget the reader who is known by this digest; whether there was one."""
    known = store.of_reader(session, reader)
    if known is None:
        return False
    subscriptions.forget(session, known)
    return True


def sign_up(
    session: Session,
    *,
    address: str,
    language: str,
    daily: bool,
    flash: bool,
    reader: str,
    newsroom: Newsroom,
    now: datetime,
) -> None:
    """Ask the owner of a mail address to confirm that he wants these letters, unless he was lately or gets them."""
    known = store.of_reader(session, reader)
    if known is None:
        known = _new("email", reader, now)
        known.status, known.url = "pending", address
        session.add(known)
    elif (
        known.status not in {"pending", "disabled"}
        or known.asked >= MOST_ASKED
        or (known.asked_at is not None and now - known.asked_at < ASK_AGAIN)
    ):
        return
    # A relay that once refused his address may take it now.
    known.status, known.why = "pending", ""
    edition = newsroom.edition(language)
    known.language = edition
    # No article is as urgent as 0: who wants the daily letter alone hears of none by itself.
    known.filter = {"languages": [edition], "urgency": domain.FLASH if flash else 0}
    known.keys = {"daily": daily}
    known.asked, known.asked_at = known.asked + 1, now
    session.flush()
    _owe_confirmation(session, known, now)


def confirm(session: Session, subscription_id: UUID, now: datetime) -> Subscription | None:
    """Begin to send what was asked for; None when nothing waits to be confirmed under this id."""
    known = store.subscription(session, subscription_id, lock=True)
    if known is None or known.channel != "email" or known.status not in {"pending", "active"}:
        return None
    if known.status == "pending":
        known.status, known.confirmed_at, known.asked = "active", now, 0
    return known


def forget_unconfirmed(session: Session, until: datetime, most: int) -> int:
    """Forget sign-ups that nobody has confirmed since; how many went."""
    old = store.unconfirmed(session, until - UNCONFIRMED, most)
    for one in old:
        subscriptions.forget(session, one)
    return len(old)


def channel_of(address: str) -> str:
    """The channel that a reader's address belongs to: a push endpoint is a URL, all else a mail address."""
    return "web_push" if "://" in address else "email"


def export(session: Session, reader: str) -> dict[str, Any] | None:
    """All that is kept of a reader, as JSON values; None when nothing is."""
    known = store.of_reader(session, reader)
    if known is None:
        return None
    sent = store.deliveries(session, subscription_id=known.id, most=1000)
    return {
        "channel": known.channel,
        "address": known.url,
        "language": known.language,
        "wishes": {**known.filter, **({"daily": known.keys["daily"]} if known.keys and "daily" in known.keys else {})},
        "status": known.status,
        "signed_up_at": known.created_at.isoformat(),
        "confirmed_at": known.confirmed_at.isoformat() if known.confirmed_at else None,
        "sent": [
            {"type": one.type, "about": str(one.article_id), "state": one.state, "at": one.created_at.isoformat()}
            for one in sent
        ],
    }


def _new(channel: str, reader: str, now: datetime) -> Subscription:
    return Subscription(
        id=new_id(),
        channel=channel,
        url="",
        filter={},
        status="active",
        why="",
        secret_version=1,
        created_at=now,
        contact="",
        language="",
        reader=reader,
        asked=0,
    )


def _owe_confirmation(session: Session, known: Subscription, now: datetime) -> None:
    delivery_id = new_id()
    store.add_deliveries(
        session,
        [
            {
                "id": delivery_id,
                "subscription_id": known.id,
                "article_id": delivery_id,
                "change": 1,
                "type": CONFIRMATION,
                "announces": None,
                "body": "{}",
                "state": "due",
                "tries": 0,
                "put_back": 0,
                "created_at": now,
                "next_attempt_at": now,
                "ended_at": None,
                "channel": known.channel,
            }
        ],
    )
    ask_for_attempts(session, [(delivery_id, known.channel)], now)
