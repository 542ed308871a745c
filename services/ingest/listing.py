"""Lists of articles: filters, words, pages that stay in place while articles come in. Never commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Table,
    Text,
    bindparam,
    column,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    table,
    text,
    update,
)
from sqlalchemy.orm import Session

from services.ingest.models import Article, ArticleWords
from shared.db import put_rows

_WORDS: Table = ArticleWords.__table__  # type: ignore[assignment]
_FTS = table("article_words_fts", column("rowid"), column("words"))
# The words as PostgreSQL compares them, made when they are written; its index is over these.
_VECTOR: Any = literal_column("article_words.vector")
_INSERT = insert(_WORDS)
_FTS_INSERT = text("INSERT INTO article_words_fts (rowid, words) VALUES (:number, :words)")
_FTS_DELETE = text("INSERT INTO article_words_fts (article_words_fts, rowid, words) VALUES ('delete', :number, :words)")
_HELD = select(_WORDS.c.number, _WORDS.c.words, _WORDS.c.due, _WORDS.c.indexed_words).where(
    _WORDS.c.article_id == bindparam("article")
)

_DUE = (
    select(_WORDS.c.number, _WORDS.c.words, _WORDS.c.indexed_words)
    .where(text("due"))
    .order_by(_WORDS.c.number)
    .limit(bindparam("most"))
)


# Articles of a stretch of time that are read and sorted to find the newest of them.
_FEW = 2000
# Articles whose words are read one after the other before the index is asked.
_NEAR = 500
# PostgreSQL reads them faster, and has an index whose every hit is made into words anew.
_NEAR_TIMES = {"sqlite": 1, "postgresql": 6}
_SAME_MOMENT, _LAST = 1000, 2**62


@dataclass(frozen=True)
class Filter:
    """Which articles. equal: columns and their values. words: all of these, the last one as a beginning.

    tags: whole words that stand for tags. accepted, published: from the first instant up to before the second.
    """

    equal: Mapping[str, Any] = field(default_factory=dict)
    words: Sequence[str] = ()
    tags: Sequence[str] = ()
    accepted: tuple[datetime | None, datetime | None] = (None, None)
    published: tuple[datetime | None, datetime | None] = (None, None)


def list_articles(
    session: Session, wanted: Filter, *, before: UUID | None, after: UUID | None, most: int
) -> list[Article]:
    """Articles, newest accepted first. before: only older ones; after: only newer ones."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    statement = select(Article).limit(most)
    for name, value in wanted.equal.items():
        # SQLite would go through a whole section by its index, to look for the words in what it finds.
        by_words = is_sqlite and (wanted.words or wanted.tags)
        held: Any = literal_column(f"+articles.{name}", Text) if by_words else getattr(Article, name)
        statement = statement.where(held == value)
    for bound, instant in zip(("from", "to"), wanted.accepted, strict=True):
        if instant is not None:
            edge = _first_id_at(instant)
            statement = statement.where(Article.id >= edge if bound == "from" else Article.id < edge)
    first, last = wanted.published
    published = []
    if first is not None:
        published.append(Article.first_published_at >= first)
    if last is not None:
        published.append(Article.first_published_at < last)
    statement = statement.where(*published)
    newest_first = after is None
    if after is not None:
        statement = statement.where(Article.id > after)
    if before is not None:
        statement = statement.where(Article.id < before)
    # SQLite has no statistics, and would look through all ids for the few of a stretch of time.
    few = bool(published) and is_sqlite and _are_few(session, published)
    if few:
        statement = statement.where(Article.id.in_(list(session.scalars(select(Article.id).where(*published)))))
    if wanted.words or wanted.tags:
        if after is None:
            found = _among_the_newest(session, statement, wanted, before=before)
            if len(found) == most:
                return found
        statement = _with_words(session, statement, wanted, before=before, after=after)
    else:
        order: Any = literal_column("+articles.id") if few else Article.id
        statement = statement.order_by(order.desc() if newest_first else order)
        if published and is_sqlite and not few and not wanted.equal:
            return _of_long_stretch(session, published, wanted, before=before, after=after, most=most)
    found = list(session.scalars(statement))
    return found if newest_first else list(reversed(found))


