"""Queries over ingest's tables. Every function takes a Session, none commits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

from services.ingest.domain import journey
from services.ingest.listing import remove_words
from services.ingest.models import Article, FormerPath, Media, Origin, Preview, Revision, TimelineStep
from shared.db import per_dialect, put_rows

_ARTICLES: Table = Article.__table__  # type: ignore[assignment]
_REVISIONS: Table = Revision.__table__  # type: ignore[assignment]
_TIMELINE: Table = TimelineStep.__table__  # type: ignore[assignment]
_FORMER: Table = FormerPath.__table__  # type: ignore[assignment]
_ORIGINS: Table = Origin.__table__  # type: ignore[assignment]
_MEDIA: Table = Media.__table__  # type: ignore[assignment]

_INSERT_REVISION = insert(_REVISIONS)


_PATH_OWNER = (
    select(_ARTICLES.c.id)
    .where(_ARTICLES.c.path == bindparam("path"))
    .union_all(select(_FORMER.c.article_id).where(_FORMER.c.path == bindparam("path")))
)


@per_dialect
def _add_article(insert: Callable[[Table], Any]) -> Any:
    values = [bindparam(column.key, type_=column.type) for column in _ARTICLES.c]
    taken = exists().where(_FORMER.c.path == bindparam("path", type_=_ARTICLES.c.path.type))
    statement = insert(_ARTICLES).from_select([column.key for column in _ARTICLES.c], select(*values).where(~taken))
    return statement.on_conflict_do_nothing(index_elements=["path"]).returning(_ARTICLES.c.id)


@per_dialect
def _add_former_paths(insert: Callable[[Table], Any]) -> Any:
    return insert(_FORMER).on_conflict_do_nothing()


@per_dialect
def _add_origin(insert: Callable[[Table], Any]) -> Any:
    return insert(_ORIGINS).on_conflict_do_nothing().returning(_ORIGINS.c.origin)


@per_dialect
def _add_media(insert: Callable[[Table], Any]) -> Any:
    return insert(_MEDIA).on_conflict_do_nothing(index_elements=["digest"]).returning(_MEDIA.c.id)


@per_dialect
def _add_steps(insert: Callable[[Table], Any]) -> Any:
    return insert(_TIMELINE).on_conflict_do_nothing()


# Articles and revisions


def add_article(session: Session, values: Mapping[str, Any]) -> bool:
    """Insert an article's row; False, and nothing inserted, when its path is, or was, another's.

    On PostgreSQL this waits for a transaction that is just taking the same path.
    """
    # Past the mapped classes' machinery, which costs as much again as the statement: this runs for every article.
    return session.connection().execute(_add_article(session), dict(values)).first() is not None


def add_revision(session: Session, revision: Mapping[str, Any]) -> None:
    """Insert a revision."""
    put_rows(session, _INSERT_REVISION, [revision])


def path_taken(session: Session, path: str) -> bool:
    """Whether an article, of any state, has or had this path."""
    return path_owner(session, path) is not None


def path_owner(session: Session, path: str) -> UUID | None:
    """The article, of any state, that has or had this path."""
    found = session.connection().execute(_PATH_OWNER, {"path": path}).first()
    return found[0] if found else None


def add_former_paths(session: Session, article_id: UUID, paths: Iterable[str]) -> None:
    """Keep addresses that lead to an article from now on; its own among them stay as they are."""
    rows = [{"path": path, "article_id": article_id} for path in sorted(set(paths))]
    if rows:
        session.connection().execute(_add_former_paths(session), rows)


def remove_former_path(session: Session, path: str) -> None:
    """Make an address free to be an article's present one."""
    session.execute(delete(_FORMER).where(_FORMER.c.path == path))


def get_article(session: Session, article_id: UUID, *, lock: bool = False) -> Article | None:
    """An article, or None. lock: keep others from changing it until this transaction ends."""
    statement = select(Article).where(Article.id == article_id)
    return session.scalar(statement.with_for_update() if lock else statement)


