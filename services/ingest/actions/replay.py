"""Saying again the present state of all articles, on the bulk lane, in slices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.ingest import store
from services.ingest.actions.common import Held, event_of, public_form
from shared import jobs, keys, outbox
from shared.ids import new_id

REPLAY = "replay_articles"
# One slice of a replay: so many articles looked at, and at most so many said again, in about 100 ms.
REPLAY_LOOK = 1000
REPLAY_SAY = 40


def ask_for_replay(session: Session, *, since: datetime | None, now: datetime) -> UUID:
    """Ask for the present state of all articles that were ever live to be said again, on the bulk lane.

    since: only of those changed since then. API keys are said again at once. Gives back the replay's id, the first
    word of its jobs' references.
    """
    keys.say_keys_again(session)
    replay = new_id()
    _next_slice(session, replay, 1, since=since, cursor=None, said=0, until=now)
    return replay


def say_again(session: Session, reference: str, payload: Mapping[str, Any]) -> None:
    """Do one slice of a replay and ask for the next; the last one asks for none.

    reference, payload: of the job, as ask_for_replay made it. Articles changed after the replay was asked for have
    said so themselves.
    """
    since = _instant(payload["since"])
    until = _instant(payload["until"])
    cursor = UUID(payload["cursor"]) if payload["cursor"] else None
    looked = store.articles_after(session, cursor, REPLAY_LOOK)
    chosen: list[UUID] = []
    for row in looked:
        if len(chosen) == REPLAY_SAY:
            break
        cursor = row.id
        wanted = (since is None or row.changed_at >= since) and (until is None or row.changed_at <= until)
        if wanted and row.first_published_at is not None:
            chosen.append(row.id)
    corrected = store.corrections(session, chosen)
    for article, revision in store.articles_with_texts(session, chosen):
        public = public_form(Held(article, revision, corrected.get(article.id, ())))
        outbox.say(session, event_of(article.status)(article=public, replayed=True), lane="bulk")
    if looked and (len(looked) == REPLAY_LOOK or cursor != looked[-1].id):
        replay, _, number = reference.partition(" ")
        said = payload["said"] + len(chosen)
        _next_slice(session, UUID(replay), int(number) + 1, since=since, cursor=cursor, said=said, until=until)


def _next_slice(
    session: Session,
    replay: UUID,
    number: int,
    *,
    since: datetime | None,
    cursor: UUID | None,
    said: int,
    until: datetime | None,
) -> None:
    payload = {
        "since": since and since.isoformat(),
        "until": until and until.isoformat(),
        "cursor": cursor and str(cursor),
        "said": said,
    }
    jobs.add(session, REPLAY, f"{replay} {number}", lane="bulk", payload=payload)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
