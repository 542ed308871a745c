"""The tables that ingest owns."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, MetaData, String, Text, Uuid, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.db import NAMING, UtcDateTime
from shared.keys import keys_table
from shared.tables import protocol_tables


class Base(DeclarativeBase):
    """ingest's tables and those of the protocol."""

    metadata = MetaData(naming_convention=NAMING)


protocol_tables(Base.metadata)
keys_table(Base.metadata)


class Article(Base):
    """The thing with one id for life: its state, and what lists show of it. Its texts are revisions.

    change grows with every accepted change; revision is the newest text's number. path is the page's address, given
    with the slug; old_paths: those it had before, which redirect. published_at: what an import said;
    first_published_at: set when it goes live, then never moved. live_at: when a reader could first see it. live_since:
    when it last went live here, whatever date it bears. embargo: while it waits for it. translations: shared by
    articles that are one text in several languages. custom: the newsroom's own JSON object.
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
    live_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    kill_reason: Mapped[str | None] = mapped_column(Text)
    embargo: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires: Mapped[datetime | None] = mapped_column(UtcDateTime)
    evergreen: Mapped[bool]
    canonical_url: Mapped[str | None] = mapped_column(Text)
    translations: Mapped[UUID | None] = mapped_column(Uuid)
    custom: Mapped[dict[str, Any]] = mapped_column(JSON)
    old_paths: Mapped[list[str]] = mapped_column(JSON)
    retraction_note: Mapped[str | None] = mapped_column(Text)
    retracted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    # Identifiers grow with time: lists are read newest first along the key, or along one of these.
    __table_args__ = (
        Index("ix_articles_path", "path", unique=True),
        Index("ix_articles_status_id", "status", "id"),
        Index("ix_articles_section_id", "section", "id"),
        Index("ix_articles_language_id", "language", "id"),
        Index("ix_articles_section_status", "section", "status", "language", "id"),
        Index("ix_articles_section_language", "section", "language", "id"),
        Index("ix_articles_language_status", "language", "status", "id"),
        Index("ix_articles_first_published_at_id", "first_published_at", "id"),
    )


class Revision(Base):
    """One unchanging text of an article. body_text is None where it is the same as body_html.

    tags: a list of texts. bylines: a list of {"name", "url"}. images: a list of what events.Picture holds, as JSON.
    note: of a correction, what readers are told.
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
    images: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    source: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by: Mapped[str] = mapped_column(String(80))


class FormerPath(Base):
    """An address that an article had, or had elsewhere: it redirects, and no other article gets it."""

    __tablename__ = "former_paths"

    path: Mapped[str] = mapped_column(String(600), primary_key=True)
    article_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("articles.id"), index=True)


class Origin(Base):
    """An id that an article has elsewhere: in an archive that was brought in, or at an agency.

    version_at: when the agency made the version that the article holds, if it says so.
    """

    __tablename__ = "origins"

    origin: Mapped[str] = mapped_column(String(300), primary_key=True)
    article_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    version_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ArticleWords(Base):
    """The words by which an article is found, folded (see domain/words.py); number: in the order of acceptance.

    SQLite looks them up in article_words_fts, an FTS5 index over this table; PostgreSQL in an index over them.
    """

    __tablename__ = "article_words"

    number: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    article_id: Mapped[UUID] = mapped_column(Uuid)
    words: Mapped[str] = mapped_column(Text)
    due: Mapped[bool]
    indexed_words: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index("ix_article_words_article_id", "article_id", unique=True),
        Index("ix_article_words_due", "number", sqlite_where=text("due"), postgresql_where=text("due")),
    )


class Preview(Base):
    """A secret link that shows an article as it was at a change. digest: SHA-256 of the link's last part."""

    __tablename__ = "previews"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    article_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    digest: Mapped[str] = mapped_column(String(64))
    change: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by: Mapped[str] = mapped_column(String(80))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Media(Base):
    """A picture as it was uploaded; the file stands in the media store under its digest (see shared/media.py).

    width, height: in pixels, upright. alt: what it shows; "" for one that only decorates. credit, caption, copyright:
    given, or found in its IPTC data. words: what a search looks through, folded.
    """

    __tablename__ = "media"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str] = mapped_column(String(60))
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]
    name: Mapped[str] = mapped_column(String(255))
    alt: Mapped[str] = mapped_column(Text)
    decorative: Mapped[bool]
    caption: Mapped[str] = mapped_column(Text)
    credit: Mapped[str] = mapped_column(Text)
    copyright: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    uploaded_by: Mapped[str] = mapped_column(String(80))

    __table_args__ = (Index("ix_media_digest", "digest", unique=True),)


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
