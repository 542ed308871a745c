"""Queries over the places that articles have in lists. Everything takes a session; nothing commits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Table, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from services.publish.made import Numbers
from services.publish.models import Article, ListedArticle, ListSize
from services.publish.store import VERSION, Version
from services.publish.views import Dated
from shared.db import per_dialect

# A pass numbers at most this many new articles of a list; the next pass goes on.
NUMBERED_AT_ONCE = 500


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


_articles, _listed, _sizes = _table(Article), _table(ListedArticle), _table(ListSize)
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_PATH: BindParameter[Any] = bindparam("list_path")
_OF_ARTICLES = select(_listed.c.article_id, _listed.c.list_path, _listed.c.at, _listed.c.position).where(
    _listed.c.article_id.in_(_IDS)
)
_JOINED = _listed.join(_articles, _articles.c.id == _listed.c.article_id)
_NEWEST = (
    select(*VERSION, _listed.c.position)
    .select_from(_JOINED)
    .where(_listed.c.list_path == _PATH, _articles.c.status == "live")
    .order_by(_listed.c.at.desc(), _listed.c.article_id.desc())
    .limit(bindparam("most"))
)
_HAS_PLACE = and_(_listed.c.position >= bindparam("first"), _listed.c.position < bindparam("end"))
_PLACED = (
    select(_listed.c.article_id, _listed.c.position, _articles.c.status, *VERSION[1:])
    .select_from(_JOINED)
    .where(_listed.c.list_path == _PATH)
    .order_by(_listed.c.position)
)
_BETWEEN = _PLACED.where(_HAS_PLACE)
_BETWEEN_AND_NEW = _PLACED.where(or_(_HAS_PLACE, _listed.c.position.is_(None)))
_DATED = (
    select(
        _articles.c.path,
        _articles.c.language,
        _articles.c.headline,
        _articles.c.first_published_at,
        _articles.c.updated_at,
    )
    .select_from(_JOINED)
    .where(
        _listed.c.list_path == _PATH,
        _HAS_PLACE,
        _articles.c.status == "live",
    )
)
_UNNUMBERED = (
    select(_listed.c.article_id)
    .where(_listed.c.list_path == _PATH, _listed.c.position.is_(None))
    .order_by(_listed.c.at, _listed.c.article_id)
    .limit(NUMBERED_AT_ONCE)
)
_NUMBER = (
    update(_listed)
    .where(_listed.c.article_id == bindparam("the_id"), _listed.c.list_path == bindparam("the_path"))
    .values(position=bindparam("the_position"))
)
_SIZE = select(_sizes.c.size, _sizes.c.name).where(_sizes.c.path == _PATH)
_POSITION = select(_listed.c.position).where(_listed.c.list_path == _PATH, _listed.c.article_id == bindparam("the_id"))


@dataclass(frozen=True, slots=True)
class Place:
    """An article's place in a list; at: its first publication; position: None until it is numbered."""

    article_id: UUID
    list_path: str
    at: datetime
    position: int | None


def places_of(session: Session, ids: Iterable[UUID]) -> dict[UUID, list[Place]]:
    """Every place that these articles have."""
    found: dict[UUID, list[Place]] = {}
    for row in session.connection().execute(_OF_ARTICLES, {"ids": sorted(set(ids))}):
        found.setdefault(row.article_id, []).append(Place(*row))
    return found


def take_places(session: Session, wanted: Iterable[tuple[UUID, str, datetime]]) -> None:
    """Give these articles places in these lists, with their first publications; those they have they keep."""
    rows = [{"article_id": one, "list_path": path, "at": at, "position": None} for one, path, at in wanted]
    if rows:
        session.connection().execute(_take(session), rows)


def give_up_places(session: Session, places: Iterable[Place]) -> None:
    """Take these places back. Nobody else gets their numbers."""
    for place in places:
        session.execute(
            delete(_listed).where(_listed.c.article_id == place.article_id, _listed.c.list_path == place.list_path)
        )


@per_dialect
def _take(insert: Callable[[Table], Any]) -> Any:
    statement = insert(_listed)
    return statement.on_conflict_do_update(
        index_elements=["article_id", "list_path"],
        set_={"at": statement.excluded.at},
        where=_listed.c.at != statement.excluded.at,
    )