def get_revision(session: Session, article: Article) -> Revision:
    """An article's newest revision."""
    return session.scalars(
        select(Revision).where(Revision.article_id == article.id, Revision.number == article.revision)
    ).one()


def get_numbered_revision(session: Session, article_id: UUID, number: int) -> Revision | None:
    """One revision of an article, or None."""
    return session.get(Revision, (article_id, number))


def revisions(session: Session, article_id: UUID, *, before: int | None, most: int) -> list[Row[Any]]:
    """(number, headline, note, made_at, made_by) of an article's revisions, newest first; before: only older ones."""
    columns = (_REVISIONS.c[name] for name in ("number", "headline", "note", "made_at", "made_by"))
    statement = select(*columns).where(_REVISIONS.c.article_id == article_id)
    if before is not None:
        statement = statement.where(_REVISIONS.c.number < before)
    return list(session.execute(statement.order_by(_REVISIONS.c.number.desc()).limit(most)))


def delete_article(session: Session, article_id: UUID) -> None:
    """Remove an article with its texts, its timeline and its former addresses."""
    remove_words(session, article_id)
    for table in (_REVISIONS, _TIMELINE, _FORMER, _ORIGINS):
        session.execute(delete(table).where(table.c.article_id == article_id))
    session.execute(delete(_ARTICLES).where(_ARTICLES.c.id == article_id))


def add_origin(session: Session, origin: str, article_id: UUID) -> bool:
    """Note that an article has this id elsewhere; False, and nothing noted, when another has it."""
    values = {"origin": origin, "article_id": article_id}
    return session.connection().execute(_add_origin(session), values).first() is not None


def article_of_origin(session: Session, origin: str) -> UUID | None:
    """The article that has this id elsewhere, or None."""
    return session.scalar(select(_ORIGINS.c.article_id).where(_ORIGINS.c.origin == origin))


def version_of_origin(session: Session, origin: str) -> datetime | None:
    """When the version that is held was made; other versions wait until this transaction ends."""
    statement = select(_ORIGINS.c.version_at).where(_ORIGINS.c.origin == origin)
    return session.scalar(statement.with_for_update())


def set_version_of_origin(session: Session, origin: str, version_at: datetime) -> None:
    """Note when the version was made that is held now."""
    session.execute(update(_ORIGINS).where(_ORIGINS.c.origin == origin).values(version_at=version_at))


def get_preview(session: Session, preview_id: UUID) -> Preview | None:
    """A preview, or None; others are kept from changing it until this transaction ends."""
    return session.scalar(select(Preview).where(Preview.id == preview_id).with_for_update())


def previews(session: Session, article_id: UUID, *, valid_at: datetime, most: int) -> list[Preview]:
    """The previews of an article that are valid then, newest first."""
    statement = select(Preview).where(Preview.article_id == article_id)
    statement = statement.where(Preview.expires_at > valid_at, Preview.revoked_at.is_(None))
    return list(session.scalars(statement.order_by(Preview.id.desc()).limit(most)))


def previews_ended_at(session: Session, article_id: UUID, at: datetime) -> int:
    """How many previews of an article were revoked at just this moment."""
    found = select(func.count()).select_from(Preview)
    return session.scalar(found.where(Preview.article_id == article_id, Preview.revoked_at == at)) or 0


def forget_previews(session: Session, until: datetime, most: int) -> int:
    """Remove previews that ended before a time, at most so many; how many."""
    old = session.scalars(select(Preview.id).where(Preview.expires_at < until).limit(most)).all()
    session.execute(delete(Preview).where(Preview.id.in_(old)))
    return len(old)


def get_media(session: Session, media_ids: Iterable[UUID]) -> dict[UUID, Media]:
    """These pictures, by id; those that are not there are left out."""
    return {one.id: one for one in session.scalars(select(Media).where(Media.id.in_(sorted(set(media_ids)))))}


def media_of_digest(session: Session, digest: str) -> Media | None:
    """The picture of these bytes, or None."""
    return session.scalar(select(Media).where(Media.digest == digest))


