"""Atom 1.0 (RFC 4287) with full texts and the same ids as the other feeds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

CONTENT_TYPE = "application/atom+xml"


def head(
    *,
    title: str,
    subtitle: str,
    link: str,
    self_url: str,
    language: str,
    updated: datetime | None,
    author: str,
    hubs: Sequence[str] = (),
) -> str:
    """A feed up to its first entry. updated: the newest change in it, or None for an empty feed. hubs: WebSub's."""
    return "\n".join(
        [
            '<?xml version="1.0" encoding="utf-8"?>',
            f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang={quoteattr(language)}>',
            f"<id>{escape(self_url)}</id>",
            f"<title>{escape(title)}</title>",
            f"<subtitle>{escape(subtitle)}</subtitle>",
            f"<updated>{rfc3339(updated or datetime(1970, 1, 1, tzinfo=UTC))}</updated>",
            f"<author><name>{escape(author)}</name></author>",
            f'<link rel="self" type="{CONTENT_TYPE}" href={quoteattr(self_url)}/>',
            *(f'<link rel="hub" href={quoteattr(hub)}/>' for hub in hubs),
            f'<link rel="alternate" type="text/html" href={quoteattr(link)}/>',
            "",
        ]
    )


END = "</feed>\n"


def entry(
    *,
    title: str,
    link: str,
    entry_id: str,
    language: str,
    published: datetime,
    updated: datetime,
    authors: Sequence[str],
    categories: Sequence[str],
    summary: str,
    content_html: str,
) -> str:
    """One article. Plain texts, but content_html: a clean body with absolute links."""
    lines = [
        f"<entry xml:lang={quoteattr(language)}>",
        f"<id>{escape(entry_id)}</id>",
        f"<title>{escape(title)}</title>",
        f'<link rel="alternate" type="text/html" href={quoteattr(link)}/>',
        f"<published>{rfc3339(published)}</published>",
        f"<updated>{rfc3339(updated)}</updated>",
    ]
    lines += [f"<author><name>{escape(name)}</name></author>" for name in authors]
    lines += [f"<category term={quoteattr(name)}/>" for name in categories]
    if summary:
        lines.append(f"<summary>{escape(summary)}</summary>")
    lines += [f'<content type="html">{escape(content_html)}</content>', "</entry>", ""]
    return "\n".join(lines)


def rfc3339(when: datetime) -> str:
    """An instant as Atom wants it: "2026-11-23T10:05:00Z"."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
