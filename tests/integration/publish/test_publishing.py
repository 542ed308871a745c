"""publish hears articles and related sets, on both databases: pages, lists, tombstones, and what each used."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import select, update

from services.publish import actions, upkeep
from services.publish.channels import announce
from services.publish.kinds import ANNOUNCE
from services.publish.models import Delivery
from services.publish.passes import Passes
from services.publish.site.local import LocalSite
from shared import clock, jobs
from shared.errors import Unprocessable
from shared.event_schemas import decode, encode
from shared.events import (
    ArticleCorrected,
    Correction,
    PublicArticle,
    RelatedChanged,
    RelatedSet,
    RelatedSetEntry,
)
from shared.ids import new_id
from shared.tables import jobs as jobs_table
from shared.tables import outbox as outbox_table
from tests.factories import killed, public_article, published, today
from tests.integration.publish.house import House, subscribe


def related(article: PublicArticle, *others: PublicArticle, number: int = 1) -> RelatedChanged:
    entries = tuple(RelatedSetEntry(article_id=one.id, score=0.5, reason="text") for one in others)
    return RelatedChanged(sets=(RelatedSet(article_id=article.id, set_number=number, entries=entries),))


def test_an_article_is_a_page_at_once_and_in_its_lists_after_the_next_pass(house: House) -> None:
    house.hear(published(headline="Le pont ferme"))
    assert "Le pont ferme" in house.page("/societe/le-pont-du-port-ferme")

    house.finish()

    for path in ("/", "/societe", "/feed.xml", "/societe/feed.xml"):
        assert "Le pont ferme" in house.page(path)
    assert house.differences() == []


def test_an_older_change_never_replaces_a_newer_one(house: House) -> None:
    article = public_article(change=3, headline="La troisième")
    house.hear(published(**vars(article)))
    house.hear(published(**{**vars(article), "change": 2, "headline": "La deuxième"}))
    house.finish()

    assert "La troisième" in house.page(article.path)
    assert "La deuxième" not in house.page(article.path) + house.page("/")


def test_a_kill_leaves_a_tombstone_that_no_late_event_passes(house: House) -> None:
    article = public_article(headline="Le scandale")
    other = public_article(slug="autre", headline="Autre chose")
    house.hear(published(**vars(article)), published(**vars(other)), related(other, article))
    house.finish()
    assert "Le scandale" in house.page(other.path)

    house.hear(killed(**{**vars(article), "status": "killed", "change": 5, "body_html": ""}), lane="urgent")

    for path in (article.path, other.path, "/", "/societe", "/feed.xml", "/societe/feed.xml"):
        assert "Le scandale" not in house.page(path)
    assert house.site.tombstone(article.path) is not None
    house.hear(published(**{**vars(article), "change": 4}))
    house.finish()
    assert house.site.read(article.path) is None
    assert house.differences() == []


def test_a_drafted_page_whose_articles_have_changed_meanwhile_is_not_put_in_place(house: House) -> None:
    article, other, third = (public_article(slug=slug, headline=slug) for slug in ("le-scandale", "autre", "tiers"))
    house.hear(*(published(**vars(one)) for one in (article, other, third)), related(other, article))
    house.finish()
    builder, paths = house.publish.builder, [article.path, other.path, third.path]
    with house.node.reading() as session:
        draft = builder.draft(session, paths, now=clock.now(), check=paths)

    house.hear(killed(**{**vars(article), "status": "killed", "change": 5, "body_html": ""}), lane="urgent")
    with house.node.unit_of_work() as session:
        built = builder.put(session, draft, paths, now=clock.now())

    assert built.stale == {article.path, other.path}
    assert house.site.read(article.path) is None
    assert "le-scandale" not in house.page(other.path)


def test_a_draft_of_nothing_does_not_remove_the_page_that_has_come_meanwhile(house: House) -> None:
    builder, article = house.publish.builder, public_article()
    with house.node.reading() as session:
        draft = builder.draft(session, [article.path], now=clock.now())

    house.hear(published(**vars(article)))
    with house.node.unit_of_work() as session:
        built = builder.put(session, draft, [article.path], now=clock.now())

    assert built.stale == {article.path}
    assert article.headline in house.page(article.path)


def test_a_set_that_names_an_article_not_yet_held_shows_it_once_it_is(house: House) -> None:
    first = public_article(slug="premier", headline="Le premier")
    late = public_article(slug="tard", headline="Le retardataire")
    house.hear(published(**vars(first)), related(first, late))
    house.finish()
    assert "Le retardataire" not in house.page(first.path)

    house.hear(published(**vars(late)))
    house.finish()

    assert "Le retardataire" in house.page(first.path)


def test_a_changed_set_builds_exactly_the_page_that_shows_it_and_an_older_set_nothing(house: House) -> None:
    articles = [public_article(slug=f"numero-{n}", headline=f"Numéro {n}") for n in range(4)]
    house.hear(*(published(**vars(one)) for one in articles))
    house.finish()
    before = house.builds()

    house.hear(related(articles[0], articles[1], articles[2], number=7))
    house.hear(related(articles[0], articles[3], number=6))
    house.finish()

    after = house.builds()
    assert {path for path in after if after[path] != before[path]} == {articles[0].path}
    assert house.page(articles[0].path).index("Numéro 1") < house.page(articles[0].path).index("Numéro 2")
    assert "Numéro 3" not in house.page(articles[0].path)


def test_a_change_that_teasers_do_not_show_builds_no_page_that_only_shows_the_teaser(house: House) -> None:
    shown = public_article(slug="montre", headline="Montré", change=1)
    shows = public_article(slug="montre-ailleurs", headline="Qui montre")
    house.hear(published(**vars(shown)), published(**vars(shows)), related(shows, shown))
    house.finish()
    before = house.builds()

    house.hear(published(**{**vars(shown), "change": 2, "revision": 2, "body_html": "<p>Un autre corps.</p>"}))
    house.finish()
    assert house.builds()[shows.path] == before[shows.path]

    house.hear(published(**{**vars(shown), "change": 3, "revision": 3, "headline": "Montré autrement"}))
    house.finish()
    assert "Montré autrement" in house.page(shows.path)


def test_a_page_whose_bytes_have_not_changed_is_not_written(house: House) -> None:
    house.hear(published())
    house.finish()
    before = house.builds()
    with house.node.unit_of_work() as session:
        upkeep.ask_for_rebuild(session, None, builder=house.publish.builder, now=clock.now())
    house.finish()
    assert {path: house.builds()[path] for path in before} == before


def test_verify_finds_what_is_missing_changed_or_extra_and_rebuild_mends_it(house: House) -> None:
    house.publish.builder.install()
    article = public_article()
    house.hear(published(**vars(article)))
    house.finish()
    site = house.site.folder / "site"
    (site / "index.html").unlink()
    (site / "societe" / article.slug / "index.html").write_text("défiguré")
    (site / "feed.xml.gz").write_bytes(b"damaged")
    (site / "stray.html").write_text("nobody knows me")

    problems = {(one["path"], one["problem"]) for one in house.differences()}

    assert problems == {("/", "missing"), (article.path, "changed"), ("/feed.xml", "changed"), ("/stray.html", "extra")}
    with house.node.unit_of_work() as session:
        upkeep.ask_for_rebuild(session, None, builder=house.publish.builder, now=clock.now())
    house.finish()
    assert house.differences() == []
    assert not (site / "stray.html").exists()


def test_only_pages_can_be_rebuilt_by_their_path(house: House) -> None:
    house.publish.builder.install()
    for path in ("/robots.txt", "/404.html", "/societe/index.html", "//societe", "/nowhere"):
        with house.node.unit_of_work() as session, pytest.raises(Unprocessable):
            upkeep.ask_for_rebuild(session, path, builder=house.publish.builder, now=clock.now())
    house.finish()
    assert house.site.read("/robots.txt") is not None


# Announcing


def deliveries(house: House) -> list[tuple[str, int, str]]:
    with house.node.reading() as session:
        rows = session.scalars(select(Delivery).order_by(Delivery.id))
        return [(row.type, row.change, row.state) for row in rows]


def test_each_matching_subscription_gets_one_delivery_and_a_refile_none(house: House) -> None:
    subscribe(house)
    subscribe(house, filter={"languages": ["ar"]})
    subscribe(house, filter={"sections": ["sport"]})
    subscribe(house, filter={"languages": ["fr"], "sections": ["societe"]})
    article = public_article()
    house.hear(published(**vars(article)))
    house.finish()
    assert deliveries(house) == [("article.published", 1, "due")] * 2

    settle(house)
    house.hear(published(**{**vars(article), "change": 2, "revision": 2}))
    house.finish()
    assert len(deliveries(house)) == 2


def beside(session_of: House, during: Callable[[Any], None], work: Callable[[], None]) -> None:
    """Do `during` in a transaction and, before that ends, `work` in a thread, as far as it gets; then wait for it."""
    with ThreadPoolExecutor(1) as pool:
        with session_of.node.unit_of_work() as session:
            during(session)
            session.flush()
            running = pool.submit(work)
            wait([running], timeout=1)
        running.result(30)


def test_a_page_built_while_its_related_article_is_taken_in_shows_it(house: House) -> None:
    old, new = public_article(), public_article(slug="les-cars-changent-de-rive")
    house.hear(published(**vars(old)))
    house.finish()
    envelope = encode(published(**vars(new)), event_id=new_id(), source="ingest", said_at=clock.now(), trace="")

    def take_in(session: Any) -> None:
        actions.receive_articles(
            session, [decode(envelope, "normal")], builder=house.publish.builder, passes=Passes(), now=clock.now()
        )

    def relate_and_build() -> None:
        house.hear(related(old, new))
        house.finish()

    beside(house, take_in, relate_and_build)
    house.finish()

    assert new.path in house.page(old.path)


def test_a_related_set_that_comes_while_its_article_is_taken_in_is_shown(house: House) -> None:
    old, new = public_article(), public_article(slug="les-cars-changent-de-rive")
    house.hear(published(**vars(old)))
    house.finish()
    envelope = encode(published(**vars(new)), event_id=new_id(), source="ingest", said_at=clock.now(), trace="")

    def take_in(session: Any) -> None:
        actions.receive_articles(
            session, [decode(envelope, "normal")], builder=house.publish.builder, passes=Passes(), now=clock.now()
        )

    beside(house, take_in, lambda: house.hear(related(new, old)))
    house.finish()

    assert old.path in house.page(new.path)


def settle(house: House) -> None:
    """Let every delivery have been delivered."""
    with house.node.unit_of_work() as session:
        session.execute(update(Delivery).values(state="delivered", tries=1))
        session.execute(update(jobs_table).where(jobs_table.c.lane == "deliver").values(state="done", attempts=1))


def test_a_correction_and_a_kill_are_told_to_those_who_were_told_before(house: House) -> None:
    subscribe(house)
    article = public_article()
    house.hear(published(**vars(article)))
    house.finish()
    settle(house)
    note = Correction(note="Le pont ferme six semaines, et non huit.", corrected_at=today("10:00"))
    values = {**vars(article), "change": 2, "revision": 2, "corrections": (note,)}
    house.hear(ArticleCorrected(article=PublicArticle(**values)), lane="urgent")
    house.finish()
    settle(house)
    house.hear(killed(**{**values, "change": 3, "status": "killed", "body_html": ""}), lane="urgent")
    house.finish()

    assert [(kind, change) for kind, change, _ in deliveries(house)] == [
        ("article.published", 1),
        ("article.corrected", 2),
        ("article.killed", 3),
    ]


def test_a_correction_that_a_refile_has_overtaken_is_told_once_with_it(house: House) -> None:
    subscribe(house)
    article = public_article()
    house.hear(published(**vars(article)))
    house.finish()
    settle(house)
    note = Correction(note="Six semaines.", corrected_at=today("10:00"))
    corrected = {**vars(article), "change": 2, "revision": 2, "corrections": (note,), "updated_at": today("10:00")}
    house.hear(published(**{**corrected, "change": 3, "revision": 3}))
    house.hear(ArticleCorrected(article=PublicArticle(**corrected)), lane="urgent")
    house.finish()
    settle(house)
    house.hear(published(**{**corrected, "change": 4, "revision": 4}))
    house.finish()

    assert [(kind, change) for kind, change, _ in deliveries(house)] == [
        ("article.published", 1),
        ("article.corrected", 3),
    ]


def test_a_first_announcement_that_never_left_is_made_anew_with_the_newest_change(house: House) -> None:
    subscribe(house)
    article = public_article()
    house.hear(published(**vars(article)))
    house.finish()
    note = Correction(note="Six semaines.", corrected_at=today("10:00"))
    house.hear(
        ArticleCorrected(
            article=PublicArticle(**{**vars(article), "change": 2, "revision": 2, "corrections": (note,)})
        ),
        lane="urgent",
    )
    house.finish()

    assert deliveries(house) == [("article.published", 1, "superseded"), ("article.published", 2, "due")]


def test_a_first_announcement_that_was_only_put_back_is_made_anew_too(house: House) -> None:
    subscribe(house)
    article = public_article()
    house.hear(published(**vars(article)))
    house.finish()
    with house.node.unit_of_work() as session:
        session.execute(update(jobs_table).where(jobs_table.c.lane == "deliver").values(attempts=2))
        session.execute(update(Delivery).values(put_back=2))
    note = Correction(note="Six semaines.", corrected_at=today("10:00"))
    values = {**vars(article), "change": 2, "revision": 2, "corrections": (note,)}
    house.hear(ArticleCorrected(article=PublicArticle(**values)), lane="urgent")
    house.finish()

    assert deliveries(house) == [("article.published", 1, "superseded"), ("article.published", 2, "due")]


def test_a_first_announcement_that_may_have_arrived_is_followed_by_the_correction(house: House) -> None:
    subscribe(house)
    article = public_article()
    house.hear(published(**vars(article)))
    house.finish()
    with house.node.unit_of_work() as session:
        session.execute(update(jobs_table).where(jobs_table.c.lane == "deliver").values(state="leased", attempts=1))
    note = Correction(note="Six semaines.", corrected_at=today("10:00"))
    house.hear(
        ArticleCorrected(
            article=PublicArticle(**{**vars(article), "change": 2, "revision": 2, "corrections": (note,)})
        ),
        lane="urgent",
    )
    house.finish()

    assert deliveries(house) == [("article.published", 1, "superseded"), ("article.corrected", 2, "due")]


def test_an_event_that_a_replay_overtook_is_told_all_the_same_and_once(house: House) -> None:
    subscribe(house)
    article = public_article()
    house.hear(published(**vars(article), replayed=True), lane="bulk")
    house.finish()
    assert deliveries(house) == []

    house.hear(published(**vars(article)))
    house.hear(published(**vars(article), replayed=True), lane="bulk")
    house.finish()

    assert deliveries(house) == [("article.published", 1, "due")]


def test_neither_a_replay_nor_an_article_that_notifies_nobody_is_announced(house: House) -> None:
    subscribe(house)
    house.hear(published(slug="rejoue", replayed=True), published(slug="muet", notify=False))
    house.finish()
    assert deliveries(house) == []


class LosingSite(LocalSite):
    """A store that loses the first page that is put into it."""

    lost: ClassVar[list[str]] = []

    def put(self, path: str, content: bytes, *, clear: bool = True) -> None:
        if self.lost:
            super().put(path, content, clear=clear)
        self.lost.append(path)


def test_nothing_is_announced_before_its_page_is_in_place(house: House) -> None:
    LosingSite.lost.clear()
    house.publish.builder.site = house.site = LosingSite(house.site.folder)
    subscribe(house)
    article = public_article()

    house.hear(published(**vars(article)))
    assert LosingSite.lost[0] == article.path
    assert deliveries(house) == []

    house.finish()
    assert deliveries(house) == [("article.published", 1, "due")]
    assert house.page(article.path)


class StuckSite(LocalSite):
    """A site that loses every page, as a full disk or a missing mount does."""

    def put(self, path: str, content: bytes, *, clear: bool = True) -> None:
        """Lose it."""


def progress(house: House) -> list[tuple[str, str | None]]:
    """What the article's timeline is told: (step, where)."""
    with house.node.reading() as session:
        bodies = session.scalars(select(outbox_table.c.envelope).order_by(outbox_table.c.seq)).all()
    facts = [fact for body in bodies for fact in json.loads(body)["data"]["facts"]]
    return [(fact["step"], fact["detail"].get("where")) for fact in facts]


