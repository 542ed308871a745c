"""Queries over subscriptions, deliveries and attempts. Everything takes a session; nothing commits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Row,
    Table,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    null,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from services.publish.models import Attempt, Delivery, Digest, Flash, Subscription
from shared import jobs
from shared.db import per_dialect
from shared.tables import tallies


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


# What runs for every article and every delivery goes through the tables; what runs for people, through the classes.
_subscriptions, _deliveries, _attempts = _table(Subscription), _table(Delivery), _table(Attempt)
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_CHANNELS: BindParameter[Any] = bindparam("channels", expanding=True)
# As the partial indexes have them, word for word.
OWED = text("deliveries.state IN ('due', 'sending')")
FAILED = text("deliveries.state IN ('failed', 'unknown')")


# Subscriptions


def subscription(session: Session, subscription_id: UUID, *, lock: bool = False) -> Subscription | None:
    """One subscription, or None; one that is being removed is none."""
    statement = select(Subscription).where(Subscription.id == subscription_id, Subscription.status != "removed")
    return session.scalar(statement.with_for_update() if lock else statement)


def subscriptions(
    session: Session,
    after: UUID | None = None,
    most: int = 100,
    *,
    channel: str | None = None,
    status: str | None = None,
) -> Sequence[Subscription]:
    """Subscriptions in the order in which they were made, after this one; readers' own only by their channel."""
    statement = select(Subscription).where(Subscription.status != "removed").order_by(Subscription.id).limit(most)
    if after is not None:
        statement = statement.where(Subscription.id > after)
    if channel is not None:
        statement = statement.where(Subscription.channel == channel)
    else:
        statement = statement.where(Subscription.reader.is_(None))
    if status is not None:
        statement = statement.where(Subscription.status == status)
    return session.scalars(statement).all()


def of_reader(session: Session, reader: str) -> Subscription | None:
    """The subscription that a reader has made with this address, known by its digest."""
    return session.scalar(select(Subscription).where(Subscription.reader == reader).with_for_update())


def unconfirmed(session: Session, until: datetime, most: int) -> Sequence[Subscription]:
    """Sign-ups that nobody has confirmed, made before this."""
    statement = select(Subscription).where(Subscription.status == "pending", Subscription.created_at < until)
    return session.scalars(statement.order_by(Subscription.id).limit(most).with_for_update()).all()


def readers_of_letters(session: Session, language: str, most: int, after: UUID | None) -> Sequence[Subscription]:
    """Those who get an edition's letters, in the order of their ids, after this one."""
    statement = select(Subscription).where(
        Subscription.status == "active", Subscription.channel == "email", Subscription.language == language
    )
    if after is not None:
        statement = statement.where(Subscription.id > after)
    return session.scalars(statement.order_by(Subscription.id).limit(most)).all()


