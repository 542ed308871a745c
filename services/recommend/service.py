"""What recommend does with the events that it hears and with its jobs, bound to the keeper of the index."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy.orm import Session

from services.recommend import actions, store
from services.recommend.keeper import Keeper, Readiness
from services.recommend.settings import RecommendSettings
from shared import clock, jobs
from shared.keys import receive_keys
from shared.service import Claim, Heard, Kind, Service

log = logging.getLogger(__name__)

# One step of loading the index from the database; below a task's time limit with room to spare.
LOADING_STEP_S = 2.0
# How long a job waits for the process that keeps the index to come by and take it.
STANDING_BY = timedelta(seconds=0.5)


def create_service(settings: RecommendSettings, keeper: Keeper | None = None) -> Service:
    """The service recommend. The index is loaded when the first job asks for it, in the process that does the job.

    keeper: of the index, for who wants to look at it; by default one of its own.
    """
    keeper = keeper or Keeper(settings.rules, settings.snapshot_file)

    def on_article(session: Session, heard: list[Heard]) -> None:
        actions.hear_articles(session, heard, keeper=keeper, now=clock.now())

    def place(claim: Claim) -> None:
        ready = keeper.prepare(claim.db, now=clock.now(), budget_s=LOADING_STEP_S)
        with claim.finish() as session:
            if not claim.jobs:
                return
            now = clock.now()
            turn = keeper.take_turn(session, now=now) if ready is Readiness.READY else None
            lane = claim.jobs[0].lane
            if turn is None:
                _try_again(claim, ready)
            elif not actions.place_waiting(session, turn, keeper=keeper, lane=lane, now=now):
                claim.retry(claim.jobs[0], at=now, error="more articles wait to be placed", counts=False)

    def refresh(claim: Claim) -> None:
        ready = keeper.prepare(claim.db, now=clock.now(), budget_s=actions.REFRESH_SLICE_S)
        with claim.finish() as session:
            if not claim.jobs:
                return
            now = clock.now()
            turn = keeper.take_turn(session, now=now) if ready is Readiness.READY else None
            if turn is None:
                _try_again(claim, ready)
                return
            if keeper.unsaved:  # the index was made anew for this job, its sets are not yet compared with those stored
                jobs.add(session, actions.PLACE, actions.ALL, lane="bulk")
            asked = (claim.jobs[0].payload or {}).get("asked_at")
            if not actions.refresh_weights(session, turn, asked=asked, keeper=keeper, now=now):
                claim.retry(claim.jobs[0], at=now, error="the weights are being refreshed", counts=False)

    def limit(claim: Claim) -> None:
        ready = keeper.prepare(claim.db, now=clock.now(), budget_s=actions.REFRESH_SLICE_S)
        with claim.finish() as session:
            if not claim.jobs:
                return
            now = clock.now()
            job = claim.jobs[0]
            turn = keeper.take_turn(session, now=now) if ready is Readiness.READY else None
            if turn is None:
                _try_again(claim, ready)
                return
            asked = (job.payload or {}).get("asked_at")
            if actions.limit_ages(session, turn, asked=asked, keeper=keeper, lane=job.lane, now=now):
                return
            if job.kind == actions.LIMIT:  # the rest is no longer urgent
                jobs.add(session, actions.LIMIT_REST, actions.ALL, lane="bulk", payload=job.payload)
            else:
                claim.retry(job, at=now, error="the sets are being made under new age limits", counts=False)

    def save(claim: Claim) -> None:
        with claim.finish() as session:
            size = keeper.save_snapshot(session, now=clock.now())
        log.info("the index was saved", extra={"bytes": size})

    listeners = (
        *("article.published.v1", "article.corrected.v1"),
        *("article.killed.v1", "article.retracted.v1", "article.expired.v1"),
    )
    return Service(
        name="recommend",
        knows_keys=True,
        listeners={**dict.fromkeys(listeners, on_article), "key.changed.v1": receive_keys},
        kinds=[
            Kind(actions.PLACE, place, most=1),
            Kind(actions.REFRESH, refresh, most=1),
            Kind(actions.LIMIT, limit, most=1),
            Kind(actions.LIMIT_REST, limit, most=1),
            Kind(actions.SNAPSHOT, save, most=1),
        ],
        status=_status,
    )


def _try_again(claim: Claim, ready: Readiness) -> None:
    now = clock.now()
    at = now if ready is Readiness.LOADING else now + STANDING_BY
    error = "the index is not here" if ready is Readiness.READY else ready.value
    claim.retry(claim.jobs[0], at=at, error=error, counts=False)


def _status(session: Session) -> dict[str, float | int | str | None]:
    """How the index is doing; times in seconds ago.

    articles_waiting: how far the index lags, in articles whose newest change it does not have yet.
    placed_without_change_seconds: for how long articles have come in without any set changing; more than 0 for long
    says that something is wrong.
    """
    state = store.state(session)
    now = clock.now()

    def age_s(name: str) -> float | None:
        at = getattr(state, name)
        return None if at is None else round((now - at).total_seconds(), 3)

    unchanged_s = None
    if state.placed_at is not None and state.changed_at is not None:
        unchanged_s = round(max(0.0, (state.placed_at - state.changed_at).total_seconds()), 3)
    return {
        "articles_waiting": store.count_waiting(session),
        "index_kept": state.held_until > now,
        "index_turns": state.serial,
        "placed_without_change_seconds": unchanged_s,
        "articles_weighed": state.counted,
        "weights_number": state.weights,
        "weights_age_seconds": age_s("refreshed_at"),
        "last_placed_age_seconds": age_s("placed_at"),
        "last_related_change_age_seconds": age_s("changed_at"),
    }
