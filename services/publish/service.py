"""publish as a service: which verb hears which event and does which job, with the tools of this process."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from services.publish import actions, kills, kinds, purging, rebuilding, redirects, renditions, squeezing, upkeep
from services.publish.build import Builder
from services.publish.channels import deliveries, digests, readers, store, subscriptions, surfaces
from services.publish.channels.announce import announce_later, fan_out, waiting
from services.publish.channels.deliver import LEASE_S, Deliverer
from services.publish.channels.letters import Letters
from services.publish.channels.loop import Loop
from services.publish.channels.owners import Owners
from services.publish.channels.probe import flashes_unheard
from services.publish.channels.public import PublicAddress
from services.publish.channels.secrets import indexnow_key, signing_secrets, token, vapid_key, web_push
from services.publish.passes import Passes
from services.publish.previews import forget_ended, receive_previews
from services.publish.purging import Purger
from services.publish.renderers import Renderer
from services.publish.settings import PublishSettings
from services.publish.site import Site
from services.publish.site.local import LocalSite
from services.publish.site.s3 import S3Site
from services.publish.themes import Themes
from services.publish.transports import Transport
from services.publish.transports.apprise import Apprise
from services.publish.transports.email import Email, Relay
from services.publish.transports.indexnow import IndexNow
from services.publish.transports.webhook import Webhooks
from services.publish.transports.websub import WebSub
from shared import clock
from shared.event_schemas import Heard
from shared.jobs import Claim, Kind
from shared.keys import receive_keys
from shared.newsroom import load_newsroom
from shared.outgoing import ANYWHERE, Network
from shared.service import Node, Service

TIDY_ROWS = 500


@dataclass(frozen=True)
class Publish:
    """The service with its tools, for the routes and the sweeper that need them as well."""

    service: Service
    builder: Builder
    deliverer: Deliverer


@functools.cache
def make_builder(settings: PublishSettings) -> Builder:
    """The builder of the settings' newsroom, theme and site, one for all in a process and in those that it forks.

    Raises NewsroomFileError, or ThemeError when not even the built-in theme can be used.
    """
    newsroom = load_newsroom(settings.newsroom_file, settings.base_url, port=settings.port)

    def make_renderer(theme_dirs: Sequence[Path]) -> Renderer:
        return Renderer(
            newsroom,
            theme_dirs,
            forms=("avif", "webp", "jpg") if settings.avif else ("webp", "jpg"),
            hubs=settings.websub_hubs,
            letters=settings.smtp is not None,
        )

    themes = Themes(make_renderer, settings.theme_dir, settings.site_folder / "theme-kept")
    site: Site = S3Site(settings.site_bucket) if settings.site_bucket else LocalSite(settings.site_folder)
    return Builder(themes, site, purges=settings.purge is not None)


def create_service(settings: PublishSettings) -> Publish:
    """publish with its tools; made once in each process."""
    builder = make_builder(settings)
    passes = Passes()
    loop = Loop()
    gates: list[Any] = []

    def make_gate(allow: tuple[Network, ...]) -> Any:
        # Its client costs 15 MB: only the processes that send load it, when they first do.
        module = importlib.import_module("shared.outgoing.gate")
        gates.append(module.Gate(allow, timeout_s=settings.webhook_timeout_s))
        return gates[-1]

    deliverer = Deliverer(
        loop,
        lambda row: _secrets_of(settings, row),
        lambda: _make_transports(settings, builder, make_gate(settings.webhook_allow)),
        lambda session, row: surfaces.not_in_place(session, builder.site, builder.newsroom, row),
    )
    public = None
    if settings.public_check:
        # The operator's own address, wherever it is.
        public = PublicAddress(loop, lambda: make_gate(ANYWHERE).get)

    purger = None
    if settings.purge is not None:
        # The operator's own too.
        purger = Purger(settings.purge, builder, loop, lambda: make_gate(ANYWHERE))

    def purge(claim: Claim) -> None:
        if purger is None:
            with claim.finish():
                return  # asked for by a process that still had another setting
        else:
            purger.run(claim)

    def squeeze_pages(claim: Claim) -> None:
        squeezing.squeeze_pages(claim, builder=builder)

    def receive_articles(session: Session, heard: list[Heard]) -> None:
        actions.receive_articles(
            session, heard, builder=builder, passes=passes, now=clock.now(), look_first=public is not None
        )

    def receive_related(session: Session, heard: list[Heard]) -> None:
        actions.receive_related(session, heard, builder=builder, passes=passes, now=clock.now())

    def build_pages(claim: Claim) -> None:
        actions.build_pages(claim, builder=builder, passes=passes)

    def announce(claim: Claim) -> None:
        announce_later(claim, builder=builder, look_at=public.look_at if public is not None else None)

    def fan_out_news(claim: Claim) -> None:
        fan_out(claim, builder=builder)

    def resume_deliveries(claim: Claim) -> None:
        subscriptions.resume_deliveries(claim, newsroom=builder.newsroom)

    def rebuild_site(claim: Claim) -> None:
        rebuilding.rebuild_site(claim, builder=builder)

    def make_renditions(claim: Claim) -> None:
        def ask(session: Session, ids: Iterable[UUID]) -> None:
            actions.show_pictures(session, ids, builder=builder, passes=passes, now=clock.now())

        renditions.make_renditions(claim, builder=builder, media=settings.media_store, ask=ask)

    def prove_gone(claim: Claim) -> None:
        kills.prove_gone(claim, builder=builder)

    def export_redirects(claim: Claim) -> None:
        redirects.export(claim, builder=builder)

    def tidy(session: Session, until: datetime) -> int:
        now = clock.now()
        upkeep.age_news(session, builder=builder, now=now)
        if settings.site_bucket is None:
            squeezing.ask(session, now=now)
        ended = forget_ended(session, now, TIDY_ROWS) + readers.forget_unconfirmed(session, now, TIDY_ROWS)
        return store.remove_old(session, until, TIDY_ROWS) + ended

    def try_theme(claim: Claim) -> None:
        upkeep.try_theme(claim, builder=builder)

    def watch(node: Node) -> None:
        if builder.take_theme():
            with node.unit_of_work() as session:
                upkeep.take_theme(session, builder=builder, now=clock.now())

    def status(session: Session) -> Mapping[str, float | int | str | None]:
        builder.take_theme()
        theme = {"theme_broken": int(bool(builder.themes.fault))}
        return {
            **_status(session),
            **rebuilding.progress(session),
            **theme,
            **({"theme": builder.themes.fault} if builder.themes.fault else {}),
        }

    letters = _make_letters(settings, builder)
    owners = Owners(letters, Relay(settings.smtp) if settings.smtp is not None else None)

    def make_digests(claim: Claim) -> None:
        digests.make_digests(claim, newsroom=builder.newsroom, hour=settings.digest_hour)

    def close() -> None:
        deliverer.close()
        for gate in gates:
            loop.run(gate.close()).result(2)
        loop.stop()

    service = Service(
        name="publish",
        knows_keys=True,
        bulk_events=5,
        listeners={
            "article.published.v1": receive_articles,
            "article.corrected.v1": receive_articles,
            "article.killed.v1": receive_articles,
            "article.retracted.v1": receive_articles,
            "article.expired.v1": receive_articles,
            "related.changed.v1": receive_related,
            "article.previewed.v1": receive_previews,
            "key.changed.v1": receive_keys,
        },
        kinds=(
            Kind(kinds.BUILD_PAGE, build_pages, most=20),
            Kind(kinds.ANNOUNCE, announce, most=100, lease_s=90.0 if settings.public_check else 15.0),
            Kind(kinds.FAN_OUT, fan_out_news, most=1),
            Kind(kinds.ATTEMPT_DELIVERY, deliverer.attempt_deliveries, most=100, lease_s=LEASE_S),
            Kind(kinds.RESUME_SUBSCRIPTION, resume_deliveries, most=1),
            Kind(kinds.REMOVE_SUBSCRIPTION, subscriptions.remove_subscriptions, most=1),
            Kind(kinds.RETRY_DELIVERIES, deliveries.retry_many, most=1),
            Kind(kinds.TELL_OWNER, owners.tell, most=1, lease_s=90.0),
            Kind(kinds.MAKE_DIGEST, make_digests, most=1),
            Kind(kinds.SEND_DIGEST, digests.send_digests, most=1),
            Kind(kinds.REBUILD_SITE, rebuild_site, most=1),
            Kind(kinds.TAKE_THEME, try_theme, most=1),
            Kind(kinds.SQUEEZE_PAGES, squeeze_pages, most=1),
            Kind(kinds.PURGE, purge, most=purging.AT_ONCE, lease_s=90.0),
            Kind(kinds.PROVE_GONE, prove_gone, most=5),
            Kind(kinds.EXPORT_REDIRECTS, export_redirects, most=1),
            Kind(kinds.MAKE_RENDITIONS, make_renditions, most=1),
        ),
        tidy=tidy,
        watch=watch,
        status=status,
        close=close,
    )
    return Publish(service, builder, deliverer)


def _secrets_of(settings: PublishSettings, row: Row[Any]) -> tuple[bytes, ...]:
    return signing_secrets(settings, row.subscription_id, row.secret_version, row.old_secret_until, clock.now())


def _make_transports(settings: PublishSettings, builder: Builder, gate: Any) -> Mapping[str, Callable[[], Transport]]:
    newsroom = builder.newsroom

    def urls_of_existing(paths: Sequence[str]) -> list[str]:
        return [newsroom.url(path) for path in surfaces.existing(builder.site, paths)]

    made: dict[str, Callable[[], Transport]] = {
        "webhook": lambda: Webhooks(gate.post),
        "web_push": lambda: web_push().WebPush(gate.post, vapid_key(settings), _contact(builder)),
        "websub": lambda: WebSub(gate.post, urls_of_existing),
        "indexnow": lambda: IndexNow(gate.post, newsroom.base_url, indexnow_key(settings)),
        "apprise": lambda: Apprise(settings.webhook_allow),
    }
    letters = _make_letters(settings, builder)
    if (smtp := settings.smtp) is not None and letters is not None:
        made["email"] = lambda: Email(smtp, letters.sender, lambda letter: letters.write(letter, clock.now()))
    return made


def _make_letters(settings: PublishSettings, builder: Builder) -> Letters | None:
    sender = builder.newsroom.newsletter_sender
    if settings.smtp is None or sender is None:
        return None
    return Letters(builder.renderer, sender, lambda purpose, one: token(settings, purpose, one))


def _contact(builder: Builder) -> str:
    """Whom a push service may ask about what we send (RFC 8292 section 2.1)."""
    sender = builder.newsroom.newsletter_sender
    return f"mailto:{parseaddr(sender)[1]}" if sender else builder.newsroom.base_url


def _status(session: Session) -> Mapping[str, float | int | str | None]:
    counted = store.counts(session)
    numbers: dict[str, float | int | str | None] = {}
    for (channel, state), count in sorted(counted.items()):
        numbers[f'deliveries{{channel="{channel}",state="{state}"}}'] = count
    for state in ("due", "failed"):
        numbers[f"deliveries_{state}"] = sum(count for (_, one), count in counted.items() if one == state)
    numbers["announcements_waiting"] = waiting(session)
    for channel, count in sorted(flashes_unheard(session, clock.now()).items()):
        numbers[f'flashes_unheard{{channel="{channel}"}}'] = count
    return numbers