def test_an_announcement_whose_page_never_comes_is_seen_buried_and_told_once_it_is_retried(house: House) -> None:
    site = house.site
    house.publish.builder.site = StuckSite(site.folder)
    subscribe(house)
    article = public_article()
    house.hear(published(**vars(article)))

    def look() -> None:
        with house.node.unit_of_work() as session:
            of_it = update(jobs_table).where(jobs_table.c.kind == ANNOUNCE, jobs_table.c.state == "ready")
            session.execute(of_it.values(run_at=clock.now()))
        house.node.run_jobs("normal")

    for _ in range(announce.TOLD_AFTER + 2):
        look()
    with house.node.reading() as session:
        assert announce.waiting(session) == 1
    assert progress(house) == [("announcement_waits", article.path)]

    with house.node.unit_of_work() as session:
        (job,) = session.execute(select(jobs_table).where(jobs_table.c.kind == ANNOUNCE))
        old = {**json.loads(job.payload), "written_at": (clock.now() - announce.PATIENCE * 1.1).isoformat()}
        session.execute(update(jobs_table).where(jobs_table.c.id == job.id).values(payload=json.dumps(old)))
    for _ in range(announce.LAST_TRIES):
        look()
    with house.node.reading() as session:
        (dead,) = jobs.dead(session)
    assert article.path in dead.error
    assert progress(house)[1:] == [("announcement_given_up", article.path)]
    assert deliveries(house) == []

    house.publish.builder.site = site
    with house.node.unit_of_work() as session:
        jobs.retry_dead(session, dead.id, now=clock.now())
    house.finish()
    assert deliveries(house) == [("article.published", 1, "due")]


def test_publishing_one_article_writes_as_many_files_however_many_there_are(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    write = LocalSite._write

    def note(site: LocalSite, file: Path, content: bytes, *, durable: bool = False) -> None:
        written.append(file)
        write(site, file, content, durable=durable)

    monkeypatch.setattr(LocalSite, "_write", note)
    counts = []
    for size in (40, 160):
        there = len(house.builds())
        more = [published(slug=f"a{size}-{number}", tags=("Port",), replayed=True) for number in range(size)]
        house.hear(*more, lane="bulk")
        house.finish()
        assert len(house.builds()) >= there + size
        written.clear()
        house.hear(published(slug=f"une-{size}", tags=("Port",)))
        house.finish()
        counts.append(len(written))

    assert counts[1] <= counts[0] + 3, "a list's page may just have become full; nothing else grows"
    assert counts[0] < 30
