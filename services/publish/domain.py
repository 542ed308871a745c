"""The rules of publish: who is told of what, and when a failed delivery is tried again (those of lists: lists.py)."""

from __future__ import annotations

import email.utils
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from shared.events import PublicArticle

# The pauses after each failed attempt at a delivery. Source: DESIGN, "who is told"; Standard Webhooks advises alike.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600, 10800, 21600, 43200, 86400, 86400))
JITTER = 0.1
LONGEST_RETRY_AFTER = timedelta(days=1)

# What a subscription hears of when it names no events, and all it can name.
TOLD_BY_DEFAULT = ("article.published", "article.corrected", "article.killed")


def wants(wanted: Mapping[str, Sequence[str]], article: PublicArticle, event: str) -> bool:
    """Whether a subscription's filter lets this event of this article pass."""
    languages, sections = wanted.get("languages"), wanted.get("sections")
    if languages and article.language not in languages:
        return False
    if sections and article.section not in sections:
        return False
    return event in (wanted.get("events") or TOLD_BY_DEFAULT)


def delivery_body(delivery_id: UUID, event: str, article: PublicArticle, url: str, source: str, now: datetime) -> str:
    """The body of a delivery, as it is sent: a CloudEvent, thin, under 20 kB. The receiver fetches the page or feed.

    `timestamp` stands beside CloudEvents' `time` because Standard Webhooks asks for it.
    """
    data: dict[str, Any] = {
        "id": str(article.id),
        "url": url,
        "headline": article.headline,
        "language": article.language,
        "section": article.section,
        "status": article.status,
        "change": article.change,
        "revision": article.revision,
        "urgency": article.urgency,
        "first_published_at": article.first_published_at.isoformat(),
        "updated_at": article.updated_at.isoformat(),
    }
    if event == "article.corrected" and article.corrections:
        data["correction"] = article.corrections[-1].note
    return json.dumps(
        {
            "specversion": "1.0",
            "id": str(delivery_id),
            "source": source,
            "type": event,
            "time": now.isoformat(),
            "timestamp": now.isoformat(),
            "subject": str(article.id),
            "datacontenttype": "application/json",
            "data": data,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


@dataclass(frozen=True)
class Verdict:
    """What one attempt means. state: the delivery's from now on; retry_at: if "due"; disable: the subscription ends."""

    state: Literal["delivered", "due", "failed"]
    retry_at: datetime | None = None
    disable: bool = False


def verdict(status: int | None, retry_after: str, tries: int, now: datetime, *, refused: bool = False) -> Verdict:
    """What to do after an attempt. status: HTTP's, None when no answer came; tries: attempts made, with this one.

    2xx is delivered. Network errors, 3xx, 5xx, 408, 425 and 429 are tried again by the schedule, not before Retry-After
    says; 410 ends the subscription too; other 4xx, and an address that may not be reached, are final.
    """
    if refused:
        return Verdict("failed")
    if status is not None and 200 <= status < 300:
        return Verdict("delivered")
    if status is not None and 400 <= status < 500 and status not in {408, 425, 429}:
        return Verdict("failed", disable=status == 410)
    if tries > len(PAUSES):
        return Verdict("failed")
    pause = PAUSES[tries - 1]
    at = now + pause * (1 + JITTER * random.random())  # noqa: S311 (jitter, not a secret)
    asked = _retry_after(retry_after, now)
    return Verdict("due", retry_at=max(at, asked) if asked else at)


def _retry_after(value: str, now: datetime) -> datetime | None:
    """When a Retry-After header asks for the next attempt: seconds or a date (RFC 9110 10.2.3), a day at most."""
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        asked = now + timedelta(seconds=int(value))
    else:
        try:
            asked = email.utils.parsedate_to_datetime(value)
        except (TypeError, ValueError):
            return None
        if asked.tzinfo is None:
            asked = asked.replace(tzinfo=UTC)
    return min(asked, now + LONGEST_RETRY_AFTER)
