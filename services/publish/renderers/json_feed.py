"""JSON Feed 1.1 with full texts and the same ids as the other feeds. Source: jsonfeed.org/version/1.1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.publish.renderers.atom import rfc3339

CONTENT_TYPE = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def head(
    *, title: str, description: str, link: str, self_url: str, language: str, icon: str, hubs: Sequence[str] = ()
) -> str:
    """A feed up to its first item; items follow, parted by commas. hubs: WebSub's."""
    about: dict[str, Any] = {
        "version": VERSION,
        "title": title,
        "home_page_url": link,
        "feed_url": self_url,
        "description": description,
        "icon": icon,
        "language": language,
    }
    if hubs:
        about["hubs"] = [{"type": "WebSub", "url": hub} for hub in hubs]
    return _ENCODER.encode(about)[:-1] + ',"items":[\n'


END = "\n]}\n"
BETWEEN = ",\n"


def item(
    *,
    item_id: str,
    url: str,
    title: str,
    summary: str,
    content_html: str,
    language: str,
    published: datetime,
    updated: datetime,
    authors: Sequence[str],
    tags: Sequence[str],
    image: str | None,
) -> str:
    """One article as a JSON object. image: an absolute URL."""
    found: dict[str, object] = {
        "id": item_id,
        "url": url,
        "title": title,
        "summary": summary,
        "content_html": content_html,
        "language": language,
        "date_published": rfc3339(published),
        "date_modified": rfc3339(updated),
        "authors": [{"name": name} for name in authors],
        "tags": list(tags),
    }
    if image:
        found["image"] = image
    return _ENCODER.encode({key: value for key, value in found.items() if value})
