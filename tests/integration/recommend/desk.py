"""recommend in the tests' own process, without a worker."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from services.recommend import store
from services.recommend.models import RelatedSet
from services.recommend.service import create_service
from services.recommend.settings import RecommendSettings
from shared import clock
from shared.event_schemas import encode
from shared.events import ArticlePublished, Event, PublicArticle
from shared.ids import new_id
from shared.service import Node
from shared.tables import jobs as jobs_table
from shared.tables import outbox as outbox_table


class Desk:
    """recommend in one process without a worker: events are heard and due jobs done when the test says so."""

    def __init__(self, settings: RecommendSettings) -> None:
        self.settings = settings
        self.node = self.start()

    def start(self) -> Node:
        return Node(create_service(self.settings), self.settings, here=("urgent", "normal", "bulk"))

    def restart(self) -> None:
        """As after a kill -9, once the lease of the dead process has run out."""
        self.node.close()
        self.node = self.start()
        self.forget_lease()

    def forget_lease(self) -> None:
        with self.node.unit_of_work() as session:
            store.change_state(session, held_until=clock.now() - timedelta(seconds=1))

    def hear(self, *events: Event, lane: str = "normal") -> None:
        envelopes = [encode(one, event_id=new_id(), source="ingest", said_at=clock.now(), trace="") for one in events]
        self.node.hear(envelopes, lane, again=False)

    def finish(self) -> None:
        """Do every job that waits, however long it was to wait."""
        for _ in range(200):
            with self.node.unit_of_work() as session:
                waiting = jobs_table.c.state == "ready"
                if not session.scalars(select(jobs_table.c.id).where(waiting)).all():
                    return
                session.execute(update(jobs_table).where(waiting).values(run_at=clock.now()))
            for lane in ("urgent", "normal", "bulk"):
                self.node.run_jobs(lane)
        with self.node.reading() as session:
            left = session.execute(select(jobs_table.c.kind, jobs_table.c.error).where(waiting)).all()
        raise AssertionError(f"jobs without end: {left}")

    def sets(self) -> dict[UUID, list[list[Any]]]:
        with self.node.reading() as session:
            return {row.article_id: row.entries for row in session.execute(select(RelatedSet.__table__))}

    def shown(self, article: PublicArticle) -> list[UUID]:
        return [UUID(entry[0]) for entry in self.sets()[article.id]]

    def said(self, kind: str, since: int = 0) -> list[dict[str, Any]]:
        wanted = (outbox_table.c.type == kind) & (outbox_table.c.seq > since)
        with self.node.reading() as session:
            rows = session.execute(select(outbox_table).where(wanted).order_by(outbox_table.c.seq)).all()
        return [json.loads(row.envelope)["data"] | {"lane": row.lane} for row in rows]

    def last_said(self) -> int:
        with self.node.reading() as session:
            return max(session.scalars(select(outbox_table.c.seq)).all(), default=0)


def live(article: PublicArticle) -> ArticlePublished:
    return ArticlePublished(article=article)
