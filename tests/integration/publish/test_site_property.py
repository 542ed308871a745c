"""Whatever happens, and in whatever order: the site is byte for byte what building all of it anew would give."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import select, update

from services.publish import lists, upkeep
from services.publish.service import create_service
from services.publish.settings import PublishSettings
from shared import clock, migrate
from shared.event_schemas import encode
from shared.events import (
    ArticleCorrected,
    ArticleExpired,
    ArticleKilled,
    ArticlePublished,
    ArticleRetracted,
    Byline,
    Correction,
    Event,
    Picture,
    PublicArticle,
    RelatedChanged,
    RelatedSet,
    RelatedSetEntry,
    Retraction,
)
from shared.ids import new_id
from shared.media import original_path
from shared.service import Node
from shared.tables import jobs as jobs_table
from tests.factories import public_article, today

GROUP = UUID(int=99)
DIGESTS = ("ab" * 32, "cd" * 32)


class Site:
    """publish with small list pages, so that a few articles fill several of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        url = f"sqlite:///{folder / 'publish.db'}"
        migrate.upgrade(url, "publish")
        variables = {
            "ROTATIVE_DATA_DIR": str(folder),
            "ROTATIVE_PUBLISH_DATABASE_URL": url,
            "ROTATIVE_REDIS_URL": "redis://127.0.0.1:1",
            "ROTATIVE_ADMIN_KEY": "the-first-key-of-the-tests",
            "ROTATIVE_SECRET_KEY": "a-secret-of-the-tests-only",
            "ROTATIVE_BASE_URL": "https://journal.test",
        }
        made = PublishSettings.from_env(variables, "publish")
        self.publish = create_service(made)
        self.node = Node(self.publish.service, made, here=("urgent", "normal"))
        for number, digest in enumerate(DIGESTS):
            original = original_path(made.media_store, digest)
            original.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (640, 480), (40 + 90 * number, 90, 120)).save(original, "JPEG")
        self.publish.builder.install()
        with self.node.unit_of_work() as session:
            upkeep.look_after(session, builder=self.publish.builder, now=clock.now())
        self.finish()

    def hear(self, event: Event, lane: str = "normal") -> None:
        envelope = encode(event, event_id=new_id(), source="ingest", said_at=clock.now(), trace="")
        self.node.hear([envelope], lane, again=False)

    def finish(self) -> None:
        for _ in range(200):
            with self.node.unit_of_work() as session:
                waiting = (jobs_table.c.state == "ready") & (jobs_table.c.lane != "deliver")
                if not session.scalars(select(jobs_table.c.id).where(waiting)).all():
                    return
                session.execute(update(jobs_table).where(waiting).values(run_at=clock.now()))
            for lane in ("urgent", "normal", "bulk"):
                self.node.run_jobs(lane)
        raise AssertionError("the work does not end")

    def rebuild(self) -> None:
        with self.node.unit_of_work() as session:
            upkeep.ask_for_rebuild(session, None, builder=self.publish.builder, now=clock.now())
        self.finish()

    def differences(self) -> list[dict[str, Any]]:
        with self.node.reading() as session:
            return upkeep.verify(session, builder=self.publish.builder)

    def files(self) -> dict[str, bytes]:
        return {
            str(file.relative_to(self.folder)): file.read_bytes()
            for part in ("site", "gone", "moved")
            for file in (self.folder / part).rglob("*")
            if file.is_file()
        }


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in lists.PLACES:
        monkeypatch.setitem(lists.PLACES, kind, 2)
    monkeypatch.setattr("services.publish.list_pages.LIST_TEASERS", 2)
    monkeypatch.setattr("services.publish.lists.SITEMAP_PLACES", 3)
    monkeypatch.setattr("services.publish.list_pages.SITEMAP_PLACES", 3)


MOVES = (
    "publish", "publish", "publish", "publish", "refile", "correct", "move", "retag", "picture", "kill", "retract",
    "expire", "relate", "settle", "restore", "resection", "translate",
)  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 30), st.integers(0, 30)), min_size=3, max_size=25)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_after_any_events_the_site_is_what_building_it_anew_gives(
    small_pages: None, steps: list[tuple[str, int, int]]
) -> None:
    with tempfile.TemporaryDirectory(prefix="rt-site-") as folder:
        site = Site(Path(folder))
        try:
            play(site, steps)
            site.finish()
            assert site.differences() == []
            incremental = site.files()
            site.rebuild()
            assert site.files().keys() == incremental.keys()
            assert site.files() == incremental
        finally:
            site.node.close()