def newest(session: Session, path: str, most: int) -> list[tuple[Version, int | None]]:
    """The live articles of a list with their places, newest first."""
    rows = session.connection().execute(_NEWEST, {"list_path": path, "most": most})
    return [(Version(row.id, row.change, row.pictured), row.position) for row in rows]


def between(
    session: Session, path: str, first: int, end: int, new: Collection[UUID] = ()
) -> tuple[set[UUID], list[Version]]:
    """Who has the places from `first` up to `end`: all of them, and the live ones, newest place first.

    new: those who are about to get the places up to `end`, and have none yet.
    """
    everyone: set[UUID] = set()
    live: list[Version] = []
    statement = _BETWEEN_AND_NEW if new else _BETWEEN
    for row in session.connection().execute(statement, {"list_path": path, "first": first, "end": end}):
        if row.position is None and row.article_id not in new:
            continue
        everyone.add(row.article_id)
        if row.status == "live":
            live.append(Version(row.article_id, row.change, row.pictured))
    return everyone, live[::-1]


def dated_between(session: Session, path: str, first: int, end: int) -> list[Dated]:
    """The live articles with the places from `first` up to `end`, in the order of their publication."""
    rows = session.connection().execute(_DATED, {"list_path": path, "first": first, "end": end})
    return sorted((Dated(**row._mapping) for row in rows), key=lambda one: (one.first_published_at, one.path))


def dated_since(session: Session, language: str, since: datetime, most: int) -> list[Dated]:
    """The live articles of an edition first published since then, newest first."""
    columns = [_articles.c[name] for name in ("path", "language", "headline", "first_published_at", "updated_at")]
    statement = (
        select(*columns)
        .where(_articles.c.language == language, _articles.c.status == "live", _articles.c.first_published_at > since)
        .order_by(_articles.c.first_published_at.desc(), _articles.c.id.desc())
        .limit(most)
    )
    return [Dated(**row._mapping) for row in session.connection().execute(statement)]


def position_of(session: Session, path: str, article_id: UUID) -> int | None:
    """An article's place in a list."""
    value: int | None = session.connection().execute(_POSITION, {"list_path": path, "the_id": article_id}).scalar()
    return value


def size_of(session: Session, path: str) -> tuple[int, str]:
    """How many places of a list have been given out, and its name as last shown."""
    row = session.connection().execute(_SIZE, {"list_path": path}).first()
    return (row.size, row.name) if row is not None else (0, "")


def numbers(session: Session, path: str) -> tuple[int, Numbers]:
    """The list's size, and the numbers that what has come into it since is to get, in the order of publication."""
    before, name = size_of(session, path)
    new = session.connection().execute(_UNNUMBERED, {"list_path": path}).scalars()
    positions = {one: before + index for index, one in enumerate(new)}
    return before, Numbers(positions, before + len(positions), name)


def save_numbers(session: Session, path: str, given: Numbers) -> None:
    """Hold these numbers. To be called by whoever alone builds the list's first page."""
    rows = [{"the_id": one, "the_path": path, "the_position": at} for one, at in given.positions.items()]
    if rows:
        session.connection().execute(_NUMBER, rows)
    session.connection().execute(_save_size(session), {"path": path, "size": given.size, "name": given.name[:400]})


@per_dialect
def _save_size(insert: Callable[[Table], Any]) -> Any:
    statement = insert(_sizes)
    return statement.on_conflict_do_update(
        index_elements=["path"], set_={"size": statement.excluded.size, "name": statement.excluded.name}
    )


def sizes(session: Session, prefix: str, most: int = 50_000) -> Mapping[str, int]:
    """The sizes of the lists whose paths begin so."""
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    statement = select(_sizes.c.path, _sizes.c.size).where(_sizes.c.path >= prefix, _sizes.c.path < end).limit(most)
    return {row.path: row.size for row in session.connection().execute(statement)}


def list_paths_after(session: Session, path: str, most: int) -> Sequence[tuple[str, int]]:
    """The next lists in which articles have places, in order, after this one, with their sizes."""
    statement = (
        select(_listed.c.list_path, func.coalesce(_sizes.c.size, 0))
        .outerjoin(_sizes, _sizes.c.path == _listed.c.list_path)
        .where(_listed.c.list_path > path)
        .distinct()
        .order_by(_listed.c.list_path)
        .limit(most)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]
