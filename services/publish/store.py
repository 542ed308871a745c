"""Queries over publish's tables. Everything takes a session; nothing commits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import BindParameter, Row, Table, bindparam, delete, func, select, text, update
from sqlalchemy.orm import Session

from services.publish.models import (
    Article,
    Page,
    PageUse,
    RelatedSetRow,
    SiteFact,
)
from services.publish.views import Entry, Teaser, TeaserPicture, teaser_of, teaser_picture
from shared.db import per_dialect
from shared.event_schemas import PublicArticleSchema
from shared.events import Byline, Correction, Picture, PublicArticle, RelatedSet, Retraction

_wire = PublicArticleSchema()


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


# What runs for every article goes through the tables; what runs for people, through the mapped classes.
_articles, _sets, _pages, _uses = _table(Article), _table(RelatedSetRow), _table(Page), _table(PageUse)
_KNOWN = select(
    *(
        _articles.c[name]
        for name in ("id", "change", "status", "path", "language", "section", "headline", "summary", "bylines")
    ),
    _articles.c.first_published_at,
    _articles.c.picture,
    _articles.c.pictured,
    _articles.c.translations,
)


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_PATHS: BindParameter[Any] = bindparam("paths", expanding=True)
_LOCK_KNOWN = _KNOWN.where(_articles.c.id.in_(_IDS)).order_by(_articles.c.id).with_for_update()
_STATES = select(_articles.c.id, _articles.c.pictured, _articles.c.state).where(_articles.c.id.in_(_IDS))
_STATE = select(_articles.c.path, _articles.c.id, _articles.c.change, _articles.c.status, _articles.c.pictured)
_STATES_OF, _STATES_AT = _STATE.where(_articles.c.id.in_(_IDS)), _STATE.where(_articles.c.path.in_(_PATHS))
_TEXTS_AT = select(_articles.c.path, _articles.c.state).where(_articles.c.path.in_(_PATHS))
_IDS_AT = select(_articles.c.id).where(_articles.c.path.in_(_PATHS))
_PICTURED = select(_articles.c.id).where(_articles.c.id.in_(_IDS), _articles.c.pictured)
_TRANSLATED = (
    select(_articles.c.translations, _articles.c.language, _articles.c.path)
    .where(_articles.c.translations.in_(_IDS), _articles.c.status == "live")
    .order_by(_articles.c.id)
)
_SETS = select(_sets.c.article_id, _sets.c.entries).where(_sets.c.article_id.in_(_IDS))
_LOCK_PAGES = select(_pages).where(_pages.c.path.in_(_PATHS)).order_by(_pages.c.path).with_for_update()
_READ_PAGES = select(_pages).where(_pages.c.path.in_(_PATHS))
_LIVE_PATHS = select(_articles.c.path).where(_articles.c.id.in_(_IDS), _articles.c.status == "live")
_PAGE_COLUMNS = ("article_id", "build", "change", "digest", "size", "gone", "beside", "built_at")
_SAVE_PAGES = (
    update(_pages)
    .where(_pages.c.path == bindparam("the_path"))
    .values({name: bindparam(name) for name in _PAGE_COLUMNS})
)
_USES = select(_uses.c.path, _uses.c.article_id).where(_uses.c.path.in_(_PATHS))
_FACT = select(SiteFact.value).where(SiteFact.name == bindparam("name"))
_USERS = select(_uses.c.path).where(_uses.c.article_id.in_(_IDS))


# Articles


@dataclass(frozen=True)
class Known:
    """What is held of an article without its text. teaser: what other pages show of it."""

    change: int
    status: str
    teaser: Teaser
    pictured: bool
    translations: UUID | None

    @property
    def live(self) -> bool:
        """Whether other pages offer it."""
        return self.status == "live"


_LOCKS = {
    to_change: text(
        f"SELECT count({lock}(key)) FROM (SELECT hashtextextended(one, 0) AS key "  # noqa: S608 (two fixed names)
        "FROM unnest(CAST(:ids AS text[])) AS one ORDER BY key) AS keys"
    )
    for to_change, lock in ((True, "pg_advisory_xact_lock"), (False, "pg_advisory_xact_lock_shared"))
}


def has_one_writer(session: Session) -> bool:
    """Whether transactions that write follow one another anyway, as on SQLite: then `lock_articles` is not needed."""
    return session.get_bind().dialect.name == "sqlite"


def lock_articles(session: Session, ids: Iterable[UUID], *, to_change: bool) -> None:
    """Keep these articles, held or not yet, to oneself in order to change them, or as they are in order to show them.

    Until the transaction ends, and before any row is locked. Whoever builds a page must see an article that is just
    being taken in, or be seen by whoever takes it in as a user of it: with both at work at once, neither would.
    """
    if not has_one_writer(session) and (names := [str(one) for one in set(ids)]):
        session.connection().execute(_LOCKS[to_change], {"ids": names})


def lock_known(session: Session, ids: Iterable[UUID]) -> dict[UUID, Known]:
    """What is held of these articles, their rows locked until the transaction ends."""
    rows = session.connection().execute(_LOCK_KNOWN, {"ids": sorted(set(ids))})
    return {row.id: Known(row.change, row.status, teaser_from(row), row.pictured, row.translations) for row in rows}


def save_articles(
    session: Session, articles: Sequence[PublicArticle], pictured: Collection[UUID] = (), *, now: datetime
) -> set[UUID]:
    """Hold these states, unless a newer or the same one is held; the ids of those that were new.

    pictured: those whose pictures are all ready to be shown.
    """
    rows = []
    for article in articles:
        teaser = teaser_of(article)
        picture = teaser_picture(article)
        rows.append(
            {
                "id": article.id,
                "change": article.change,
                "status": article.status,
                "language": article.language,
                "section": article.section,
                "path": article.path,
                "first_published_at": article.first_published_at,
                "updated_at": article.updated_at,
                "headline": teaser.headline,
                "summary": teaser.summary,
                "bylines": list(teaser.bylines),
                "picture": asdict(picture) if picture is not None else None,
                "pictured": article.id in pictured,
                "translations": article.translations,
                "withdrawn_at": None if article.status == "live" else now,
                "state": _wire.dump(article),
            }
        )
    return set(session.connection().execute(_save_articles(session), rows).scalars()) if rows else set()


@per_dialect
def _save_articles(insert: Callable[[Table], Any]) -> Any:
    statement = insert(_articles)
    statement = statement.on_conflict_do_update(
        index_elements=["id"],
        set_={column.name: statement.excluded[column.name] for column in _articles.c if column.name != "id"},
        where=_articles.c.change < statement.excluded.change,
    )
    return statement.returning(_articles.c.id)


def articles(session: Session, ids: Iterable[UUID]) -> dict[UUID, PublicArticle]:
    """The newest states held of these articles, live or not."""
    rows = session.connection().execute(_STATES, {"ids": sorted(set(ids))})
    return {row.id: _read(row.state) for row in rows}


def not_live(session: Session, ids: Iterable[UUID]) -> set[UUID]:
    """Those of these articles that are held, and live no more."""
    found = select(_articles.c.id).where(_articles.c.id.in_(sorted(set(ids))), _articles.c.status != "live")
    return set(session.execute(found).scalars())


def is_killed(session: Session, article_id: UUID) -> bool:
    """Whether an article is held, and was killed."""
    found = select(_articles.c.id).where(_articles.c.id == article_id, _articles.c.status == "killed")
    return session.execute(found).first() is not None


def articles_at(session: Session, paths: Iterable[str]) -> dict[str, PublicArticle]:
    """The articles at these paths, live or withdrawn; the live one where a withdrawn one had the path before."""
    found: dict[str, PublicArticle] = {}
    for row in session.connection().execute(_TEXTS_AT, {"paths": sorted(set(paths))}):
        article = _read(row.state)
        if row.path not in found or article.status == "live":
            found[row.path] = article
    return found


def ids_at(session: Session, paths: Iterable[str]) -> set[UUID]:
    """The articles at these paths, live or withdrawn."""
    return set(session.connection().execute(_IDS_AT, {"paths": sorted(set(paths))}).scalars())


# An article's id with what changes with everything that pages show of it: change, status, whether pictures are ready.
State = tuple[UUID, int, str, bool]


def states_of(session: Session, ids: Collection[UUID], paths: Collection[str]) -> dict[UUID | str, frozenset[State]]:
    """How these articles are held, and those at these paths, live or withdrawn: by id, and by path."""
    found: dict[UUID | str, frozenset[State]] = {}
    if ids:
        for _, *state in session.connection().execute(_STATES_OF, {"ids": list(ids)}):
            found[state[0]] = frozenset((tuple(state),))
    if paths:
        for path, *state in session.connection().execute(_STATES_AT, {"paths": list(paths)}):
            found[path] = found.get(path, frozenset()).union((tuple(state),))
    return found


def live_teasers(session: Session, ids: Iterable[UUID]) -> dict[UUID, Teaser]:
    """What other pages show of those of these articles that are live. Those lately read are not read again."""
    rows = session.connection().execute(_LIVE_VERSIONS, {"ids": sorted(set(ids))})
    versions = [Version(*row) for row in rows]
    return {one.id: teaser for one, teaser in zip(versions, teasers(session, versions), strict=True)}


@dataclass(frozen=True, slots=True)
class Version:
    """Which state of an article a page shows: enough to know whether what was made of it can be used again."""

    id: UUID
    change: int
    pictured: bool


VERSION = (_articles.c.id, _articles.c.change, _articles.c.pictured)
_LIVE_VERSIONS = select(*VERSION).where(_articles.c.id.in_(_IDS), _articles.c.status == "live")
_NEWEST_OF_ALL = (
    select(*VERSION)
    .where(_articles.c.language == bindparam("language"), _articles.c.status == "live")
    .order_by(_articles.c.first_published_at.desc(), _articles.c.id.desc())
    .limit(bindparam("most"))
)
_NEWEST = {False: _NEWEST_OF_ALL, True: _NEWEST_OF_ALL.where(_articles.c.section == bindparam("section"))}


def newest_versions(session: Session, language: str, section: str | None, most: int) -> list[Version]:
    """The live articles of an edition, or of one of its sections, newest first."""
    values = {"language": language, "most": most} | ({} if section is None else {"section": section})
    rows = session.connection().execute(_NEWEST[section is not None], values)
    return [Version(*row) for row in rows]


Value = TypeVar("Value")


class _Kept(Generic[Value]):
    """What this process has lately read of articles, by version: a version never has two contents."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[Version, Value] = {}

    def take(self, versions: Sequence[Version], read: Callable[[list[UUID]], Mapping[UUID, Value]]) -> list[Value]:
        found = {one: self._kept[one] for one in versions if one in self._kept}
        missing = [one for one in versions if one not in found]
        if missing:
            fresh = read([one.id for one in missing])
            for one in missing:
                while len(self._kept) >= self._most:
                    self._kept.pop(next(iter(self._kept)), None)
                self._kept[one] = found[one] = fresh[one.id]
        return [found[one] for one in versions]


