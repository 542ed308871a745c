"""Queries over publish's tables. Everything takes a session; nothing commits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.orm import Session

from services.publish.models import (
    Article,
    Attempt,
    Delivery,
    Page,
    PageUse,
    RelatedSetRow,
    SiteFact,
    Subscription,
)
from shared.db import upsert
from shared.event_schemas import PublicArticleSchema
from shared.events import Byline, Correction, PublicArticle, RelatedSet

_wire = PublicArticleSchema()


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


# Articles


def lock_changes(session: Session, ids: Iterable[UUID]) -> dict[UUID, int]:
    """The change numbers held of these articles, their rows locked."""
    rows = session.execute(
        select(Article.id, Article.change).where(Article.id.in_(set(ids))).order_by(Article.id).with_for_update()
    )
    return {row.id: row.change for row in rows}


def save_article(session: Session, article: PublicArticle) -> bool:
    """Hold this state of the article, unless a newer or the same one is held; whether it was new."""
    statement = upsert(session, _table(Article))
    values = {
        "change": article.change,
        "status": article.status,
        "language": article.language,
        "section": article.section,
        "path": article.path,
        "first_published_at": article.first_published_at,
        "state": _wire.dump(article),
    }
    statement = statement.on_conflict_do_update(
        index_elements=["id"],
        set_={name: statement.excluded[name] for name in values},
        where=_table(Article).c.change < statement.excluded.change,
    )
    return session.execute(statement.returning(_table(Article).c.id), {"id": article.id, **values}).first() is not None


def article(session: Session, article_id: UUID) -> PublicArticle | None:
    """The newest state held of an article, live or not; None when nothing is held."""
    state = session.scalar(select(Article.state).where(Article.id == article_id))
    return None if state is None else _read(state)


def articles(session: Session, ids: Iterable[UUID]) -> dict[UUID, PublicArticle]:
    """The newest states held of these articles, live or not."""
    rows = session.execute(select(Article.id, Article.state).where(Article.id.in_(set(ids))))
    return {row.id: _read(row.state) for row in rows}


def newest(session: Session, language: str, section: str | None, most: int) -> list[PublicArticle]:
    """The live articles of an edition, or of one of its sections, newest first."""
    statement = select(Article.state).where(Article.language == language, Article.status == "live")
    if section is not None:
        statement = statement.where(Article.section == section)
    rows = session.scalars(statement.order_by(Article.first_published_at.desc(), Article.id.desc()).limit(most))
    return [_read(state) for state in rows]


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
        }
    )


# Related sets


def save_related(session: Session, related: RelatedSet) -> bool:
    """Hold this related set, unless a newer or the same one is held; whether it was new."""
    statement = upsert(session, _table(RelatedSetRow))
    statement = statement.on_conflict_do_update(
        index_elements=["article_id"],
        set_={"set_number": statement.excluded.set_number, "entries": statement.excluded.entries},
        where=_table(RelatedSetRow).c.set_number < statement.excluded.set_number,
    )
    values = {
        "article_id": related.article_id,
        "set_number": related.set_number,
        "entries": [str(entry.article_id) for entry in related.entries],
    }
    return session.execute(statement.returning(_table(RelatedSetRow).c.article_id), values).first() is not None


def related_ids(session: Session, article_id: UUID) -> list[UUID]:
    """The articles of an article's related set, best first, live or not."""
    entries = session.scalar(select(RelatedSetRow.entries).where(RelatedSetRow.article_id == article_id))
    return [UUID(entry) for entry in entries or ()]


# Pages


def lock_page(session: Session, path: str, now: datetime) -> Page:
    """The page's row, made if there is none, locked until the transaction ends."""
    statement = upsert(session, _table(Page)).on_conflict_do_nothing(index_elements=["path"])
    session.execute(
        statement,
        {"path": path, "build": 0, "change": 0, "digest": "", "size": 0, "gone": False, "built_at": now},
    )
    return session.scalars(
        select(Page).where(Page.path == path).with_for_update().execution_options(populate_existing=True)
    ).one()


