"""What pages show of articles: the values that renderers take, made from the public state that events carry.

A teaser is everything that one page shows of another article. Two equal teasers look the same everywhere, so a page
that shows a teaser needs building again exactly when `teaser_of` gives another value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime
from html import unescape

from shared.events import PublicArticle

SUMMARY_LENGTH = 240

# Text is cut out of this much of the body at most: enough for a summary behind any opening markup.
_BODY_READ = 4000
_NOT_READ = re.compile(r"<(pre|table|figcaption)\b.*?(?:</\1>|$)", re.DOTALL)
_BREAK = re.compile(r"</?(?:blockquote|br|dd|div|dl|dt|figure|h[1-6]|hr|li|ol|p|section|ul)\b[^>]*(?:>|$)")
_TAG = re.compile(r"<[^>]*(?:>|$)")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Teaser:
    """One article as other pages offer it: headline, summary, where and when. Plain texts, not yet escaped.

    path: URL path of its page. section: key. summary: standfirst, else the body's first words, at most 240 characters.
    first_published_at: aware UTC. bylines: names as readers see them.
    """

    path: str
    language: str
    section: str
    headline: str
    summary: str
    first_published_at: datetime
    bylines: tuple[str, ...] = ()


TEASER_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(Teaser))


def teaser_of(article: PublicArticle) -> Teaser:
    """The article as other pages offer it."""
    return Teaser(
        path=article.path,
        language=article.language,
        section=article.section,
        headline=article.headline,
        summary=summary_of(article),
        first_published_at=article.first_published_at,
        bylines=tuple(byline.name for byline in article.bylines),
    )


def summary_of(article: PublicArticle, length: int = SUMMARY_LENGTH) -> str:
    """The standfirst, or where there is none the body's first words: plain text of at most `length` characters."""
    return shortened(article.standfirst.strip() or text_of(article.body_html[:_BODY_READ]), length)


def text_of(html: str) -> str:
    """The words of a piece of HTML, without markup, code and tables; blanks between them are single spaces."""
    words = _TAG.sub("", _BREAK.sub(" ", _NOT_READ.sub(" ", html)))
    return _BLANKS.sub(" ", unescape(words)).strip()


def shortened(text: str, length: int) -> str:
    """The text, cut at the end of a word and closed with an ellipsis if it has more than `length` characters."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    words, blank, _ = cut.rpartition(" ")
    if blank and len(words) > length // 2:
        cut = words
    return cut.rstrip(" ,;:.!?–—-«(\u00a0\u202f") + "…"
