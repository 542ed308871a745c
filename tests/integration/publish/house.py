"""publish in one process, for tests that say themselves when something is heard, built or delivered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from services.publish import upkeep
from services.publish.channels import subscriptions
from services.publish.models import Attempt, Delivery, Page
from services.publish.service import Publish
from services.publish.settings import PublishSettings
from services.publish.site.local import LocalSite
from shared import clock
from shared.event_schemas import encode
from shared.events import Event
from shared.ids import new_id
from shared.service import Node
from shared.tables import jobs as jobs_table
from tests.factories import published


class House:
    """publish in one process without a worker: events are heard and due jobs done when the test says so."""

    def __init__(self, publish: Publish, settings: PublishSettings) -> None:
        self.publish = publish
        self.node = Node(publish.service, settings, here=("urgent", "normal"))
        publish.builder.install()  # as each start does
        self.site: LocalSite = publish.builder.site

    def hear(self, *events: Event, lane: str = "normal") -> None:
        for event in events:
            envelope = encode(event, event_id=new_id(), source="ingest", said_at=clock.now(), trace="")
            self.node.hear([envelope], lane, again=False)

    def finish(self) -> None:
        """Do everything that is waiting, however long it was to wait, but deliveries."""
        while True:
            with self.node.unit_of_work() as session:
                waiting = (jobs_table.c.state == "ready") & jobs_table.c.lane.not_in(("deliver", "retry"))
                if not session.scalars(select(jobs_table.c.id).where(waiting)).all():
                    return
                session.execute(update(jobs_table).where(waiting).values(run_at=clock.now()))
            for lane in ("urgent", "normal", "bulk"):
                self.node.run_jobs(lane)

    def page(self, path: str) -> str:
        content = self.site.read(path)
        return content.decode() if content is not None else ""

    def builds(self) -> dict[str, int]:
        with self.node.reading() as session:
            return {row.path: row.build for row in session.execute(select(Page.path, Page.build))}

    def differences(self) -> list[dict[str, Any]]:
        with self.node.reading() as session:
            return upkeep.verify(session, builder=self.publish.builder)


def subscribe(house: House, **wanted: Any) -> Any:
    with house.node.unit_of_work() as session:
        values = {"channel": "webhook", "url": "http://127.0.0.1:9/hook", "filter": {}, **wanted}
        return subscriptions.subscribe(
            session,
            allow=house.node.settings.webhook_allow,
            newsroom=house.publish.builder.newsroom,
            now=clock.now(),
            **values,
        ).id


def publish_one(house: House, **values: Any) -> None:
    house.hear(published(**values))
    house.finish()


def deliver(house: House) -> None:
    """Make the attempts that are due now, and wait until what came of them is on record."""
    for lane in ("deliver", "retry"):
        house.node.run_jobs(lane)
    assert house.publish.deliverer.drain(20)


def let_time_pass(house: House) -> None:
    """Let every pause before a next attempt be over."""
    with house.node.unit_of_work() as session:
        session.execute(update(jobs_table).where(jobs_table.c.state == "ready").values(run_at=clock.now()))


def states(house: House) -> list[str]:
    with house.node.reading() as session:
        return list(session.scalars(select(Delivery.state).order_by(Delivery.id)))


def statuses(house: House) -> list[int | None]:
    with house.node.reading() as session:
        return list(session.scalars(select(Attempt.status).order_by(Attempt.id)))