def page(session: Session, path: str) -> Page | None:
    """The page's row, or None."""
    return session.get(Page, path)


def pages_after(session: Session, path: str, most: int) -> Sequence[Page]:
    """The next pages' rows in the order of their paths, after this one ("" begins)."""
    return session.scalars(select(Page).where(Page.path > path).order_by(Page.path).limit(most)).all()


def save_uses(session: Session, path: str, used: set[UUID]) -> None:
    """Record which articles a page shows, or would show if they were live."""
    before = set(session.scalars(select(PageUse.article_id).where(PageUse.path == path)))
    if gone := before - used:
        session.execute(delete(PageUse).where(PageUse.path == path, PageUse.article_id.in_(gone)))
    if new := used - before:
        session.execute(
            upsert(session, _table(PageUse)).on_conflict_do_nothing(),
            [{"path": path, "article_id": one} for one in sorted(new)],
        )


def users_of(session: Session, article_id: UUID) -> list[str]:
    """The paths of the pages that show this article, or would if it were live."""
    return list(session.scalars(select(PageUse.path).where(PageUse.article_id == article_id)))


def paths_of_articles(session: Session, ids: Iterable[UUID]) -> list[str]:
    """The paths of the live ones of these articles."""
    return list(session.scalars(select(Article.path).where(Article.id.in_(set(ids)), Article.status == "live")))


def article_at(session: Session, path: str) -> PublicArticle | None:
    """The article whose page is at this path, live or withdrawn; the live one where an older one had the path."""
    states = session.scalars(select(Article.state).where(Article.path == path)).all()
    found = [_read(state) for state in states]
    return next((one for one in found if one.status == "live"), found[0] if found else None)


def pages_built_lately(session: Session, within: timedelta) -> Sequence[Page]:
    """The pages written in the last stretch of time before the newest one."""
    newest_at = session.scalar(select(func.max(Page.built_at)))
    if newest_at is None:
        return []
    return session.scalars(select(Page).where(Page.built_at > newest_at - within)).all()


def live_paths_without_page(session: Session) -> list[str]:
    """Where a live article should have a page and the database knows of none."""
    statement = (
        select(Article.path)
        .outerjoin(Page, (Page.path == Article.path) & ~Page.gone & (Page.digest != ""))
        .where(Article.status == "live", Page.path.is_(None))
    )
    return list(session.scalars(statement))


def live_paths_after(session: Session, path: str, most: int) -> list[str]:
    """The next paths at which an article is or was, in order, after this one."""
    statement = select(Article.path).where(Article.path > path).distinct().order_by(Article.path).limit(most)
    return list(session.scalars(statement))


def fact(session: Session, name: str) -> str | None:
    """A fact of the whole site."""
    return session.scalar(select(SiteFact.value).where(SiteFact.name == name))


def save_fact(session: Session, name: str, value: str) -> None:
    """Hold a fact of the whole site."""
    statement = upsert(session, _table(SiteFact))
    statement = statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value})
    session.execute(statement, {"name": name, "value": value})


# Subscriptions and deliveries


def active_subscriptions(session: Session) -> Sequence[Subscription]:
    """Everyone who is to be told."""
    return session.scalars(select(Subscription).where(Subscription.status == "active").order_by(Subscription.id)).all()


def subscription(session: Session, subscription_id: UUID) -> Subscription | None:
    """One subscription, or None."""
    return session.get(Subscription, subscription_id)


def subscriptions(session: Session, after: UUID | None, most: int) -> Sequence[Subscription]:
    """Subscriptions in the order in which they were made, after this one."""
    statement = select(Subscription).order_by(Subscription.id).limit(most)
    return session.scalars(statement.where(Subscription.id > after) if after else statement).all()


def delete_subscription(session: Session, subscription_id: UUID) -> bool:
    """Remove a subscription with all that it was owed and told; False when there is none."""
    owed = select(Delivery.id).where(Delivery.subscription_id == subscription_id)
    session.execute(delete(Attempt).where(Attempt.delivery_id.in_(owed)))
    session.execute(delete(Delivery).where(Delivery.subscription_id == subscription_id))
    gone = session.execute(delete(Subscription).where(Subscription.id == subscription_id).returning(Subscription.id))
    return gone.first() is not None