def digests(session: Session, ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """What these digests tell."""
    rows = session.execute(select(Digest.id, Digest.entries).where(Digest.id.in_(set(ids))))
    return {row.id: row.entries[0] for row in rows}


def remove_slice(session: Session, subscription_id: UUID, most: int) -> bool:
    """Remove some of what a subscription was told, and itself when nothing is left; whether it is gone."""
    owed = session.scalars(
        select(Delivery.id).where(Delivery.subscription_id == subscription_id).order_by(Delivery.id).limit(most)
    ).all()
    session.execute(delete(Attempt).where(Attempt.delivery_id.in_(owed)))
    session.execute(delete(Delivery).where(Delivery.id.in_(owed)))
    if len(owed) == most:
        return False
    session.execute(delete(Subscription).where(Subscription.id == subscription_id))
    return True


@dataclass(frozen=True, slots=True)
class Recipient:
    """A subscription as announcing needs it."""

    id: UUID
    channel: str
    filter: Mapping[str, Any]
    language: str


_RECIPIENTS = (
    select(_subscriptions.c.id, _subscriptions.c.channel, _subscriptions.c.filter, _subscriptions.c.language)
    .where(_subscriptions.c.status == "active", _subscriptions.c.channel.in_(_CHANNELS))
    .order_by(_subscriptions.c.id)
    .limit(bindparam("most"))
)
_RECIPIENTS_AFTER = _RECIPIENTS.where(_subscriptions.c.id > bindparam("after"))


def recipients(session: Session, channels: Iterable[str], most: int, after: UUID | None = None) -> list[Recipient]:
    """Those who are to be told by these channels, in the order of their ids, after this one."""
    values: dict[str, Any] = {"channels": list(channels), "most": most}
    statement = _RECIPIENTS
    if after is not None:
        statement, values["after"] = _RECIPIENTS_AFTER, after
    return [Recipient(*row) for row in session.connection().execute(statement, values)]


_CHANNELS_IN_USE: dict[str, Any] = {
    channel: select(literal_column(f"'{channel}'"))
    .where(_subscriptions.c.status == "active", _subscriptions.c.channel == channel)
    .limit(1)
    for channel in ("webhook", "web_push", "email", "websub", "indexnow", "apprise")
}


def is_in_use(session: Session, channel: str) -> bool:
    """Whether somebody is to be told by this channel."""
    return session.connection().execute(_CHANNELS_IN_USE[channel]).first() is not None


def end_subscriptions(session: Session, ids: Iterable[UUID], status: str, why: str) -> None:
    """Tell these subscriptions nothing any more ("paused" or "disabled"), and why."""
    session.execute(
        update(Subscription)
        .where(Subscription.id.in_(set(ids)), Subscription.status == "active")
        .values(status=status, why=why[:400])
    )


def note_failing(session: Session, ids: Iterable[UUID], since: datetime) -> None:
    """Note that these have begun to fail."""
    session.connection().execute(_FAILING, {"ids": sorted(set(ids)), "since": since})


def note_working(session: Session, ids: Iterable[UUID]) -> None:
    """Note that these have taken something."""
    session.connection().execute(_WORKING, {"ids": sorted(set(ids))})


_FAILING = (
    update(_subscriptions)
    .where(_subscriptions.c.id.in_(_IDS), _subscriptions.c.failing_since.is_(None))
    .values(failing_since=bindparam("since"))
)
_WORKING = update(_subscriptions).where(_subscriptions.c.id.in_(_IDS)).values(failing_since=null())


# What is owed


_EARLIER = (
    select(*(_deliveries.c[name] for name in ("id", "subscription_id", "article_id", "change", "announces", "state")))
    .add_columns(_deliveries.c.tries, _deliveries.c.put_back, _deliveries.c.created_at)
    .where(
        _deliveries.c.article_id.in_(bindparam("articles", expanding=True)),
        _deliveries.c.subscription_id.in_(bindparam("subscriptions", expanding=True)),
    )
    .order_by(_deliveries.c.id)
    .with_for_update()
)


def earlier_deliveries(
    session: Session, articles: Iterable[UUID], told: Iterable[UUID]
) -> dict[tuple[UUID, UUID], list[Row[Any]]]:
    """What these subscriptions were owed of these articles, by (article, subscription), their rows locked."""
    values = {"articles": sorted(set(articles)), "subscriptions": sorted(set(told))}
    found: dict[tuple[UUID, UUID], list[Row[Any]]] = {}
    for row in session.connection().execute(_EARLIER, values):
        found.setdefault((row.article_id, row.subscription_id), []).append(row)
    return found


def body_of(session: Session, delivery_id: UUID) -> str:
    """A delivery's body; "" when retention has taken it."""
    return session.scalar(select(_deliveries.c.body).where(_deliveries.c.id == delivery_id)) or ""


def unanswered(session: Session, ids: Iterable[UUID]) -> set[UUID]:
    """Those of these deliveries of which an attempt may have arrived without our knowing."""
    statement = select(Attempt.delivery_id).where(Attempt.delivery_id.in_(set(ids)), Attempt.status.is_(None))
    return set(session.scalars(statement))


def supersede(session: Session, ids: Iterable[UUID], now: datetime) -> None:
    """End these due deliveries: a newer one says more."""
    session.connection().execute(_SUPERSEDE, {"ids": sorted(set(ids)), "now": now})


def give_up_first(session: Session, ids: Iterable[UUID]) -> None:
    """Let another delivery than these be the one that announces the article."""
    session.connection().execute(_GIVE_UP_FIRST, {"ids": sorted(set(ids))})


_SUPERSEDE = (
    update(_deliveries)
    .where(_deliveries.c.id.in_(_IDS), _deliveries.c.state == "due")
    .values(state="superseded", ended_at=bindparam("now"), next_attempt_at=null())
)
_GIVE_UP_FIRST = update(_deliveries).where(_deliveries.c.id.in_(_IDS)).values(announces=null())
_INSERT = insert(_deliveries)


def add_deliveries(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert deliveries, each with all its columns."""
    session.connection().execute(_INSERT, list(rows))


# Attempts


_OWED = ("id", "subscription_id", "article_id", "change", "type", "body", "state", "tries", "created_at")
_OWED_TO = ("channel", "url", "keys", "language", "status", "secret_version", "old_secret_until", "failing_since")
_OWED_ROWS = (
    select(*(_deliveries.c[name] for name in _OWED), *(_subscriptions.c[name] for name in _OWED_TO))
    .join_from(_deliveries, _subscriptions, _subscriptions.c.id == _deliveries.c.subscription_id)
    .where(_deliveries.c.id.in_(_IDS))
)
_LOCK_BY_ID = (
    select(_deliveries.c.id, _deliveries.c.state)
    .where(_deliveries.c.id.in_(_IDS))
    .order_by(_deliveries.c.id)
    .with_for_update()
)


def owed(session: Session, ids: Iterable[UUID]) -> dict[UUID, Row[Any]]:
    """These deliveries, due or not, with whom they are owed to."""
    return {row.id: row for row in session.connection().execute(_OWED_ROWS, {"ids": sorted(set(ids))})}


def lock_deliveries(session: Session, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The states of these deliveries, their rows locked."""
    rows = session.connection().execute(_LOCK_BY_ID, {"ids": sorted(set(ids))})
    return {row.id: row.state for row in rows}


def add_attempts(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert attempts, each with all its columns."""
    if rows:
        session.connection().execute(_ADD_ATTEMPT, list(rows))


def end_attempts(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note the answers of attempts that were recorded before they were made: {"the_id", "took", "got", "said"} each."""
    if rows:
        session.connection().execute(_END_ATTEMPT, list(rows))


def drop_attempts(session: Session, ids: Sequence[UUID]) -> None:
    """Forget attempts that were recorded, and then not made."""
    if ids:
        session.connection().execute(_DROP_ATTEMPT, {"ids": list(ids)})


def delivered(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Note that these have arrived, each with one more try."""
    if ids:
        session.connection().execute(_DELIVERED, {"ids": list(ids), "now": now})


def not_delivered(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note what else came of tries: {"the_id", "the_state", "retry_at", "end", "more"} each; ended ones stay so."""
    if rows:
        session.connection().execute(_NOT_DELIVERED, list(rows))


def put_back(session: Session, ids: Sequence[UUID]) -> None:
    """Note that these were taken up and put back without a request."""
    if ids:
        session.connection().execute(_PUT_BACK, {"ids": list(ids)})


def begin(session: Session, ids: Sequence[UUID]) -> None:
    """Note that these are about to be sent: whoever finds them so does not send them again."""
    if ids:
        session.connection().execute(_BEGIN, {"ids": list(ids)})


def hold(session: Session, ids: Sequence[UUID]) -> None:
    """Leave these due without a next attempt, until their subscription is resumed."""
    if ids:
        session.connection().execute(_HOLD, {"ids": list(ids)})


def fail(session: Session, ids: Sequence[UUID], now: datetime, state: str = "failed") -> None:
    """End these for good, undelivered."""
    if ids:
        session.connection().execute(_FAIL, {"ids": list(ids), "now": now, "as_what": state})


_ADD_ATTEMPT = insert(_attempts)
_END_ATTEMPT = (
    update(_attempts)
    .where(_attempts.c.id == bindparam("the_id"))
    .values(took_ms=bindparam("took"), status=bindparam("got"), answer=bindparam("said"))
)
_DROP_ATTEMPT = delete(_attempts).where(_attempts.c.id.in_(_IDS))
_of_ids = update(_deliveries).where(_deliveries.c.id.in_(_IDS))
_DELIVERED = _of_ids.values(
    state="delivered", ended_at=bindparam("now"), next_attempt_at=null(), tries=_deliveries.c.tries + 1
)
_open = (_deliveries.c.state == "due") | (_deliveries.c.state == "sending")
_NOT_DELIVERED = (
    update(_deliveries)
    .where(_deliveries.c.id == bindparam("the_id"))
    .values(
        state=case((_open, bindparam("the_state", type_=_deliveries.c.state.type)), else_=_deliveries.c.state),
        next_attempt_at=case(
            (_open, bindparam("retry_at", type_=_deliveries.c.next_attempt_at.type)),
            else_=_deliveries.c.next_attempt_at,
        ),
        ended_at=case((_open, bindparam("end", type_=_deliveries.c.ended_at.type)), else_=_deliveries.c.ended_at),
        tries=_deliveries.c.tries + bindparam("more"),
    )
)
_PUT_BACK = _of_ids.values(
    put_back=_deliveries.c.put_back + 1,
    state=case((_deliveries.c.state == "sending", "due"), else_=_deliveries.c.state),
)
_BEGIN = _of_ids.where(_deliveries.c.state == "due").values(state="sending")
_HOLD = _of_ids.values(next_attempt_at=null())
_FAIL = _of_ids.where(_deliveries.c.state.in_(("due", "sending"))).values(
    state=bindparam("as_what"), ended_at=bindparam("now"), next_attempt_at=null()
)


# For people


def delivery(session: Session, delivery_id: UUID, *, lock: bool = False) -> Delivery | None:
    """One delivery, or None."""
    statement = select(Delivery).where(Delivery.id == delivery_id)
    return session.scalar(statement.with_for_update() if lock else statement)


def has_newer(session: Session, one: Delivery) -> bool:
    """Whether its subscription was owed a newer change of the same article."""
    statement = select(Delivery.id).where(
        Delivery.subscription_id == one.subscription_id,
        Delivery.article_id == one.article_id,
        Delivery.change > one.change,
    )
    return session.scalar(statement.limit(1)) is not None


def active_among(session: Session, ids: Iterable[UUID]) -> set[UUID]:
    """Those of these subscriptions that are told."""
    statement = select(Subscription.id).where(Subscription.id.in_(set(ids)), Subscription.status == "active")
    return set(session.scalars(statement))


def deliveries(
    session: Session,
    *,
    article_id: UUID | None = None,
    subscription_id: UUID | None = None,
    channel: str | None = None,
    state: str | None = None,
    before: UUID | None = None,
    most: int = 100,
) -> Sequence[Delivery]:
    """Deliveries, newest first."""
    statement = select(Delivery).order_by(Delivery.id.desc()).limit(most)
    for column, value in (
        (Delivery.article_id, article_id),
        (Delivery.subscription_id, subscription_id),
        (Delivery.channel, channel),
        (Delivery.state, state),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if state in {"due", "sending"}:
        statement = statement.where(OWED)
    elif state in {"failed", "unknown"}:
        statement = statement.where(FAILED)
    if before is not None:
        statement = statement.where(Delivery.id < before)
    return session.scalars(statement).all()


def attempts_of(session: Session, ids: Iterable[UUID]) -> dict[UUID, list[Attempt]]:
    """The attempts at these deliveries, in order."""
    found: dict[UUID, list[Attempt]] = {}
    for row in session.scalars(select(Attempt).where(Attempt.delivery_id.in_(set(ids))).order_by(Attempt.id)):
        found.setdefault(row.delivery_id, []).append(row)
    return found


def failed_slice(
    session: Session,
    *,
    since: datetime | None,
    until: datetime | None,
    channel: str | None,
    subscription_id: UUID | None,
    status: int | None,
    after: UUID | None,
    most: int,
) -> Sequence[Delivery]:
    """Deliveries that have failed, oldest first, by when they ended and how their last attempt was answered."""
    statement = select(Delivery).where(FAILED).order_by(Delivery.id).limit(most)
    if since is not None:
        statement = statement.where(Delivery.ended_at >= since)
    if until is not None:
        statement = statement.where(Delivery.ended_at < until)
    if channel is not None:
        statement = statement.where(Delivery.channel == channel)
    if subscription_id is not None:
        statement = statement.where(Delivery.subscription_id == subscription_id)
    if after is not None:
        statement = statement.where(Delivery.id > after)
    if status is not None:
        # Ids grow with time.
        of_it = select(Attempt.status).where(Attempt.delivery_id == Delivery.id)
        last = of_it.order_by(Attempt.id.desc()).limit(1).scalar_subquery()
        statement = statement.where(last == status if status else last.is_(None))
    return session.scalars(statement.with_for_update()).all()


def held(session: Session, subscription_id: UUID, after: UUID | None, most: int) -> list[UUID]:
    """Deliveries that are still owed to a subscription, in order."""
    statement = select(Delivery.id).where(OWED, Delivery.subscription_id == subscription_id)
    if after is not None:
        statement = statement.where(Delivery.id > after)
    return list(session.scalars(statement.order_by(Delivery.id).limit(most)))


_COUNTED = "deliveries"


def count(session: Session, outcomes: Mapping[tuple[str, str], int]) -> None:
    """Add to the counts that are kept for ever, by (channel, outcome)."""
    for (channel, outcome), more in sorted(outcomes.items()):
        jobs.tally(session, f"{_COUNTED} {outcome} {channel}", more)


def counts(session: Session) -> dict[tuple[str, str], int]:
    """How many deliveries there are, by (channel, state): owed and failed as they are, others as they were counted."""
    found: dict[tuple[str, str], int] = {}
    for where in (OWED, FAILED):
        grouped = select(Delivery.channel, Delivery.state, func.count()).where(where)
        rows = session.execute(grouped.group_by(Delivery.channel, Delivery.state))
        found.update({(channel, state): number for channel, state, number in rows})
    kept = session.execute(select(tallies.c.name, tallies.c.value).where(tallies.c.name.like(f"{_COUNTED} %")))
    for name, value in kept:
        _, outcome, channel = name.split(" ")
        found.setdefault((channel, outcome), value)
    return found


def note_flashes(session: Session, flashes: Iterable[tuple[UUID, int]], now: datetime) -> None:
    """Note that these articles, (id, change) each, were announced as flashes."""
    rows = [{"article_id": article_id, "change": change, "announced_at": now} for article_id, change in flashes]
    session.execute(_note_flash(session), rows)


@per_dialect
def _note_flash(make: Callable[[Table], Any]) -> Any:
    return make(_table(Flash)).on_conflict_do_nothing(index_elements=["article_id"])


def flashes_unheard(session: Session, since: datetime, until: datetime) -> dict[str, int]:
    """By channel that owed something of flashes announced in this time: how many of these reached nobody by it."""
    reached = func.sum(case((Delivery.state == "delivered", 1), else_=0))
    rows = session.execute(
        select(Delivery.article_id, Delivery.channel, reached.label("reached"))
        .join(Flash, Flash.article_id == Delivery.article_id)
        .where(Flash.announced_at >= since, Flash.announced_at < until)
        .group_by(Delivery.article_id, Delivery.channel)
    )
    found: dict[str, int] = {}
    for row in rows:
        found[row.channel] = found.get(row.channel, 0) + (0 if row.reached else 1)
    return found


# Retention


def remove_old(session: Session, until: datetime, most: int) -> int:
    """Remove ended deliveries older than this, but for those that keep an article from being announced twice.

    Of these only the texts go. All attempts go. Answers how many rows were changed; no more than `most` of each.
    """
    old = session.scalars(
        select(Delivery.id)
        .where(Delivery.ended_at < until, Delivery.announces.is_(None))
        .order_by(Delivery.ended_at)
        .limit(most)
    ).all()
    attempts = session.scalars(select(Attempt.id).where(Attempt.at < until).order_by(Attempt.at).limit(most)).all()
    kept = session.scalars(
        select(Delivery.id)
        .where(Delivery.ended_at < until, Delivery.announces.is_not(None), text("deliveries.body <> ''"))
        .order_by(Delivery.ended_at)
        .limit(most)
    ).all()
    if attempts:
        session.execute(delete(Attempt).where(Attempt.id.in_(attempts)))
    if old:
        session.execute(delete(Attempt).where(Attempt.delivery_id.in_(old)))
        session.execute(delete(Delivery).where(Delivery.id.in_(old)))
    if kept:
        # What failed and can no longer be sent again is not shown as if it could.
        given_up = case((Delivery.state.in_(("failed", "unknown")), "discarded"), else_=Delivery.state)
        session.execute(update(Delivery).where(Delivery.id.in_(kept)).values(body="", state=given_up))
    session.execute(delete(Flash).where(Flash.announced_at < until))
    return len(old) + len(attempts) + len(kept)
