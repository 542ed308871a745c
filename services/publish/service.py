"""publish as a service: which verb hears which event and does which job, with the tools of this process."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from services.publish import actions, kinds, redirects, upkeep
from services.publish.build import Builder
from services.publish.channels import store as channels
from services.publish.channels.announce import announce_later
from services.publish.channels.deliver import Deliverer
from services.publish.models import Subscription
from services.publish.pace import Pace
from services.publish.renderers import Renderer
from services.publish.settings import PublishSettings
from services.publish.site import LocalSite
from shared import clock
from shared.event_schemas import Heard
from shared.jobs import Claim, Kind
from shared.newsroom import load_newsroom
from shared.outgoing import Gate
from shared.service import Service

DELIVERY_LEASE_S = 60.0
TIDY_ROWS = 500


@dataclass(frozen=True)
class Publish:
    """The service with its tools, for the routes and the sweeper that need them as well."""

    service: Service
    builder: Builder


@functools.cache
def make_builder(settings: PublishSettings) -> Builder:
    """The builder of the settings' newsroom, theme and site, one for all in a process and in those that it forks.

    Raises NewsroomFileError or ThemeError.
    """
    newsroom = load_newsroom(settings.newsroom_file, settings.base_url, port=settings.port)
    return Builder(Renderer(newsroom, settings.theme_dirs), LocalSite(settings.site_folder))


def create_service(settings: PublishSettings) -> Publish:
    """publish with its tools; made once in each process."""
    builder = make_builder(settings)
    pace = Pace()
    deliverer = Deliverer(
        lambda subscription: webhook_secret(settings, subscription),
        lambda: Gate(settings.webhook_allow, timeout_s=settings.webhook_timeout_s).post,
    )

    def receive_articles(session: Session, heard: list[Heard]) -> None:
        actions.receive_articles(session, heard, builder=builder, pace=pace, now=clock.now())

    def receive_related(session: Session, heard: list[Heard]) -> None:
        actions.receive_related(session, heard, pace=pace, now=clock.now())

    def build_pages(claim: Claim) -> None:
        actions.build_pages(claim, builder=builder, pace=pace)

    def announce(claim: Claim) -> None:
        announce_later(claim, builder=builder)

    def rebuild_site(claim: Claim) -> None:
        upkeep.rebuild_site(claim, builder=builder)

    def export_redirects(claim: Claim) -> None:
        redirects.export(claim, builder=builder)

    def tidy(session: Session, until: datetime) -> int:
        upkeep.age_news(session, builder=builder, now=clock.now())
        return channels.remove_old_deliveries(session, until, TIDY_ROWS)

    service = Service(
        name="publish",
        listeners={
            "article.published.v1": receive_articles,
            "article.corrected.v1": receive_articles,
            "article.killed.v1": receive_articles,
            "article.retracted.v1": receive_articles,
            "article.expired.v1": receive_articles,
            "related.changed.v1": receive_related,
        },
        kinds=(
            Kind(kinds.BUILD_PAGE, build_pages, most=20),
            Kind(kinds.ANNOUNCE, announce, most=100),
            Kind(kinds.ATTEMPT_DELIVERY, deliverer.attempt_deliveries, most=100, lease_s=DELIVERY_LEASE_S),
            Kind(kinds.REBUILD_SITE, rebuild_site, most=1),
            Kind(kinds.EXPORT_REDIRECTS, export_redirects, most=1),
        ),
        tidy=tidy,
        status=_status,
    )
    return Publish(service, builder)


def webhook_secret(settings: PublishSettings, subscription: Subscription) -> bytes:
    """The secret with which a subscription's deliveries are signed: 32 bytes, derived, never stored."""
    return settings.derived_secret(f"webhook {subscription.id} {subscription.secret_version}")


def _status(session: Session) -> Mapping[str, float | int | str | None]:
    return {f"deliveries_{state}": count for state, count in channels.delivery_counts(session).items()}
