"""What of articles can be searched, in the database: a row of `search_texts`, and its words in the full text.

A row's number grows with the time of publication, so that the newest are found first without sorting what matches.
Nothing here commits.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Table, bindparam, cast, column, delete, select, table, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from services.recommend.models import SearchText
from services.recommend.search.queries import (
    Query,
    as_fts5,
    as_tsquery,
    as_tsvector,
    facet_of_language,
    facet_of_section,
)
from services.recommend.search.words import LONGEST_TEXT, searched
from shared.db import per_dialect

_texts: Table = SearchText.__table__  # type: ignore[assignment]

# Articles of one second are told apart by this many bits.
_SAME_SECOND_BITS = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRIES = 50
_LAST = (1 << 63) - 1


@dataclass(frozen=True)
class Text:
    """An article to be found. text: plain, standfirst first. number: of the row that it has already, or None."""

    article_id: UUID
    language: str
    section: str
    path: str
    headline: str
    text: str
    published_at: datetime
    number: int | None


@dataclass(frozen=True)
class Hit:
    """An article found. number: its place in time; in_headline: whether its headline alone has all that was asked."""

    number: int
    in_headline: bool
    article_id: UUID
    language: str
    section: str
    path: str
    headline: str
    text: str
    published_at: datetime


def first_number(moment: datetime) -> int:
    """The lowest number of an article that was published at this moment or later."""
    return int((moment - _EPOCH).total_seconds()) << _SAME_SECOND_BITS


def save(session: Session, texts: Sequence[Text]) -> None:
    """Make articles findable, or findable as they are now."""
    waiting = {text.article_id: _row(text) for text in texts}
    plain = {text.article_id: text.text for text in texts}
    remove(session, [text.number for text in texts if text.number is not None])
    rows: list[dict[str, Any]] = []
    for _ in range(_TRIES):
        if not waiting:
            break
        asked = sorted(waiting.values(), key=lambda row: row["number"])
        placed = set(session.connection().execute(_insert_texts(session), asked).scalars())
        rows += [waiting.pop(article_id) for article_id in placed]
        for row in waiting.values():  # another article of the same second has this number
            row["number"] += 1
    words = [_words(session, row, plain[row["article_id"]]) for row in sorted(rows, key=lambda row: row["number"])]
    if words:
        session.connection().execute(_INSERT_WORDS[_dialect(session)], words)


def remove(session: Session, numbers: Sequence[int]) -> None:
    """Take articles out of what can be found."""
    if numbers:
        session.connection().execute(_DELETE_WORDS[_dialect(session)], {"numbers": list(numbers)})
        session.connection().execute(_DELETE_TEXTS, {"numbers": list(numbers)})


def find(
    session: Session,
    query: Query,
    *,
    language: str | None,
    section: str | None,
    since: datetime | None,
    after: tuple[bool, int] | None,
    most: int,
) -> list[Hit]:
    """Articles that have all of a query: those with it in the headline first, and of these the newest first.

    after: (in_headline, number) of the last hit of the page before.
    """
    if not query.parts:
        return []
    facets = [facet_of_language(language)] if language else []
    facets += [facet_of_section(section)] if section else []
    hits: list[Hit] = []
    for in_headline in (True, False):
        if after is not None and after[0] < in_headline:
            continue
        before = after[1] if after is not None and after[0] == in_headline else _LAST
        rows = _matching(session, query, facets, in_headline, before=before, since=since, most=most - len(hits))
        hits += [_hit(row, in_headline) for row in rows]
        if len(hits) == most:
            break
    return hits


def find_anywhere(session: Session, query: Query, *, language: str, most: int) -> list[Hit]:
    """The newest articles of a language that have all of a query, wherever they have it."""
    facets = [facet_of_language(language)]
    rows = _matching(session, query, facets, None, before=_LAST, since=None, most=most) if query.parts else []
    return [_hit(row, False) for row in rows]


def _matching(
    session: Session,
    query: Query,
    facets: Sequence[str],
    in_headline: bool | None,
    *,
    before: int,
    since: datetime | None,
    most: int,
) -> Any:
    dialect = _dialect(session)
    asked = (as_fts5 if dialect == "sqlite" else as_tsquery)(query, facets, in_headline=in_headline)
    values = {"query": asked, "before": before, "since": -_LAST if since is None else first_number(since)}
    return session.connection().execute(_FIND[dialect], values | {"most": most})


def of_articles(session: Session, ids: Sequence[UUID]) -> dict[UUID, Hit]:
    """These articles as they can be found, those that can."""
    rows = session.connection().execute(_OF_ARTICLES, {"ids": list(ids)})
    return {row.article_id: _hit(row, False) for row in rows}


def _row(text: Text) -> dict[str, Any]:
    return {
        # Whole seconds, then some bits of the id: two articles of one second seldom want the same number.
        "number": first_number(text.published_at) | text.article_id.int & ((1 << _SAME_SECOND_BITS) - 1),
        "article_id": text.article_id,
        "language": text.language,
        "section": text.section,
        "path": text.path,
        "headline": text.headline,
        "text": zlib.compress(text.text[:LONGEST_TEXT].encode(), 1),
        "published_at": text.published_at,
    }


def _words(session: Session, row: dict[str, Any], plain: str) -> dict[str, Any]:
    headline, body = searched(row["language"], row["headline"]), searched(row["language"], plain)
    facets = [facet_of_language(row["language"]), facet_of_section(row["section"])]
    if _dialect(session) == "sqlite":
        return {
            "number": row["number"],
            "headline": " ".join(headline),
            "body": " ".join(body),
            "facets": " ".join(facets),
        }
    return {"number": row["number"], "words": as_tsvector(headline, body, facets)}


def _hit(row: Any, in_headline: bool) -> Hit:
    return Hit(
        number=row.number,
        in_headline=in_headline,
        article_id=row.article_id,
        language=row.language,
        section=row.section,
        path=row.path,
        headline=row.headline,
        text=zlib.decompress(row.text).decode(),
        published_at=row.published_at,
    )


def _dialect(session: Session) -> str:
    return session.get_bind().dialect.name


@per_dialect
def _insert_texts(insert: Callable[[Table], Any]) -> Any:
    return insert(_texts).on_conflict_do_nothing(index_elements=["number"]).returning(_texts.c.article_id)


_OF_ARTICLES = select(_texts).where(_texts.c.article_id.in_(bindparam("ids", expanding=True)))
_DELETE_TEXTS = delete(_texts).where(_texts.c.number.in_(bindparam("numbers", expanding=True)))
_INSERT_WORDS = {
    "sqlite": text(
        "INSERT INTO search_words (rowid, headline, body, facets) VALUES (:number, :headline, :body, :facets)"
    ),
    "postgresql": text("INSERT INTO search_words (number, words) VALUES (:number, CAST(:words AS tsvector))"),
}
_DELETE_WORDS = {
    "sqlite": text("DELETE FROM search_words WHERE rowid IN :numbers").bindparams(bindparam("numbers", expanding=True)),
    "postgresql": text("DELETE FROM search_words WHERE number IN :numbers").bindparams(
        bindparam("numbers", expanding=True)
    ),
}
_sqlite_words = table("search_words", column("rowid", BigInteger), column("search_words"))
_postgresql_words = table("search_words", column("number", BigInteger), column("words"))


def _find(number: Any, matches: Any) -> Any:
    between = number < bindparam("before"), number >= bindparam("since")
    found = select(_texts).join_from(number.table, _texts, _texts.c.number == number)
    return found.where(matches, *between).order_by(number.desc()).limit(bindparam("most"))


_FIND = {
    "sqlite": _find(_sqlite_words.c.rowid, _sqlite_words.c.search_words.op("MATCH")(bindparam("query"))),
    "postgresql": _find(
        _postgresql_words.c.number,
        _postgresql_words.c.words.op("@@")(cast(bindparam("query"), postgresql.TSQUERY)),
    ),
}
