"""Articles accepted, changed and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.ingest import listing, store
from services.ingest.actions.common import (
    CLOCK_SKEW,
    FLASH,
    OLD_PATHS_MAX,
    OTHERS,
    AddressFixed,
    Held,
    SlugTaken,
    Wanted,
    ask_for_its_times,
    body_of,
    check_expiry,
    check_old_paths,
    count_change,
    free_slug,
    hold,
    is_reserved,
    note,
    pictures,
    plain_row,
    public_form,
    say_published,
    slug_taken,
    text_row,
    values_of,
    words_of,
)
from services.ingest.actions.previews import revoke_previews
from services.ingest.domain import journey, slugs, states
from services.ingest.domain.bodies import Body, Notice, make_body
from services.ingest.domain.oddities import oddities
from services.ingest.domain.states import Move, Status
from services.ingest.domain.texts import BadText
from services.ingest.models import Article
from shared import outbox
from shared.db import put_gathered
from shared.errors import Conflict, Fault, Unprocessable
from shared.events import ArticleCorrected
from shared.ids import new_id
from shared.newsroom import Newsroom
from shared.roles import Actor

_SLUG_TRIES = 20


def accept_article(
    session: Session,
    wanted: Wanted,
    *,
    publish: bool,
    newsroom: Newsroom,
    by: Actor,
    now: datetime,
    lane: str | None = None,
) -> Held:
    """Add an article as a draft, or live at once and say ArticlePublished, or scheduled when its embargo is to come.

    lane: on which the event travels; its own by default. An article that has its origin already is given back as it is.
    Raises SlugTaken, RoleMissing, or Unprocessable for a
    published_at in the future, an end of its time that has passed, and pictures that are not there.
    """
    later = wanted.embargo is not None and wanted.embargo > now
    status = Status.DRAFT
    if publish:
        move = Move.SCHEDULE if later else Move.PUBLISH
        rule = states.allow(Status.DRAFT, move, by.role, flash=wanted.urgency == FLASH)
        status = rule.after or status
    article_id = new_id()
    if wanted.origin is not None and not store.add_origin(session, wanted.origin, article_id):
        known = store.article_of_origin(session, wanted.origin)
        if known is not None:
            put_gathered(session)  # it may have come a moment ago, in the same batch
            return replace(hold(session, known, lock=False), existing=True)
    if wanted.expires is not None:
        check_expiry(wanted.expires, wanted.embargo, now)
    if wanted.images:
        wanted = replace(wanted, images=pictures(session, wanted.images))
    published_at = _past(wanted.published_at, now)
    first_published_at = (published_at or now) if status is Status.LIVE else None
    article = plain_row(
        Article,
        id=article_id,
        change=1,
        revision=1,
        status=status.value,
        language=wanted.language,
        section=wanted.section,
        slug="",
        path="",
        headline=wanted.headline,
        urgency=wanted.urgency,
        notify=wanted.notify,
        published_at=published_at,
        accepted_at=now,
        changed_at=now,
        changed_by=by.name,
        first_published_at=first_published_at,
        updated_at=first_published_at,
        live_at=None,
        live_since=now if status is Status.LIVE else None,
        kill_reason=None,
        embargo=None if status is Status.LIVE else wanted.embargo,
        expires=wanted.expires,
        evergreen=wanted.evergreen,
        canonical_url=wanted.canonical_url,
        translations=wanted.translations,
        custom=dict(wanted.custom or {}),
        old_paths=list(wanted.old_paths),
        retraction_note=None,
        retracted_at=None,
    )
    revision = text_row(article, wanted, by=by, now=now)
    _add_under_a_free_path(session, article, wanted, newsroom)
    store.add_revision(session, values_of(revision))
    listing.add_words(session, article.id, words_of(article, revision))
    if wanted.old_paths:
        check_old_paths(session, article.id, wanted.old_paths)
        store.add_former_paths(session, article.id, wanted.old_paths)
    steps: list[tuple[UUID, datetime, int, str, journey.Detail]] = [
        (article.id, now, 1, journey.ACCEPTED, {"by": by.name})
    ]
    if status is Status.LIVE:
        steps.append((article.id, now, 1, journey.PUBLISHED, {"by": by.name}))
    elif status is Status.SCHEDULED and wanted.embargo is not None:
        steps.append((article.id, now, 1, journey.SCHEDULED, {"by": by.name, "embargo": wanted.embargo.isoformat()}))
    store.add_steps(session, steps)
    warnings = (*wanted.body.notices, *oddities(wanted.headline, wanted.body.html))
    held = Held(article, revision, warnings=warnings)
    ask_for_its_times(session, article)
    if status is Status.LIVE:
        say_published(session, held, lane=lane)
    return held


def change_article(
    session: Session,
    article_id: UUID,
    patch: Mapping[str, Any],
    *,
    move: Move,
    note_to_readers: str | None,
    if_match: Sequence[int] | str,
    newsroom: Newsroom,
    by: Actor,
    now: datetime,
) -> Held:
    """Change fields of an article. A live one is refiled, or corrected with a note, and that is said.

    patch: those fields of Wanted that change; of body, those members that change. move: Move.REFILE (an edit, for what
    is not live) or Move.CORRECT. if_match: the change numbers that the editor may have read, or "*". A scheduled
    article gets another time by another embargo, and is live at once without one. What changes nothing raises no change
    number. Raises ArticleNotFound, PreconditionFailed, AlreadyKilled, MoveRefused, RoleMissing, AddressFixed, SlugTaken
    and Unprocessable.
    """
    held = hold(session, article_id, if_match=if_match)
    article = held.article
    before = wanted_now(held)
    wanted, notices = _patched(session, before, patch)
    if article.status != Status.LIVE and move is Move.REFILE:
        move = Move.EDIT
    released = article.status == Status.SCHEDULED and wanted.embargo != before.embargo
    if released and move is Move.EDIT:
        move = Move.RESCHEDULE if wanted.embargo is not None and wanted.embargo > now else Move.PUBLISH
    becomes_flash = wanted.urgency == FLASH and before.urgency != FLASH and article.status != Status.DRAFT
    rule = states.allow(article.status, move, by.role, flash=becomes_flash)
    _change_times(article, before, wanted, now)
    _change_address(session, article, before, wanted, newsroom, now)
    text_changed = _texts(before) != _texts(wanted) or move is Move.CORRECT
    if (
        not text_changed
        and not session.is_modified(article)
        and all(getattr(before, name) == getattr(wanted, name) for name in OTHERS)
    ):
        return replace(held, warnings=notices)
    for name in OTHERS:
        value = getattr(wanted, name)
        setattr(article, name, dict(value or {}) if name == "custom" else value)
    article.headline = wanted.headline
    if move is Move.PUBLISH:
        go_live(article, now=now)
    count_change(article, by=by, now=now)
    revision, corrected = held.revision, list(held.corrections)
    if text_changed:
        article.revision += 1
        revision = text_row(article, wanted, by=by, now=now, note=note_to_readers)
        store.add_revision(session, values_of(revision))
    listing.change_words(session, article.id, words_of(article, revision))
    if move is Move.CORRECT:
        article.updated_at = now
        corrected.append(revision)
    embargo = article.embargo.isoformat() if move is Move.RESCHEDULE and article.embargo else None
    note(session, article, _STEPS[move], by=by, now=now, note=note_to_readers, embargo=embargo)
    session.flush()
    ask_for_its_times(session, article)
    held = Held(article, revision, corrected, notices)
    if move is Move.CORRECT:
        outbox.say(session, ArticleCorrected(article=public_form(held)))
    elif rule.event is not None:
        say_published(session, held, lane="urgent" if move is Move.PUBLISH else None)
    return held


def delete_article(
    session: Session, article_id: UUID, *, if_match: Sequence[int] | str, by: Actor, now: datetime
) -> None:
    """Remove a draft that readers never saw, with all its texts; its address is free again.

    Raises ArticleNotFound, PreconditionFailed, RoleMissing, and MoveRefused for anything that is not a draft.
    """
    held = hold(session, article_id, if_match=if_match)
    states.allow(held.article.status, Move.DELETE, by.role)
    revoke_previews(session, article_id, now=now)
    store.delete_article(session, article_id)


def go_live(article: Article, *, now: datetime) -> None:
    """Make the article's row live from now on; it keeps the date at which readers first saw it."""
    article.status = Status.LIVE.value
    article.embargo = None
    article.live_since = now
    if article.first_published_at is None:
        article.first_published_at = article.updated_at = article.published_at or now


