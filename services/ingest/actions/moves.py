"""The moves of an article from state to state; `domain/states.py` says which there are and who may make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.ingest import listing, store
from services.ingest.actions.articles import go_live
from services.ingest.actions.common import (
    FLASH,
    Held,
    RevisionNotFound,
    Wanted,
    ask_for_its_times,
    body_of,
    count_change,
    hold,
    note,
    public_form,
    say_published,
    text_row,
    values_of,
    words_of,
)
from services.ingest.actions.previews import revoke_previews
from services.ingest.domain import journey, states
from services.ingest.domain.oddities import oddities
from services.ingest.domain.states import Move, Status
from shared import outbox
from shared.errors import Fault, Unprocessable
from shared.events import ArticleExpired, ArticleKilled, ArticleRetracted
from shared.roles import Actor

CLOCK = Actor("the clock", "all")
KEEP = object()


def publish_article(
    session: Session,
    article_id: UUID,
    *,
    embargo: datetime | object | None = KEEP,
    if_match: Sequence[int] | str,
    by: Actor,
    now: datetime,
) -> Held:
    """Make an article live and say ArticlePublished, or schedule it when its embargo is to come.

    embargo: another one than the article has; None to have none. A live article stays as it is, and so does a scheduled
    one under the same embargo. Raises ArticleNotFound, PreconditionFailed, AlreadyKilled, MoveRefused, RoleMissing, and
    Unprocessable when its time is over already.
    """
    held = hold(session, article_id, if_match=if_match)
    article = held.article
    until = article.embargo if embargo is KEEP else embargo
    until = until if isinstance(until, datetime) and until > now else None
    if article.status == Status.LIVE and until is None:
        return held
    if article.status == Status.SCHEDULED and until is not None:
        move = Move.RESCHEDULE
        if until == article.embargo:
            return held
    else:
        move = Move.SCHEDULE if until is not None else Move.PUBLISH
    rule = states.allow(article.status, move, by.role, flash=article.urgency == FLASH)
    if article.expires is not None and article.expires <= max(now, until or now):
        detail = "The article's time is over by then: send another expires, or null, with PATCH first."
        raise Unprocessable(errors=[Fault("/expires", "too-early", detail)])
    if until is None:
        go_live(article, now=now)
    else:
        article.status, article.embargo = Status.SCHEDULED.value, until
    count_change(article, by=by, now=now)
    step = {Move.SCHEDULE: journey.SCHEDULED, Move.RESCHEDULE: journey.RESCHEDULED}.get(move, journey.PUBLISHED)
    note(session, article, step, by=by, now=now, embargo=until and until.isoformat())
    session.flush()
    ask_for_its_times(session, article)
    if rule.event is not None:
        say_published(session, held)
    return held


def cancel_article(
    session: Session, article_id: UUID, *, if_match: Sequence[int] | str, by: Actor, now: datetime
) -> Held:
    """Make a scheduled article a draft again; it keeps its embargo. A draft stays one.

    Raises ArticleNotFound, PreconditionFailed, AlreadyKilled, MoveRefused and RoleMissing.
    """
    held = hold(session, article_id, if_match=if_match)
    article = held.article
    if article.status == Status.DRAFT:
        return held
    states.allow(article.status, Move.CANCEL, by.role)
    article.status = Status.DRAFT.value
    count_change(article, by=by, now=now)
    note(session, article, journey.CANCELLED, by=by, now=now)
    return held


def release_article(session: Session, article_id: UUID, *, now: datetime) -> None:
    """Lift an article's embargo if its time has come and it is still scheduled; else nothing, or a job for later."""
    article = store.get_article(session, article_id, lock=True)
    if article is None or article.status != Status.SCHEDULED:
        return
    if article.embargo is not None and article.embargo > now:
        ask_for_its_times(session, article)
        return
    held = hold(session, article_id)
    embargo = article.embargo
    if article.expires is not None and article.expires <= now:
        # Its whole time went by while the system was down: nobody shall see it now.
        article.status = Status.DRAFT.value
        count_change(article, by=CLOCK, now=now)
        note(session, article, journey.MISSED, by=CLOCK, now=now)
        return
    states.rule_for(article.status, Move.RELEASE)
    go_live(article, now=now)
    count_change(article, by=CLOCK, now=now)
    note(session, article, journey.RELEASED, by=CLOCK, now=now, embargo=embargo and embargo.isoformat())
    session.flush()
    ask_for_its_times(session, article)
    say_published(session, held, lane="urgent")


