"""IPTC ninjs 3.1 beside each article, for partners' programs. Source: iptc.org/std/ninjs, schema 3.1 (JSON Schema)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from services.publish.renderers.atom import rfc3339
from shared.events import PublicArticle

_STANDARD = {
    "name": "ninjs",
    "version": "3.1",
    "schema": "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json#",
}


def document(
    article: PublicArticle,
    *,
    uri: str,
    url: str,
    section: str,
    provider: str,
    body_html: str,
    pictures: Sequence[dict[str, object]],
) -> bytes:
    """The article as ninjs. uri: the id that feeds carry; url: the page. pictures: its associations, ninjs too.

    A retracted article is "canceled", as ninjs calls it. The schema allows no properties but its own.
    """
    found: dict[str, object] = {
        "uri": uri,
        "standard": _STANDARD,
        "type": "text",
        "representationType": "full",
        "profile": "text",
        "version": str(article.change),
        "firstCreated": rfc3339(article.first_published_at),
        "versionCreated": rfc3339(article.updated_at),
        "contentCreated": rfc3339(article.first_published_at),
        "pubStatus": "usable" if article.status == "live" else "canceled",
        "urgency": article.urgency,
        "language": article.language,
        "headlines": [{"role": "main", "value": article.headline, "contentType": "text/plain"}],
        "bodies": [{"role": "main", "value": body_html, "contentType": "text/html"}],
        "subjects": [
            {"name": section, "rel": "about"},
            *({"name": tag, "rel": "about"} for tag in article.tags),
        ],
        "infoSources": [{"name": provider}],
        "altIds": [{"role": "url", "value": url}, {"role": "guid", "value": str(article.id)}],
    }
    if article.standfirst:
        found["descriptions"] = [{"role": "summary", "value": article.standfirst, "contentType": "text/plain"}]
    if article.bylines:
        found["by"] = ", ".join(one.name for one in article.bylines)
        found["people"] = [{"name": one.name, "rel": "creator"} for one in article.bylines]
    if article.corrections:
        found["edNote"] = " ".join(one.note for one in article.corrections)
    if pictures:
        found["associations"] = list(pictures)
    return (json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8", "replace")
