"""Sitemaps (sitemaps.org 0.9), their index, and Google's news sitemap 0.9."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from xml.sax.saxutils import escape

from services.publish.renderers.atom import rfc3339
from services.publish.renderers.texts import set_text
from services.publish.renderers.typography import style_of
from services.publish.views import Dated

NEWS_AGE = timedelta(hours=48)
NEWS_MOST = 1000
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEWS = "http://www.google.com/schemas/sitemap-news/0.9"


def sitemap(base_url: str, articles: Iterable[Dated]) -> bytes:
    """A sitemap of articles; lastmod is the last substantive change."""
    lines = [_entry(base_url + one.path, one.updated_at) for one in articles]
    return f'{_HEAD}<urlset xmlns="{_SITEMAP}">\n{"".join(lines)}</urlset>\n'.encode()


def sitemap_of_pages(urls: Sequence[str]) -> bytes:
    """A sitemap of addresses that have no date of their own."""
    lines = [f"<url><loc>{escape(url)}</loc></url>\n" for url in urls]
    return f'{_HEAD}<urlset xmlns="{_SITEMAP}">\n{"".join(lines)}</urlset>\n'.encode()


def index(urls: Sequence[str]) -> bytes:
    """The index of sitemaps at these addresses."""
    lines = [f"<sitemap><loc>{escape(url)}</loc></sitemap>\n" for url in urls]
    return f'{_HEAD}<sitemapindex xmlns="{_SITEMAP}">\n{"".join(lines)}</sitemapindex>\n'.encode()


def news(base_url: str, name: str, articles: Iterable[Dated]) -> bytes:
    """A news sitemap. name: the newspaper's, just as its masthead shows it. articles: of the last 48 hours."""
    head = f'{_HEAD}<urlset xmlns="{_SITEMAP}" xmlns:news="{_NEWS}">\n'
    return "".join([head, *[_news_entry(base_url, name, one) for one in articles], "</urlset>\n"]).encode()


def _entry(url: str, changed_at: datetime) -> str:
    return f"<url><loc>{escape(url)}</loc><lastmod>{rfc3339(changed_at)}</lastmod></url>\n"


@lru_cache(3000)
def _news_entry(base_url: str, name: str, one: Dated) -> str:
    # The order of the elements is the schema's; the language has two letters, never "fr-FR".
    language = one.language.partition("-")[0].lower()
    return (
        f"<url><loc>{escape(base_url + one.path)}</loc><news:news><news:publication>"
        f"<news:name>{escape(name)}</news:name><news:language>{escape(language)}</news:language></news:publication>"
        f"<news:publication_date>{rfc3339(one.first_published_at)}</news:publication_date>"
        f"<news:title>{escape(set_text(one.headline, style_of(one.language)))}</news:title></news:news></url>\n"
    )
