"""The verbs of search."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.recommend import domain
from services.recommend.index.text import plain_text
from services.recommend.search import store
from services.recommend.search.excerpts import excerpt
from services.recommend.search.queries import parse
from services.recommend.search.similar import near_duplicates
from shared.errors import Fault, Unprocessable

_NO_CURSOR = "`cursor` is what `next` said, unchanged; without it the listing begins."
_NO_LANGUAGE = "`lang` is a language tag, like fr or ar-MA."
_NO_DATE = "`from` is a day, like 2026-01-31, or an instant, like 2026-01-31T08:00:00Z."


def search_articles(
    session: Session, *, q: str, lang: str, section: str, since: str, cursor: str, limit: str
) -> dict[str, Any]:
    """A page of what a reader searches, as SearchReply says. Every value is text as it came in.

    Raises Unprocessable for a `since` that is neither a day nor an instant, a `lang` that is no language tag and a
    `cursor` that no page gave: with those passed over, the answer would be another one than asked for.
    """
    query = parse(q, lang or None)
    place = domain.after_cursor(cursor) if cursor else None
    faults = []
    if lang and not domain.is_language_tag(lang):
        faults.append(Fault("/lang", "language", _NO_LANGUAGE))
    if cursor and place is None:
        faults.append(Fault("/cursor", "cursor", _NO_CURSOR))
    published = domain.day_or_instant(since) if since else None
    if since and published is None:
        faults.append(Fault("/from", "date", _NO_DATE))
    if faults:
        raise Unprocessable(errors=faults)
    most = domain.page_size(limit)
    hits = store.find(
        session,
        query,
        language=lang or None,
        section=section or None,
        since=published,
        after=place,
        most=most + 1,
    )
    items = [
        {
            "id": hit.article_id,
            "url": hit.path,
            "headline": hit.headline,
            "excerpt_html": excerpt(hit.language, hit.text, query.marks(hit.language)),
            "section": hit.section,
            "language": hit.language,
            "first_published_at": hit.published_at,
        }
        for hit in hits[:most]
    ]
    last = hits[most - 1] if len(hits) > most else None
    return {"items": items, "next": None if last is None else domain.cursor(last.in_headline, last.number)}


def similar_articles(
    session: Session,
    *,
    headline: str,
    standfirst: str,
    body: dict[str, str] | None,
    language: str,
    article_id: UUID | None,
    limit: int,
) -> dict[str, Any]:
    """What of the live articles is like a draft, as SimilarReply says. body: format and text. article_id: left out."""
    text = body["text"] if body else ""
    if body and body["format"] == "html":
        text = plain_text(text)
    found = near_duplicates(
        session, language, headline, f"{standfirst}\n{text}".strip(), besides=article_id, most=limit
    )
    return {
        "items": [
            {
                "id": one.hit.article_id,
                "url": one.hit.path,
                "headline": one.hit.headline,
                "section": one.hit.section,
                "language": one.hit.language,
                "first_published_at": one.hit.published_at,
                "score": one.score,
                "kind": one.kind,
                "shared": one.passages,
            }
            for one in found
        ]
    }
