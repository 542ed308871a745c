"""Events and messages that no healthy system should meet: put into ingest's outbox, or pushed into Redis's queues."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import redis
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from shared import clock, outbox, routing
from shared.celery_app import KEY_PREFIX, create_celery
from shared.db import Database
from shared.events import ArticlePublished, PublicArticle
from shared.ids import new_id
from shared.tables import outbox as outbox_table
from tests.faults.systems import System

# Older than every article of a run, so that no list of the newest shows it.
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
GARBAGE = (b"\xff\xfe no text at all", b"[1, 2, 3]", b"", b'{"no": "envelope"}', b"null", b'"a text"')
BAD_RECEIPTS = (b"\xff", b"[]", b"5", b'["publish", [5]]', b'["publish", ["no id"]]', b'[["publish"], {"a": 1}]')


@dataclass(frozen=True)
class Poison:
    """An event that cannot be done. listener: who hears it; reference: the dead letter's; path: its article's."""

    why: str
    listener: str
    reference: str
    path: str


def plant(system: System, listener: str, part: str, *, killers: bool) -> list[Poison]:
    """Say, to one service alone, an event that always fails, one that nobody can read and, if asked, one that kills.

    part: whose processes the last of them is to kill, each time that they hear it.
    """
    settings = system.settings_of("ingest")
    db = Database(settings.database_url, "ingest")
    planted: list[Poison] = []
    try:
        with db.unit_of_work() as session:
            if listener == "publish":
                # It fits the schema, and leads out of the site's folder: no page can be written there.
                planted.append(_say(session, "always fails", listener, "/societe/../dehors"))
            bad = _say(session, "cannot be read", listener, f"/societe/illisible-{new_id()}")
            session.execute(
                update(outbox_table)
                .where(outbox_table.c.event_id == UUID(bad.reference))
                .values(envelope=json.dumps(_unreadable(bad)))
            )
            planted.append(bad)
            if killers:
                killer = _say(session, "kills its worker", listener, f"/societe/mortel-{new_id()}")
                (system.failpoints_at(part) / f"event.{killer.reference}").touch()
                planted.append(killer)
    finally:
        db.close()
    for one in planted:
        system.diary.note("poison", f"{one.listener} hears an event that {one.why}")
    return planted


def _say(session: Session, why: str, listener: str, path: str) -> Poison:
    article = PublicArticle(
        id=new_id(),
        change=1,
        revision=1,
        status="live",
        language="fr",
        section="societe",
        slug=path.rpartition("/")[2],
        path=path,
        headline=f"Un événement qui {why}",
        standfirst="",
        body_html="<p>Poison.</p>",
        first_published_at=LONG_AGO,
        updated_at=LONG_AGO,
        notify=False,
    )
    event_id = outbox.say(session, ArticlePublished(article=article))
    mine = outbox_table.c.event_id == event_id
    session.execute(delete(outbox_table).where(mine, outbox_table.c.listener != listener))
    session.execute(update(outbox_table).where(mine).values(send_at=clock.now()))
    return Poison(why, listener, str(event_id), path)


def _unreadable(poison: Poison) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": poison.reference,
        "source": "/ingest",
        "type": "article.published.v1",
        "data": {"article": {"id": "none", "change": -1}},
    }


def push_garbage(system: System, queue: str) -> None:
    """Put into a queue what is no message, and into the receipts of ingest what is no receipt."""
    server = system.redis()
    server.lpush(f"{KEY_PREFIX}{queue}", *GARBAGE)
    server.rpush(f"{KEY_PREFIX}receipts:ingest", *BAD_RECEIPTS)
    server.close()
    system.diary.note("garbage in a queue", queue)


def send_unknown_tasks(system: System) -> None:
    """Send tasks that nobody knows, and known ones with arguments that nobody sends."""
    app = create_celery("faults", system.settings_of("publish").redis_url, include=[], producer=True)
    queue = routing.queue("publish", "normal")
    try:
        for name, arguments in (
            ("publish.no_such_task", {}),
            ("publish.run_jobs", {"lane": "no such lane"}),
            ("publish.run_jobs", {"unknown": 1}),
            ("publish.on_article_published", {"events": [], "lane": "normal", "again": False}),
        ):
            app.send_task(name, kwargs=arguments, queue=queue, retry=False)
            system.diary.note("unknown task", name)
    except redis.RedisError as error:
        raise AssertionError(f"Redis did not take an unknown task: {error}") from error
    finally:
        app.close()
