"""The tables that publish owns."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, MetaData, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.db import NAMING, UtcDateTime
from shared.tables import protocol_tables


class Base(DeclarativeBase):
    """The tables of publish's database."""

    metadata = MetaData(naming_convention=NAMING)


protocol_tables(Base.metadata)


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
    """Who asked to be told, how, and of what. secret_version: the secret is derived from it, never stored.

    filter: {"languages": [...], "sections": [...], "events": [...]}; an absent key lets everything pass.
    """

    __tablename__ = "subscriptions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    url: Mapped[str] = mapped_column(String(2000))
    filter: Mapped[dict[str, list[str]]] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(String(10), index=True)  # active, disabled
    why: Mapped[str] = mapped_column(String(400))
    secret_version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Delivery(Base):
    """One event owed to one subscription. body is frozen when made; its id is the webhook-id of every attempt.

    state: due, delivered, failed or superseded. announces: True on the one delivery that tells the article for the
    first time, else None, so that a second one cannot exist.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("subscription_id", "article_id", "change"),
        Index(
            "ix_deliveries_announces",
            "subscription_id",
            "article_id",
            unique=True,
            sqlite_where=text("announces"),
            postgresql_where=text("announces"),
        ),
        Index("ix_deliveries_article_id_state", "article_id", "state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subscription_id: Mapped[UUID] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"), index=True)
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
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


class Attempt(Base):
    """One try at a delivery. status: HTTP's, None when no answer came; answer: its first bytes, or what went wrong."""

    __tablename__ = "attempts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    took_ms: Mapped[int]
    status: Mapped[int | None]
    answer: Mapped[str] = mapped_column(String(500))