def _are_few(session: Session, published: Sequence[Any]) -> bool:
    """Whether so few articles lie in a stretch of time that reading and sorting them all is the shortest way."""
    some = select(literal_column("1")).select_from(Article).where(*published).limit(_FEW).subquery()
    return (session.scalar(select(func.count()).select_from(some)) or 0) < _FEW


def _of_long_stretch(
    session: Session,
    published: Sequence[Any],
    wanted: Filter,
    *,
    before: UUID | None,
    after: UUID | None,
    most: int,
) -> list[Article]:
    """A page of a long stretch of time: among the next articles if these have enough of it, else by its dates alone.

    The index of dates holds the ids: no article is read but those of the page.
    """
    bounds = []
    for bound, instant in zip(("from", "to"), wanted.accepted, strict=True):
        if instant is not None:
            edge = _first_id_at(instant)
            bounds.append(Article.id >= edge if bound == "from" else Article.id < edge)
    bounds += [Article.id < before] if before is not None else []
    bounds += [Article.id > after] if after is not None else []

    def ordered(column: Any) -> Any:
        return column if after is not None else column.desc()

    next_ones = select(Article.id, Article.first_published_at).where(*bounds).order_by(ordered(Article.id)).limit(_FEW)
    near = next_ones.subquery("near")
    dates = [one.operator(near.c.first_published_at, one.right) for one in published]
    ids = list(session.scalars(select(near.c.id).where(*dates).order_by(ordered(near.c.id)).limit(most)))
    if len(ids) < most:
        by_date = select(Article.id).where(*published, *bounds)
        ids = list(session.scalars(by_date.order_by(ordered(literal_column("+articles.id"))).limit(most)))
    return list(session.scalars(select(Article).where(Article.id.in_(ids)).order_by(Article.id.desc())))


def _among_the_newest(session: Session, statement: Any, wanted: Filter, *, before: UUID | None) -> list[Article]:
    """Those with these words among the next few hundred articles: a whole page of them, when the words are common.

    The index has to gather every article in which a word with a common beginning stands before it can give the first;
    what is too rare to fill a page from here is soon gathered.
    """
    near = select(_WORDS.c.number, _WORDS.c.article_id, _WORDS.c.words).order_by(_WORDS.c.number.desc())
    near = near.limit(_NEAR * _NEAR_TIMES[session.get_bind().dialect.name])
    if before is not None:
        near = near.where(
            _WORDS.c.number < select(_WORDS.c.number).where(_WORDS.c.article_id == before).scalar_subquery()
        )
    rows = near.subquery("near")
    place = func.instr if session.get_bind().dialect.name == "sqlite" else func.strpos
    asked = [f" {word} " for word in (*wanted.tags, *wanted.words)]
    if wanted.words:
        asked[-1] = asked[-1].rstrip()
    words = literal(" ", Text) + rows.c.words + literal(" ", Text)
    statement = statement.join(rows, rows.c.article_id == Article.id).where(*(place(words, one) > 0 for one in asked))
    return list(session.scalars(statement.order_by(rows.c.number.desc())))


