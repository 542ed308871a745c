"""The judges of a running site find what is wrong: a judge that never complains is none."""

from __future__ import annotations

import httpx
import pytest

from checks.crawl import Page, Site
from checks.machines import judge_machines, ninjs_faults, sitemap_faults
from checks.pages import judge_pages

BASE = "http://paper.test"
NEWS = """<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>http://paper.test/a</loc><news:news>{}</news:news>
</url></urlset>"""
PUBLICATION = "<news:publication><news:name>Le Port</news:name><news:language>{}</news:language></news:publication>"
GOOD_PAGE = """<!doctype html><html lang="fr" dir="ltr"><head><title>Le Port</title>
<meta name="description" content="x">
<link rel="canonical" href="http://paper.test/"></head><body><h1>Le Port\u202f: la une</h1></body></html>"""
HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
}


def site_of(**pages: str) -> Site:
    """A site whose pages, by the words after the host, are these; everything else is unknown there."""

    def answer(request: httpx.Request) -> httpx.Response:
        text = pages.get(request.url.path.strip("/") or "front")
        return httpx.Response(200, headers=HEADERS, text=text) if text else httpx.Response(404, headers=HEADERS)

    site = Site(BASE, httpx.Client(transport=httpx.MockTransport(answer)))
    for name in pages:
        got = site.get("/" if name == "front" else f"/{name}")
        site.pages[got.url] = Page(got)
    return site


def test_a_page_without_fault_is_left_in_peace() -> None:
    site = site_of(front=GOOD_PAGE)

    judge_pages(site)

    assert site.faults == []


@pytest.mark.parametrize(
    ("instead_of", "there_is", "said"),
    [
        ("<h1>", "<h1>Encore</h1><h1>", "2 first headings"),
        ('lang="fr" dir="ltr"', 'lang="ar" dir="ltr"', "wrong direction"),
        ("</body>", "<script>alert(1)</script></body>", "inline"),
        ("</body>", "<p onclick='x()'>x</p></body>", "inline"),
        ("</body>", "<script src='https://ads.example/a.js'></script></body>", "loads https://ads.example/a.js"),
        ("</body>", "<img src='/a.jpg' alt=''></body>", "without width"),
        ("</body>", "<p>Vraiment ?</p></body>", "loose sign"),
        ("</body>", "<p>« oui »</p></body>", "loose sign"),
        ("</body>", "<time datetime='2026-11-23T09:00:00'>x</time></body>", "without its zone"),
        ('rel="canonical" href="http://paper.test/"', 'rel="canonical" href="http://paper.test/b"', "as its address"),
        ("</head>", '<link rel="alternate" hreflang="en" href="http://paper.test/en"></head>', "name itself"),
        ('<meta name="description" content="x">', "", "no description"),
    ],
)
def test_a_fault_in_a_page_is_found(instead_of: str, there_is: str, said: str) -> None:
    page = GOOD_PAGE.replace(instead_of, there_is)
    assert page != GOOD_PAGE
    site = site_of(front=page)

    judge_pages(site)

    assert any(said in fault for fault in site.faults), site.faults


def test_versions_that_do_not_name_each_other_are_found() -> None:
    links = (
        '<link rel="alternate" hreflang="fr" href="http://paper.test/"><link rel="alternate" hreflang="en" '
        'href="http://paper.test/en"><link rel="alternate" hreflang="x-default" href="http://paper.test/"></head>'
    )
    french = GOOD_PAGE.replace("</head>", links)
    english = french.replace('html lang="fr"', 'html lang="en"').replace(
        'canonical" href="http://paper.test/', 'canonical" href="http://paper.test/en'
    )
    one_sided = site_of(front=french, en=GOOD_PAGE.replace('lang="fr"', 'lang="en"'))
    mutual = site_of(front=french, en=english)

    judge_pages(one_sided)
    judge_pages(mutual)

    assert any("do not name the same versions" in fault for fault in one_sided.faults)
    assert not any("versions" in fault for fault in mutual.faults)


def test_a_link_that_leads_nowhere_is_found() -> None:
    site = site_of(front=GOOD_PAGE)

    site.get("/gone")

    assert site.faults == ["/gone: answers 404, not 200"]


@pytest.mark.parametrize(
    ("inside", "right"),
    [
        (f"{PUBLICATION.format('fr')}<news:publication_date>2026-11-23T09:00:00Z</news:publication_date>"
         "<news:title>Le pont</news:title>", True),
        (f"{PUBLICATION.format('fr-FR')}<news:publication_date>2026-11-23T09:00:00Z</news:publication_date>"
         "<news:title>Le pont</news:title>", False),
        (f"{PUBLICATION.format('fr')}<news:title>Le pont</news:title>"
         "<news:publication_date>2026-11-23T09:00:00Z</news:publication_date>", False),
        (f"{PUBLICATION.format('fr')}<news:publication_date>2026-11-23T09:00:00</news:publication_date>"
         "<news:title>Le pont</news:title>", False),
    ],
)  # fmt: skip
def test_a_news_sitemap_has_its_elements_in_order_and_its_dates_whole(inside: str, right: bool) -> None:
    assert (sitemap_faults(NEWS.format(inside).encode()) == []) is right


def test_a_sitemap_names_each_address_once() -> None:
    twice = NEWS.replace("<news:news>{}</news:news>\n</url>", "</url><url><loc>http://paper.test/a</loc></url>")

    assert sitemap_faults(twice.encode())


def test_ninjs_allows_no_property_of_ones_own() -> None:
    good = {"uri": "tag:a,2026:1", "type": "text", "associations": [{"uri": "tag:a,2026:2", "name": "picture-1"}]}

    assert ninjs_faults(good) == []
    assert ninjs_faults({**good, "mood": "gay"})
    assert ninjs_faults({**good, "associations": [{"uri": "tag:a,2026:2"}]})
    assert ninjs_faults({**good, "headlines": [{"text": "x"}]})
    assert ninjs_faults({**good, "version": 3})


def test_a_site_without_its_files_for_programs_is_found_out() -> None:
    site = site_of(front=GOOD_PAGE.replace("<head>", '<head><meta name="tdm-reservation" content="1">'))

    judge_machines(site)

    for path in ("/sitemap.xml", "/robots.txt", "/.well-known/tdmrep.json"):
        assert f"{path}: answers 404, not 200" in site.faults
