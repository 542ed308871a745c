"""The tables that ingest owns."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, MetaData, String, Text, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.db import NAMING, UtcDateTime
from shared.tables import protocol_tables


class Base(DeclarativeBase):
    """ingest's tables and those of the protocol."""

    metadata = MetaData(naming_convention=NAMING)


protocol_tables(Base.metadata)


class Article(Base):
    """The thing with one id for life: its state, and what lists show of it. Its texts are revisions.

    change grows with every accepted change; revision is the newest text's number. path is the page's address, given
    once with the slug. published_at: what an import said; first_published_at: set when it goes live, then never moved.
    live_at: when a reader could first see it.
    """

    __tablename__ = "articles"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    change: Mapped[int]
    revision: Mapped[int]
    status: Mapped[str] = mapped_column(String(12))
    language: Mapped[str] = mapped_column(String(35))
    section: Mapped[str] = mapped_column(String(60))
    slug: Mapped[str] = mapped_column(String(80))
    path: Mapped[str] = mapped_column(String(600))
    headline: Mapped[str] = mapped_column(Text)
    urgency: Mapped[int]
    notify: Mapped[bool]
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(String(80))
    first_published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    live_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    kill_reason: Mapped[str | None] = mapped_column(Text)

    # Identifiers grow with time: lists are read newest first along the key, or along one of these.
    __table_args__ = (
        Index("ix_articles_path", "path", unique=True),
        Index("ix_articles_status_id", "status", "id"),
        Index("ix_articles_section_id", "section", "id"),
        Index("ix_articles_language_id", "language", "id"),
    )


class Revision(Base):
    """One unchanging text of an article. body_text is None where it is the same as body_html.

    tags: a list of texts. bylines: a list of {"name", "url"}. note: of a correction, what readers are told.
    """

    __tablename__ = "revisions"

    article_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("articles.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    headline: Mapped[str] = mapped_column(Text)
    standfirst: Mapped[str] = mapped_column(Text)
    body_format: Mapped[str] = mapped_column(String(10))
    body_text: Mapped[str | None] = mapped_column(Text)
    body_html: Mapped[str] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(JSON)
    bylines: Mapped[list[dict[str, str | None]]] = mapped_column(JSON)
    note: Mapped[str | None] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by: Mapped[str] = mapped_column(String(80))


class TimelineStep(Base):
    """One step of an article's journey: our own, or told by another service as an article.progress fact.

    mark: tells steps of the same instant apart, and is the same for the same fact, so that one told twice is one row.
    """

    __tablename__ = "timeline"

    article_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    mark: Mapped[str] = mapped_column(String(16), primary_key=True)
    change: Mapped[int]
    step: Mapped[str] = mapped_column(String(60))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class FirstAnswer(Base):
    """The answer to the first request with an Idempotency-Key, for those that repeat it. status 0: being made."""

    __tablename__ = "first_answers"

    owner: Mapped[str] = mapped_column(String(80), primary_key=True)
    path: Mapped[str] = mapped_column(String(300), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    headers: Mapped[dict[str, str]] = mapped_column(JSON)
    body: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
