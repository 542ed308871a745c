"""The tables that publish owns."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, MetaData, String, Text, UniqueConstraint, text, true
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.db import NAMING, UtcDateTime
from shared.keys import keys_table
from shared.tables import protocol_tables


class Base(DeclarativeBase):
    """The tables of publish's database."""

    metadata = MetaData(naming_convention=NAMING)


protocol_tables(Base.metadata)
keys_table(Base.metadata)


class Article(Base):
    """What publish knows of an article: its newest public state. A withdrawn one stays, so that nothing late passes."""

    __tablename__ = "articles"
    __table_args__ = (
        Index("ix_articles_edition", "language", "status", "first_published_at"),
        Index("ix_articles_section", "language", "section", "status", "first_published_at"),
        Index("ix_articles_path", "path"),
        Index("ix_articles_translations", "translations"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    change: Mapped[int]
    status: Mapped[str] = mapped_column(String(10))
    language: Mapped[str] = mapped_column(String(35))
    section: Mapped[str] = mapped_column(String(80))
    path: Mapped[str] = mapped_column(String(600))
    first_published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # What other pages show of it (views.Teaser), so that they are built without reading its text.
    headline: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)
    bylines: Mapped[list[str]] = mapped_column(JSON)
    picture: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # the leading one, as views.TeaserPicture
    pictured: Mapped[bool]  # whether all renditions of its pictures are in place, so that pages may show them
    translations: Mapped[UUID | None]
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when that was heard, if it is live no more
    state: Mapped[dict[str, Any]] = mapped_column(JSON)  # events.PublicArticle in its wire form


class ListedArticle(Base):
    """That an article has a place in a list. position: from 0 for the first that came, None until it is numbered.

    at: the article's first publication, by which a list's first page is ordered.
    """

    __tablename__ = "listed_articles"
    __table_args__ = (
        Index("ix_listed_articles_position", "list_path", "position"),
        Index("ix_listed_articles_at", "list_path", "at"),
    )

    article_id: Mapped[UUID] = mapped_column(primary_key=True)
    list_path: Mapped[str] = mapped_column(String(600), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    position: Mapped[int | None]


class ListSize(Base):
    """How many places of a list have been given out: it never shrinks. name: of a tag or author as last shown."""

    __tablename__ = "list_sizes"

    path: Mapped[str] = mapped_column(String(600), primary_key=True)
    size: Mapped[int]
    name: Mapped[str] = mapped_column(String(400))


class PictureLook(Base):
    """A picture with one focal point, and whether all its renditions are in place. look: "<digest> <x> <y>"."""

    __tablename__ = "picture_looks"

    look: Mapped[str] = mapped_column(String(80), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), index=True)
    width: Mapped[int]
    height: Mapped[int]
    focus_x: Mapped[float]
    focus_y: Mapped[float]
    ready: Mapped[bool]


class PictureFiles(Base):
    """What the renditions of an original were when they were made. files: digests of their bytes by file name."""

    __tablename__ = "picture_files"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    files: Mapped[dict[str, str]] = mapped_column(JSON)


class PictureUse(Base):
    """That an article's page shows a picture so."""

    __tablename__ = "picture_uses"

    article_id: Mapped[UUID] = mapped_column(primary_key=True)
    look: Mapped[str] = mapped_column(String(80), primary_key=True, index=True)


class Redirect(Base):
    """That a path answers 301 with another address. article_id: whose former address it is; None for hand-made ones."""

    __tablename__ = "redirects"

    path: Mapped[str] = mapped_column(String(600), primary_key=True)
    target: Mapped[str] = mapped_column(String(2000))
    article_id: Mapped[UUID | None] = mapped_column(index=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RelatedSetRow(Base):
    """The newest related set heard for an article. entries: article ids, best first."""

    __tablename__ = "related_sets"

    article_id: Mapped[UUID] = mapped_column(primary_key=True)
    set_number: Mapped[int]
    entries: Mapped[list[str]] = mapped_column(JSON)


class Page(Base):
    """A file of the site, as it was last put in place. The row's lock is the right to write the file.

    build: grows with each build that wrote or withdrew it. digest: of the bytes, "" for none. change: of the article
    that the page is of, 0 for lists. gone: a tombstone stands here. beside: files that belong to the page and stand
    beside it ("feed.xml", "ninjs.json"), with their digests.
    """

    __tablename__ = "pages"

    path: Mapped[str] = mapped_column(String(600), primary_key=True)
    article_id: Mapped[UUID | None] = mapped_column(index=True)
    build: Mapped[int] = mapped_column(Integer)
    change: Mapped[int] = mapped_column(Integer)
    digest: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(Integer)
    gone: Mapped[bool] = mapped_column(Boolean)
    beside: Mapped[dict[str, str]] = mapped_column(JSON)
    built_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class PageUse(Base):
    """That a page shows an article, or would show it if it were live."""

    __tablename__ = "page_uses"

    path: Mapped[str] = mapped_column(String(600), primary_key=True)
    article_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)


class SiteFact(Base):
    """What the whole site was built with, by name: "version" is the renderer's."""

    __tablename__ = "site_facts"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(200))


