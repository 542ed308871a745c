"""The rules of telling: who hears of what, when a failed delivery is tried again, when a receiver is given up."""

from __future__ import annotations

import email.utils
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from shared.events import PublicArticle

# The pauses after each failed attempt at a delivery. Source: DESIGN, "who is told"; Standard Webhooks advises alike.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600, 10800, 21600, 43200, 86400, 86400))
JITTER = 0.1
LONGEST_RETRY_AFTER = timedelta(days=1)
# A receiver that did nothing but fail for so long is paused. Source: Standard Webhooks, "Deliverability".
PAUSE_AFTER = timedelta(days=5)
# How long the secret before the newest one signs as well.
ROTATION = timedelta(hours=24)

CHANNELS = ("webhook", "web_push", "email", "websub", "indexnow", "apprise")
# Those that operators subscribe; readers subscribe themselves to the others.
OPERATOR_CHANNELS = ("webhook", "websub", "indexnow", "apprise")
# Sent once even if no answer comes: a reader would see the second one.
AT_MOST_ONCE = frozenset({"web_push", "email", "apprise"})
# One request serves all that waits for one of these.
GATHERED = frozenset({"websub", "indexnow"})

EVENTS = ("article.published", "article.corrected", "article.killed", "article.retracted", "article.expired")
WITHDRAWALS = frozenset({"article.killed", "article.retracted", "article.expired"})
# What is true only while the article is live.
OF_LIVE = frozenset({"article.published", "article.corrected"})
# What a subscription hears of when it names no events.
TOLD_BY_DEFAULT: Mapping[str, tuple[str, ...]] = {
    "webhook": ("article.published", "article.corrected", "article.killed", "article.retracted"),
    "web_push": ("article.published", "article.corrected", "article.killed", "article.retracted"),
    "email": ("article.published",),
    "websub": EVENTS,
    "indexnow": EVENTS,
    "apprise": ("article.published",),
}
# Readers are alerted to what the newsroom calls urgent only. Source: ninjs urgency, 1 (flash) to 8.
FLASH = 1
ALERT = 3

State = Literal["delivered", "due", "failed", "unknown"]


def events_of(channel: str, wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of events that a subscription with this filter hears of."""
    return tuple(wanted.get("events") or TOLD_BY_DEFAULT[channel])


def wants(wanted: Mapping[str, Any], article: PublicArticle) -> bool:
    """Whether a subscription's filter lets this article pass; its events are asked for apart."""
    languages, sections, tags = wanted.get("languages"), wanted.get("sections"), wanted.get("tags")
    if languages and article.language not in languages:
        return False
    if sections and article.section not in sections:
        return False
    if tags and not set(tags) & set(article.tags):
        return False
    return article.urgency <= wanted.get("urgency", 8)


@dataclass(frozen=True)
class Verdict:
    """What one attempt means. state: the delivery's from now on; retry_at: if "due"; disable: the subscription ends."""

    state: State
    retry_at: datetime | None = None
    disable: bool = False


def verdict(
    status: int | None,
    retry_after: str,
    tries: int,
    now: datetime,
    *,
    channel: str = "webhook",
    refused: bool = False,
    sent: bool = False,
) -> Verdict:
    """What to do after an attempt. status: HTTP's, None when no answer came; tries: attempts made, with this one.

    2xx is delivered. Network errors, 3xx, 5xx, 408, 425 and 429 are tried again by the schedule, not before Retry-After
    says; 410, and 404 of a push service, ends the subscription too; other 4xx, and an address that may not be reached,
    are final. sent: no answer came though the whole message may have arrived; what is sent at most once is then
    unknown. An SMTP server's 4yz is tried again, its 5yz is final; one that refuses the address ends the subscription.
    """
    if refused:
        return Verdict("failed")
    if status is None and sent and channel in AT_MOST_ONCE:
        return Verdict("unknown")
    if status is not None and 200 <= status < 300:
        return Verdict("delivered")
    if channel == "email":
        if status is not None and status >= 500:
            return Verdict("failed", disable=status in {550, 551, 553})
    elif status is not None and 400 <= status < 500 and status not in {408, 425, 429}:
        return Verdict("failed", disable=status == 410 or (channel == "web_push" and status == 404))
    if tries > len(PAUSES):
        return Verdict("failed")
    pause = PAUSES[tries - 1]
    at = now + pause * (1 + JITTER * random.random())  # noqa: S311 (jitter, not a secret)
    asked = _retry_after(retry_after, now)
    return Verdict("due", retry_at=max(at, asked) if asked else at)


def _retry_after(value: str, now: datetime) -> datetime | None:
    """When a Retry-After header asks to come again: seconds or an HTTP date (RFC 9110 section 10.2.3)."""
    value = value.strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        asked = now + timedelta(seconds=min(int(value[:10]), LONGEST_RETRY_AFTER.total_seconds()))
    else:
        try:
            asked = email.utils.parsedate_to_datetime(value)
        except (TypeError, ValueError, OverflowError):
            return None
        if asked.tzinfo is None:
            asked = asked.replace(tzinfo=UTC)
    return min(asked, now + LONGEST_RETRY_AFTER)
