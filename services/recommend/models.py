"""The tables that recommend owns."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, MetaData, String, Text, Uuid, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.db import NAMING, UtcDateTime
from shared.keys import keys_table
from shared.tables import protocol_tables


class Base(DeclarativeBase):
    """recommend's tables and those of the protocol."""

    metadata = MetaData(naming_convention=NAMING)


protocol_tables(Base.metadata)
keys_table(Base.metadata)


class Article(Base):
    """What recommend knows of an article. A withdrawn one stays, empty, so that nothing late passes.

    position: the turn of the index in which this change was put into it or taken out; 0: that is still to be done.
    reading: index.Reading, packed, so that a start reads no text. words: its heaviest terms, heaviest first, each with
    the form in which readers see it.
    """

    __tablename__ = "articles"
    __table_args__ = (
        Index("ix_articles_position", "position"),
        Index("ix_articles_waiting", "id", sqlite_where=text("position = 0"), postgresql_where=text("position = 0")),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    change: Mapped[int]
    status: Mapped[str] = mapped_column(String(10))
    language: Mapped[str] = mapped_column(String(35))
    section: Mapped[str] = mapped_column(String(80))
    headline: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    position: Mapped[int] = mapped_column(BigInteger)
    reading: Mapped[bytes] = mapped_column(LargeBinary)
    words: Mapped[dict[str, str]] = mapped_column(JSON)
    evergreen: Mapped[bool]


class Hand(Base):
    """What editors have decided for one article, be it live or not yet.

    pins: ids as text that open its set, in order; bans: ids that are never in it. never_offered: no set shows it;
    never_gets_any: its own set stays empty.
    """

    __tablename__ = "hands"

    article_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    pins: Mapped[list[str]] = mapped_column(JSON)
    bans: Mapped[list[str]] = mapped_column(JSON)
    never_offered: Mapped[bool]
    never_gets_any: Mapped[bool]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(String(200))


class SectionRule(Base):
    """How many days apart from another article one of this section is still offered under it."""

    __tablename__ = "section_rules"

    section: Mapped[str] = mapped_column(String(80), primary_key=True)
    age_limit_days: Mapped[float]


class RelatedSet(Base):
    """The present related set of a live article, best first.

    entries: [article id, score, why]; why: true for near in text, false for the section's latest, or "pinned".
    """

    __tablename__ = "related_sets"

    article_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    set_number: Mapped[int] = mapped_column(BigInteger)
    entries: Mapped[list[list[Any]]] = mapped_column(JSON)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SearchText(Base):
    """A live article as readers find it; its words are in the full text, under the same number.

    number: grows with the time of publication. text: standfirst and body, plain, zlib.
    """

    __tablename__ = "search_texts"
    __table_args__ = (Index("ix_search_texts_article_id", "article_id", unique=True),)

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    article_id: Mapped[UUID] = mapped_column(Uuid)
    language: Mapped[str] = mapped_column(String(35))
    section: Mapped[str] = mapped_column(String(80))
    path: Mapped[str] = mapped_column(Text)
    headline: Mapped[str] = mapped_column(Text)
    text: Mapped[bytes] = mapped_column(LargeBinary)
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)


class IndexState(Base):
    """One row: who keeps the index, until when unless renewed, and how far it is.

    born: tells this database from any other. serial: turns taken; set_number: the last one given; weights: how often
    they were refreshed; counted, refreshed_at: from how many articles, and when. placed_at: when an article was last
    placed; changed_at: when a set last changed.
    """

    __tablename__ = "index_state"

    # What a turn may change.
    CHANGING = (
        *("holder", "held_until", "serial", "set_number", "weights", "counted", "refreshed_at"),
        *("placed_at", "changed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    born: Mapped[str] = mapped_column(String(32))
    holder: Mapped[str] = mapped_column(String(100))
    held_until: Mapped[datetime] = mapped_column(UtcDateTime)
    serial: Mapped[int] = mapped_column(BigInteger)
    set_number: Mapped[int] = mapped_column(BigInteger)
    weights: Mapped[int] = mapped_column(BigInteger)
    counted: Mapped[int] = mapped_column(BigInteger)
    refreshed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    placed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