def deliveries_of(session: Session, article_id: UUID) -> dict[UUID, list[Delivery]]:
    """An article's deliveries by subscription, oldest change first, their rows locked."""
    found: dict[UUID, list[Delivery]] = {}
    for row in session.scalars(
        select(Delivery)
        .where(Delivery.article_id == article_id)
        .order_by(Delivery.change, Delivery.id)
        .with_for_update()
    ):
        found.setdefault(row.subscription_id, []).append(row)
    return found


def was_unanswered(session: Session, delivery_id: UUID) -> bool:
    """Whether an attempt at this delivery may have arrived without our knowing."""
    statement = select(Attempt.id).where(Attempt.delivery_id == delivery_id, Attempt.status.is_(None)).limit(1)
    return session.scalar(statement) is not None


def deliveries(
    session: Session,
    *,
    article_id: UUID | None = None,
    subscription_id: UUID | None = None,
    state: str | None = None,
    before: UUID | None = None,
    most: int = 100,
) -> Sequence[Delivery]:
    """Deliveries, newest first."""
    statement = select(Delivery).order_by(Delivery.id.desc()).limit(most)
    if article_id is not None:
        statement = statement.where(Delivery.article_id == article_id)
    if subscription_id is not None:
        statement = statement.where(Delivery.subscription_id == subscription_id)
    if state is not None:
        statement = statement.where(Delivery.state == state)
    if before is not None:
        statement = statement.where(Delivery.id < before)
    return session.scalars(statement).all()


def attempts_of(session: Session, ids: Iterable[UUID]) -> dict[UUID, list[Attempt]]:
    """The attempts at these deliveries, in order."""
    found: dict[UUID, list[Attempt]] = {}
    for row in session.scalars(select(Attempt).where(Attempt.delivery_id.in_(set(ids))).order_by(Attempt.id)):
        found.setdefault(row.delivery_id, []).append(row)
    return found


def due_deliveries(session: Session, ids: Iterable[UUID]) -> dict[UUID, tuple[Delivery, Subscription]]:
    """Those of these deliveries that are still owed, with whom they are owed to."""
    rows = session.execute(
        select(Delivery, Subscription)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .where(Delivery.id.in_(set(ids)), Delivery.state == "due")
    )
    return {row[0].id: (row[0], row[1]) for row in rows}


def deliveries_by_id(session: Session, ids: Iterable[UUID]) -> dict[UUID, Delivery]:
    """These deliveries, their rows locked."""
    rows = session.scalars(select(Delivery).where(Delivery.id.in_(set(ids))).order_by(Delivery.id).with_for_update())
    return {row.id: row for row in rows}


def disable_subscription(session: Session, subscription_id: UUID, why: str) -> None:
    """Tell this subscription nothing any more, and why."""
    session.execute(update(Subscription).where(Subscription.id == subscription_id).values(status="disabled", why=why))


def delivery_counts(session: Session) -> dict[str, int]:
    """How many deliveries there are, by state."""
    return {row[0]: row[1] for row in session.execute(select(Delivery.state, func.count()).group_by(Delivery.state))}


def remove_old_deliveries(session: Session, until: datetime, most: int) -> int:
    """Remove ended deliveries older than this, but for those that keep an article from being announced twice.

    Their attempts go too. Answers how many went.
    """
    old = session.scalars(
        select(Delivery.id).where(Delivery.ended_at < until, Delivery.announces.is_(None)).limit(most)
    ).all()
    attempts = session.scalars(select(Attempt.id).where(Attempt.at < until).limit(most)).all()
    session.execute(delete(Attempt).where(Attempt.id.in_(attempts)))
    session.execute(delete(Attempt).where(Attempt.delivery_id.in_(old)))
    session.execute(delete(Delivery).where(Delivery.id.in_(old)))
    session.execute(
        update(Delivery)
        .where(Delivery.ended_at < until, Delivery.announces.is_not(None), Delivery.body != "")
        .values(body="")
    )
    return len(old) + len(attempts)