def play(site: Site, steps: list[tuple[str, int, int]]) -> None:
    held: list[PublicArticle] = []
    sets = 0
    for move, one, other in steps:
        if move == "settle":
            site.finish()
        elif move == "publish":
            held.append(article(len(held), one, other))
            site.hear(ArticlePublished(article=held[-1]))
        elif held and move == "relate":
            sets += 1
            about = held[one % len(held)]
            named = [held[(other + step) % len(held)] for step in range(3)]
            entries = tuple(
                RelatedSetEntry(article_id=id_, score=0.5, reason="text")
                for id_ in dict.fromkeys(two.id for two in named if two.id != about.id)
            )
            site.hear(RelatedChanged(sets=(RelatedSet(article_id=about.id, set_number=sets, entries=entries),)))
        elif held:
            number = one % len(held)
            if (said := changed(held[number], move, other)) is not None:
                held[number] = said.article
                site.hear(said, "urgent" if move in {"kill", "retract"} else "normal")


def article(number: int, one: int, other: int) -> PublicArticle:
    language = ("fr", "fr", "en")[one % 3]
    section = ("sport", "politique")[other % 2]
    prefix = "" if language == "fr" else f"/{language}"
    at = today("09:00") - timedelta(days=7 * (one % 4), minutes=number)
    return public_article(
        language=language,
        section=section,
        slug=f"a{number}",
        path=f"{prefix}/{section}/a{number}",
        headline=f"Article {number}",
        first_published_at=at,
        updated_at=at,
        tags=(("Eau", "Port"), ("eau",), ())[other % 3],
        bylines=(Byline(name="Inès Vallier"),) if one % 2 else (),
        translations=GROUP if other % 5 == 0 else None,
        images=(picture(other),) if other % 4 == 0 else (),
    )


def picture(number: int) -> Picture:
    digest = DIGESTS[number % 2]
    return Picture(
        media_id=UUID(int=number % 2), digest=digest, media_type="image/jpeg", width=640, height=480, alt="Le port"
    )


def changed(before: PublicArticle, move: str, other: int) -> Any:
    after = replace(before, change=before.change + 1)
    if move == "restore" and before.status != "live":
        return ArticlePublished(article=replace(after, status="live", body_html="<p>De retour.</p>", retraction=None))
    if before.status in {"killed", "expired", "retracted"} or move == "restore":
        return None
    if move == "resection":
        section = "politique" if before.section == "sport" else "sport"
        path = f"{before.path.rpartition('/')[0].replace(before.section, section)}/{before.slug}-{after.change}"
        old_paths = (*before.old_paths, before.path)
        return ArticlePublished(article=replace(after, section=section, path=path, old_paths=old_paths))
    if move == "translate":
        return ArticlePublished(article=replace(after, translations=None if before.translations else GROUP))
    later = before.updated_at + timedelta(hours=1)
    if move == "refile":
        return ArticlePublished(article=replace(after, headline=f"{before.headline} bis", urgency=1 + other % 8))
    if move == "correct":
        note = Correction(note="Six, et non sept.", corrected_at=later)
        corrections = (*before.corrections, note)
        return ArticleCorrected(article=replace(after, corrections=corrections, updated_at=later))
    if move == "move":
        path = f"{before.path}-{after.change}"
        return ArticlePublished(article=replace(after, path=path, old_paths=(*before.old_paths, before.path)))
    if move == "retag":
        return ArticlePublished(article=replace(after, tags=(("Port",), (), ("Gare", "Eau"))[other % 3]))
    if move == "picture":
        return ArticlePublished(article=replace(after, images=() if before.images else (picture(other),)))
    if move == "kill":
        return ArticleKilled(article=replace(after, status="killed", body_html="", images=()))
    if move == "expire":
        return ArticleExpired(article=replace(after, status="expired"))
    retraction = Retraction(note="Une source a menti.", retracted_at=later)
    return ArticleRetracted(article=replace(after, status="retracted", retraction=retraction))