def wanted_now(held: Held) -> Wanted:
    """The article as its editors want it now."""
    article, revision = held.article, held.revision
    return Wanted(
        headline=revision.headline,
        body=body_of(revision),
        language=article.language,
        section=article.section,
        standfirst=revision.standfirst,
        tags=tuple(revision.tags),
        bylines=tuple(revision.bylines),
        images=tuple(revision.images),
        source=revision.source,
        slug=article.slug,
        urgency=article.urgency,
        notify=article.notify,
        canonical_url=article.canonical_url,
        translations=article.translations,
        evergreen=article.evergreen,
        custom=article.custom,
        published_at=article.published_at,
        embargo=article.embargo,
        expires=article.expires,
        old_paths=tuple(article.old_paths),
    )


# Inside


_STEPS = {
    Move.EDIT: journey.EDITED,
    Move.REFILE: journey.REFILED,
    Move.CORRECT: journey.CORRECTED,
    Move.RESCHEDULE: journey.RESCHEDULED,
    Move.PUBLISH: journey.PUBLISHED,
}


def _past(published_at: datetime | None, now: datetime) -> datetime | None:
    if published_at is None or published_at <= now:
        return published_at
    if published_at <= now + CLOCK_SKEW:
        return now
    detail = "lies in the future; give the time as an embargo instead"
    raise Unprocessable(errors=[Fault("/published_at", "in-the-future", detail)])