def _with_words(session: Session, statement: Any, wanted: Filter, *, before: UUID | None, after: UUID | None) -> Any:
    """Follow the index of words in the order of acceptance, so that a page costs no more where there are many."""
    if session.get_bind().dialect.name == "sqlite":
        asked = [*(f'"{word}"' for word in (*wanted.tags, *wanted.words))]
        if wanted.words:
            asked[-1] += "*"
        number: Any = _FTS.c.rowid
        statement = statement.join(_WORDS, _WORDS.c.article_id == Article.id).join(_FTS, number == _WORDS.c.number)
        statement = statement.where(literal_column("article_words_fts").op("MATCH")(" AND ".join(asked)))
    else:
        asked = [*wanted.tags, *wanted.words]
        query = " & ".join(f"'{word}'" for word in asked) + (":*" if wanted.words else "")
        found = select(_WORDS.c.number, _WORDS.c.article_id)
        found = found.where(_VECTOR.op("@@")(func.to_tsquery(literal_column("'simple'"), query)))
        # PostgreSQL would else go through the articles and compare the words of each, when few have what else is asked.
        rows = found.cte("found").prefix_with("MATERIALIZED", dialect="postgresql")
        number = rows.c.number
        statement = statement.join(rows, rows.c.article_id == Article.id)
    for bound, instant in zip((">=", "<"), wanted.accepted, strict=True):
        if instant is not None:
            first = select(_WORDS.c.number).where(_WORDS.c.article_id >= _first_id_at(instant))
            at = first.order_by(_WORDS.c.article_id).limit(1).scalar_subquery()
            # Numbers follow the ids but for those that came at one moment: the ids themselves decide.
            statement = statement.where(
                number >= at - _SAME_MOMENT if bound == ">=" else number < func.coalesce(at, _LAST) + _SAME_MOMENT
            )
    for cursor, compare in ((before, "<"), (after, ">")):
        if cursor is not None:
            at = select(_WORDS.c.number).where(_WORDS.c.article_id == cursor).scalar_subquery()
            statement = statement.where(number.op(compare)(at))
    return statement.order_by(number.desc() if after is None else number)


def _first_id_at(instant: datetime) -> UUID:
    """The lowest id that an article accepted at this moment can have: ids begin with their millisecond (UUID v7)."""
    return UUID(int=max(0, int(instant.timestamp() * 1000)) << 80)


# The words of articles. PostgreSQL keeps its index by itself; SQLite's is brought up to date in batches: a row that is
# due is not in it yet, or with its indexed_words instead.


def add_words(session: Session, article_id: UUID, words: str) -> None:
    """Have a new article found by these words."""
    due = session.get_bind().dialect.name == "sqlite"
    put_rows(session, _INSERT, [{"article_id": article_id, "words": words, "due": due}])


def change_words(session: Session, article_id: UUID, words: str) -> None:
    """Have an article found by these words, and no longer by others; it keeps its place."""
    connection = session.connection()
    held = connection.execute(_HELD, {"article": article_id}).first()
    if held is None:
        add_words(session, article_id, words)
    elif held.words != words:
        values: dict[str, Any] = {"words": words}
        if connection.dialect.name == "sqlite" and not held.due:
            values |= {"due": True, "indexed_words": held.words}
        connection.execute(update(_WORDS).where(_WORDS.c.number == held.number).values(values))


def remove_words(session: Session, article_id: UUID) -> None:
    """Have an article found no more."""
    connection = session.connection()
    held = connection.execute(_HELD, {"article": article_id}).first()
    if held is not None:
        indexed = held.indexed_words if held.due else held.words
        if connection.dialect.name == "sqlite" and indexed is not None:
            connection.execute(_FTS_DELETE, {"number": held.number, "words": indexed})
        connection.execute(delete(_WORDS).where(_WORDS.c.number == held.number))


def index_is_behind(session: Session) -> bool:
    """Whether catch_up would do anything."""
    return session.connection().execute(_DUE, {"most": 1}).first() is not None


def catch_up(session: Session, most: int) -> int:
    """Bring SQLite's index of words up to date, for so many articles at most; for how many it was."""
    connection = session.connection()
    rows = connection.execute(_DUE, {"most": most}).all()
    if not rows:
        return 0
    old = [{"number": row.number, "words": row.indexed_words} for row in rows if row.indexed_words is not None]
    if old:
        connection.execute(_FTS_DELETE, old)
    connection.execute(_FTS_INSERT, [{"number": row.number, "words": row.words} for row in rows])
    numbers = [row.number for row in rows]
    connection.execute(update(_WORDS).where(_WORDS.c.number.in_(numbers)).values(due=False, indexed_words=None))
    return len(rows)
