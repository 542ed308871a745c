"""RSS 2.0 with full texts, for feed readers and partners."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from shared.events import PublicArticle
from shared.newsroom import Newsroom

CONTENT_TYPE = "application/rss+xml"


def document(
    *,
    title: str,
    link: str,
    description: str,
    language: str,
    self_url: str,
    built_at: datetime | None,
    items: Iterable[str],
) -> bytes:
    """A feed. title, description: plain text. link, self_url: absolute. built_at: newest change in it, aware.

    items: from `item`, in the order shown.
    """
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">',
        "<channel>",
        f"<title>{escape(title)}</title>",
        f"<link>{escape(link)}</link>",
        f"<description>{escape(description)}</description>",
        f"<language>{escape(language.lower())}</language>",
        f'<atom:link rel="self" type="{CONTENT_TYPE}" href={quoteattr(self_url)}/>',
    ]
    if built_at is not None:
        lines.append(f"<lastBuildDate>{rfc822(built_at)}</lastBuildDate>")
    lines.extend(items)
    lines += ["</channel>", "</rss>", ""]
    return "\n".join(lines).encode("utf-8")


def item(
    *,
    title: str,
    link: str,
    guid: str,
    published_at: datetime,
    creators: Sequence[str],
    categories: Sequence[str],
    description: str,
    content_html: str,
) -> str:
    """One article. Plain texts, but content_html: a clean body with absolute links. guid: never changes."""
    lines = [
        "<item>",
        f"<title>{escape(title)}</title>",
        f"<link>{escape(link)}</link>",
        f'<guid isPermaLink="false">{escape(guid)}</guid>',
        f"<pubDate>{rfc822(published_at)}</pubDate>",
    ]
    lines += [f"<dc:creator>{escape(name)}</dc:creator>" for name in creators]
    lines += [f"<category>{escape(name)}</category>" for name in categories]
    if description:
        lines.append(f"<description>{escape(description)}</description>")
    lines += [f"<content:encoded>{escape(content_html)}</content:encoded>", "</item>"]
    return "\n".join(lines)


def guid_of(newsroom: Newsroom, article: PublicArticle) -> str:
    """A tag: URI (RFC 4151) that no new headline, section or slug changes, nor a new domain if id_domain stays."""
    return f"tag:{newsroom.id_domain},{article.first_published_at.astimezone(UTC):%Y-%m-%d}:{article.id}"


def rfc822(when: datetime) -> str:
    """An instant as RSS wants it: "Mon, 23 Nov 2026 10:05:00 GMT"."""
    return format_datetime(when.astimezone(UTC), usegmt=True)
