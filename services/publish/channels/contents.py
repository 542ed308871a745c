"""What a delivery says, frozen when it is made: one text for each channel, the same for all of its subscriptions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.publish.channels import domain, surfaces
from services.publish.views import summary_of
from shared.events import PublicArticle
from shared.newsroom import Newsroom

# Web Push carries 4,096 bytes, encryption's own included (RFC 8291 section 4); titles are shown far shorter anyway.
PUSH_SUMMARY = 140
_ID = '"\\u0000"'


@dataclass(frozen=True)
class Content:
    """A body in two halves: between them stands the delivery's id, where a channel wants it."""

    head: str
    tail: str | None = None

    def body(self, delivery_id: UUID) -> str:
        """The body of one delivery."""
        return self.head if self.tail is None else f'{self.head}"{delivery_id}"{self.tail}'


def content_for(channel: str, event: str, article: PublicArticle, newsroom: Newsroom, now: datetime) -> Content:
    """What is sent by this channel of this event."""
    url = newsroom.url(article.path)
    if channel == "webhook":
        head, _, tail = _json(cloud_event("\x00", event, _data(event, article, url), newsroom, now)).partition(_ID)
        return Content(head, tail)
    if channel in domain.GATHERED:
        feeds, waits_for = surfaces.feeds_of(newsroom, article), surfaces.waits_for(newsroom, article)
        return Content(_json(_mention(url, feeds, waits_for, article)))
    return Content(
        _json(
            {
                "event": event,
                "headline": article.headline,
                "summary": summary_of(article, PUSH_SUMMARY if channel == "web_push" else 400),
                "url": url,
                "language": article.language,
                "urgency": article.urgency,
                "note": _note(event, article),
            }
        )
    )


def cloud_event(
    delivery_id: str, event: str, data: dict[str, Any], newsroom: Newsroom, now: datetime
) -> dict[str, Any]:
    """A CloudEvent 1.0. `timestamp` stands beside its `time` because Standard Webhooks asks for it."""
    return {
        "specversion": "1.0",
        "id": delivery_id,
        "source": newsroom.base_url,
        "type": event,
        "time": now.isoformat(),
        "timestamp": now.isoformat(),
        "subject": data["id"],
        "datacontenttype": "application/json",
        "data": data,
    }


def body_of_test(channel: str, delivery_id: UUID, newsroom: Newsroom, now: datetime) -> str:
    """What a test of a subscription sends."""
    if channel == "webhook":
        data = {"id": str(delivery_id), "url": newsroom.base_url, "headline": "Test"}
        return _json(cloud_event(str(delivery_id), "subscription.test", data, newsroom, now))
    if channel in {"websub", "indexnow"}:
        feed = f"{newsroom.front_path(newsroom.default_language)}feed.xml"
        return _json(_mention(newsroom.url("/"), [feed], [], None))
    name = newsroom.name_in(newsroom.default_language)
    return _json(
        {
            "event": "subscription.test",
            "headline": f"{name}: test",
            "summary": "",
            "url": newsroom.base_url,
            "language": newsroom.default_language,
            "urgency": 4,
            "note": "",
        }
    )


def digest_for(content: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A digest as one reader gets it. own: "without", the ids of entries that he has already; "removed", headlines."""
    without = set(own.get("without", ()))
    return {
        **content,
        "entries": [entry for entry in content["entries"] if entry["id"] not in without],
        "removed": [*content["removed"], *own.get("removed", ())],
    }


def updated_at(body: str) -> datetime | None:
    """The state of the article that a body tells of, by when it was updated; None where it does not say."""
    try:
        return datetime.fromisoformat(json.loads(body)["data"]["updated_at"])
    except (ValueError, KeyError, TypeError):
        return None


def _data(event: str, article: PublicArticle, url: str) -> dict[str, Any]:
    """Thin, so that the whole stays under 20 kB: the receiver fetches the page or a feed."""
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
    if event == "article.retracted" and article.retraction is not None:
        data["retraction"] = article.retraction.note
    return data


def _note(event: str, article: PublicArticle) -> str:
    if event == "article.corrected" and article.corrections:
        return article.corrections[-1].note
    if event == "article.retracted" and article.retraction is not None:
        return article.retraction.note
    return ""


def _mention(url: str, feeds: list[str], waits_for: list[str], article: PublicArticle | None) -> dict[str, Any]:
    live = article is not None and article.status == "live"
    return {"about": url, "feeds": feeds, "waits_for": waits_for, "live": live}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