_teasers_kept: _Kept[Teaser] = _Kept(4000)


def teasers(session: Session, versions: Sequence[Version]) -> list[Teaser]:
    """What other pages show of these articles, in the same order. Those lately read are not read again."""

    def read(ids: list[UUID]) -> Mapping[UUID, Teaser]:
        return {row.id: teaser_from(row) for row in session.connection().execute(_TEASERS, {"ids": ids})}

    return _teasers_kept.take(versions, read)


def entries(session: Session, ids: Sequence[UUID]) -> list[Entry]:
    """These articles with their texts, as feeds carry them, in no order."""
    rows = session.connection().execute(_STATES, {"ids": list(ids)})
    return [Entry(_read(row.state), row.pictured) for row in rows]


_TEASERS = _KNOWN.where(_articles.c.id.in_(_IDS))


def pictured(session: Session, ids: Iterable[UUID]) -> set[UUID]:
    """Those of these articles whose pictures are ready to be shown."""
    return set(session.connection().execute(_PICTURED, {"ids": sorted(set(ids))}).scalars())


def translated(session: Session, groups: Iterable[UUID]) -> dict[UUID, dict[str, str]]:
    """The live articles that are translations of each other: by group, path by language, the oldest of each."""
    found: dict[UUID, dict[str, str]] = {}
    for row in session.connection().execute(_TRANSLATED, {"ids": sorted(set(groups))}):
        found.setdefault(row.translations, {}).setdefault(row.language, row.path)
    return found


