"""Previews: made and revoked in ingest, shown by publish, to nobody but whoever has the link."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from services.publish.app import create_app
from services.publish.previews import forget_ended
from services.publish.settings import PublishSettings
from shared import clock
from shared.event_schemas import decode
from shared.migrate import upgrade
from shared.service import Node
from tests.integration.ingest.conftest import Newsroom


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((1200, 900), 40).convert("RGB").save(out, "JPEG")
    return out.getvalue()


class Site:
    def __init__(self, client: FlaskClient, node: Node) -> None:
        self.client, self.node = client, node

    def hear(self, said: list[dict[str, Any]]) -> None:
        heard = [decode({**one}, "normal") for one in said if one["type"] == "article.previewed.v1"]
        with self.node.unit_of_work() as session:
            self.node.service.listeners["article.previewed.v1"](session, heard)


@pytest.fixture
def site(tmp_path: Any, settings_for: Any) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path / 'publish.db'}"
    settings = settings_for("publish", url, cls=PublishSettings, ROTATIVE_REDIS_URL="redis://127.0.0.1:1/0")
    upgrade(url, "publish")
    app = create_app(settings)
    yield Site(app.test_client(), app.extensions["rotative"])
    app.extensions["rotative"].close()


def path_of(preview: dict[str, Any]) -> str:
    return "/" + preview["url"].split("/", 3)[3]


def test_a_draft_is_shown_to_whoever_has_its_link_and_to_no_other(newsroom: Newsroom, site: Site) -> None:
    draft = newsroom.accepted(status="draft", headline="Avant l’heure", embargo="2999-01-01T00:00:00Z")

    made = newsroom.send("POST", f"/v1/articles/{draft['id']}/previews", Idempotency_Key="p")
    again = newsroom.send("POST", f"/v1/articles/{draft['id']}/previews", Idempotency_Key="p")
    site.hear(newsroom.said())

    preview = made.get_json()
    page = site.client.get(path_of(preview))
    assert (made.status_code, again.get_json()) == (201, preview)
    assert page.status_code == 200
    assert "Avant l’heure" in page.text
    assert "noindex" in page.text
    assert (page.headers["Cache-Control"], page.headers["X-Robots-Tag"][:7]) == ("no-store", "noindex")
    assert site.client.get(path_of(preview) + "x").status_code == 404
    assert site.client.get(draft["path"]).status_code == 404
    assert path_of(preview).rpartition("/")[2] not in str(newsroom.said())
    (listed,) = newsroom.send("GET", f"/v1/articles/{draft['id']}/previews").get_json()["items"]
    assert (listed["id"], listed["change"]) == (preview["id"], 1)


def test_a_revoked_link_and_one_to_a_killed_article_show_nothing(newsroom: Newsroom, site: Site) -> None:
    draft = newsroom.accepted(status="draft")
    path = f"/v1/articles/{draft['id']}"
    one, two = (newsroom.send("POST", f"{path}/previews").get_json() for _ in range(2))

    revoked = newsroom.send("DELETE", f"{path}/previews/{one['id']}")
    site.hear(list(reversed(newsroom.said())))
    assert (revoked.status_code, site.client.get(path_of(one)).status_code) == (204, 404)
    assert site.client.get(path_of(two)).status_code == 200
    newsroom.send("POST", f"{path}/kill")
    site.hear(newsroom.said())

    assert site.client.get(path_of(two)).status_code == 404
    assert newsroom.send("POST", f"{path}/previews").status_code == 409
    assert newsroom.send("DELETE", f"{path}/previews/{draft['id']}").status_code == 404


def test_a_preview_shows_its_pictures_to_whoever_has_the_link_and_nobody_else(newsroom: Newsroom, site: Site) -> None:
    form = {"file": (io.BytesIO(jpeg()), "pont.jpg"), "alt": "Le pont, <vu> du nord"}
    media = newsroom.client.post("/v1/media", data=form, headers=newsroom.headers).get_json()
    draft = newsroom.accepted(status="draft", images=[{"media": media["id"], "credit": "A. Lumière"}])
    path = f"/v1/articles/{draft['id']}/previews"
    preview = newsroom.send("POST", path).get_json()
    other = newsroom.send("POST", path.replace(draft["id"], newsroom.accepted(status="draft")["id"])).get_json()
    site.hear(newsroom.said())

    page = site.client.get(path_of(preview)).text
    pictures = sorted(set(re.findall(r"/preview/[^ \",&]+?/media/[^ \",&]+", page)))
    answers = [site.client.get(one) for one in pictures]

    assert "A. Lumière" in page
    assert len(pictures) > 4
    assert {one.status_code for one in answers} == {200}
    assert {one.content_type for one in answers} == {"image/webp", "image/jpeg"}
    assert {one.headers["Cache-Control"] for one in answers} == {"no-store"}
    assert {one.headers["X-Robots-Tag"][:7] for one in answers} == {"noindex"}
    for one in pictures:
        public = one[one.index("/media/") :]
        assert site.client.get(public).status_code == 404
        assert site.client.get(path_of(other) + public).status_code == 404
    for wrong in ("/media/../../secret.key", "/media/aa/bb.jpg", "/media/" + media["id"]):
        assert site.client.get(path_of(preview) + wrong).status_code == 404

    newsroom.send("DELETE", f"{path}/{preview['id']}")
    site.hear(newsroom.said())
    assert {site.client.get(one).status_code for one in pictures} == {404}


def test_a_link_ends_at_its_time(newsroom: Newsroom, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = newsroom.accepted(status="draft")
    path = f"/v1/articles/{draft['id']}/previews"
    ends = clock.now() + timedelta(hours=1)
    preview = newsroom.send("POST", path, {"expires_at": ends.isoformat()}).get_json()
    site.hear(newsroom.said())

    assert site.client.get(path_of(preview)).status_code == 200
    with monkeypatch.context() as then:
        then.setattr(clock, "now", lambda: ends)
        assert site.client.get(path_of(preview)).status_code == 404
    with site.node.unit_of_work() as session:
        assert forget_ended(session, ends + timedelta(seconds=1), 10) == 1
    for wrong in ("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"):
        assert newsroom.send("POST", path, {"expires_at": wrong}).status_code == 422
