"""What is proved of a kill: told only when it is so, and nothing brings the article back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from sqlalchemy import select, update

from services.publish import kinds
from shared import clock
from shared.event_schemas import decode, encode
from shared.events import Byline, PublicArticle
from shared.ids import new_id
from shared.tables import jobs, outbox
from tests.factories import killed, public_article, published
from tests.integration.publish.house import House
from tests.integration.publish.test_publishing import related
from tests.integration.publish.test_site_outputs import DIGEST, put_original

EVERY = ["page", "copies", "addresses", "lists", "feeds", "sitemaps", "related-blocks", "pictures"]


def gone(house: House) -> list[str]:
    """The surfaces told of, in order."""
    with house.node.reading() as session:
        rows = session.scalars(
            select(outbox.c.envelope).where(outbox.c.type == "article.progress.v1").order_by(outbox.c.seq)
        ).all()
    facts = [fact for row in rows if row for fact in json.loads(row)["data"]["facts"]]
    return [fact["detail"]["surface"] for fact in facts if fact["step"] == "gone"]


def kill(article: PublicArticle, change: int = 9) -> Any:
    return killed(**{**vars(article), "status": "killed", "body_html": "", "images": (), "change": change})


def hear_only(house: House, event: Any) -> None:
    """Take an event in, and do none of the jobs that it makes."""
    envelope = encode(event, event_id=new_id(), source="ingest", said_at=clock.now(), trace="")
    with house.node.unit_of_work() as session:
        house.node.service.listeners[event.type](session, [decode(envelope, "urgent")])


def run(house: House, kind: str) -> None:
    """Do the jobs of this kind that are waiting, and no others."""
    with house.node.unit_of_work() as session:
        waiting = (jobs.c.state == "ready") & (jobs.c.kind == kind)
        ids = list(session.scalars(select(jobs.c.id).where(waiting)))
        lanes = set(session.scalars(select(jobs.c.lane).where(waiting)))
        others = (jobs.c.state == "ready") & jobs.c.id.not_in(ids) & (jobs.c.run_at <= clock.now())
        held = list(session.scalars(select(jobs.c.id).where(others)))
        later = clock.now().replace(year=clock.now().year + 1)
        session.execute(update(jobs).where(jobs.c.id.in_(held)).values(run_at=later))
        session.execute(update(jobs).where(jobs.c.id.in_(ids)).values(run_at=clock.now()))
    for lane in sorted(lanes):
        house.node.run_jobs(lane)


def test_each_surface_is_told_of_when_the_article_is_gone_from_it(house: House) -> None:
    article = public_article(
        images=(put_original(house),),
        tags=("Ponts",),
        bylines=(Byline(name="Ysaure Talmont"),),
        old_paths=("/2019/vieux.html",),
    )
    other = public_article(slug="autre", headline="Autre chose", body_html=f'<p><a href="{article.path}">Lire</a></p>')
    house.hear(published(**vars(article)), published(**vars(other)), related(other, article), related(article, other))
    house.finish()
    assert house.site.read(f"{article.path}/related.json") is not None
    assert gone(house) == []

    hear_only(house, kill(article))
    run(house, kinds.PROVE_GONE)
    at_first = gone(house)
    house.finish()

    # The lists still wait to be built, and say so.
    assert at_first[0] == "page"
    assert {"copies", "pictures"} <= set(at_first)
    assert not {"lists", "feeds", "sitemaps", "related-blocks"} & set(at_first)
    assert sorted(gone(house)) == sorted(EVERY)
    assert not (house.site.folder / "site" / "media" / "ab" / DIGEST).exists()
    assert house.differences() == []


def test_a_list_that_is_built_no_more_keeps_its_surface_open(house: House) -> None:
    article = public_article()
    house.hear(published(**vars(article)))
    house.finish()
    hear_only(house, kill(article))
    with house.node.unit_of_work() as session:
        session.execute(update(jobs).where(jobs.c.reference == "/societe").values(state="dead"))
        session.execute(
            update(jobs).where(jobs.c.state == "ready", jobs.c.kind == kinds.BUILD_PAGE).values(run_at=clock.now())
        )
    house.node.run_jobs("urgent")
    for _ in range(3):
        run(house, kinds.PROVE_GONE)

    assert "lists" not in gone(house)
    assert {"sitemaps", "related-blocks"} <= set(gone(house))

    with house.node.unit_of_work() as session:
        session.execute(update(jobs).where(jobs.c.reference == "/societe").values(state="ready"))
    house.finish()
    assert sorted(gone(house)) == sorted(EVERY)


def test_a_list_that_was_mended_by_hand_is_built_again_before_it_counts(house: House) -> None:
    article = public_article()
    house.hear(published(**vars(article)))
    house.finish()
    old = house.site.read("/societe/feed.xml")
    assert old is not None
    hear_only(house, kill(article))
    run(house, kinds.BUILD_PAGE)
    house.site.put("/societe/feed.xml", old)

    run(house, kinds.PROVE_GONE)
    # It may have been built, and looked at again, already.
    assert "feeds" not in gone(house) or article.path not in house.page("/societe/feed.xml")
    house.finish()

    assert article.path not in house.page("/societe/feed.xml")
    assert sorted(gone(house)) == sorted(EVERY)


def test_a_picture_that_another_article_shows_stays_and_is_no_obstacle(house: House) -> None:
    picture = put_original(house)
    article, other = public_article(images=(picture,)), public_article(slug="autre", images=(picture,))
    house.hear(published(**vars(article)), published(**vars(other)))
    house.finish()

    house.hear(kill(article), lane="urgent")
    house.finish()

    assert (house.site.folder / "site" / "media" / "ab" / DIGEST).exists()
    assert sorted(gone(house)) == sorted(EVERY)


def test_a_kill_that_overtakes_its_article_is_proved_and_nothing_late_passes_it(house: House) -> None:
    article = public_article()
    house.hear(kill(article), lane="urgent")
    house.finish()
    assert sorted(gone(house)) == sorted(EVERY)

    house.hear(published(**vars(article)), published(**vars(article), replayed=True))
    house.finish()

    assert house.site.read(article.path) is None
    assert house.site.tombstone(article.path) is not None
    assert article.path not in house.page("/") + house.page("/societe")


def test_a_restored_article_ends_the_proof_and_a_replayed_kill_is_proved_again(house: House) -> None:
    article = public_article()
    house.hear(published(**vars(article)))
    house.finish()
    hear_only(house, kill(article, 2))
    house.hear(published(**vars(replace(article, change=3))), lane="urgent")
    house.finish()

    assert gone(house) == ["page"]
    assert article.path in house.page("/societe")

    house.hear(kill(article, 4), lane="urgent")
    house.finish()
    told = gone(house)
    house.hear(replace(kill(article, 4), replayed=True), lane="bulk")
    house.finish()

    assert sorted(told) == sorted(["page", *EVERY])
    assert len(gone(house)) >= len(told) + len(EVERY) - 1
