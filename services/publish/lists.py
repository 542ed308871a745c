"""The lists of the site: which there are, where they stand, and in which of them an article belongs.

A list's first page is short and new; its older pages are numbered from the oldest and hold fixed places, so that a page
once full changes only when one of its articles does. Front pages have no older pages: the archive by month has them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from anyascii import anyascii

from shared.events import PublicArticle
from shared.newsroom import Newsroom

Kind = Literal["front", "section", "tag", "author", "month", "archive", "sitemap", "news", "index"]

# Places on an older page, by kind of list; an archive's page is a list of headlines, so it holds more.
PLACES = {"section": 30, "tag": 30, "author": 30, "month": 100}
# URLs in a sitemap: far below the standard's 50,000, so that a change writes little.
SITEMAP_PLACES = 1000
FEEDS = ("feed.xml", "atom.xml", "feed.json")
SITEMAP_INDEX = "/sitemap.xml"
SITEMAP_OF_PAGES = "/sitemaps/pages.xml"
AUTHOR_WORDS = {"fr": "auteur"}
TERM_MAX = 80

_NOT_IN_KEYS = re.compile(r"[^a-z0-9]+")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_SITEMAP = re.compile(r"/sitemaps/([a-z0-9-]+)-(\d{4}-(?:0[1-9]|1[0-2]))-([1-9]\d{0,5})\.xml")
_NEWS = re.compile(r"/sitemaps/news-([a-z0-9-]+)\.xml")
_OLDER = re.compile(r"(.*)/page/([1-9]\d{0,6})")


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of one edition. key: of the section, tag, author or month, "" for others.

    page: 0 for its first page, else an older one's number from 1; for a sitemap the number of the file.
    """

    kind: Kind
    language: str
    key: str = ""
    page: int = 0

    @property
    def has_feeds(self) -> bool:
        """Whether feeds stand beside its first page."""
        return self.page == 0 and self.kind in {"front", "section", "tag", "author"}

    @property
    def is_html(self) -> bool:
        """Whether readers see it: then its address ends with a slash."""
        return self.kind not in {"sitemap", "news", "index"}


def page_path(url_path: str) -> str:
    """A URL's path as pages are kept: without a slash at its end, but for the front page."""
    return url_path.rstrip("/") or "/"


def list_path(newsroom: Newsroom, listing: Listing) -> str:
    """The path of a list as pages are kept: "/politique", "/en/tag/ports", "/archive/2026-11/page/2"."""
    code = newsroom.edition(listing.language).lower()
    front = page_path(newsroom.front_path(listing.language)).rstrip("/")
    if listing.kind == "front":
        path = front or "/"
    elif listing.kind == "section":
        path = page_path(newsroom.section_path(listing.language, listing.key))
    elif listing.kind == "tag":
        path = f"{front}/tag/{listing.key}"
    elif listing.kind == "author":
        path = f"{front}/{AUTHOR_WORDS.get(code, 'author')}/{listing.key}"
    elif listing.kind == "month":
        path = f"{front}/archive/{listing.key}"
    elif listing.kind == "archive":
        path = f"{front}/archive"
    elif listing.kind == "sitemap":
        return f"/sitemaps/{code}-{listing.key}-{listing.page}.xml"
    elif listing.kind == "news":
        return f"/sitemaps/news-{code}.xml"
    else:
        return SITEMAP_INDEX
    return f"{path}/page/{listing.page}" if listing.page else path


def list_at(newsroom: Newsroom, path: str) -> Listing | None:
    """The list whose page stands at a path as pages are kept, or None where no list can stand."""
    found = _list_at(newsroom, path)
    return found if found is not None and list_path(newsroom, found) == path else None


def _list_at(newsroom: Newsroom, path: str) -> Listing | None:
    if path == SITEMAP_INDEX:
        return Listing("index", newsroom.default_language)
    if path.startswith("/sitemaps/"):
        return _sitemap_at(newsroom, path)
    page = 0
    if (older := _OLDER.fullmatch(path)) is not None:
        path, page = older[1], int(older[2])
    language, rest = newsroom.default_language, path.strip("/").split("/")
    for other in newsroom.languages[1:]:
        if rest[0] == other.lower():
            language, rest = other, rest[1:]
            break
    found = _listing(newsroom, language, rest, page)
    if found is None or (page and found.kind not in PLACES):
        return None
    return found


def _listing(newsroom: Newsroom, language: str, parts: list[str], page: int) -> Listing | None:
    if parts in ([], [""]):
        return Listing("front", language, "", page)
    if len(parts) == 1:
        if parts[0] == "archive":
            return Listing("archive", language, "", page)
        return Listing("section", language, parts[0], page) if parts[0] in newsroom.section_keys else None
    if len(parts) != 2 or not parts[1]:
        return None
    if parts[0] == "tag":
        return Listing("tag", language, parts[1], page)
    if parts[0] == AUTHOR_WORDS.get(language.lower(), "author"):
        return Listing("author", language, parts[1], page)
    if parts[0] == "archive" and _MONTH.fullmatch(parts[1]):
        return Listing("month", language, parts[1], page)
    return None


def _sitemap_at(newsroom: Newsroom, path: str) -> Listing | None:
    codes = {language.lower(): language for language in newsroom.languages}
    if (match := _NEWS.fullmatch(path)) is not None:
        return Listing("news", codes[match[1]]) if match[1] in codes else None
    if (match := _SITEMAP.fullmatch(path)) is not None and match[1] in codes:
        return Listing("sitemap", codes[match[1]], match[2], int(match[3]))
    return None


def always(newsroom: Newsroom) -> list[Listing]:
    """The lists that every site has, however few its articles are."""
    found = [Listing("index", newsroom.default_language)]
    for language in newsroom.languages:
        found += [Listing(kind, language) for kind in ("front", "archive", "news")]
        found += [Listing("section", language, section.key) for section in newsroom.sections]
    return found


def month_of(newsroom: Newsroom, when: datetime) -> str:
    """The month in which the newsroom counts an instant: "2026-11"."""
    return f"{when.astimezone(newsroom.time_zone):%Y-%m}"


def listings_of(newsroom: Newsroom, article: PublicArticle) -> tuple[Listing, ...]:
    """The lists in which an article takes a place: its section's, month's, tags' and authors'. The front is apart."""
    language = newsroom.edition(article.language)
    month = month_of(newsroom, article.first_published_at)
    found = [Listing("section", language, article.section), Listing("month", language, month)]
    found += [Listing("tag", language, key) for key in map(term_key, article.tags) if key]
    found += [Listing("author", language, key) for key in (term_key(one.name) for one in article.bylines) if key]
    return tuple(dict.fromkeys(found))


@lru_cache(4096)
def term_key(name: str) -> str:
    """A tag's or an author's part of an address: accents folded, other scripts transliterated; "" if nothing is left.

    Spellings that differ in case and accents alone have one key, and so one page.
    """
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name))
    text = anyascii("".join(sign for sign in text if not unicodedata.combining(sign)))
    key = _NOT_IN_KEYS.sub("-", text.lower().replace("'", "-")).strip("-")
    return key[:TERM_MAX].strip("-")
