"""Where lists stand, and which article stands in which."""

from __future__ import annotations

import pytest

from services.publish import lists
from services.publish.lists import Listing
from shared.events import Byline
from shared.newsroom import load_newsroom
from tests.factories import public_article, today

NEWSROOM = load_newsroom()


@pytest.mark.parametrize(
    ("path", "listing"),
    [
        ("/", Listing("front", "fr")),
        ("/ar", Listing("front", "ar")),
        ("/sport", Listing("section", "fr", "sport")),
        ("/en/sport/page/3", Listing("section", "en", "sport", 3)),
        ("/tag/eau", Listing("tag", "fr", "eau")),
        ("/auteur/ines-vallier", Listing("author", "fr", "ines-vallier")),
        ("/en/author/ines-vallier/page/1", Listing("author", "en", "ines-vallier", 1)),
        ("/archive", Listing("archive", "fr")),
        ("/ar/archive/2026-11", Listing("month", "ar", "2026-11")),
        ("/archive/2026-11/page/12", Listing("month", "fr", "2026-11", 12)),
        ("/sitemap.xml", Listing("index", "fr")),
        ("/sitemaps/en-2026-11-2.xml", Listing("sitemap", "en", "2026-11", 2)),
        ("/sitemaps/news-ar.xml", Listing("news", "ar")),
    ],
)
def test_every_list_has_one_path_and_is_found_there(path: str, listing: Listing) -> None:
    assert lists.list_at(NEWSROOM, path) == listing
    assert lists.list_path(NEWSROOM, listing) == path


@pytest.mark.parametrize(
    "path",
    ["//sport", "/sport/", "/cuisine", "/page/2", "/archive/2026-13", "/tag", "/tag/", "/archive/page/1", "/fr/sport",
     "/sport/page/0", "/sport/page/01", "/en/auteur/x", "/sitemaps/de-2026-11-1.xml", "/sport/un-article"],
)  # fmt: skip
def test_no_list_stands_anywhere_else(path: str) -> None:
    assert lists.list_at(NEWSROOM, path) is None


def test_an_article_has_a_place_in_its_section_month_tags_and_authors() -> None:
    article = public_article(
        section="sport", tags=("Énergie", "énergie", "!"), bylines=(Byline(name="Inès Vallier"), Byline(name="…"))
    )
    assert {lists.list_path(NEWSROOM, one) for one in lists.listings_of(NEWSROOM, article)} == {
        "/sport", "/archive/2026-11", "/tag/energie", "/auteur/ines-vallier",
    }  # fmt: skip


def test_months_are_counted_in_the_newsrooms_zone() -> None:
    assert lists.month_of(NEWSROOM, today("12:00").replace(day=30, hour=23, minute=30)) == "2026-12"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Pont des Salines", "pont-des-salines"),
        ("L’eau", "l-eau"),
        ("Œuvre", "oeuvre"),
        ("…", ""),
        ("x" * 300, "x" * 80),
    ],
)
def test_a_tags_key_is_its_name_in_plain_letters(name: str, key: str) -> None:
    assert lists.term_key(name) == key


def test_an_arabic_tag_has_a_key_of_latin_letters() -> None:
    assert lists.term_key("المياه").isascii()
    assert lists.term_key("المياه")
