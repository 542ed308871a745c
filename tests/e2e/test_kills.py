"""A kill through the whole embedded system: each surface is looked at over HTTP once the report says it is gone."""

from __future__ import annotations

import io
import re
from typing import Any

import httpx
from PIL import Image

from tests.e2e.conftest import System, wait_for
from tests.e2e.test_journeys import FIRST_DAY, REOPENED, path_of, post, shows

LISTS = ("/", "/societe/", "/tag/ponts/", "/auteur/ysaure-talmont/", "/archive/{month}/")
FEEDS = ("/feed.xml", "/atom.xml", "/feed.json", "/societe/feed.xml", "/tag/ponts/atom.xml")
SITEMAPS = ("/sitemaps/fr-{month}-1.xml", "/sitemaps/news-fr.xml")


def upload(client: httpx.Client) -> str:
    out = io.BytesIO()
    Image.effect_noise((800, 600), 40).convert("RGB").save(out, "JPEG")
    answer = client.post("/v1/media", files={"file": ("pont.jpg", out.getvalue())}, data={"alt": "Le pont"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def idle(client: httpx.Client, service: str) -> bool:
    """Whether nothing waits to be said and no job is to be done now."""
    status = client.get(f"/v1/{service}/status").json()
    jobs = [count for lane in status["jobs"].values() for state, count in lane.items() if state in {"ready", "leased"}]
    return status["oldest_unreceived_s"] is None and not sum(jobs)


class Witness:
    """Looks at each surface as a reader would."""

    def __init__(self, system: System, client: httpx.Client, article: dict[str, Any], old: str, kept: str) -> None:
        self.url, self.client = system.url, client
        self.id, self.path, self.old, self.kept = str(article["id"]), path_of(article), old, kept
        self.month = str(article["published_at"])[:7]
        self.preview = ""
        self.pictures = sorted(set(re.findall(r'/media/[^" ,?]+', self.get(self.path).text)))

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path.format(month=self.month), timeout=20)

    def names_it(self, path: str) -> bool:
        return self.path in self.get(path).text

    def met(self, surface: str) -> list[str]:
        """Where of a surface a reader still meets the article."""
        places = {
            "page": lambda: [self.path] if self.get(self.path).status_code != 410 else [],
            "copies": lambda: [
                one for one in ("ninjs.json", "related.json") if self.get(f"{self.path}/{one}").status_code == 200
            ],
            "addresses": lambda: [self.old] if self.get(self.old).status_code != 410 else [],
            "lists": lambda: [one for one in LISTS if self.names_it(one)],
            "feeds": lambda: [one for one in FEEDS if self.names_it(one)],
            "sitemaps": lambda: [one for one in SITEMAPS if self.names_it(one)],
            "related-blocks": lambda: [
                one
                for one in (self.kept, f"{self.kept}/related.json")
                if self.get(one).is_success and self.names_it(one)
            ],
            "pictures": lambda: [one for one in self.pictures if self.get(one).status_code != 404],
            "search": lambda: [
                one["id"]
                for one in self.client.get("/v1/search", params={"q": "tramways"}).json()["items"]
                if one["id"] == self.id
            ],
            "related-sets": self.related_sets,
            "previews": lambda: [self.preview] if self.get(self.preview).status_code != 404 else [],
        }
        return places[surface]()

    def related_sets(self) -> list[str]:
        kept = self.client.get("/v1/articles").json()["items"][-1]["id"]
        entries = self.client.get(f"/v1/related/{kept}").json()["entries"]
        return [one["article_id"] for one in entries if one["article_id"] == self.id]


def test_a_kill_report_says_gone_only_of_what_is_gone_and_only_a_chief_brings_it_back(start):
    system = start().wait_until_ready()
    kept = post(system, REOPENED)
    with system.http() as client:
        pictures = [{"media": upload(client)}]
        article = post(system, FIRST_DAY, images=pictures, tags=["Ponts"], bylines=["Ysaure Talmont"])
        old = path_of(article)
        wait_for(lambda: shows(system, old, "<picture>"), "the page with its picture")
        wait_for(lambda: shows(system, path_of(kept), old), "the link from the other article")
        moved = client.patch(
            f"/v1/articles/{article['id']}", json={"slug": "premiere-journee"}, headers={"If-Match": "*"}
        )
        assert moved.status_code == 200, moved.text
        article = moved.json()
        path = path_of(article)
        month = article["published_at"][:7]
        for place in (path_of(kept), *LISTS, *FEEDS, *SITEMAPS):
            place = place.format(month=month)
            wait_for(lambda place=place: path in httpx.get(system.url + place).text, f"{place} with it")
        wait_for(lambda: httpx.get(system.url + old).status_code == 301, "the redirect")
        wait_for(lambda: shows(system, path, "<picture>"), "the moved page with its picture")
        witness = Witness(system, client, article, old, path_of(kept))
        preview = client.post(f"/v1/articles/{article['id']}/previews").json()
        witness.preview = httpx.URL(preview["url"]).path
        wait_for(lambda: shows(system, witness.preview, FIRST_DAY[0], "<picture>"), "the preview")
        surfaces = ("page", "addresses", "lists", "feeds", "sitemaps", "related-blocks", "pictures", "search")
        assert all(witness.met(one) for one in (*surfaces, "copies", "related-sets", "previews"))

        assert client.post(f"/v1/articles/{article['id']}/kill", json={"reason": "Source"}).status_code == 200
        seen: set[str] = set()

        def complete() -> bool:
            report = client.get(f"/v1/articles/{article['id']}/kill-report").json()
            for one in report["surfaces"]:
                if one["gone"] and one["surface"] not in seen:
                    assert witness.met(one["surface"]) == [], one
                    seen.add(one["surface"])
            return bool(report["complete"])

        wait_for(complete, "the whole report")
        assert seen == {*surfaces, "copies", "related-sets", "previews"}

        for path_asked, body in (("/v1/ingest/replay", {}), ("/v1/publish/rebuild", {})):
            assert client.post(path_asked, json=body).status_code == 202
        for service in ("ingest", "publish", "recommend"):
            wait_for(lambda service=service: idle(client, service), f"{service} to have done all of it")
        again = client.post(f"/v1/articles/{article['id']}/publish")
        assert again.status_code == 409
        wait_for(lambda: shows(system, path_of(kept), REOPENED[0]), "the other article as it was")
        assert {one: witness.met(one) for one in seen if witness.met(one)} == {}

        back = client.post(f"/v1/articles/{article['id']}/revisions/1/restore", headers={"If-Match": "*"})
        assert back.status_code == 200, back.text
        assert client.get(f"/v1/articles/{article['id']}/kill-report").status_code == 409
        wait_for(lambda: shows(system, path, FIRST_DAY[0], "<picture>"), "the restored page with its picture")
        for place in (path_of(kept), *LISTS, *FEEDS, *SITEMAPS):
            wait_for(lambda place=place: witness.names_it(place), f"{place} with it again")
        wait_for(lambda: witness.get(old).status_code == 301, "the redirect again")


def test_the_kill_of_what_was_never_live_is_complete_when_its_preview_is_gone(start):
    system = start().wait_until_ready()
    with system.http() as client:
        for fields in ({"status": "draft"}, {"embargo": "2999-01-01T00:00:00Z"}):
            one = post(system, REOPENED, **fields)
            link = httpx.URL(client.post(f"/v1/articles/{one['id']}/previews").json()["url"]).path
            wait_for(lambda link=link: shows(system, link, REOPENED[0]), "the preview")

            client.post(f"/v1/articles/{one['id']}/kill")

            wait_for(lambda one=one: client.get(f"/v1/articles/{one['id']}/kill-report").json()["complete"], "it")
            report = client.get(f"/v1/articles/{one['id']}/kill-report").json()
            assert [each["surface"] for each in report["surfaces"]] == ["previews"]
            assert httpx.get(system.url + link).status_code == 404
            assert client.get(f"/v1/articles/{one['id']}").json()["status"] == "killed"
