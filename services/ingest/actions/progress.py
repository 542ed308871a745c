"""What other services tell of an article's journey."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.ingest import store
from services.ingest.domain import journey
from shared.events import ProgressFact


def note_progress(session: Session, facts: Iterable[ProgressFact]) -> None:
    """Add steps of articles' journeys to their timelines; safe to repeat."""
    facts = list(facts)
    store.add_steps(session, [(fact.article_id, fact.at, fact.change, fact.step, fact.detail) for fact in facts])
    seen: dict[UUID, datetime] = {}
    for fact in facts:
        if fact.step == journey.SEEN_LIVE:
            seen[fact.article_id] = min(fact.at, seen.get(fact.article_id, fact.at))
    store.set_live_at(session, seen)