def add_media(session: Session, values: Mapping[str, Any]) -> bool:
    """Insert a picture; False, and nothing inserted, when its bytes are there already."""
    return session.execute(_add_media(session), dict(values)).first() is not None


def list_media(session: Session, *, words: Sequence[str], before: UUID | None, most: int) -> list[Media]:
    """Pictures, newest first; words: folded, each somewhere in what is said of them. before: only older ones."""
    statement = select(Media).order_by(Media.id.desc()).limit(most)
    for word in words:
        statement = statement.where(Media.words.contains(word, autoescape=True))
    if before is not None:
        statement = statement.where(Media.id < before)
    return list(session.scalars(statement))


def corrections(session: Session, article_ids: Sequence[UUID]) -> dict[UUID, list[Revision]]:
    """The revisions that corrected these articles, oldest first, by article; those without any are left out."""
    found: dict[UUID, list[Revision]] = {}
    statement = select(Revision).where(Revision.article_id.in_(article_ids), Revision.note.is_not(None))
    for revision in session.scalars(statement.order_by(Revision.article_id, Revision.number)):
        found.setdefault(revision.article_id, []).append(revision)
    return found


def articles_after(session: Session, cursor: UUID | None, most: int) -> list[Row[Any]]:
    """(id, changed_at, first_published_at) of articles in the order in which they were accepted, after a cursor."""
    statement = select(_ARTICLES.c.id, _ARTICLES.c.changed_at, _ARTICLES.c.first_published_at)
    if cursor is not None:
        statement = statement.where(_ARTICLES.c.id > cursor)
    return list(session.execute(statement.order_by(_ARTICLES.c.id).limit(most)))


def articles_with_texts(session: Session, article_ids: Sequence[UUID]) -> list[tuple[Article, Revision]]:
    """These articles with their newest revisions, in the order of their ids."""
    statement = (
        select(Article, Revision)
        .join(Revision, (Revision.article_id == Article.id) & (Revision.number == Article.revision))
        .where(Article.id.in_(article_ids))
        .order_by(Article.id)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def count_by_status(session: Session, statuses: Iterable[str], most: int) -> dict[str, int]:
    """How many articles each state has, counted up to `most`."""
    counts = {}
    for status in statuses:
        some = select(_ARTICLES.c.id).where(_ARTICLES.c.status == status).limit(most)
        counts[status] = len(session.scalars(some).all())
    return counts


# Timeline


def add_steps(session: Session, steps: Sequence[tuple[UUID, datetime, int, str, journey.Detail]]) -> None:
    """Insert (article id, at, change, step, detail) rows; those that are there already change nothing."""
    if not steps:
        return
    rows = [
        {
            "article_id": article_id,
            "at": at,
            "mark": journey.mark(step, change, detail),
            "change": change,
            "step": step,
            "detail": dict(detail),
        }
        for article_id, at, change, step, detail in steps
    ]
    put_rows(session, _add_steps(session), rows)


def timeline(session: Session, article_id: UUID, most: int) -> list[TimelineStep]:
    """An article's newest steps, at most so many, oldest first."""
    statement = select(TimelineStep).where(TimelineStep.article_id == article_id)
    newest = session.scalars(statement.order_by(TimelineStep.at.desc(), TimelineStep.mark).limit(most)).all()
    # Of one moment, as things happen: an article that goes live as it is accepted was accepted first.
    return sorted(newest, key=lambda step: (step.at, step.change, journey.rank(step.step)))


def set_live_at(session: Session, seen: Mapping[UUID, datetime]) -> None:
    """Note when readers could first see these articles; what is known already stays."""
    if seen:
        session.execute(
            update(_ARTICLES)
            .where(_ARTICLES.c.id == bindparam("article"), _ARTICLES.c.live_at.is_(None))
            .values(live_at=bindparam("seen")),
            [{"article": article_id, "seen": at} for article_id, at in sorted(seen.items())],
        )
