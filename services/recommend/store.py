"""Queries over recommend's tables. Nothing here commits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.orm import Session

from services.recommend import index
from services.recommend.domain import LIVE
from services.recommend.models import Article, IndexState, RelatedSet
from shared.db import per_dialect
from shared.tables import jobs as _jobs

# A row of whatever columns a query asks for.
AnyRow = Any

_articles: Table = Article.__table__  # type: ignore[assignment]
_sets: Table = RelatedSet.__table__  # type: ignore[assignment]
_state: Table = IndexState.__table__  # type: ignore[assignment]
_placing = (
    *(_articles.c.id, _articles.c.status, _articles.c.language, _articles.c.section, _articles.c.published_at),
    *(_articles.c.change, _articles.c.position, _articles.c.reading),
)


def known_changes(session: Session, ids: Iterable[UUID]) -> dict[UUID, int]:
    """The change that is held of each of these articles."""
    rows = session.execute(select(_articles.c.id, _articles.c.change).where(_articles.c.id.in_(list(ids))))
    return {row.id: row.change for row in rows}


def save_articles(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert or replace articles; a change that is not newer than what is there changes nothing."""
    if not rows:
        return
    session.execute(_save_articles(session), sorted(rows, key=lambda row: row["id"]))


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
    same = (_articles.c.id == row.id) & (_articles.c.change == row.change)
    session.execute(update(_articles).where(same).values(position=position, words=words))


def related_sets(session: Session, ids: Iterable[UUID]) -> dict[UUID, AnyRow]:
    """The present sets of these articles, as stored."""
    rows = session.execute(select(_sets).where(_sets.c.article_id.in_(list(ids))))
    return {row.article_id: row for row in rows}


def save_sets(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert or replace related sets."""
    if not rows:
        return
    session.execute(_save_sets(session), rows)


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
        session.execute(delete(_sets).where(_sets.c.article_id.in_(ids)))


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
    return session.execute(select(_state).where(_state.c.id == 1).with_for_update()).one()


def change_state(session: Session, **values: int | str | datetime | None) -> None:
    """Change the state of the index; lock it first."""
    session.execute(update(_state).where(_state.c.id == 1).values(**values))


def is_wanted(session: Session, kind: str) -> bool:
    """Whether a job of this kind waits or is being done."""
    wanted = select(_jobs.c.id).where(_jobs.c.kind == kind, _jobs.c.state.in_(("ready", "leased"))).limit(1)
    return session.scalar(wanted) is not None
