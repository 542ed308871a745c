"""Builders of what the tests are about, with defaults that sound like news."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shared.events import ArticleKilled, ArticlePublished, PublicArticle
from shared.ids import new_id


def today(clock: str) -> datetime:
    """A moment of the tests' day, 23 November 2026, UTC: today("09:00") or today("09:00:05")."""
    return datetime.fromisoformat(f"2026-11-23T{clock}").replace(tzinfo=UTC)


def public_article(**values: Any) -> PublicArticle:
    """A live article; any field can be given."""
    slug = values.pop("slug", "le-pont-du-port-ferme")
    defaults: dict[str, Any] = {
        "id": new_id(),
        "change": 1,
        "revision": 1,
        "status": "live",
        "language": "fr",
        "section": "societe",
        "slug": slug,
        "path": f"/{values.get('section', 'societe')}/{slug}",
        "headline": "Le pont du port ferme pour six semaines",
        "standfirst": "Les travaux commencent lundi ; les cars passeront par la rive nord.",
        "body_html": "<p>La mairie de Valbourg a confirmé la fermeture du pont du port.</p>",
        "first_published_at": today("09:00"),
        "updated_at": today("09:00"),
    }
    return PublicArticle(**{**defaults, **values})


def published(**values: Any) -> ArticlePublished:
    """The event that an article is live."""
    replayed = values.pop("replayed", False)
    return ArticlePublished(article=public_article(**values), replayed=replayed)


def killed(**values: Any) -> ArticleKilled:
    """The event that an article is killed."""
    return ArticleKilled(article=public_article(**{"status": "killed", "body_html": "", "change": 2, **values}))