def _patched(session: Session, before: Wanted, patch: Mapping[str, Any]) -> tuple[Wanted, Sequence[Notice]]:
    fields = dict(patch)
    notices: Sequence[Notice] = ()
    if "images" in fields:
        fields["images"] = pictures(session, fields["images"])
    if "custom" in fields:
        fields["custom"] = fields["custom"](before.custom or {})
    if isinstance(fields.get("body"), Body):
        notices = fields["body"].notices
    elif "body" in fields:
        body_format = fields["body"].get("format", before.body.format)
        text = fields["body"].get("text", before.body.text)
        try:
            fields["body"] = made = make_body(body_format, text)
        except BadText as error:
            raise Unprocessable(errors=[Fault("/body/text", error.code, str(error))]) from None
        notices = made.notices
    wanted = replace(before, **fields)
    return wanted, (*notices, *oddities(wanted.headline, wanted.body.html))


def _texts(wanted: Wanted) -> tuple[Any, ...]:
    body = wanted.body
    lists = [[dict(one) for one in some] for some in (wanted.bylines, wanted.images)]
    texts = (wanted.headline, wanted.standfirst, body.format, body.text, body.html)
    return (*texts, list(wanted.tags), *lists, wanted.source)


def _change_times(article: Article, before: Wanted, wanted: Wanted, now: datetime) -> None:
    if wanted.expires != before.expires and wanted.expires is not None:
        check_expiry(wanted.expires, wanted.embargo, now)
    if wanted.embargo == before.embargo:
        return
    if article.status in (Status.LIVE, Status.RETRACTED):
        if wanted.embargo is not None and wanted.embargo > now:
            detail = "readers have seen it already: retract or kill it instead"
            raise Unprocessable(errors=[Fault("/embargo", "too-late", detail)])
        return
    article.embargo = wanted.embargo


def _change_address(
    session: Session, article: Article, before: Wanted, wanted: Wanted, newsroom: Newsroom, now: datetime
) -> None:
    """Give an article another address or date. What was public keeps its language and its date, and the old address
    leads to the new one; a draft just moves."""
    names = ("language", "section", "slug", "published_at")
    changed = [name for name in names if getattr(before, name) != getattr(wanted, name)]
    if tuple(wanted.old_paths) != tuple(before.old_paths):
        check_old_paths(session, article.id, wanted.old_paths)
        store.add_former_paths(session, article.id, wanted.old_paths)
        for path in set(before.old_paths) - set(wanted.old_paths):
            store.remove_former_path(session, path)
        article.old_paths = list(wanted.old_paths)
    if not changed:
        return
    public = article.first_published_at is not None
    if public and (fixed := [name for name in changed if name in ("language", "published_at")]):
        faults = [
            Fault(f"/{name}", "fixed", f"is {getattr(before, name)} and stays so, now that it is public")
            for name in fixed
        ]
        raise AddressFixed("The language and the date of what was published cannot be changed.", errors=faults)
    article.published_at = _past(wanted.published_at, now)
    article.language, article.section = wanted.language, wanted.section
    if changed == ["published_at"]:
        return
    slug = wanted.slug if wanted.slug and "slug" in changed else article.slug
    path = newsroom.article_path(wanted.language, wanted.section, slug)
    if path != article.path:
        owner = store.path_owner(session, path)
        if owner not in (None, article.id):
            if "slug" in changed:
                raise slug_taken(slug, path)
            slug, path = free_slug(session, article, article.slug, newsroom, 2)
            owner = None
        if owner == article.id:
            store.remove_former_path(session, path)
        if public:
            _redirect_from(session, article, path)
    article.slug, article.path = slug, path


def _redirect_from(session: Session, article: Article, path: str) -> None:
    """Have the article's present address lead to this new one."""
    old = [*(one for one in article.old_paths if one != path), article.path]
    if len(old) > OLD_PATHS_MAX:
        raise Conflict(f"An article may have {OLD_PATHS_MAX} former addresses, and this one has them all.")
    article.old_paths = old
    store.add_former_paths(session, article.id, [article.path])


def _add_under_a_free_path(session: Session, article: Article, wanted: Wanted, newsroom: Newsroom) -> None:
    base = wanted.slug or slugs.slug_from(wanted.headline)
    article.slug = base
    article.path = newsroom.article_path(article.language, article.section, base)
    free = bool(wanted.slug) or not is_reserved(base, newsroom)
    for _ in range(_SLUG_TRIES):
        if free and store.add_article(session, values_of(article)):
            return
        if wanted.slug:
            raise slug_taken(article.slug, article.path)
        article.slug, article.path = free_slug(session, article, base, newsroom, 2)
        # It was free when we looked; another transaction may be faster, and then we look again.
        free = True
    raise SlugTaken("Others are taking the slugs of this headline at the same moment; try again.")