def teaser_from(row: Any) -> Teaser:
    """The teaser that a row of the articles' table holds."""
    return Teaser(
        path=row.path,
        language=row.language,
        section=row.section,
        headline=row.headline,
        summary=row.summary,
        first_published_at=row.first_published_at,
        bylines=tuple(row.bylines),
        picture=TeaserPicture(**row.picture) if row.picture and row.pictured else None,
    )


def _read(state: Mapping[str, Any]) -> PublicArticle:
    # Our own database was filled through the schema: reading it needs no second validation, and pages read a lot.
    return PublicArticle(
        **{
            **state,
            "id": UUID(state["id"]),
            "first_published_at": datetime.fromisoformat(state["first_published_at"]),
            "updated_at": datetime.fromisoformat(state["updated_at"]),
            "tags": tuple(state["tags"]),
            "bylines": tuple(Byline(**one) for one in state["bylines"]),
            "corrections": tuple(
                Correction(note=one["note"], corrected_at=datetime.fromisoformat(one["corrected_at"]))
                for one in state["corrections"]
            ),
            # What an older version has stored knows none of these.
            "images": tuple(Picture(**{**one, "media_id": UUID(one["media_id"])}) for one in state.get("images", ())),
            "translations": UUID(state["translations"]) if state.get("translations") else None,
            "old_paths": tuple(state.get("old_paths", ())),
            "retraction": _retraction(state.get("retraction")),
            "live_since": datetime.fromisoformat(state["live_since"]) if state.get("live_since") else None,
        }
    )


