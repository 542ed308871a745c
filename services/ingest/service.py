"""What ingest does with the events that it hears and with its jobs, bound to its tools."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from services.ingest import actions, listing, store
from services.ingest.domain.states import Status
from services.ingest.settings import IngestSettings
from shared import clock, outbox
from shared.keys import receive_uses
from shared.service import Claim, Heard, Kind, Service

TIDY_ROWS = 500
_COUNT_MAX = 1000
# How long a replay waits while those who hear it are behind.
REPLAY_PAUSE = timedelta(seconds=0.5)


def create_service(settings: IngestSettings) -> Service:
    """The service ingest."""
    return Service(
        name="ingest",
        knows_keys=True,
        listeners={"article.progress.v1": _on_article_progress, "key.used.v1": receive_uses},
        kinds=[
            Kind(actions.REPLAY, _say_again, most=1),
            Kind(actions.RELEASE, _release_articles),
            Kind(actions.EXPIRE, _expire_articles),
        ],
        tidy=_tidy,
        status=_status,
    )


def _tidy(session: Session, until: datetime) -> int:
    return store.forget_previews(session, until, TIDY_ROWS) + listing.catch_up(session, TIDY_ROWS)


def _on_article_progress(session: Session, heard: list[Heard]) -> None:
    actions.note_progress(session, (fact for one in heard for fact in one.event.facts))


def _say_again(claim: Claim) -> None:
    with claim.finish() as session:
        for job in claim.jobs:
            if outbox.bulk_waiting(session, outbox.BULK_IN_FLIGHT):
                later = clock.now() + REPLAY_PAUSE
                claim.retry(job, at=later, error="the listeners have enough to do", counts=False)
            else:
                actions.say_again(session, job.reference, job.payload)


def _release_articles(claim: Claim) -> None:
    with claim.finish() as session:
        for job in claim.jobs:
            actions.release_article(session, UUID(job.reference), now=clock.now())


def _expire_articles(claim: Claim) -> None:
    with claim.finish() as session:
        for job in claim.jobs:
            actions.expire_article(session, UUID(job.reference), now=clock.now())


def _status(session: Session) -> dict[str, float | int | str | None]:
    """Drafts, scheduled and killed articles, counted up to 1,000."""
    counts = store.count_by_status(
        session, [Status.DRAFT.value, Status.SCHEDULED.value, Status.KILLED.value], _COUNT_MAX
    )
    return {f"{status}_articles": count for status, count in counts.items()}
