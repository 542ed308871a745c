"""The whole site built again, on both databases: what it mends, what it takes away, and what cannot stop it."""

from __future__ import annotations

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import select

from services.publish import rebuilding, strays, upkeep
from services.publish.kinds import REBUILD_SITE
from services.publish.models import PictureFiles
from services.publish.site.local import LocalSite
from shared import clock
from shared.events import Picture
from shared.media import original_path
from shared.tables import jobs as jobs_table
from tests.factories import killed, public_article, published
from tests.integration.publish.house import House

DIGEST = "ab" * 32
PICTURE = Picture(
    media_id=UUID(int=1), digest=DIGEST, media_type="image/jpeg", width=640, height=480, alt="Le port", credit="A. Lu"
)


def ask(house: House) -> None:
    with house.node.unit_of_work() as session:
        upkeep.ask_for_rebuild(session, None, builder=house.publish.builder, now=clock.now())


def problems(house: House) -> set[tuple[str, str]]:
    return {(one["path"], one["problem"]) for one in house.differences()}


def rebuilds(house: House) -> list[Any]:
    with house.node.reading() as session:
        return list(session.execute(select(jobs_table).where(jobs_table.c.kind == REBUILD_SITE)))


def progress(house: House) -> dict[str, int]:
    with house.node.reading() as session:
        return rebuilding.progress(session)


def test_pictures_that_are_missing_changed_or_extra_are_found_and_mended(house: House) -> None:
    original = original_path(house.node.settings.media_store, DIGEST)
    original.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (640, 480), (40, 90, 120)).save(original, "JPEG")
    article = public_article(images=(PICTURE,))
    house.hear(published(**vars(article)))
    house.finish()
    assert house.differences() == []
    folder = house.site.folder / "site" / "media" / "ab" / DIGEST
    full, small = folder / "full-480.jpg", folder / "16x9-50-50-320.webp"
    right = full.read_bytes()

    full.write_bytes(right[:-1] + b"x")
    small.unlink()
    (folder / "full-9999.jpg").write_bytes(b"nobody asked for me")

    at = f"/media/ab/{DIGEST}"
    assert problems(house) == {
        (f"{at}/full-480.jpg", "changed"),
        (f"{at}/16x9-50-50-320.webp", "missing"),
        (f"{at}/full-9999.jpg", "extra"),
    }
    ask(house)
    house.finish()
    assert house.differences() == []
    assert full.read_bytes() == right

    house.hear(killed(**{**vars(article), "status": "killed", "change": 2, "body_html": "", "images": ()}))
    house.finish()
    assert house.differences() == []
    with house.node.reading() as session:
        assert session.execute(select(PictureFiles)).all() == []