class Subscription(Base):
    """Who wants to be told of what. Secrets are derived (settings.derived_secret), never stored.

    channel: webhook, web_push, email, websub, indexnow or apprise. url: where it is sent; a mail's address.
    filter: {"languages": [...], "sections": [...], "tags": [...], "urgency": 3, "events": [...]}; an absent key lets
    everything pass. status: pending (a reader has not yet confirmed it), active, paused or disabled, with why.
    contact: the owner's mail address. reader: a digest of a reader's own address, so that it is there once. keys: what
    the channel needs besides the address. asked, asked_at: how often a reader was asked to confirm, and when last.
    failing_since: nothing but failures since then. old_secret_until: the secret before this one is valid so long.
    told_from: of what was live before it hears no refile; None: since it was confirmed or made. stopped_at: when it was
    last paused or disabled.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        Index("ix_subscriptions_reader", "reader", unique=True),
        Index("ix_subscriptions_told", "status", "channel", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    url: Mapped[str] = mapped_column(String(2000))
    filter: Mapped[dict[str, Any]] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(String(10))
    why: Mapped[str] = mapped_column(String(400))
    secret_version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    contact: Mapped[str] = mapped_column(String(320), default="", server_default="")
    language: Mapped[str] = mapped_column(String(35), default="", server_default="")
    keys: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    reader: Mapped[str | None] = mapped_column(String(64))
    asked: Mapped[int] = mapped_column(default=0, server_default="0")
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    old_secret_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class Delivery(Base):
    """One event owed to one subscription. body is frozen when made; its id is the webhook-id of every attempt.

    article_id: the article, a digest's id for a digest, the delivery's own for a test. state: due, sending (begun, for
    what is sent at most once), delivered, failed, unknown (sent, and no answer came), superseded or discarded.
    announces: True on the one delivery that tells the article for the first time, else None, so that a second one
    cannot exist.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("subscription_id", "article_id", "change"),
        _partial("ix_deliveries_announces", "subscription_id", "article_id", where="announces", unique=True),
        Index("ix_deliveries_article_id_state", "article_id", "state"),
        Index("ix_deliveries_of_subscription", "subscription_id", "id"),
        _partial("ix_deliveries_old", "ended_at", where="announces IS NULL AND ended_at IS NOT NULL"),
        _partial(
            "ix_deliveries_unemptied",
            "ended_at",
            where="announces IS NOT NULL AND ended_at IS NOT NULL AND body <> ''",
        ),
        _partial("ix_deliveries_owed", "channel", "subscription_id", "id", where="state IN ('due', 'sending')"),
        _partial("ix_deliveries_failed", "channel", "id", where="state IN ('failed', 'unknown')"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subscription_id: Mapped[UUID] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"))
    article_id: Mapped[UUID]
    change: Mapped[int]
    type: Mapped[str] = mapped_column(String(60))
    announces: Mapped[bool | None] = mapped_column(Boolean)
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    tries: Mapped[int]
    put_back: Mapped[int]  # how often it was taken up and put back without a request
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    channel: Mapped[str] = mapped_column(String(20), default="webhook", server_default="webhook")


class Attempt(Base):
    """One try at a delivery. status: HTTP's or SMTP's, None when no answer came (or has not yet come).

    answer: its first bytes, or what went wrong. sent: without an answer, whether it may have arrived.
    """

    __tablename__ = "attempts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    took_ms: Mapped[int]
    status: Mapped[int | None]
    answer: Mapped[str] = mapped_column(String(500))
    sent: Mapped[bool] = mapped_column(default=True, server_default=true())


class Digest(Base):
    """The daily mail of an edition, as it was made. day: the newsroom's. entries: what it tells, in order."""

    __tablename__ = "digests"
    __table_args__ = (UniqueConstraint("language", "day"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(String(35))
    day: Mapped[date]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    entries: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class Preview(Base):
    """What a secret link shows. digest: of the link's last part; article: PublicArticle as JSON, None once revoked."""

    __tablename__ = "previews"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    number: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    article: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    __table_args__ = (Index("ix_previews_digest", "digest", unique=True),)


class Flash(Base):
    """That an article of the highest urgency was announced: a probe looks whether somebody has heard of it."""

    __tablename__ = "flashes"

    article_id: Mapped[UUID] = mapped_column(primary_key=True)
    change: Mapped[int]
    announced_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
