"""nginx with the configuration of the containers, and publish itself: the same answers for the same addresses."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import brotli
import httpx
import pytest
from werkzeug.serving import make_server

from services.publish import redirects, squeezing, upkeep
from services.publish.app import create_app
from services.publish.service import create_service, make_builder
from services.publish.settings import PublishSettings
from shared import clock
from shared.events import ArticleExpired, ArticleRetracted, Retraction
from tests.conftest import wait_for
from tests.factories import killed, public_article, published, today
from tests.integration.publish.house import House

ROOT = Path(__file__).parents[3]
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
SLUG = "le-pont-du-port-ferme"


class Served(NamedTuple):
    """A site with one of everything that an address can be, and who answers for it."""

    house: House
    http: httpx.Client
    server: str


@pytest.fixture
def site(
    sqlite_url: str, settings_for: Callable[..., PublishSettings], migrated: Callable[[str, str], str]
) -> Iterator[House]:
    shutil.copy(migrated("sqlite", "publish"), sqlite_url.removeprefix("sqlite:///"))
    make_builder.cache_clear()
    settings = settings_for("publish", sqlite_url, cls=PublishSettings, ROTATIVE_BASE_URL="https://journal.test")
    house = House(create_service(settings), settings)
    builder = house.publish.builder
    with house.node.unit_of_work() as session:
        upkeep.look_after(session, builder=builder, now=clock.now())
    former = ("/ancienne/adresse/", "/2019/11/vieux.html", "/2019/%C3%A9t%C3%A9/", "/2020/hiver-à-l’est", "/?p=123")
    stays = public_article(old_paths=former)
    dead = public_article(slug="tue", old_paths=("/ancienne/tue", "/?p=13"))
    over = public_article(slug="fini")
    taken = public_article(slug="retire")
    for one in (stays, dead, over, taken):
        house.hear(published(**vars(one)))
    with house.node.unit_of_work() as session:
        for path, target in (
            ("/main", "/societe/"),
            ("/dehors", "https://ailleurs.example/c?d=é"),
            ("/?page_id=5", "/main"),
        ):
            redirects.put(session, path, target, builder=builder, now=clock.now())
    house.hear(killed(**{**vars(dead), "status": "killed", "change": 2, "body_html": ""}), lane="urgent")
    house.hear(ArticleExpired(article=public_article(**{**vars(over), "status": "expired", "change": 2})))
    why = Retraction(note="Une source a menti.", retracted_at=today("10:00"))
    withdrawn = {**vars(taken), "status": "retracted", "change": 2, "retraction": why}
    house.hear(ArticleRetracted(article=public_article(**withdrawn)))
    house.finish()
    yield house
    house.node.close()


@pytest.fixture(params=["publish", "nginx"])
def served(request: pytest.FixtureRequest, site: House, tmp_path: Path) -> Iterator[Served]:
    server = make_server("127.0.0.1", 0, create_app(site.node.settings), threaded=True)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        if request.param == "publish":
            with client(server.port) as http:
                yield Served(site, http, request.param)
        elif NGINX is None:
            pytest.skip("nginx is not installed")
        else:
            with running_nginx(site.site.folder, tmp_path, server.port) as http:
                yield Served(site, http, request.param)
    finally:
        server.shutdown()
        thread.join()


def client(port: int) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, headers={"Accept-Encoding": "identity"})


class running_nginx:
    """nginx with docker/nginx/nginx.conf, in front of this folder and this publish."""

    def __init__(self, folder: Path, tmp_path: Path, publish: int) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        own = tmp_path / "nginx"
        shutil.copytree(ROOT / "docker" / "nginx", own)
        shutil.copy(folder / "redirects.map", own / "redirects.map")
        (own / "resolver.conf").write_text("resolver 127.0.0.1;\n")
        self.conf = own / "nginx.conf"
        text = self.conf.read_text("utf-8").replace("listen 8080;", f"listen 127.0.0.1:{self.port};")
        if os.geteuid() == 0:
            # Its workers would be nobody, who may not look into the tests' folders.
            text = f"user root;\n{text}"
        text = text.replace("/tmp/", f"{own}/").replace("/srv/site", str(folder))
        self.conf.write_text(text.replace("publish-api:8000", f"127.0.0.1:{publish}"), "utf-8")

    def __enter__(self) -> httpx.Client:
        assert NGINX is not None
        command = [NGINX, "-e", "/dev/stderr", "-c", str(self.conf), "-g", "daemon off;"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE)
        self.http = client(self.port)

        def answers() -> bool:
            assert self.process.poll() is None, self.process.stderr and self.process.stderr.read()
            try:
                return self.http.get("/healthz").status_code == 200
            except httpx.TransportError:
                return False

        wait_for(answers, "nginx to answer")
        return self.http

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self.process.terminate()
        self.process.communicate(timeout=10)


ADDRESSES = [
    ("/", 200, ""),
    ("/societe/", 200, ""),
    ("/societe", 301, "/societe/"),
    (f"/societe/{SLUG}", 200, ""),
    (f"/societe/{SLUG}/", 301, f"/societe/{SLUG}"),
    (f"/societe/{SLUG}/ninjs.json", 200, ""),
    ("/feed.xml", 200, ""),
    ("/societe/atom.xml", 200, ""),
    ("/feed.json", 200, ""),
    ("/sitemap.xml", 200, ""),
    ("/robots.txt", 200, ""),
    ("/manifest.webmanifest", 200, ""),
    ("/archive/", 200, ""),
    ("/archive", 301, "/archive/"),
    ("/en/", 200, ""),
    ("/ancienne/adresse", 301, f"/societe/{SLUG}"),
    ("/ancienne/adresse/", 301, f"/societe/{SLUG}"),
    ("/2019/11/vieux.html", 301, f"/societe/{SLUG}"),
    ("/2019/%C3%A9t%C3%A9", 301, f"/societe/{SLUG}"),
    ("/2019/%c3%a9t%c3%a9/", 301, f"/societe/{SLUG}"),
    ("/2019/été", 301, f"/societe/{SLUG}"),
    ("/2020/hiver-%C3%A0-l%E2%80%99est/", 301, f"/societe/{SLUG}"),
    ("/?p=123", 301, f"/societe/{SLUG}"),
    ("/index.php?p=123", 301, f"/societe/{SLUG}"),
    ("/?utm_source=lettre&p=123&x=%C3%A9", 301, f"/societe/{SLUG}"),
    ("/?page_id=5", 301, "/main"),
    ("/?p=13", 410, ""),
    ("/?p=999", 200, ""),
    ("/?p=1234", 200, ""),
    ("/?p=12x", 200, ""),
    ("/?q=p=123", 200, ""),
    ("/?utm_source=x", 200, ""),
    ("/en/?p=123", 200, ""),
    (f"/societe/{SLUG}?p=123", 200, ""),
    ("/index.php", 404, ""),
    ("/favicon.ico", 200, ""),
    ("/apple-touch-icon.png", 200, ""),
    ("/main", 301, "/societe/"),
    ("/dehors", 301, "https://ailleurs.example/c?d=%C3%A9"),
    ("/societe/tue", 410, ""),
    ("/societe/tue/", 410, ""),
    ("/societe/tue/ninjs.json", 404, ""),
    ("/ancienne/tue", 410, ""),
    ("/societe/fini", 410, ""),
    ("/societe/retire", 200, ""),
    ("/nulle/part", 404, ""),
    ("/en/nowhere", 404, ""),
    ("/.env", 404, ""),
    ("/redirects.map", 404, ""),
    (f"/societe/{SLUG}/index.html.gz", 404, ""),
]


def test_every_kind_of_address_is_answered_as_it_should_be(served: Served) -> None:
    for path, status, location in ADDRESSES:
        answer = served.http.get(path)
        assert (answer.status_code, answer.headers.get("location", "")) == (status, location), path
        if status in {200, 404, 410}:
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path
        if status == 410:
            assert "n’est plus en ligne" in answer.text or "plus disponible" in answer.text, path
            assert answer.headers["cache-control"] == "no-cache"
    assert "Une source a menti" in served.http.get("/societe/retire").text


def test_a_reader_who_has_the_page_gets_304_until_it_changes(served: Served) -> None:
    house, http, _ = served
    for path in (f"/societe/{SLUG}", "/", "/feed.xml"):
        for accepted in ("identity", "gzip"):
            first = http.get(path, headers={"Accept-Encoding": accepted})
            tag = first.headers["etag"]
            again = http.get(path, headers={"Accept-Encoding": accepted, "If-None-Match": tag})

            assert (again.status_code, again.content) == (304, b""), (path, accepted)
            assert again.headers["etag"] == tag
            # nginx's are "time-size": it has answered itself, and not handed the request on.
            assert ("-" in tag) == (served.server == "nginx" or "content-encoding" in first.headers), tag
            assert "s-maxage=1" in again.headers["cache-control"]
            assert "stale-while-revalidate" in again.headers["cache-control"]
            assert "last-modified" not in first.headers

    before = http.get(f"/societe/{SLUG}")
    held = public_article(change=2, headline="Le pont du port ferme pour cinq semaines")  # as many letters less one
    with house.node.reading() as session:
        from services.publish import store

        found = store.articles_at(session, [held.path])[held.path]
    house.hear(published(**{**vars(found), "change": 2, "headline": found.headline.replace("six", "dix")}))
    house.finish()
    after = http.get(before.url.path, headers={"If-None-Match": before.headers["etag"]})

    assert after.status_code == 200, "another page, of the same size and within the same second"
    assert len(after.content) == len(before.content)
    assert "dix semaines" in after.text


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("identity", None),
        ("gzip", "gzip"),
        ("gzip;q=0", None),
        ("", None),
        ("deflate", None),
    ],
)
def test_pages_are_sent_compressed_to_who_takes_that(served: Served, accepted: str, coding: str | None) -> None:
    for path in (f"/societe/{SLUG}", "/feed.xml", "/sitemap.xml"):
        answer = served.http.get(path, headers={"Accept-Encoding": accepted})
        if len(answer.content) > 1400:
            assert answer.headers.get("content-encoding") == coding, path
        if "feed" not in path and "sitemap" not in path:
            assert set(answer.headers.get_list("vary", split_commas=True)) == {"Accept-Encoding"}, path


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br", "br"),
        ("br;q=0.2, gzip;q=0.8", "gzip"),
        ("br;q=0, *", "gzip"),
        ("br;q=0.5, identity", None),
        ("*", "br"),
        ("", None),
    ],
)
def test_publish_sends_brotli_by_what_readers_like_best(
    site: House, monkeypatch: pytest.MonkeyPatch, accepted: str, coding: str | None
) -> None:
    squeeze(site, monkeypatch)
    http = create_app(site.node.settings).test_client()  # type: ignore[arg-type]
    plain = http.get(f"/societe/{SLUG}").data
    answer = http.get(f"/societe/{SLUG}", headers={"Accept-Encoding": accepted})

    assert answer.headers.get("Content-Encoding") == coding
    if coding == "br":
        assert brotli.decompress(answer.data) == plain
        assert len(answer.data) < len(site.site.encoded(f"/societe/{SLUG}", "gzip") or b"")


def squeeze(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the sweeper asks for each minute, as if a minute had passed."""
    monkeypatch.setattr(squeezing, "REST", -squeezing.REST)
    with house.node.unit_of_work() as session:
        squeezing.ask(session, now=clock.now())
    house.finish()