def _retraction(state: Mapping[str, Any] | None) -> Retraction | None:
    if state is None:
        return None
    return Retraction(note=state["note"], retracted_at=datetime.fromisoformat(state["retracted_at"]))


# Related sets


def save_related(session: Session, sets: Sequence[RelatedSet]) -> set[UUID]:
    """Hold these related sets, unless newer or the same ones are held; the articles whose set was new."""
    rows = [
        {
            "article_id": one.article_id,
            "set_number": one.set_number,
            "entries": [str(entry.article_id) for entry in one.entries],
        }
        for one in sets
    ]
    return set(session.connection().execute(_save_related(session), rows).scalars()) if rows else set()


@per_dialect
def _save_related(insert: Callable[[Table], Any]) -> Any:
    statement = insert(_sets)
    statement = statement.on_conflict_do_update(
        index_elements=["article_id"],
        set_={"set_number": statement.excluded.set_number, "entries": statement.excluded.entries},
        where=_sets.c.set_number < statement.excluded.set_number,
    )
    return statement.returning(_sets.c.article_id)


def related_ids(session: Session, ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """The articles of each one's related set, best first, live or not."""
    rows = session.connection().execute(_SETS, {"ids": sorted(set(ids))})
    return {row.article_id: [UUID(entry) for entry in row.entries] for row in rows}


# Pages


@per_dialect
def _make_pages(insert: Callable[[Table], Any]) -> Any:
    return insert(_pages).on_conflict_do_nothing(index_elements=["path"])


@per_dialect
def _note_uses(insert: Callable[[Table], Any]) -> Any:
    return insert(_uses).on_conflict_do_nothing()


@per_dialect
def _save_fact(insert: Callable[[Table], Any]) -> Any:
    statement = insert(_table(SiteFact))
    return statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value})


