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
class TeaserPicture:
    """A picture as teasers show it: which one, its text for those who do not see it, and what a crop must keep."""

    digest: str
    alt: str
    width: int
    height: int
    focus_x: float
    focus_y: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Teaser:
    """One article as other pages offer it: headline, summary, where and when. Plain texts, not yet escaped.

    path: URL path of its page. section: key. summary: standfirst, else the body's first words, at most 240 characters.
    first_published_at: aware UTC. bylines: names as readers see them. picture: the leading one, once it is ready.
    """

    path: str
    language: str
    section: str
    headline: str
    summary: str
    first_published_at: datetime
    bylines: tuple[str, ...] = ()
    picture: TeaserPicture | None = None


TEASER_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(Teaser))


@dataclass(frozen=True, slots=True)
class Entry:
    """An article as feeds carry it. pictured: whether its pictures are ready to be shown."""

    article: PublicArticle
    pictured: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Dated:
    """An article in a sitemap or a list of headlines, without its text."""

    path: str
    language: str
    headline: str
    first_published_at: datetime
    updated_at: datetime


def teaser_picture(article: PublicArticle) -> TeaserPicture | None:
    """The article's leading picture as teasers show it, whether or not it is ready."""
    if not article.images:
        return None
    one = article.images[0]
    return TeaserPicture(
        digest=one.digest, alt=one.alt, width=one.width, height=one.height, focus_x=one.focus_x, focus_y=one.focus_y
    )


def teaser_of(article: PublicArticle, pictured: bool = False) -> Teaser:
    """The article as other pages offer it. pictured: whether its pictures are ready to be shown."""
    return Teaser(
        path=article.path,
        language=article.language,
        section=article.section,
        headline=article.headline,
        summary=summary_of(article),
        first_published_at=article.first_published_at,
        bylines=tuple(byline.name for byline in article.bylines),
        picture=teaser_picture(article) if pictured else None,
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