def test_pages_are_compressed_once_and_again_when_they_have_changed(
    site: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    squeeze(site, monkeypatch)
    twins = {file: file.stat().st_ino for file in (site.site.folder / "site").rglob("*.br")}
    assert {"index.html.br", "robots.txt.br"} <= {file.name for file in twins}
    assert any(file.name.endswith(".css.br") for file in twins)
    assert site.differences() == []

    squeeze(site, monkeypatch)
    assert {file: file.stat().st_ino for file in twins} == twins

    site.hear(published(slug="neuf", headline="Du neuf"))
    site.finish()
    assert not (site.site.folder / "site" / "index.html.br").exists(), "no reader gets the front page of before"
    squeeze(site, monkeypatch)
    assert (site.site.folder / "site" / "index.html.br").exists()
    assert site.differences() == []


@pytest.mark.parametrize("path", ["/", f"/societe/{SLUG}", "/feed.xml", "/robots.txt", "/societe/tue", "/nulle/part"])
def test_whatever_readers_get_says_that_mining_it_is_reserved(served: Served, path: str) -> None:
    assert served.http.get(path).headers.get_list("tdm-reservation") == ["1"]


def test_the_interface_of_programs_says_nothing_of_mining(served: Served) -> None:
    assert "tdm-reservation" not in served.http.get("/v1/pages").headers


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_refuses_what_it_cannot_read_kindly_to_readers_and_readably_to_programs(
    site: House, tmp_path: Path
) -> None:
    long, wide = "x" * 40_000, {"Cookie": "x" * 40_000}
    with running_nginx(site.site.folder, tmp_path, 9) as http:
        for path, headers, status in ((f"/societe/{long}", {}, 414), ("/societe/", wide, 400)):
            answer = http.get(path, headers=headers)
            assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
            assert "Cette adresse ne peut pas être lue" in answer.text
            assert "frame-ancestors" in answer.headers["content-security-policy"]
        for path, headers, status in ((f"/v1/articles?q={long}", {}, 414), ("/v1/articles", wide, 400)):
            answer = http.get(path, headers=headers)
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
            assert answer.json()["status"] == status