def lock_pages(session: Session, paths: Iterable[str], now: datetime) -> dict[str, Row[Any]]:
    """The pages' rows, made where there are none, locked until the transaction ends."""
    wanted = sorted(set(paths))
    found = {row.path: row for row in session.connection().execute(_LOCK_PAGES, {"paths": wanted})}
    missing = [path for path in wanted if path not in found]
    if missing:
        session.execute(
            _make_pages(session),
            [
                {
                    "path": path,
                    "build": 0,
                    "change": 0,
                    "digest": "",
                    "size": 0,
                    "gone": False,
                    "beside": {},
                    "built_at": now,
                }
                for path in missing
            ],
        )
        found.update({row.path: row for row in session.connection().execute(_LOCK_PAGES, {"paths": wanted})})
    return found


def save_pages(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Hold how these pages were last built; each row holds every column but none more."""
    if rows:
        values = [{**{name: row[name] for name in _PAGE_COLUMNS}, "the_path": row["path"]} for row in rows]
        session.connection().execute(_SAVE_PAGES, values)


def pages(session: Session, paths: Iterable[str]) -> dict[str, Row[Any]]:
    """The rows of those of these pages that there are."""
    return {row.path: row for row in session.connection().execute(_READ_PAGES, {"paths": sorted(set(paths))})}


def pages_after(session: Session, path: str, most: int) -> Sequence[Page]:
    """The next pages' rows in the order of their paths, after this one ("" begins)."""
    return session.scalars(select(Page).where(Page.path > path).order_by(Page.path).limit(most)).all()


def save_uses(session: Session, used: Mapping[str, frozenset[UUID]]) -> None:
    """Record which articles each of these pages shows, or would show if they were live."""
    if not used:
        return
    before: dict[str, set[UUID]] = {path: set() for path in used}
    for path, article_id in session.connection().execute(_USES, {"paths": list(used)}):
        before[path].add(article_id)
    for path, ids in before.items():
        if gone := ids - used[path]:
            session.execute(delete(_uses).where(_uses.c.path == path, _uses.c.article_id.in_(gone)))
    new = [{"path": path, "article_id": one} for path, ids in used.items() for one in sorted(ids - before[path])]
    if new:
        session.connection().execute(_note_uses(session), new)


def users_of(session: Session, ids: Iterable[UUID]) -> set[str]:
    """The paths of the pages that show any of these articles, or would if it were live."""
    return set(session.connection().execute(_USERS, {"ids": sorted(set(ids))}).scalars())


def paths_of_articles(session: Session, ids: Iterable[UUID]) -> list[str]:
    """The paths of the live ones of these articles."""
    return list(session.connection().execute(_LIVE_PATHS, {"ids": sorted(set(ids))}).scalars())


def pages_built_lately(session: Session, within: timedelta) -> Sequence[Page]:
    """The pages written in the last stretch of time before the newest one."""
    newest_at = session.scalar(select(func.max(Page.built_at)))
    if newest_at is None:
        return []
    return session.scalars(select(Page).where(Page.built_at > newest_at - within)).all()


def count_pages(session: Session) -> int:
    """How many pages there are."""
    return session.scalar(select(func.count()).select_from(_pages).where(_pages.c.digest != "")) or 0


def live_paths_without_page(session: Session) -> list[str]:
    """Where a live article should have a page and the database knows of none."""
    statement = (
        select(Article.path)
        .outerjoin(Page, (Page.path == Article.path) & ~Page.gone & (Page.digest != ""))
        .where(Article.status == "live", Page.path.is_(None))
    )
    return list(session.scalars(statement))


def articles_after(session: Session, after: UUID, most: int) -> list[tuple[UUID, str]]:
    """The next articles after this one, live or withdrawn, in the order in which they came: id and path.

    Neighbours show each other: what was made for one page is at hand for the next.
    """
    statement = select(_articles.c.id, _articles.c.path).where(_articles.c.id > after).order_by(_articles.c.id)
    return [(row.id, row.path) for row in session.connection().execute(statement.limit(most))]


def fact(session: Session, name: str) -> str | None:
    """A fact of the whole site."""
    value: str | None = session.connection().execute(_FACT, {"name": name}).scalar()
    return value


def save_fact(session: Session, name: str, value: str) -> None:
    """Hold a fact of the whole site."""
    session.execute(_save_fact(session), {"name": name, "value": value})
