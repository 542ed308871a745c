"""What stands beside and around articles, on both databases: lists, feeds, old addresses, pictures, what expires."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID
from xml.etree import ElementTree

import pytest
from PIL import Image

from checks.machines import ninjs_faults
from services.publish import redirects, upkeep
from services.publish.app import create_app
from services.publish.settings import PublishSettings
from shared import clock, migrate
from shared.errors import Unprocessable
from shared.events import ArticleExpired, ArticleRetracted, Byline, Picture, Retraction
from shared.media import original_path
from shared.words import translated
from tests.factories import killed, public_article, published, today
from tests.integration.publish.house import House
from tests.integration.publish.test_publishing import related

DIGEST = "ab" * 32
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def put_original(house: House, *, width: int = 1800, height: int = 1200) -> Picture:
    original = original_path(house.node.settings.media_store, DIGEST)
    original.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (20, 90, 120)).save(original, "JPEG")
    return Picture(
        media_id=UUID(int=1), digest=DIGEST, media_type="image/jpeg", width=width, height=height, alt="Le pont",
        caption="Vu du nord", credit="A. Lumière", focus_x=0.9, focus_y=0.5,
    )  # fmt: skip


def test_an_article_is_in_the_three_feeds_of_every_list_it_stands_in(house: House) -> None:
    house.hear(published(tags=("Énergie",), bylines=(Byline(name="Inès Vallier"),)))
    house.finish()

    for folder in ("", "/societe", "/tag/energie", "/auteur/ines-vallier"):
        assert "Le pont du port" in house.page(folder or "/")
        for name in ("feed.xml", "atom.xml"):
            assert b"le-pont-du-port-ferme" in ElementTree.tostring(
                ElementTree.fromstring(house.page(f"{folder}/{name}"))
            )
        items = json.loads(house.page(f"{folder}/feed.json"))["items"]
        assert [item["url"] for item in items] == ["https://journal.test/societe/le-pont-du-port-ferme"]
    assert house.differences() == []


def test_sitemaps_name_each_other_and_the_article_and_forget_a_killed_one(house: House) -> None:
    article = public_article(first_published_at=clock.now(), updated_at=clock.now())
    house.hear(published(**vars(article)))
    house.finish()
    index = ElementTree.fromstring(house.page("/sitemap.xml"))
    paths = [(one.text or "").removeprefix("https://journal.test") for one in index.iter(f"{SITEMAP}loc")]
    monthly = [path for path in paths if path.startswith("/sitemaps/fr-")]
    assert len(monthly) == 1
    for path in (*monthly, "/sitemaps/news-fr.xml"):
        assert path in paths
        assert article.path in house.page(path)

    house.hear(killed(**{**vars(article), "status": "killed", "body_html": "", "change": 2}), lane="urgent")
    house.finish()

    for path in (*monthly, "/sitemaps/news-fr.xml", "/archive"):
        assert article.path not in house.page(path)


def test_ninjs_beside_an_article_holds_what_the_standard_allows_and_no_more(house: House) -> None:
    picture = put_original(house)
    article = public_article(tags=("ponts",), bylines=(Byline(name="Inès Vallier"),), images=(picture,))
    house.hear(published(**vars(article)))
    house.finish()

    found = json.loads(house.page(f"{article.path}/ninjs.json"))

    assert ninjs_faults(found) == []
    assert found["standard"]["version"] == "3.1"
    assert found["pubStatus"] == "usable"
    assert found["associations"][0]["renditions"][0]["contentType"] == "image/jpeg"


def test_a_picture_is_shown_when_it_is_ready_and_gone_with_the_last_page_that_shows_it(house: House) -> None:
    article = public_article(images=(put_original(house),))
    other = public_article(slug="autre")
    house.hear(published(**vars(article)), published(**vars(other)), related(other, article))
    assert "<picture>" not in house.page(article.path)

    house.finish()

    page = house.page(article.path)
    for sign in ("<picture>", 'width="1600"', 'height="1067"', "Vu du nord", "A. Lumière", 'rel="preload"'):
        assert sign in page
    assert f"/media/ab/{DIGEST}/16x9-90-50-640.webp" in house.page("/") + house.page(other.path)
    folder = house.site.folder / "site" / "media" / "ab" / DIGEST
    with Image.open(folder / "1x1-90-50-1200.jpg") as square:
        assert square.size == (1200, 1200)
    assert house.differences() == []

    house.hear(
        killed(**{**vars(article), "status": "killed", "body_html": "", "images": (), "change": 2}), lane="urgent"
    )
    house.finish()

    assert not folder.exists()
    assert DIGEST not in house.page("/") + house.page(other.path)
    assert house.differences() == []


def test_a_file_that_is_no_picture_leaves_the_article_live_without_it(house: House) -> None:
    picture = put_original(house)
    original_path(house.node.settings.media_store, DIGEST).write_bytes(b"no picture at all")
    article = public_article(images=(picture,))
    house.hear(published(**vars(article)))
    house.finish()

    assert "Le pont du port" in house.page(article.path)
    assert "<picture>" not in house.page(article.path)


def test_translations_name_each_other_and_no_longer_one_that_is_gone(house: House) -> None:
    group = UUID(int=5)
    french = public_article(translations=group)
    english = public_article(language="en", path="/en/societe/bridge", slug="bridge", translations=group)
    house.hear(published(**vars(french)), published(**vars(english)))
    house.finish()
    for one, two in ((french, english), (english, french)):
        assert f'hreflang="{two.language}" href="https://journal.test{two.path}"' in house.page(one.path)

    house.hear(killed(**{**vars(english), "status": "killed", "body_html": "", "change": 2}), lane="urgent")
    house.finish()

    assert "bridge" not in house.page(french.path)


def test_a_retracted_article_stays_and_says_so_and_leaves_every_list(house: House) -> None:
    article = public_article(headline="La fausse nouvelle")
    house.hear(published(**vars(article)))
    house.finish()
    note = Retraction(note="La source était fausse.", retracted_at=today("11:00"))
    house.hear(ArticleRetracted(article=replace(article, change=2, status="retracted", retraction=note)), lane="urgent")
    house.finish()

    assert "La source était fausse." in house.page(article.path)
    for path in (
        "/",
        "/societe",
        "/feed.xml",
        "/atom.xml",
        "/feed.json",
        "/archive/2026-11",
        "/sitemaps/fr-2026-11-1.xml",
    ):
        assert "fausse" not in house.page(path)
        assert article.path not in house.page(path)
    assert json.loads(house.page(f"{article.path}/ninjs.json"))["pubStatus"] == "canceled"


def test_an_expired_article_answers_with_a_tombstone_of_its_own(house: House) -> None:
    article = public_article()
    house.hear(published(**vars(article)))
    house.hear(ArticleExpired(article=replace(article, change=2, status="expired")))
    house.finish()

    assert house.page(article.path) == ""
    assert "n’est plus en ligne" in (house.site.tombstone(article.path) or b"").decode()


def test_a_former_address_leads_to_the_present_one(house: House) -> None:
    article = public_article()
    house.hear(published(**vars(article)))
    moved = replace(
        article,
        change=2,
        path="/sport/le-pont",
        section="sport",
        old_paths=("/2019/vieux.html", "/2019/%C3%A9t%C3%A9/"),
    )
    house.hear(published(**vars(moved)))
    house.finish()

    for old in (article.path, "/2019/vieux.html"):
        assert house.site.read(old) is None
        assert house.site.redirected(old) == "/sport/le-pont"
    lines = (house.site.folder / "redirects.map").read_text("utf-8").splitlines()
    assert '"/2019/vieux.html" "/sport/le-pont";' in lines
    assert house.differences() == []


def test_the_former_addresses_of_a_killed_article_are_gone_until_it_is_restored(house: House) -> None:
    article = public_article(old_paths=("/2019/vieux.html",))
    house.hear(published(**vars(article)))
    gone = replace(article, change=2, status="killed", body_html="")

    house.hear(killed(**vars(gone)), lane="urgent")
    house.finish()

    assert house.site.redirected("/2019/vieux.html") is None
    assert house.site.tombstone("/2019/vieux.html") is not None
    assert (house.site.folder / "redirects.map").read_text("utf-8") == ""
    assert house.differences() == []

    house.hear(published(**vars(replace(article, change=3))))
    house.finish()

    assert house.site.redirected("/2019/vieux.html") == article.path
    assert house.site.tombstone("/2019/vieux.html") is None


def test_what_is_lost_of_redirects_and_of_the_newsrooms_files_is_found_and_mended(house: House) -> None:
    builder = house.publish.builder
    with house.node.unit_of_work() as session:
        upkeep.look_after(session, builder=builder, now=clock.now())
        redirects.put(session, "/2019/%C3%A9t%C3%A9", "/societe/", builder=builder, now=clock.now())
    house.finish()
    assert house.differences() == []

    house.site.redirect("/2019/été", None)
    house.site.remove("/robots.txt")
    (house.site.folder / "site" / "404.html.gz").unlink()
    assert sorted(one["path"] for one in house.differences()) == ["/2019/été", "/404.html", "/robots.txt"]
    with house.node.unit_of_work() as session:
        upkeep.ask_for_rebuild(session, None, builder=builder, now=clock.now())
    house.finish()

    assert house.differences() == []
    assert house.site.redirected("/2019/été") == "/societe/"


def test_redirects_by_hand_refuse_loops_pages_and_what_is_no_address(house: House) -> None:
    article = public_article()
    house.hear(published(**vars(article)))
    builder = house.publish.builder
    with house.node.unit_of_work() as session:
        redirects.put(session, "/a", "/b", builder=builder, now=clock.now())
        redirects.put(session, "/b", "https://ailleurs.example/c?d=e", builder=builder, now=clock.now())
    assert house.site.redirected("/b") == "https://ailleurs.example/c?d=e"
    for path, target in (
        (article.path, "/x"),
        ("/c", "/c"),
        ("/d", "javascript:x"),
        ("/e f", "/x"),
        ("/?x=123", "/x"),
        ("/?p=0", "/x"),
        ("/a?p=123", "/x"),
        ("/?p=5", "/?p=5"),
        ("/?p=6", "https://journal.test/index.php?p=6"),
        ("/g", "//x.example"),
    ):
        with house.node.unit_of_work() as session, pytest.raises(Unprocessable):
            redirects.put(session, path, target, builder=builder, now=clock.now())
    with house.node.unit_of_work() as session, pytest.raises(Unprocessable):
        redirects.put(session, "/b", "https://journal.test/a", builder=builder, now=clock.now())
    with house.node.unit_of_work() as session:
        assert redirects.take_back(session, "/a", builder=builder, now=clock.now())
    assert house.site.redirected("/a") is None


def test_wordpress_numbers_lead_elsewhere_by_hand_and_are_taken_back(house: House) -> None:
    builder = house.publish.builder
    with house.node.unit_of_work() as session:
        held = redirects.put(session, "/index.php?page_id=5", "/contact", builder=builder, now=clock.now())
        assert held["path"] == "/?page_id=5"
        with pytest.raises(Unprocessable) as refused:
            redirects.put(session, "/?s=pont", "/search", builder=builder, now=clock.now())
    assert "/?p=123" in refused.value.errors[0].detail
    assert translated(refused.value.errors[0].detail, "fr").startswith("Le chemin ne devrait avoir ni ? ni #")
    house.finish()

    assert house.site.redirected("/?page_id=5") == "/contact"
    assert '"/?page_id=5" "/contact";' in (house.site.folder / "redirects.map").read_text("utf-8")
    assert house.differences() == []
    with house.node.unit_of_work() as session:
        assert redirects.take_back(session, "/?page_id=5", builder=builder, now=clock.now())
    assert house.site.redirected("/?page_id=5") is None


def test_addresses_are_answered_as_they_should_be(
    sqlite_url: str, settings_for: Callable[..., PublishSettings], tmp_path: Path
) -> None:
    migrate.upgrade(sqlite_url, "publish")
    app = create_app(settings_for("publish", sqlite_url, cls=PublishSettings))
    client = app.test_client()
    site = tmp_path / "site"
    for path in ("politique/index.html", "politique/feed.json", "politique/x/index.html", "tag/a/index.html"):
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text("x" * 2000)
    (tmp_path / "moved" / "vieux").mkdir(parents=True)
    (tmp_path / "moved" / "vieux" / "to.txt").write_text("/politique/été")

    assert client.get("/politique").headers["Location"] == "/politique/"
    assert client.get("/tag/a").status_code == 301
    assert client.get("/politique/x/").headers["Location"] == "/politique/x"
    moved = client.get("/vieux")
    assert (moved.status_code, moved.headers["Location"]) == (301, "/politique/%C3%A9t%C3%A9")
    feed = client.get("/politique/feed.json", headers={"Accept-Encoding": "gzip"})
    assert feed.content_type == "application/feed+json; charset=utf-8"
    assert feed.headers["Content-Encoding"] == "gzip"
    page = client.get("/politique/")
    assert client.get("/politique/", headers={"If-None-Match": page.headers["ETag"]}).status_code == 304
    assert client.get("/nulle-part").status_code == 404
    assert client.get(f"/economie/{'é' * 200}").status_code == 404, "longer than any file's name"
    search = client.get("/search?q=pont&lang=en")
    assert search.status_code == 200
    assert "not available" in search.text
    app.extensions["rotative"].close()
