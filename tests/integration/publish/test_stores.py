"""The site's stores: the same in a folder and in a bucket of a real S3 server."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import brotli
import pytest
from obstore.store import S3Store

from services.publish import redirects, upkeep
from services.publish.app import create_app
from services.publish.service import create_service, make_builder
from services.publish.settings import PublishSettings
from services.publish.site import Site, digest_of, paths
from services.publish.site.local import LocalSite
from services.publish.site.s3 import Place, S3Site
from shared import clock
from shared.settings import SettingError
from tests.factories import killed, public_article, published
from tests.integration.publish.house import House

PAGE = b"<p>Le pont ferme</p>" * 40


@pytest.fixture(params=["folder", "bucket"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    if request.param == "folder":
        return LocalSite(tmp_path)
    bucket, endpoint = request.getfixturevalue("bucket"), request.getfixturevalue("s3_endpoint")
    return S3Site(Place(bucket, "le/journal", endpoint))


def test_what_is_put_is_read_and_replaced(site: Site) -> None:
    for path in ("/", "/sport/un-article", "/feed.xml", "/media/ab/x.webp", "/assets/style.0123.css", "/é/à"):
        assert site.read(path) is None
        assert not site.exists(path)
        site.put(path, PAGE)
        site.put(path, PAGE + b"2")
        assert site.read(path) == PAGE + b"2"
        assert site.exists(path)
        assert site.twin_fits(path, False)
        assert site.holds(path, PAGE + b"2", False)
        assert not site.holds(path, PAGE, False)
        assert not site.holds(path, PAGE + b"2", True)
    assert sorted(paths(site)) == sorted(
        ["/", "/sport/un-article", "/feed.xml", "/media/ab/x.webp", "/assets/style.0123.css", "/é/à"]
    )


def test_a_tombstone_stands_where_the_page_was_until_it_is_put_again(site: Site) -> None:
    site.put("/a", PAGE)
    site.bury("/a", b"gone")
    assert site.read("/a") is None
    assert site.encoded("/a", "gzip") is None
    assert site.tombstone("/a") == b"gone"
    assert site.twin_fits("/a", True)
    assert site.holds("/a", b"gone", True)
    assert list(paths(site)) == []
    site.put("/a", PAGE)
    assert site.tombstone("/a") is None
    site.remove("/a")
    assert site.read("/a") is None


def test_texts_are_held_compressed(site: Site) -> None:
    site.put("/a", PAGE)
    assert gzip.decompress(site.encoded("/a", "gzip") or b"") == PAGE
    site.bury("/a", PAGE)
    assert site.encoded("/a", "gzip") is None


def test_addresses_lead_elsewhere_until_that_is_taken_back(site: Site) -> None:
    assert site.redirected("/2019/vieux.html") is None
    site.redirect("/2019/vieux.html", "/sport/é")
    assert site.redirected("/2019/vieux.html") == "/sport/é"
    site.redirect("/2019/vieux.html", None)
    site.redirect("/2019/vieux.html", None)
    assert site.redirected("/2019/vieux.html") is None


def test_a_folder_goes_with_all_that_is_in_it(site: Site) -> None:
    site.put("/media/ab/cd/one.webp", b"1")
    site.put("/media/ab/cd/two.jpg", b"2")
    site.put("/media/ab/ce/three.jpg", b"3")
    site.remove_folder("/media/ab/cd/")
    assert list(paths(site)) == ["/media/ab/ce/three.jpg"]


@pytest.mark.parametrize("path", ["/../etc/passwd", "/a/../../b", "/a\x00b"])
def test_nothing_outside_of_the_site_is_read(site: Site, path: str) -> None:
    with pytest.raises(ValueError):
        site.read(path)


def test_brotli_belongs_to_the_bytes_that_it_was_made_of(tmp_path: Path) -> None:
    site = LocalSite(tmp_path)
    site.put("/a", PAGE)
    site.squeeze("/a", digest_of(b"others"), b"wrong")
    assert site.encoded("/a", "br") is None
    site.squeeze("/a", digest_of(PAGE), brotli.compress(PAGE))
    assert brotli.decompress(site.encoded("/a", "br") or b"") == PAGE
    assert site.twin_fits("/a", False)
    site.put("/a", PAGE + b"2")
    assert site.encoded("/a", "br") is None, "no reader gets the page of before"
    site.squeeze("/a", digest_of(PAGE + b"2"), brotli.compress(PAGE))
    assert not site.twin_fits("/a", False)
    site.bury("/a", b"gone")
    assert [file.name for file in (tmp_path / "site").rglob("*") if file.is_file()] == []


def test_a_files_time_and_size_tell_contents_apart_whenever_they_were_written(tmp_path: Path) -> None:
    site, file = LocalSite(tmp_path), tmp_path / "site" / "a" / "index.html"
    site.put("/a", PAGE)
    first = file.stat()
    site.put("/a", PAGE.replace(b"pont", b"port"))
    second = file.stat()
    site.put("/a", PAGE)
    assert first.st_size == second.st_size
    assert int(first.st_mtime) != int(second.st_mtime)
    assert file.stat().st_mtime == first.st_mtime
    assert file.with_name("index.html.gz").stat().st_mtime == first.st_mtime


def test_objects_carry_what_they_are_sent_with(bucket: str, s3_endpoint: str) -> None:
    site = S3Site(Place(bucket, "", s3_endpoint))
    for path in ("/a", "/feed.xml", "/assets/style.0123.css", "/media/ab/x.webp"):
        site.put(path, PAGE)
    site.bury("/b", b"gone")
    store = S3Store(bucket, endpoint=s3_endpoint, client_options={"allow_http": True})
    names = ("site/a/index.html", "site/feed.xml", "site/assets/style.0123.css", "site/media/ab/x.webp")
    found = [store.get(name).attributes for name in names]
    tombstone = store.get("gone/b/index.html")

    assert [one["Content-Type"] for one in found] == [
        "text/html; charset=utf-8", "application/rss+xml; charset=utf-8", "text/css; charset=utf-8", "image/webp",
    ]  # fmt: skip
    assert [one.get("Content-Encoding") for one in found] == ["gzip", "gzip", "gzip", None]
    assert "s-maxage=1" in found[0]["Cache-Control"]
    assert "immutable" in found[2]["Cache-Control"]
    assert gzip.decompress(bytes(tombstone.bytes())) == b"gone"
    assert tombstone.attributes["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("store", "endpoint", "said"),
    [
        ("s3://", "", "should be a folder, or s3://BUCKET/PREFIX"),
        ("s3://Majuscule/x", "", "should be a folder, or s3://BUCKET/PREFIX"),
        ("gs://bucket", "", "should be a folder, or s3://BUCKET/PREFIX"),
        ("s3://seau", "s3.example.org", "should be an address like https://"),
    ],
)
def test_a_wrong_bucket_is_named(tmp_path: Path, store: str, endpoint: str, said: str) -> None:
    variables = {
        "ROTATIVE_DATA_DIR": str(tmp_path),
        "ROTATIVE_ADMIN_KEY": "the-first-key-of-the-tests",
        "ROTATIVE_SECRET_KEY": "a-secret-of-the-tests-only",
        "ROTATIVE_SITE_STORE": store,
        "ROTATIVE_SITE_ENDPOINT": endpoint,
    }
    with pytest.raises(SettingError, match=said):
        PublishSettings.from_env(variables, "publish")


@pytest.fixture
def in_a_bucket(
    database_of: Callable[[str], str], settings_for: Callable[..., PublishSettings], bucket: str, s3_endpoint: str
) -> Iterator[House]:
    """publish with its site in a bucket."""
    make_builder.cache_clear()
    settings = settings_for(
        "publish",
        database_of("publish"),
        cls=PublishSettings,
        ROTATIVE_BASE_URL="https://journal.test",
        ROTATIVE_SITE_STORE=f"s3://{bucket}/journal",
        ROTATIVE_SITE_ENDPOINT=s3_endpoint,
    )
    house = House(create_service(settings), settings)
    with house.node.unit_of_work() as session:
        upkeep.look_after(session, builder=house.publish.builder, now=clock.now())
    house.finish()
    yield house
    house.node.close()


def test_a_whole_site_lives_in_a_bucket_and_is_verified_and_mended_there(in_a_bucket: House) -> None:
    house = in_a_bucket
    first, other = public_article(headline="Le pont ferme"), public_article(slug="autre", headline="Autre chose")
    house.hear(published(**vars(first)), published(**vars(other)))
    house.finish()
    assert "Le pont ferme" in house.page("/")
    assert house.differences() == []

    house.site.remove("/")
    house.site.put(other.path, "défiguré".encode())
    house.site.put("/stray.html", b"nobody knows me")
    found = {(one["path"], one["problem"]) for one in house.differences()}
    assert found == {("/", "missing"), (other.path, "changed"), ("/stray.html", "extra")}
    with house.node.unit_of_work() as session:
        upkeep.ask_for_rebuild(session, None, builder=house.publish.builder, now=clock.now())
    house.finish()
    assert house.differences() == []

    with house.node.unit_of_work() as session:
        redirects.put(session, "/2019/vieux", other.path, builder=house.publish.builder, now=clock.now())
    house.hear(killed(**{**vars(first), "status": "killed", "change": 2, "body_html": ""}), lane="urgent")
    house.finish()
    assert house.differences() == []
    client = create_app(house.node.settings).test_client()  # type: ignore[arg-type]
    page = client.get(other.path, headers={"Accept-Encoding": "br, gzip"})
    assert (page.status_code, page.headers["Content-Encoding"]) == (200, "gzip")
    assert client.get(first.path).status_code == 410
    moved = client.get("/2019/vieux")
    assert (moved.status_code, moved.headers["Location"]) == (301, other.path)
