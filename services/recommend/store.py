"""Queries over recommend's tables. Nothing here commits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import String, Table, bindparam, cast, delete, false, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from services.recommend import index
from services.recommend.domain import LIVE
from services.recommend.models import Article, Hand, IndexState, RelatedSet, SearchText, SectionRule
from shared.db import per_dialect
from shared.tables import jobs as _jobs

# A row of whatever columns a query asks for.
AnyRow = Any

_articles: Table = Article.__table__  # type: ignore[assignment]
_sets: Table = RelatedSet.__table__  # type: ignore[assignment]
_hands: Table = Hand.__table__  # type: ignore[assignment]
_rules: Table = SectionRule.__table__  # type: ignore[assignment]
_texts: Table = SearchText.__table__  # type: ignore[assignment]
_state: Table = IndexState.__table__  # type: ignore[assignment]
_placing = (
    *(_articles.c.id, _articles.c.status, _articles.c.language, _articles.c.section, _articles.c.published_at),
    *(_articles.c.change, _articles.c.position, _articles.c.reading, _articles.c.evergreen),
    *(_hands.c.pins, _hands.c.bans, _hands.c.never_offered, _hands.c.never_gets_any),
)
_with_hands = _articles.outerjoin(_hands, _hands.c.article_id == _articles.c.id)


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
_HANDS = select(_hands).where(_among_ids(_hands.c.article_id))
_SETS = select(_sets.c.article_id, _sets.c.set_number, _sets.c.entries, _sets.c.made_at).where(
    _among_ids(_sets.c.article_id)
)
_DELETE_SETS = delete(_sets).where(_among_ids(_sets.c.article_id))
_LOCKED_STATE = select(_state).where(_state.c.id == 1).with_for_update()
_READ = (
    select(*_placing)
    .select_from(_with_hands)
    .where(_articles.c.id.in_(bindparam("ids", expanding=True)), _articles.c.status == LIVE)
)
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


def hands(session: Session, ids: Iterable[UUID]) -> dict[UUID, AnyRow]:
    """What editors have decided for these articles, for those for whom they have."""
    return {row.article_id: row for row in _run(session, _HANDS, {"ids": list(ids)})}


_NO_HAND = {"pins": [], "bans": [], "never_offered": False, "never_gets_any": False}


def save_hand(session: Session, article_id: UUID, **values: Any) -> None:
    """Insert or change what editors have decided for one article: only what is given changes."""
    insert_ = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert_(_hands).values(_NO_HAND | {"article_id": article_id} | values)
    changed = {name: statement.excluded[name] for name in values}
    session.execute(statement.on_conflict_do_update(index_elements=["article_id"], set_=changed))


def place_again(session: Session, article_id: UUID) -> bool:
    """Have the index take in an article's present state once more; False when it is not live."""
    here = (_articles.c.id == article_id) & (_articles.c.status == LIVE)
    return (
        session.execute(update(_articles).where(here).values(position=0).returning(_articles.c.id)).first() is not None
    )


def headlines(session: Session, ids: Iterable[UUID]) -> dict[UUID, AnyRow]:
    """The headline and status of those of these articles that are known."""
    found = select(_articles.c.id, _articles.c.headline, _articles.c.status).where(_articles.c.id.in_(list(ids)))
    return {row.id: row for row in session.execute(found)}


def pinned_in(session: Session, article_id: UUID, most: int) -> list[UUID]:
    """In whose sets an editor has pinned an article; so many at most. Reads what editors have decided, all of it."""
    pins = cast(_hands.c.pins, String).contains(str(article_id), autoescape=True)
    return list(session.scalars(select(_hands.c.article_id).where(pins).order_by(_hands.c.article_id).limit(most)))


def age_limits(session: Session) -> dict[str, float]:
    """How many days apart articles are still offered, by section; sections without a limit are not here."""
    return {row.section: row.age_limit_days for row in session.execute(select(_rules).order_by(_rules.c.section))}


def save_age_limit(session: Session, section: str, days: float | None) -> None:
    """Give a section an age limit, or none."""
    session.execute(delete(_rules).where(_rules.c.section == section))
    if days is not None:
        session.execute(insert(_rules).values(section=section, age_limit_days=days))


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
    return [for_index(row) for row in _run(session, _READ, {"ids": list(ids)})]


def for_index(row: AnyRow) -> index.Article:
    """A stored article as the index takes it."""
    reading = index.Reading.unpacked(row.reading)
    article = index.Article(row.id, row.language, row.section, row.published_at, reading, evergreen=row.evergreen)
    return article if row.pins is None else decided(article, row)


def decided(article: index.Article, hand: AnyRow) -> index.Article:
    """An article with what editors have decided for it: pins, bans, never_offered, never_gets_any."""
    return replace(
        article,
        pins=tuple(map(UUID, hand.pins)),
        banned=frozenset(map(UUID, hand.bans)),
        offered=not hand.never_offered,
        gets=not hand.never_gets_any,
    )


def live_ids(session: Session) -> list[UUID]:
    """Every live article."""
    return list(session.scalars(select(_articles.c.id).where(_articles.c.status == LIVE).order_by(_articles.c.id)))


def placed_since(session: Session, position: int, *, after: UUID | None, most: int) -> Sequence[AnyRow]:
    """Articles that were placed after this position of the index, by id, from behind `after` on."""
    wanted = select(*_placing).select_from(_with_hands).where(_articles.c.position > position)
    wanted = wanted.order_by(_articles.c.id).limit(most)
    if after is not None:
        wanted = wanted.where(_articles.c.id > after)
    return session.execute(wanted).all()


def articles(session: Session, ids: Iterable[UUID]) -> Sequence[AnyRow]:
    """These articles, whatever their status."""
    return session.execute(select(*_placing).select_from(_with_hands).where(_articles.c.id.in_(list(ids)))).all()


def waiting_articles(session: Session, most: int) -> Sequence[AnyRow]:
    """Articles whose newest change the index does not have yet, the first accepted first."""
    wanted = select(*_placing, _articles.c.words).select_from(_with_hands).where(_articles.c.position == 0)
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


def explained(session: Session, ids: Iterable[UUID]) -> dict[UUID, AnyRow]:
    """All that is known of these articles, and whether editors have them offered nowhere."""
    found = select(_articles, func.coalesce(_hands.c.never_offered, false()).label("never_offered"))
    rows = session.execute(found.select_from(_with_hands).where(_articles.c.id.in_(list(ids))))
    return {row.id: row for row in rows}


def never_offered(session: Session, language: str, most: int) -> list[UUID]:
    """Live articles of a language that editors have offered nowhere, the newest first."""
    found = select(_articles.c.id).join(_hands, _hands.c.article_id == _articles.c.id)
    found = found.where(_hands.c.never_offered, _articles.c.status == LIVE, _articles.c.language == language)
    return list(session.scalars(found.order_by(_articles.c.published_at.desc()).limit(most)))


def readings(session: Session, ids: Iterable[UUID]) -> dict[UUID, bytes]:
    """The packed readings of these articles."""
    rows = session.execute(select(_articles.c.id, _articles.c.reading).where(_articles.c.id.in_(list(ids))))
    return {row.id: row.reading for row in rows}


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
