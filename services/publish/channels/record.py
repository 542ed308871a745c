"""Records what came of attempts: many together, in one transaction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.publish.channels import domain, store
from services.publish.channels.domain import Verdict
from services.publish.kinds import REMOVE_SUBSCRIPTION, TELL_OWNER
from services.publish.transports import Letter, NotYet, Outcome
from shared import clock, jobs, outbox
from shared.db import Database
from shared.events import ArticleProgress, ProgressFact
from shared.ids import new_id
from shared.jobs import Claim, Job

# A job, its letter, its attempt if that was recorded before it was made, and what came of it.
Landed = tuple[Job, Letter, UUID | None, Outcome | NotYet]


def record(db: Database, landed: Sequence[Landed]) -> None:
    """Record these outcomes, end or put off their jobs, and tell how the articles' deliveries went.

    What was lost to another worker meanwhile is left out.
    """
    claim = Claim(db, [job for job, *_ in landed])
    states: dict[UUID, str] = {}
    ids = [letter.delivery_id for _, letter, *_ in landed]
    # The deliveries' rows first: who announces an article takes them before he asks for jobs.
    with claim.finish(first=lambda session: states.update(store.lock_deliveries(session, ids))) as session:
        kept = {job.id for job in claim.jobs}
        # Without a state: its subscription was removed meanwhile.
        mine = [one for one in landed if one[0].id in kept and one[1].delivery_id in states]
        now = clock.now()
        _put_back(session, claim, [one for one in mine if isinstance(one[3], NotYet)], now)
        answered = [one for one in mine if isinstance(one[3], Outcome)]
        if answered:
            _record_attempts(session, claim, answered, states, now)


def _put_back(session: Session, claim: Claim, early: Sequence[Landed], now: datetime) -> None:
    for job, _, _, outcome in early:
        assert isinstance(outcome, NotYet)
        at = now + timedelta(seconds=outcome.seconds)
        claim.retry(job, at=at, error=str(outcome), counts=False, lane="retry")
    store.put_back(session, [letter.delivery_id for _, letter, *_ in early])
    store.drop_attempts(session, [attempt_id for _, _, attempt_id, _ in early if attempt_id is not None])


def _record_attempts(
    session: Session, claim: Claim, landed: Sequence[Landed], states: dict[UUID, str], now: datetime
) -> None:
    verdicts: list[tuple[Letter, Outcome, Verdict]] = []
    begun: list[dict[str, Any]] = []
    made: list[dict[str, Any]] = []
    for job, letter, attempt_id, outcome in landed:
        assert isinstance(outcome, Outcome)
        verdict = domain.verdict(
            outcome.status,
            outcome.retry_after,
            letter.tries + 1,
            now,
            channel=letter.channel,
            refused=outcome.refused,
            sent=outcome.sent,
        )
        verdicts.append((letter, outcome, verdict))
        if attempt_id is None:
            made.append(_attempt(letter, outcome, now))
        else:
            begun.append(
                {
                    "the_id": attempt_id,
                    "took": outcome.took_ms,
                    "got": outcome.status,
                    "said": outcome.answer,
                    "went": _may_have_arrived(outcome),
                }
            )
        if verdict.retry_at is not None and states[letter.delivery_id] in {"due", "sending"}:
            error = f"status {outcome.status}: {outcome.answer[:200]}"
            claim.retry(job, at=verdict.retry_at, error=error, counts=False, lane="retry")
    store.add_attempts(session, made)
    store.end_attempts(session, begun)
    store.delivered(
        session, [letter.delivery_id for letter, _, verdict in verdicts if verdict.state == "delivered"], now
    )
    store.not_delivered(
        session,
        [_changed(letter, verdict, now) for letter, _, verdict in verdicts if verdict.state != "delivered"],
    )
    _mind_subscriptions(session, verdicts, now)
    facts = _facts(verdicts, now)
    if facts:
        outbox.say(session, ArticleProgress(facts=tuple(facts)))
    outcomes = Counter(
        (letter.channel, "retried" if verdict.state == "due" else verdict.state) for letter, _, verdict in verdicts
    )
    store.count(session, {(channel, f"{what}_total"): more for (channel, what), more in outcomes.items()})


def _attempt(letter: Letter, outcome: Outcome, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "delivery_id": letter.delivery_id,
        "at": now,
        "took_ms": outcome.took_ms,
        "status": outcome.status,
        "answer": outcome.answer,
        "sent": _may_have_arrived(outcome),
    }


def _may_have_arrived(outcome: Outcome) -> bool:
    return outcome.status is not None or (outcome.sent and not outcome.refused)


def _changed(letter: Letter, verdict: Verdict, now: datetime) -> dict[str, Any]:
    return {
        "the_id": letter.delivery_id,
        "the_state": verdict.state,
        "retry_at": verdict.retry_at,
        "end": None if verdict.state == "due" else now,
        "more": 1,
    }


def _mind_subscriptions(session: Session, verdicts: Sequence[tuple[Letter, Outcome, Verdict]], now: datetime) -> None:
    """Note who has begun to fail or works again, and tell nothing more to who is gone or has failed for days."""
    worked = {letter.subscription_id for letter, _, verdict in verdicts if verdict.state == "delivered"}
    recovered = {
        letter.subscription_id
        for letter, _, _ in verdicts
        if letter.subscription_id in worked and letter.failing_since is not None
    }
    if recovered:
        store.note_working(session, recovered)
    gone: dict[str, set[UUID]] = defaultdict(set)
    gone_browsers: set[UUID] = set()
    begun: set[UUID] = set()
    for letter, outcome, verdict in verdicts:
        if verdict.disable and letter.channel == "web_push":
            gone_browsers.add(letter.subscription_id)
        elif verdict.disable:
            gone[f"the receiver answered {outcome.status}: {outcome.answer}"[:400]].add(letter.subscription_id)
        if verdict.state in {"delivered", "unknown"} or letter.subscription_id in worked:
            continue
        if letter.failing_since is None:
            begun.add(letter.subscription_id)
        elif letter.failing_since <= now - domain.PAUSE_AFTER:
            why = f"nothing but failures since {letter.failing_since:%Y-%m-%d %H:%M} UTC"
            store.end_subscriptions(session, [letter.subscription_id], "paused", why, now)
            jobs.add(session, TELL_OWNER, str(letter.subscription_id), lane="deliver")
    if begun:
        store.note_failing(session, begun, now)
    for why, ids in gone.items():
        store.end_subscriptions(session, ids, "disabled", why, now)
    if gone_browsers:
        # Nobody can be reached there ever again: nothing of the reader need be kept.
        removed = store.forget_readers(session, gone_browsers)
        wanted = [(str(one), None) for one in removed]
        jobs.add_many(session, REMOVE_SUBSCRIPTION, wanted, lane="deliver", run_at=now)


def _facts(verdicts: Sequence[tuple[Letter, Outcome, Verdict]], now: datetime) -> list[ProgressFact]:
    """One fact for all deliveries of an article that ended alike in this record."""
    groups: dict[tuple[Any, ...], list[Verdict]] = defaultdict(list)
    for letter, outcome, verdict in verdicts:
        # A digest and a test are of no article.
        if letter.type.startswith("article."):
            how = verdict.state == "delivered", outcome.status, outcome.why or None
            groups[letter.article_id, letter.change, letter.channel, *how].append(verdict)
    facts = []
    for (article_id, change, channel, arrived, status, why), group in groups.items():
        retry_at = group[-1].retry_at
        detail = {"channel": channel, "count": len(group), "status": status}
        if why is not None:
            detail["why"] = why
        facts.append(
            ProgressFact(
                article_id=article_id,
                change=change,
                step="delivered" if arrived else "delivery_failed",
                at=now,
                detail={**detail, "next_try": retry_at.isoformat() if retry_at else None},
            )
        )
    return facts