def expire_article(session: Session, article_id: UUID, *, now: datetime) -> None:
    """End a live article's time if that has come, and say ArticleExpired; else nothing, or a job for later."""
    article = store.get_article(session, article_id, lock=True)
    if article is None or article.status != Status.LIVE or article.expires is None:
        return
    if article.expires > now:
        ask_for_its_times(session, article)
        return
    held = hold(session, article_id)
    article.status = (states.rule_for(article.status, Move.EXPIRE).after or Status.EXPIRED).value
    count_change(article, by=CLOCK, now=now)
    note(session, article, journey.EXPIRED, by=CLOCK, now=now)
    session.flush()
    outbox.say(session, ArticleExpired(article=public_form(held)))


def retract_article(
    session: Session,
    article_id: UUID,
    *,
    reason: str | None,
    if_match: Sequence[int] | str,
    by: Actor,
    now: datetime,
) -> Held:
    """Withdraw a live article though its page stays and says so, and say ArticleRetracted.

    reason: shown to readers. Of one that is retracted already, another reason takes the place of the first and is said
    too; without one, or with the same, it stays as it is. Raises ArticleNotFound, PreconditionFailed, AlreadyKilled,
    MoveRefused and RoleMissing.
    """
    held = hold(session, article_id, if_match=if_match)
    article = held.article
    again = article.status == Status.RETRACTED
    if again and reason in (None, article.retraction_note):
        return held
    rule = states.allow(article.status, Move.RETRACT, by.role)
    article.status = (rule.after or Status.RETRACTED).value
    article.retraction_note = reason or ""
    if not again:
        article.retracted_at = now
    count_change(article, by=by, now=now)
    note(session, article, journey.REASON_CHANGED if again else journey.RETRACTED, by=by, now=now, reason=reason)
    session.flush()
    outbox.say(session, ArticleRetracted(article=public_form(held)))
    return held


def kill_article(session: Session, article_id: UUID, *, reason: str | None, by: Actor, now: datetime) -> Held:
    """Take an article out of use; readers of what was public are told, by ArticleKilled. Always possible.

    reason: for the newsroom, never shown to readers; of one that is killed already, another takes the place of the
    first, and nobody is told. Raises ArticleNotFound and RoleMissing.
    """
    held = hold(session, article_id)
    article = held.article
    if article.status == Status.KILLED and reason in (None, article.kill_reason):
        return held
    rule = states.allow(article.status, Move.KILL, by.role)
    if article.status == Status.KILLED:
        article.kill_reason = reason
        count_change(article, by=by, now=now)
        note(session, article, journey.REASON_CHANGED, by=by, now=now, reason=reason)
        return held
    article.status = Status.KILLED.value
    article.kill_reason = reason
    count_change(article, by=by, now=now)
    note(session, article, journey.KILLED, by=by, now=now, reason=reason)
    session.flush()
    revoke_previews(session, article_id, now=now, killed_change=article.change)
    if rule.event is not None:
        outbox.say(session, ArticleKilled(article=public_form(held)))
    return held


def restore_revision(
    session: Session, article_id: UUID, number: int, *, if_match: Sequence[int] | str, by: Actor, now: datetime
) -> Held:
    """Put an earlier text of an article in place again, as a new revision.

    A retracted or killed article that was public is live again by it: that is for chiefs, and nothing else does it. A
    killed one that never was is a draft again. Raises ArticleNotFound, RevisionNotFound, PreconditionFailed,
    MoveRefused and RoleMissing.
    """
    held = hold(session, article_id, if_match=if_match)
    article = held.article
    restored = store.get_numbered_revision(session, article_id, number)
    if restored is None:
        raise RevisionNotFound(f"The article has revisions 1 to {article.revision}, and none {number}.")
    never_public = article.status == Status.KILLED and article.first_published_at is None
    before = article.status
    rule = states.allow(
        before,
        Move.REOPEN if never_public else Move.RESTORE,
        by.role,
        flash=article.urgency == FLASH and before not in (Status.LIVE, Status.DRAFT),
    )
    wanted = Wanted(
        headline=restored.headline,
        body=body_of(restored),
        language=article.language,
        section=article.section,
        standfirst=restored.standfirst,
        tags=restored.tags,
        bylines=restored.bylines,
        images=restored.images,
        source=restored.source,
    )
    article.status = (rule.after or Status.DRAFT).value
    article.headline = restored.headline
    article.kill_reason = article.retraction_note = article.retracted_at = None
    if article.expires is not None and article.expires <= now:
        article.expires = None
    count_change(article, by=by, now=now)
    article.revision += 1
    revision = text_row(article, wanted, by=by, now=now)
    store.add_revision(session, values_of(revision))
    listing.change_words(session, article.id, words_of(article, revision))
    note(session, article, journey.RESTORED, by=by, now=now, revision=number)
    session.flush()
    ask_for_its_times(session, article)
    held = replace(held, revision=revision, warnings=oddities(revision.headline, revision.body_html))
    if rule.event is not None:
        say_published(session, held, lane=None if before == Status.LIVE else "urgent")
    return held
