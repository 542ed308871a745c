"""The outbox: what a service says leaves through rows that commit with the change they tell of.

`say` writes one row per listening service in the caller's transaction. After the commit the dispatcher sends it; the
sweeper sends it again until the listener's receipt has come. No event leaves in any other way.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, func, insert, or_, select, union_all, update
from sqlalchemy.orm import Session

from shared import clock, routing
from shared.db import put_rows
from shared.event_schemas import encode
from shared.events import Event
from shared.ids import new_id
from shared.logs import trace_id
from shared.tables import outbox

# The pause before an unreceived event is sent again, after each send; the last one repeats. Seconds.
PAUSES_S = (3.0, 6.0, 12.0, 30.0, 60.0)
# A bulk event waits for the sweeper, which keeps no more than this many unreceived with each listener.
BULK_IN_FLIGHT = 200
_SAY_LATER = insert(outbox)
_SAY = insert(outbox).returning(outbox.c.seq, sort_by_parameter_order=True)


@dataclass(frozen=True)
class Letter:
    """One event on its way to one listener. seq: its row in the outbox; size: bytes of its envelope."""

    seq: int
    listener: str
    lane: str
    type: str
    subject: str
    trace: str
    envelope: dict[str, Any]
    size: int
    again: bool = False


def say(session: Session, event: Event, *, lane: str | None = None) -> UUID:
    """Say an event in the caller's transaction: a row for each service that hears it. Gives back the event's id.

    lane: urgent, normal or bulk; by default the event's own (routing.LANES). Raises BadEvent when it fits no schema.
    """
    now = clock.now()
    event_id = new_id()
    lane = lane or routing.lane_of(event.type)
    trace = trace_id()
    source = session.info["service"]
    envelope = encode(event, event_id=event_id, source=source, said_at=now, trace=trace)
    text = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
    direct = lane != "bulk"
    rows = [
        {
            "event_id": event_id,
            "listener": listener,
            "lane": lane,
            "type": event.type,
            "subject": event.subject[:200],
            "envelope": text,
            "trace": trace,
            "said_at": now,
            "send_at": now + timedelta(seconds=PAUSES_S[0]) if direct else now,
            "sent": direct,
            "sends": 1 if direct else 0,
        }
        for listener in routing.LISTENERS[event.type]
    ]
    if not direct:
        put_rows(session, _SAY_LATER, rows)
    else:

        def write_letters(seqs: Sequence[int]) -> None:
            letters: list[Letter] = session.info.setdefault("letters", [])
            for seq, row in zip(seqs, rows, strict=True):
                letters.append(
                    Letter(seq, str(row["listener"]), lane, event.type, str(row["subject"]), trace, envelope, len(text))
                )

        put_rows(session, _SAY, rows, then=write_letters)
    return event_id


def due(session: Session, *, now: datetime, closed: Collection[tuple[str, str]] = (), most: int = 500) -> list[Letter]:
    """The unreceived events to send (again) now, oldest first; bulk ones only as far as their cap allows.

    closed: (listener, lane) of queues that take no more now; what goes there stays due. Marks the others as sent, with
    the next pause before them, in the caller's transaction.
    """
    waiting = select(outbox).where(outbox.c.received_at.is_(None), outbox.c.send_at <= now)
    for listener, lane in closed:
        waiting = waiting.where(or_(outbox.c.listener != listener, outbox.c.lane != lane))
    waiting = waiting.order_by(outbox.c.send_at, outbox.c.seq).with_for_update(skip_locked=True)
    # A listener that routing knows no more is passed over: nobody would take what is sent there.
    direct = waiting.where(outbox.c.lane.in_(("urgent", "normal")), outbox.c.listener.in_(routing.SERVICES))
    rows = list(session.execute(direct.limit(most)))
    for listener in routing.SERVICES:
        bulk = and_(outbox.c.lane == "bulk", outbox.c.listener == listener)
        flying = session.scalar(
            select(func.count()).where(bulk, outbox.c.received_at.is_(None), outbox.c.sent, outbox.c.send_at > now)
        )
        rows += session.execute(waiting.where(bulk).limit(max(0, BULK_IN_FLIGHT - (flying or 0)))).all()
    letters = [
        Letter(
            row.seq,
            row.listener,
            row.lane,
            row.type,
            row.subject,
            row.trace,
            json.loads(row.envelope),
            len(row.envelope),
            again=row.sent,
        )
        for row in rows
    ]
    by_pause: dict[float, list[int]] = {}
    for row in rows:
        by_pause.setdefault(PAUSES_S[min(row.sends, len(PAUSES_S) - 1)], []).append(row.seq)
    for pause, seqs in by_pause.items():
        session.execute(
            update(outbox)
            .where(outbox.c.seq.in_(seqs))
            .values(sent=True, sends=outbox.c.sends + 1, send_at=now + timedelta(seconds=pause))
        )
    return letters


def is_due(session: Session, *, now: datetime) -> bool:
    """Whether `due` would find anything."""
    return session.connection().execute(_DUE, {"now": now}).first() is not None


_DUE = union_all(
    *(
        select(
            select(outbox.c.seq)
            .where(outbox.c.received_at.is_(None), outbox.c.lane == lane, outbox.c.send_at <= bindparam("now"))
            .limit(1)
            .subquery()
        )
        for lane in ("urgent", "normal", "bulk")
    )
)


def bulk_waiting(session: Session, most: int) -> bool:
    """Whether more than this many bulk events wait to be sent or received: who says many should then wait."""
    waiting = select(outbox.c.seq).where(outbox.c.received_at.is_(None), outbox.c.lane == "bulk")
    return session.scalar(waiting.offset(most).limit(1)) is not None


def send_all_again(session: Session, *, now: datetime) -> None:
    """Make every unreceived event due now, as if it had never been sent: every copy that was on its way is lost."""
    session.execute(
        update(outbox).where(outbox.c.received_at.is_(None), outbox.c.sent).values(send_at=now, sent=False, sends=0)
    )


def not_sent(session: Session, letters: Iterable[Letter], *, now: datetime) -> None:
    """Note that no copy of these has left: the sweeper sends them as first copies."""
    seqs = [letter.seq for letter in letters if not letter.again]
    session.execute(update(outbox).where(outbox.c.seq.in_(seqs)).values(sent=False, send_at=now))


def received(session: Session, receipts: Sequence[tuple[str, list[UUID]]], *, now: datetime) -> None:
    """Note which listener holds which events safely; their envelopes are no longer needed."""
    for listener, ids in receipts:
        session.execute(
            update(outbox)
            .where(outbox.c.event_id.in_(ids), outbox.c.listener == listener, outbox.c.received_at.is_(None))
            .values(received_at=now, envelope="")
        )


def oldest_unreceived(session: Session) -> datetime | None:
    """When the oldest event that a listener has not yet received was said; None when all are received."""
    oldest: datetime | None = session.scalar(select(func.min(outbox.c.said_at)).where(outbox.c.received_at.is_(None)))
    return oldest