def test_whatever_nothing_explains_is_taken_away_at_once_and_nothing_else(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.publish.site.local.UNFINISHED_S", -1.0)
    monkeypatch.setattr("services.publish.strays.LOOKED_UP", 3)
    monkeypatch.setattr("services.publish.rebuilding.BULK_WORK_S", 0.0)
    article = public_article()
    house.hear(published(**vars(article)))
    ask(house)
    house.finish()
    site = house.site.folder / "site"
    before = {file for file in site.rglob("*") if file.is_file()}
    for name in ("README", "a.b/index.html", "old/page/index.html", "old/index.html.gz", ".0123.tmp", "feed.xml.tmp"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("nobody knows me")
    (site / "assets" / "style.of-an-earlier-theme.css").write_text("a {}")

    ask(house)
    with house.node.reading() as session:
        assert {row.run_at <= clock.now() for row in session.execute(select(jobs_table.c.run_at))} == {True}
    house.finish()

    after = {file for file in site.rglob("*") if file.is_file()}
    assert {file.name for file in after - before} == {"style.of-an-earlier-theme.css"}
    assert before <= after
    assert house.differences() == []
    assert [row.state for row in rebuilds(house)] == ["done"]


def test_a_page_that_is_being_put_in_place_is_no_stray(house: House) -> None:
    article = public_article()
    house.hear(published(slug="un-autre"))
    house.finish()
    builder, file = house.publish.builder, f"{article.path.strip('/')}/index.html"

    def sweep() -> None:
        with house.node.unit_of_work() as session:
            strays.sweep(session, builder, [file])

    with ThreadPoolExecutor(1) as pool:
        with house.node.unit_of_work() as session:
            builder.build(session, [article.path], now=clock.now(), articles={article.path: article})
            assert (house.site.folder / "site" / file).exists()
            running = pool.submit(sweep)
            wait([running], timeout=0.5)
        running.result(30)

    assert article.headline in house.page(article.path)


def test_asked_for_again_while_it_is_at_work_it_begins_anew_and_there_is_only_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.publish.rebuilding.ARTICLES", 1)
    monkeypatch.setattr("shared.service.BULK_SLICE_S", 0.0)
    articles = [public_article(slug=f"numero-{n}", headline=f"Numéro {n}") for n in range(3)]
    house.hear(*(published(**vars(one)) for one in articles))
    house.finish()
    ask(house)
    while progress(house).get("rebuild_pages_asked", 0) < 2:
        house.node.run_jobs("bulk")
    assert progress(house)["rebuild_left"] == 1

    house.site.remove(articles[0].path)
    ask(house)
    assert len(rebuilds(house)) == 1
    assert json.loads(rebuilds(house)[0].payload)["after"] == ""
    house.finish()

    assert house.differences() == []
    assert progress(house) == {"rebuild_left": 0}


def test_one_asked_for_while_a_slice_is_worked_on_begins_anew_when_that_ends(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = public_article()
    house.hear(published(**vars(article)))
    house.finish()
    sweep, asked = strays.sweep, []

    def sweep_and_ask(*given: Any) -> None:
        sweep(*given)
        if not asked:
            asked.append(1)
            house.site.remove(article.path)
            upkeep.ask_for_rebuild(given[0], None, builder=house.publish.builder, now=clock.now())

    monkeypatch.setattr("services.publish.strays.sweep", sweep_and_ask)
    ask(house)
    house.finish()

    assert article.headline in house.page(article.path)
    assert [row.state for row in rebuilds(house)] == ["done"]


def test_a_slice_that_fails_has_each_of_its_pages_built_by_a_job_of_its_own(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = public_article(slug="a-mauvais"), public_article(slug="z-bon")
    house.hear(published(**vars(bad)), published(**vars(good)))
    house.finish()
    for one in (bad, good):
        house.site.remove(one.path)
    put = LocalSite.put

    def failing(self: LocalSite, path: str, content: bytes, *, clear: bool = True) -> None:
        if path == bad.path:
            raise OSError(errno.EIO, "a bad block")
        put(self, path, content, clear=clear)

    monkeypatch.setattr(LocalSite, "put", failing)
    ask(house)
    house.finish()

    assert problems(house) == {(bad.path, "missing")}
    with house.node.reading() as session:
        dead = session.execute(select(jobs_table).where(jobs_table.c.state == "dead")).all()
    assert [(one.kind, one.reference) for one in dead] == [("build_page", bad.path)]
    assert "a bad block" in dead[0].error


def test_a_slice_of_bulk_work_ends_in_time_and_what_is_left_is_built_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.publish.actions.BULK_WORK_S", 0.0)
    monkeypatch.setattr("services.publish.rebuilding.BULK_WORK_S", 0.0)
    articles = [public_article(slug=f"numero-{n}") for n in range(4)]
    house.hear(*(published(**vars(one)) for one in articles))
    house.finish()
    for path in (*(one.path for one in articles), "/", "/societe"):
        house.site.remove(path)
    ask(house)
    house.finish()
    assert house.differences() == []


def test_a_full_disk_leaves_the_page_of_before_and_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, write = LocalSite(tmp_path), os.write
    site.put("/a", b"<p>Avant</p>")

    def full(handle: int, content: bytes) -> int:
        write(handle, bytes(content)[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        site.put("/a", b"<p>Ensuite</p>")
    monkeypatch.undo()

    assert site.read("/a") == b"<p>Avant</p>"
    assert not list(tmp_path.rglob("*.tmp"))
