"""Pages as readers' browsers get them: whole, safe, in the right language, and the same for the same input."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from services.publish.lists import Listing
from services.publish.renderers import FRONT_TEASERS, Renderer, Turn
from services.publish.views import TEASER_FIELDS, Teaser, teaser_of, text_of
from shared.events import Byline, Correction, Picture, Retraction
from shared.newsroom import load_newsroom
from tests.factories import public_article

VOID = {"meta", "source", "link", "br", "hr", "img", "input", "wbr", "col"}
NARROW = "\u202f"
HOSTILE = "\"><script>alert(1)</script>' onload=x {{ 7*7 }} </title> & <b>\u202e\x00"


class Page(HTMLParser):
    """A page read strictly: every element closed in its turn. Gathers what the tests ask about."""

    def __init__(self, content: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.source = content.decode("utf-8")
        self.feed(self.source)
        self.close()
        assert self.open == [], f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"an attribute twice: {tag} {names}"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"closed before it was opened: {tag}"
        assert self.open[-1] == tag, f"{tag} closed inside {self.open}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [got for name, got in self.elements if name == tag and wanted.items() <= got.items()]

    def structured(self) -> dict[str, object]:
        data = next(json.loads(text) for text in self.texts["script"] if text)
        found = data[0] if isinstance(data, list) else data
        assert isinstance(found, dict)
        return found


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(load_newsroom(base_url="https://rives.example"))


def a_teaser(number: int = 0, **values: object) -> Teaser:
    sections = ("politique", "sport", "culture")
    section = sections[number % 3]
    defaults: dict[str, object] = {
        "path": f"/{section}/nouvelle-{number}",
        "language": "fr",
        "section": section,
        "headline": f"Nouvelle numéro {number} : la suite",
        "summary": "Le conseil a tranché.",
        "first_published_at": datetime(2026, 11, 23, 9, 0, tzinfo=UTC) - timedelta(hours=number),
        "bylines": ("Nour Azzam",),
    }
    return Teaser(**{**defaults, **values})  # type: ignore[arg-type]


def a_picture(**values: Any) -> Picture:
    defaults: dict[str, Any] = {
        "media_id": UUID(int=7),
        "digest": "ab" * 32,
        "media_type": "image/jpeg",
        "width": 2000,
        "height": 1500,
        "alt": "Le pont, vu de la rive nord",
    }
    return Picture(**{**defaults, **values})


def found_article() -> dict[str, Any]:
    return {
        "id": "x",
        "url": "/societe/x",
        "headline": HOSTILE,
        "excerpt_html": "Un <mark>pont</mark> <script>alert(1)</script>",
        "section": "societe",
        "language": "fr",
        "first_published_at": "2026-11-23T10:05:00+00:00",
    }


def every_page(renderer: Renderer, language: str) -> dict[str, bytes]:
    article = public_article(
        language=language,
        headline=HOSTILE,
        standfirst=HOSTILE,
        bylines=(Byline(name=HOSTILE, url='https://x.example/"><script>'), Byline(name="B", url="javascript:alert(1)")),
        corrections=(Correction(note=HOSTILE, corrected_at=datetime(2026, 11, 24, tzinfo=UTC)),),
        tags=(HOSTILE,),
        body_html="<p>Un <script>alert(1)</script><a href='javascript:x' onclick='y' style='z' id='content'>lien</a>",
    )
    teasers = [a_teaser(number, language=language) for number in range(40)]
    teasers[0] = teaser_of(article)
    return {
        "article": renderer.article_page(article, teasers[:6]),
        "bare article": renderer.article_page(replace(article, standfirst="", bylines=(), corrections=(), tags=())),
        "front": renderer.front_page(language, teasers),
        "empty front": renderer.front_page(language, []),
        "pictured article": renderer.article_page(
            replace(article, images=(a_picture(alt=HOSTILE, caption=HOSTILE, credit=HOSTILE),)), pictured=True
        ),
        "retracted article": renderer.article_page(
            replace(article, status="retracted", retraction=Retraction(note=HOSTILE, retracted_at=article.updated_at))
        ),
        "section": renderer.list_page(Listing("section", language, "politique"), "", teasers),
        "empty section": renderer.list_page(Listing("section", language, "sport"), "", []),
        "older page": renderer.list_page(
            Listing("section", language, "sport", 3), "", teasers, Turn("/sport/page/4/", "/sport/page/2/", 3)
        ),
        "tag": renderer.list_page(Listing("tag", language, "x"), HOSTILE, teasers),
        "author": renderer.list_page(Listing("author", language, "x"), HOSTILE, teasers),
        "month": renderer.month_page(Listing("month", language, "2026-11"), teasers),
        "archive": renderer.archive_page(language, ["2026-11", "2026-10", "2025-01"]),
        "search": renderer.search_page(language, HOSTILE, [found_article()], "/search?q=x"),
        "empty search": renderer.search_page(language, HOSTILE, [], ""),
        "search without words": renderer.search_page(language, "", [], ""),
        "search away": renderer.search_page(language, "eau", None, ""),
        "tombstone": renderer.withdrawn_page(language, "killed"),
        "expired": renderer.withdrawn_page(language, "expired"),
        "not found": renderer.not_found_page(language),
    }


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
def test_every_page_is_well_formed_and_speaks_its_language(renderer: Renderer, language: str) -> None:
    for kind, content in every_page(renderer, language).items():
        page = Page(content)
        (html,) = page.all("html")
        assert html == {"lang": language, "dir": "rtl" if language == "ar" else "ltr"}, kind
        assert len(page.all("h1")) == 1, kind
        assert len(page.all("title")) == 1, kind
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(set(ids)) == len(ids), kind
        for _, attributes in page.elements:
            assert set(attributes.get("aria-labelledby", "").split()) <= set(ids), kind
        assert page.all("a", href="#content", class_="skip"), kind
        assert page.all("main", id="content"), kind
        levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
        assert all(after <= before + 1 for before, after in pairwise(levels)), (kind, levels)


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
def test_no_page_runs_a_script_or_asks_another_site_for_anything(renderer: Renderer, language: str) -> None:
    for kind, content in every_page(renderer, language).items():
        page = Page(content)
        for tag, attributes in page.elements:
            assert not [name for name in attributes if name.startswith("on") or name == "style"], (kind, tag)
            assert not attributes.get("href", "").startswith("javascript:"), kind
            assert tag not in {"style", "iframe", "object", "embed", "base"}, kind
            if tag == "form":
                assert attributes["action"] == "/search", kind
            if tag == "script" and attributes != {"type": "application/ld+json"}:
                assert attributes["src"] in renderer.installed_files(), kind
            for name in ("src", "srcset", "poster"):
                assert attributes.get(name, "/").startswith("/"), kind
            if tag == "link" and attributes["rel"] in {"stylesheet", "icon"}:
                assert attributes["href"] in renderer.installed_files(), kind
                assert attributes["href"] in renderer.installed_files(), kind
        (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
        assert "default-src 'none'" in policy["content"]
        assert "unsafe" not in policy["content"]


def test_hostile_texts_are_shown_and_never_obeyed(renderer: Renderer) -> None:
    page = Page(every_page(renderer, "en")["article"])
    assert "<script>alert(1)</script>" in page.texts["h1"][0]
    assert "{{ 7*7 }}" in page.texts["h1"][0]
    assert "<script>alert" not in page.source
    assert "\u202e" not in page.source
    assert "\x00" not in page.source
    assert page.structured()["headline"] == page.texts["h1"][0]


def test_an_article_page_has_all_that_a_newspaper_page_has(renderer: Renderer) -> None:
    article = public_article(
        headline="Le pont ferme: qui paiera ?",
        bylines=(
            Byline(name="Inès Vallier", url="https://rives.example/i"),
            Byline(name="A. B."),
            Byline(name="C. D."),
        ),
        first_published_at=datetime(2026, 11, 23, 10, 5, tzinfo=UTC),
        updated_at=datetime(2026, 12, 1, 7, 30, 12, tzinfo=UTC),
        corrections=(
            Correction(note="Six semaines, et non sept.", corrected_at=datetime(2026, 12, 1, 7, 30, tzinfo=UTC)),
        ),
        tags=("ponts",),
    )
    page = Page(renderer.article_page(article, [a_teaser(1), a_teaser(2)]))
    assert page.texts["h1"] == [f"Le pont ferme{NARROW}: qui paiera{NARROW}?"]
    assert page.texts["title"] == [f"Le pont ferme{NARROW}: qui paiera{NARROW}? – Les Deux Rives"]
    assert page.all("a", href="/societe/", **{"aria-current": "true"})
    text = " ".join(text_of(page.source).split())
    assert "Par Inès Vallier, A. B. et C. D." in text
    assert "Publié le 23 novembre 2026 à 11 h 05" in text
    assert "Mis à jour le 1er décembre 2026 à 8 h 30" in text
    assert "Six semaines, et non sept." in text
    assert page.all("time", datetime="2026-11-23T11:05:00+01:00")
    assert page.all("time", datetime="2026-12-01T08:30:12+01:00")
    assert "À lire aussi" in page.texts["h2"]
    assert page.texts["h3"] == [f"Nouvelle numéro 1{NARROW}: la suite", f"Nouvelle numéro 2{NARROW}: la suite"]
    assert text.count("Le conseil a tranché.") == 2
    assert page.all("link", rel="canonical", href="https://rives.example/societe/le-pont-du-port-ferme")
    assert page.all("link", rel="alternate", type="application/rss+xml", href="/feed.xml")
    assert page.all("meta", property="og:locale", content="fr_FR")
    assert page.all("meta", property="article:published_time", content="2026-11-23T11:05:00+01:00")
    assert page.all("meta", name="tdm-reservation", content="1")
    data = page.structured()
    assert data["@type"] == "NewsArticle"
    assert data["datePublished"] == "2026-11-23T11:05:00+01:00"
    assert data["dateModified"] == "2026-12-01T08:30:12+01:00"
    assert data["author"] == [
        {"@type": "Person", "name": "Inès Vallier", "url": "https://rives.example/i"},
        {"@type": "Person", "name": "A. B.", "url": "https://rives.example/auteur/a-b/"},
        {"@type": "Person", "name": "C. D.", "url": "https://rives.example/auteur/c-d/"},
    ]
    assert data["correction"] == [
        {
            "@type": "CorrectionComment",
            "text": "Six semaines, et non sept.",
            "datePublished": "2026-12-01T08:30:00+01:00",
        }
    ]


def test_an_article_never_updated_shows_one_date_and_no_empty_parts(renderer: Renderer) -> None:
    page = Page(renderer.article_page(public_article(standfirst="", section="sport")))
    assert len(page.all("time")) == 1
    assert "Mis à jour" not in page.source
    assert "À lire aussi" not in page.source
    assert not page.all("p", class_="standfirst")
    assert not page.all("p", class_="byline")
    (description,) = page.all("meta", name="description")
    assert description["content"] == "La mairie de Valbourg a confirmé la fermeture du pont du port."


@pytest.mark.parametrize(
    ("language", "published", "related"),
    [
        ("en", "Published 23 November 2026 at 11:05", "Read also"),
        ("ar", "نُشر في 23 نوفمبر 2026، 11:05", "اقرأ أيضًا"),
    ],
)
def test_other_editions_use_their_own_words_and_dates(
    renderer: Renderer, language: str, published: str, related: str
) -> None:
    when = datetime(2026, 11, 23, 10, 5, tzinfo=UTC)
    article = public_article(language=language, path=f"/{language}/societe/x", first_published_at=when, updated_at=when)
    page = Page(renderer.article_page(article, [a_teaser(1, language=language)]))
    assert published in text_of(page.source)
    assert related in page.texts["h2"]
    assert page.all("a", href=f"/{language}/societe/", **{"aria-current": "true"})
    assert page.all("link", rel="alternate", href=f"/{language}/feed.xml")
    assert NARROW not in page.texts["h3"][0]


def test_a_text_in_a_regional_language_says_so_inside_its_edition(renderer: Renderer) -> None:
    page = Page(renderer.article_page(public_article(language="fr-CA"), [a_teaser(1, language="fr")]))
    assert page.all("html", lang="fr")
    assert page.all("article", lang="fr-CA", dir="ltr")


def test_the_front_page_shows_each_article_once_and_groups_the_older_ones_by_section(renderer: Renderer) -> None:
    teasers = [a_teaser(number) for number in range(26)]
    page = Page(renderer.front_page("fr", teasers))
    for teaser in teasers:
        assert len(page.all("a", href=teaser.path)) == 1, teaser.path
    assert page.texts["h2"][0] == f"Nouvelle numéro 0{NARROW}: la suite"
    assert page.texts["h2"][-3:] == ["Politique", "Culture", "Sport"]
    assert page.all("a", href="/", **{"aria-current": "page"})
    assert page.all("link", rel="alternate", hreflang="x-default", href="https://rives.example/")
    assert page.all("link", rel="alternate", hreflang="ar", href="https://rives.example/ar/")
    more = [*teasers, *(a_teaser(number) for number in range(26, FRONT_TEASERS + 5))]
    assert renderer.front_page("fr", more) == renderer.front_page("fr", more[:FRONT_TEASERS])


def test_a_section_page_leads_with_its_newest_and_names_its_feed(renderer: Renderer) -> None:
    teasers = [a_teaser(0, language="en"), a_teaser(3, language="en")]
    page = Page(renderer.list_page(Listing("section", "en", "politique"), "", teasers))
    assert page.texts["h1"] == ["Politics"]
    assert page.all("a", href="/en/politique/", **{"aria-current": "page"})
    assert page.all("link", href="/en/politique/feed.xml", title="Les Deux Rives: Politics (RSS)")
    assert [text.split(":")[0] for text in page.texts["h2"]] == ["Nouvelle numéro 0 ", "Nouvelle numéro 3 "]


def test_an_article_of_a_section_that_was_given_up_still_has_a_page(renderer: Renderer) -> None:
    page = Page(renderer.article_page(public_article(section="vie-locale")))
    assert "Vie locale" in page.texts["p"]


def test_a_tombstone_says_that_the_article_was_withdrawn_and_asks_not_to_be_indexed(renderer: Renderer) -> None:
    page = Page(renderer.withdrawn_page("fr", "killed"))
    assert page.texts["h1"] == ["Cet article a été retiré"]
    assert page.all("meta", name="robots", content="noindex")
    assert not page.all("link", rel="canonical")


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
def test_the_same_input_gives_the_same_bytes_in_another_renderer(renderer: Renderer, language: str) -> None:
    other = Renderer(load_newsroom(base_url="https://rives.example"))
    assert other.version == renderer.version
    article = public_article(language=language)
    teasers = [a_teaser(number, language=language) for number in range(30)]
    for writer in (renderer, other):
        writer.list_page(Listing("section", language, "sport"), "", list(reversed(teasers)))
    for _ in range(2):
        assert renderer.article_page(article, teasers[:6]) == other.article_page(article, teasers[:6])
        assert renderer.front_page(language, teasers) == other.front_page(language, teasers)


def test_a_bodys_root_links_and_tables_survive_and_its_dangers_do_not(renderer: Renderer) -> None:
    body = (
        '<h2>Titre</h2><p><a href="/sport/match" rel="noopener noreferrer">match</a> '
        '<img src="https://ailleurs.example/p.gif"><iframe src="//x"></iframe></p>'
        '<table><caption>Prix</caption><tr><th scope="col">a</th></tr></table><!-- non -->'
    )
    source = renderer.article_page(public_article(body_html=body)).decode()
    assert '<a href="/sport/match" rel="noopener noreferrer">match</a>' in source
    assert '<th scope="col">a</th>' in source
    for danger in ("ailleurs.example", "iframe", "<!--"):
        assert danger not in source.partition("<body")[2]


def test_a_teaser_changes_only_with_what_other_pages_show() -> None:
    article = public_article(bylines=(Byline(name="Nour"),))
    before = teaser_of(article)
    later = article.updated_at + timedelta(hours=1)
    unseen = replace(article, change=2, revision=2, body_html="<p>Autre.</p>", updated_at=later, tags=("x",), urgency=1)
    assert teaser_of(unseen) == before
    for field, value in {
        "path": "/societe/autre",
        "language": "en",
        "section": "sport",
        "headline": "Autre titre",
        "standfirst": "Autre chapô.",
        "first_published_at": later,
        "bylines": (),
    }.items():
        changed: Any = {field: value}
        assert teaser_of(replace(article, **changed)) != before, field
    assert set(TEASER_FIELDS) == {
        "path", "language", "section", "headline", "summary", "first_published_at", "bylines", "picture",
    }  # fmt: skip


def test_without_a_standfirst_the_bodys_first_words_stand_in_cut_at_a_word() -> None:
    body = "<h2>Un</h2><pre>code</pre><p>D<b>eux</b> &amp; <b>trois</b>.<br>Quatre</p>" + "<p>" + "mot " * 400 + "</p>"
    summary = teaser_of(public_article(standfirst="", body_html=body)).summary
    assert summary.startswith("Un Deux & trois. Quatre mot mot")
    assert summary.endswith("mot…")
    assert len(summary) <= 240


def test_a_preview_says_that_it_is_one_and_what_readers_get_does_not(renderer: Renderer) -> None:
    for status, said in (("draft", 1), ("scheduled", 1), ("live", 0), ("retracted", 0)):
        page = Page(renderer.article_page(public_article(status=status)))
        assert len(page.all("p", class_="draft", role="note")) == said, status
        assert bool(page.all("meta", name="robots", content="noindex, max-image-preview:large")) == (status != "live")


def test_phones_get_a_small_square_and_the_picture_fetched_early_is_the_one_shown_first(renderer: Renderer) -> None:
    picture = a_picture()
    article = public_article(images=(picture,))
    teaser = teaser_of(article, True)
    front = Page(
        renderer.front_page("fr", [teaser, replace(teaser, path="/sport/a"), replace(teaser, path="/sport/b")])
    )
    alone = Page(renderer.article_page(article, pictured=True))

    for page in (front, alone):
        (early,) = page.all("link", rel="preload", as_="image")
        first = next(got for name, got in page.elements if name == "source")
        assert (early["imagesrcset"], early["imagesizes"]) == (first["srcset"], first["sizes"])
    assert [one.get("loading", "") for one in front.all("img")] == ["", "lazy", "lazy"]
    small = [one for one in front.all("source") if "thumb-50-50-300.jpg" in one["srcset"]]
    assert [(one["media"], one["width"], one["height"]) for one in small] == [
        ("(max-width: 43.99rem)", "300", "300")
    ] * 2
    assert front.all("meta", property="og:image:width", content="1280")


def test_the_newest_with_pictures_open_a_front_page_and_none_of_the_others_is_lost(renderer: Renderer) -> None:
    pictured = teaser_of(public_article(images=(a_picture(),)), True).picture
    teasers = [a_teaser(number, picture=pictured if number in {5, 7} else None) for number in range(40)]
    page = Page(renderer.front_page("fr", teasers))

    order = [got["href"] for name, got in page.elements if name == "a" and "nouvelle" in got.get("href", "")]
    assert order[0] == teasers[0].path
    assert set(order[1:5]) == {teasers[number].path for number in (1, 2, 5, 7)}
    assert set(order) <= {teaser.path for teaser in teasers}
    assert len(order) == len(set(order))


def test_a_retraction_is_the_articles_last_change_to_readers_and_machines(renderer: Renderer) -> None:
    article = public_article(status="retracted")
    taken_at = article.updated_at + timedelta(days=2)
    retracted = replace(article, retraction=Retraction(note="Une source a menti.", retracted_at=taken_at))

    page = Page(renderer.article_page(retracted))

    modified = page.all("meta", property="article:modified_time")[0]["content"]
    assert datetime.fromisoformat(modified) == taken_at
    assert page.structured()["dateModified"] == modified
    assert datetime.fromisoformat(json.loads(renderer.ninjs(retracted))["versionCreated"]) == taken_at
