"""RSS 2.0 with full texts, for feed readers and partners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from shared.events import PublicArticle
from shared.newsroom import Newsroom

CONTENT_TYPE = "application/rss+xml"


def head(
    *,
    title: str,
    link: str,
    description: str,
    language: str,
    self_url: str,
    built_at: datetime | None,
    hubs: Sequence[str] = (),
) -> str:
    """A feed up to its first item. title, description: plain text. link, self_url: absolute.

    built_at: the newest change in it, aware. hubs: WebSub's, which tell when it changes.
    """
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:media="http://search.yahoo.com/mrss/">',
        "<channel>",
        f"<title>{escape(title)}</title>",
        f"<link>{escape(link)}</link>",
        f"<description>{escape(description)}</description>",
        f"<language>{escape(language.lower())}</language>",
        f'<atom:link rel="self" type="{CONTENT_TYPE}" href={quoteattr(self_url)}/>',
        *(f'<atom:link rel="hub" href={quoteattr(hub)}/>' for hub in hubs),
    ]
    if built_at is not None:
        lines.append(f"<lastBuildDate>{rfc822(built_at)}</lastBuildDate>")
    return "\n".join([*lines, ""])


END = "</channel>\n</rss>\n"


@dataclass(frozen=True, slots=True)
class Media:
    """A picture as Media RSS tells it. url: absolute."""

    url: str
    media_type: str
    width: int
    height: int
    description: str
    credit: str


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
    media: Media | None = None,
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
    lines.append(f"<content:encoded>{escape(content_html)}</content:encoded>")
    if media is not None:
        lines += [
            f'<media:content url={quoteattr(media.url)} type="{media.media_type}" medium="image"'
            f' width="{media.width}" height="{media.height}">',
            f'<media:description type="plain">{escape(media.description)}</media:description>',
            *([f'<media:credit role="photographer">{escape(media.credit)}</media:credit>'] if media.credit else []),
            "</media:content>",
        ]
    lines += ["</item>", ""]
    return "\n".join(lines)


def guid_of(newsroom: Newsroom, article: PublicArticle) -> str:
    """A tag: URI (RFC 4151) that no new headline, section or slug changes, nor a new domain if id_domain stays."""
    return f"tag:{newsroom.id_domain},{article.first_published_at.astimezone(UTC):%Y-%m-%d}:{article.id}"


def rfc822(when: datetime) -> str:
    """An instant as RSS wants it: "Mon, 23 Nov 2026 10:05:00 GMT"."""
    return format_datetime(when.astimezone(UTC), usegmt=True)
