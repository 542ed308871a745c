"""A small newspaper before the judges that are Python: every must of pages, feeds, sitemaps, ninjs and robots at once.

What these judges look at is in `checks/`; that they find faults is tested in tests/unit/checks.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from xml.etree import ElementTree

import httpx
import pytest

from checks.crawl import Site
from checks.machines import judge_machines
from checks.pages import judge_pages
from services.publish import list_pages, lists, upkeep
from services.publish.app import create_app
from shared import clock
from shared.events import ArticleCorrected, ArticleRetracted, Byline, Correction, PublicArticle, Retraction
from tests.factories import killed, public_article, published, today
from tests.integration.publish.house import House
from tests.integration.publish.test_site_outputs import put_original

BASE = "https://journal.test"
ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
HOSTILE = "Guerre & paix <b>\"'\u202e\u0007 ]]> : l'été ?"


def judged(house: House) -> Site:
    """The site as its HTTP app serves it, crawled and judged."""
    house.publish.builder.install()
    with house.node.unit_of_work() as session:
        upkeep.ask_for_rebuild(session, None, builder=house.publish.builder, now=clock.now())
    house.finish()
    app = create_app(house.node.settings)  # type: ignore[arg-type]
    try:
        site = Site(BASE, httpx.Client(transport=httpx.WSGITransport(app)))
        site.crawl()
        judge_pages(site)
        judge_machines(site)
    finally:
        app.extensions["rotative"].close()
    return site


def dates_of(house: House, one: PublicArticle) -> set[str]:
    """Every date of its last change that anybody is shown, in UTC to the second."""
    page = house.page(one.path)
    found = {json.loads(page.split('ld+json">')[1].split("</script>")[0])[0]["dateModified"]}
    found.add(re.search(r'article:modified_time" content="([^"]+)', page)[1])  # type: ignore[index]
    found.add(json.loads(house.page(f"{one.path}/ninjs.json"))["versionCreated"])
    items = json.loads(house.page("/feed.json"))["items"]
    found |= {item["date_modified"] for item in items if item["url"].endswith(one.path)}
    for entry in ElementTree.fromstring(house.page("/atom.xml")).iter(f"{ATOM}entry"):
        if entry.find(f"{ATOM}link").get("href", "").endswith(one.path):  # type: ignore[union-attr]
            found.add(entry.findtext(f"{ATOM}updated") or "")
    month = lists.list_path(house.publish.builder.newsroom, lists.Listing("sitemap", "fr", "2026-11", 1))
    for entry in ElementTree.fromstring(house.page(month)):
        if (entry.findtext(f"{SITEMAP}loc") or "").endswith(one.path):
            found.add(entry.findtext(f"{SITEMAP}lastmod") or "")
    return {datetime.fromisoformat(one).astimezone(UTC).isoformat(timespec="seconds") for one in found}


def test_a_newspaper_of_every_kind_of_article_leaves_its_judges_nothing_to_say(house: House) -> None:
    now, group = clock.now(), UUID(int=5)
    common = {"first_published_at": now, "updated_at": now, "tags": ("Ponts & rives", "جسر")}
    french = public_article(
        translations=group, images=(put_original(house),), bylines=(Byline(name="Inès Vallier"),), **common
    )
    english = public_article(language="en", path="/en/societe/bridge", slug="bridge", translations=group, **common)
    arabic = public_article(
        language="ar", path="/ar/societe/jisr", slug="jisr", translations=group, headline="الجسر", **common
    )
    hostile = public_article(
        slug="b", headline=HOSTILE, standfirst=HOSTILE, bylines=(Byline(name=HOSTILE),),
        body_html='<p>Voir <a href="/societe/">ici</a> : <a href="https://a.example/?q=1">là</a></p>', **common,
    )  # fmt: skip
    corrected = public_article(
        slug="c", section="opinions", path="/opinions/c", change=2, updated_at=now + timedelta(hours=1),
        corrections=(Correction(note="Six semaines, et non huit.", corrected_at=now + timedelta(hours=1)),),
        first_published_at=now,
    )  # fmt: skip
    old = public_article(slug="d", first_published_at=now - timedelta(days=40), updated_at=now - timedelta(days=40))
    withdrawn = public_article(
        slug="e", status="retracted", retraction=Retraction(note="La source était fausse.", retracted_at=now), change=2
    )
    house.hear(*(published(**vars(one)) for one in (french, english, arabic, hostile, old)))
    house.hear(ArticleCorrected(article=corrected), ArticleRetracted(article=withdrawn), lane="urgent")
    gone = public_article(slug="f")
    house.hear(published(**vars(gone)))
    house.hear(killed(**{**vars(gone), "status": "killed", "body_html": "", "change": 2}), lane="urgent")
    house.finish()

    site = judged(house)

    assert site.faults == []
    addresses = {url.removeprefix(BASE) for url in site.pages}
    assert {one.path for one in (french, english, arabic, hostile, corrected, old)} <= addresses
    assert not {gone.path, withdrawn.path} & addresses


def test_dates_move_with_a_correction_and_with_nothing_else(house: House) -> None:
    first = public_article(path="/societe/a", slug="a")
    other = public_article(path="/societe/b", slug="b", first_published_at=today("08:00"), updated_at=today("08:00"))
    house.hear(published(**vars(first)), published(**vars(other)))
    house.finish()
    assert dates_of(house, first) == {"2026-11-23T09:00:00+00:00"}

    refiled = replace(first, change=2, revision=2, headline="Le pont ferme")
    house.hear(published(**vars(refiled)))
    house.hear(published(**{**vars(other), "change": 2, "headline": "Un autre titre"}))
    house.finish()
    assert "Le pont ferme" in house.page(first.path)
    assert dates_of(house, first) == {"2026-11-23T09:00:00+00:00"}

    note = Correction(note="Six semaines, et non huit.", corrected_at=today("10:00"))
    house.hear(
        ArticleCorrected(
            article=replace(refiled, change=3, revision=3, updated_at=today("10:00"), corrections=(note,))
        ),
        lane="urgent",
    )
    house.finish()
    assert dates_of(house, first) == {"2026-11-23T10:00:00+00:00"}
    assert json.loads(house.page(f"{first.path}/ninjs.json"))["firstCreated"].startswith("2026-11-23T09:00:00")


def test_sitemaps_are_split_at_their_limit_and_the_full_ones_stay_as_they_are(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (lists, list_pages):
        monkeypatch.setattr(module, "SITEMAP_PLACES", 3)
    for number in range(7):
        at = today(f"0{number}:00")
        house.hear(published(slug=f"a-{number}", first_published_at=at, updated_at=at))
        house.finish()
    index = ElementTree.fromstring(house.page("/sitemap.xml"))
    months = [one.text or "" for one in index.iter(f"{SITEMAP}loc") if "2026-11" in (one.text or "")]

    counts = [len(ElementTree.fromstring(house.page(one.removeprefix(BASE)))) for one in months]

    assert sum(counts) == 7
    assert max(counts) <= 3
    assert counts[0] == 3
