"""Queries over recommend's tables. Nothing here commits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from services.recommend import index
from services.recommend.domain import LIVE
from services.recommend.models import Article, IndexState, RelatedSet, SearchText
from shared.db import per_dialect
from shared.tables import jobs as _jobs

# A row of whatever columns a query asks for.
AnyRow = Any

_articles: Table = Article.__table__  # type: ignore[assignment]
_sets: Table = RelatedSet.__table__  # type: ignore[assignment]
_texts: Table = SearchText.__table__  # type: ignore[assignment]
_state: Table = IndexState.__table__  # type: ignore[assignment]
_placing = (
    *(_articles.c.id, _articles.c.status, _articles.c.language, _articles.c.section, _articles.c.published_at),
    *(_articles.c.change, _articles.c.position, _articles.c.reading),
)


# What runs for every article is made once, and runs past the mapped classes' machinery, which costs as much again.


def _run(
    session: Session, statement: Any, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
) -> Any:
    return session.connection().execute(statement, values)


def _among_ids(column: Any) -> Any:
    return column.in_(bindparam("ids", expanding=True))


_KNOWN = (
    select(_articles.c.id, _articles.c.change, _texts.c.number)
    .outerjoin_from(_articles, _texts, _texts.c.article_id == _articles.c.id)
    .where(_among_ids(_articles.c.id))
)
_SETS = select(_sets.c.article_id, _sets.c.set_number, _sets.c.entries, _sets.c.made_at).where(
    _among_ids(_sets.c.article_id)
)
_DELETE_SETS = delete(_sets).where(_among_ids(_sets.c.article_id))
_LOCKED_STATE = select(_state).where(_state.c.id == 1).with_for_update()
_END_TURN = (
    update(_state).where(_state.c.id == 1).values({name: bindparam(f"the_{name}") for name in IndexState.CHANGING})
)
_MARK_PLACED = (
    update(_articles)
    .where(_articles.c.id == bindparam("the_id"), _articles.c.change == bindparam("the_change"))
    .values(position=bindparam("the_position"), words=bindparam("the_words"))
)


def known(session: Session, ids: Iterable[UUID]) -> dict[UUID, AnyRow]:
    """Of each of these articles: the change that is held, and the number under which it can be searched, or None."""
    return {row.id: row for row in _run(session, _KNOWN, {"ids": list(ids)})}


def save_articles(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert or replace articles; a change that is not newer than what is there changes nothing."""
    if not rows:
        return
    _run(session, _save_articles(session), sorted(rows, key=lambda row: row["id"]))


@per_dialect
def _save_articles(insert: Callable[[Table], Any]) -> Any:
    statement = insert(_articles)
    asked = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["id"],
        set_={column.name: asked[column.name] for column in _articles.c if column.name != "id"},
        where=_articles.c.change < asked.change,
    )


def read_articles(session: Session, ids: Sequence[UUID]) -> list[index.Article]:
    """Those of these articles that are live, as the index takes them."""
    rows = session.execute(select(*_placing).where(_articles.c.id.in_(ids), _articles.c.status == LIVE))
    return [for_index(row) for row in rows]


def for_index(row: AnyRow) -> index.Article:
    """A stored article as the index takes it."""
    return index.Article(row.id, row.language, row.section, row.published_at, index.Reading.unpacked(row.reading))


def live_ids(session: Session) -> list[UUID]:
    """Every live article."""
    return list(session.scalars(select(_articles.c.id).where(_articles.c.status == LIVE).order_by(_articles.c.id)))


def placed_since(session: Session, position: int, *, after: UUID | None, most: int) -> Sequence[AnyRow]:
    """Articles that were placed after this position of the index, by id, from behind `after` on."""
    wanted = select(*_placing).where(_articles.c.position > position).order_by(_articles.c.id).limit(most)
    if after is not None:
        wanted = wanted.where(_articles.c.id > after)
    return session.execute(wanted).all()


def articles(session: Session, ids: Iterable[UUID]) -> Sequence[AnyRow]:
    """These articles, whatever their status."""
    return session.execute(select(*_placing).where(_articles.c.id.in_(list(ids)))).all()


def waiting_articles(session: Session, most: int) -> Sequence[AnyRow]:
    """Articles whose newest change the index does not have yet, the first accepted first."""
    wanted = select(*_placing, _articles.c.words).where(_articles.c.position == 0)
    return session.execute(wanted.order_by(_articles.c.id).limit(most)).all()


def count_waiting(session: Session) -> int:
    """How many articles the index does not have yet."""
    return session.scalar(select(func.count()).select_from(_articles).where(_articles.c.position == 0)) or 0


def mark_placed(session: Session, row: AnyRow, position: int, words: dict[str, str]) -> None:
    """Note that the index has this change of an article, unless a newer one has come meanwhile."""
    same = {"the_id": row.id, "the_change": row.change}
    _run(session, _MARK_PLACED, same | {"the_position": position, "the_words": words})


def related_sets(session: Session, ids: Iterable[UUID]) -> dict[UUID, AnyRow]:
    """The present sets of these articles, as stored."""
    return {row.article_id: row for row in _run(session, _SETS, {"ids": list(ids)})}


def save_sets(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert or replace related sets."""
    if not rows:
        return
    _run(session, _save_sets(session), rows)


@per_dialect
def _save_sets(insert: Callable[[Table], Any]) -> Any:
    statement = insert(_sets)
    return statement.on_conflict_do_update(
        index_elements=["article_id"],
        set_={name: statement.excluded[name] for name in ("set_number", "entries", "made_at")},
    )


def delete_sets(session: Session, ids: Sequence[UUID]) -> None:
    """Remove the sets of articles that are gone."""
    if ids:
        _run(session, _DELETE_SETS, {"ids": list(ids)})


def related(session: Session, article_id: UUID) -> tuple[AnyRow | None, AnyRow | None, dict[UUID, AnyRow]]:
    """An article (status, headline, words), its set, and the articles that the set names."""
    columns = select(_articles.c.id, _articles.c.status, _articles.c.headline, _articles.c.words)
    article = session.execute(columns.where(_articles.c.id == article_id)).one_or_none()
    stored = session.execute(select(_sets).where(_sets.c.article_id == article_id)).one_or_none()
    named = [UUID(entry[0]) for entry in stored.entries] if stored is not None else []
    others = session.execute(columns.where(_articles.c.id.in_(named), _articles.c.status == LIVE))
    return article, stored, {row.id: row for row in others}


def state(session: Session) -> AnyRow:
    """The state of the index."""
    return session.execute(select(_state)).one()


def locked_state(session: Session) -> AnyRow:
    """The state of the index, which no other process can change before this transaction ends."""
    return _run(session, _LOCKED_STATE).one()


def end_turn(session: Session, state: AnyRow, **values: int | str | datetime | None) -> None:
    """Write what a turn has changed of the state, which `locked_state` gave; None leaves a value as it was."""
    kept = {f"the_{name}": value for name, value in state._mapping.items() if name in IndexState.CHANGING}
    _run(session, _END_TURN, kept | {f"the_{name}": value for name, value in values.items() if value is not None})


def change_state(session: Session, **values: int | str | datetime | None) -> None:
    """Change the state of the index; lock it first."""
    session.execute(update(_state).where(_state.c.id == 1).values(**values))


def is_wanted(session: Session, kind: str) -> bool:
    """Whether a job of this kind waits or is being done."""
    wanted = select(_jobs.c.id).where(_jobs.c.kind == kind, _jobs.c.state.in_(("ready", "leased"))).limit(1)
    return session.scalar(wanted) is not None
