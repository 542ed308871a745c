"""The verbs of ingest. Each works in the caller's transaction and says its public event in it; time is an argument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.ingest import store
from services.ingest.domain import journey, slugs, states
from services.ingest.domain.bodies import Body, Notice, make_body
from services.ingest.domain.states import Move, Status
from services.ingest.domain.texts import BadText
from services.ingest.models import Article, FirstAnswer, Revision
from shared import jobs, outbox
from shared.errors import Conflict, Fault, NotFound, PreconditionFailed, Unprocessable
from shared.events import (
    ArticleCorrected,
    ArticleKilled,
    ArticlePublished,
    Byline,
    Correction,
    ProgressFact,
    PublicArticle,
)
from shared.ids import new_id
from shared.newsroom import RESERVED_SEGMENTS, Newsroom

FLASH = 1
REPLAY = "replay_articles"
# One slice of a replay: so many articles looked at, and at most so many said again, in about 100 ms.
REPLAY_LOOK = 1000
REPLAY_SAY = 40
_SLUG_TRIES = 20
# Clocks of senders may be ahead of ours by this much; anything later is a wish for an embargo.
_CLOCK_SKEW = timedelta(minutes=2)


class ArticleNotFound(NotFound):
    """No article has this id."""

    code = "article-not-found"


class SlugTaken(Conflict):
    """The slug that was asked for is another article's."""

    code = "slug-taken"
    title = "The slug is taken"


class AddressFixed(Conflict):
    """A part of a published article's address was to be changed."""

    code = "address-fixed"
    title = "The article's address is fixed"


class KeyReused(Unprocessable):
    """An Idempotency-Key came again with another body."""

    code = "idempotency-key-reused"
    title = "The Idempotency-Key was used for another request"


@dataclass(frozen=True)
class Wanted:
    """An article as an editor wants it; texts are clean and within their limits, the body is sanitised.

    slug: None to have it made from the headline. published_at: aware UTC, not in the future, None for now.
    """

    headline: str
    body: Body
    language: str
    section: str
    standfirst: str = ""
    tags: Sequence[str] = ()
    bylines: Sequence[Mapping[str, str | None]] = ()
    slug: str | None = None
    urgency: int = 4
    notify: bool = True
    published_at: datetime | None = None


@dataclass(frozen=True)
class Held:
    """An article as it is now, with its newest text and every correction of it; what a reply shows."""

    article: Article
    revision: Revision
    corrections: Sequence[Revision] = ()
    warnings: Sequence[Notice] = ()


# Writing


def accept_article(
    session: Session, wanted: Wanted, *, publish: bool, newsroom: Newsroom, by: str, now: datetime
) -> Held:
    """Add an article as a draft, or live at once, and in that case say ArticlePublished.

    by: whose key it came with. Raises SlugTaken, or Unprocessable for a published_at in the future.
    """
    published_at = _past(wanted.published_at, now)
    live_since = (published_at or now) if publish else None
    article = Article(
        id=new_id(),
        change=1,
        revision=1,
        status=(Status.LIVE if publish else Status.DRAFT).value,
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
        changed_by=by,
        first_published_at=live_since,
        updated_at=live_since,
        live_at=None,
        kill_reason=None,
    )
    revision = _text(article, wanted, by=by, now=now)
    _add_under_a_free_path(session, article, wanted, newsroom)
    store.add_revision(session, _values(revision))
    steps = [(article.id, now, 1, journey.ACCEPTED, {"by": by})]
    if publish:
        steps.append((article.id, now, 1, journey.PUBLISHED, {"by": by}))
    store.add_steps(session, steps)
    held = Held(article, revision, warnings=wanted.body.notices)
    if publish:
        _say_published(session, held)
    return held


def change_article(
    session: Session,
    article_id: UUID,
    patch: Mapping[str, Any],
    *,
    move: Move,
    note: str | None,
    if_match: Sequence[int] | str,
    newsroom: Newsroom,
    by: str,
    now: datetime,
) -> Held:
    """Change fields of an article. A live one is refiled, or corrected with a note, and that is said.

    patch: those fields of Wanted that change; of body, those members that change. move: Move.REFILE (an edit, for a
    draft) or Move.CORRECT. if_match: the change numbers that the editor may have read, or "*". What changes nothing
    raises no change number. Raises ArticleNotFound, PreconditionFailed, AlreadyKilled, MoveRefused, AddressFixed,
    SlugTaken and Unprocessable.
    """
    held = _hold(session, article_id, if_match=if_match)
    article = held.article
    if article.status == Status.DRAFT and move is Move.REFILE:
        move = Move.EDIT
    states.rule_for(article.status, move)
    before = _wanted_now(held)
    wanted, notices = _patched(before, patch)
    _change_address(session, article, before, wanted, newsroom, now)
    text_changed = _texts(before) != _texts(wanted) or move is Move.CORRECT
    others = ("urgency", "notify")
    if (
        not text_changed
        and not session.is_modified(article)
        and all(getattr(before, name) == getattr(wanted, name) for name in others)
    ):
        return replace(held, warnings=notices)
    for name in others:
        setattr(article, name, getattr(wanted, name))
    article.headline = wanted.headline
    _count_change(article, by=by, now=now)
    revision, corrected = held.revision, list(held.corrections)
    if text_changed:
        article.revision += 1
        revision = _text(article, wanted, by=by, now=now, note=note)
        store.add_revision(session, _values(revision))
    if move is Move.CORRECT:
        article.updated_at = now
        corrected.append(revision)
    step, detail = _STEPS[move], {"by": by, **({"note": note} if note else {})}
    store.add_steps(session, [(article.id, now, article.change, step, detail)])
    session.flush()
    held = Held(article, revision, corrected, notices)
    if move is Move.REFILE:
        _say_published(session, held)
    elif move is Move.CORRECT:
        outbox.say(session, ArticleCorrected(article=public_form(held)))
    return held


def publish_article(
    session: Session, article_id: UUID, *, if_match: Sequence[int] | str, by: str, now: datetime
) -> Held:
    """Make a draft live and say ArticlePublished; a live article stays as it is.

    Raises ArticleNotFound, PreconditionFailed and AlreadyKilled.
    """
    held = _hold(session, article_id, if_match=if_match)
    article = held.article
    if article.status == Status.LIVE:
        return held
    article.status = states.rule_for(article.status, Move.PUBLISH).after.value
    article.first_published_at = article.updated_at = article.published_at or now
    _count_change(article, by=by, now=now)
    store.add_steps(session, [(article.id, now, article.change, journey.PUBLISHED, {"by": by})])
    session.flush()
    _say_published(session, held)
    return held


def kill_article(session: Session, article_id: UUID, *, reason: str | None, by: str, now: datetime) -> Held:
    """Take an article out of use for ever; readers of a live one are told, by ArticleKilled. Always possible.

    reason: for the newsroom, never shown to readers. Raises ArticleNotFound; a killed article stays as it is.
    """
    held = _hold(session, article_id)
    article = held.article
    if article.status == Status.KILLED:
        return held
    rule = states.rule_for(article.status, Move.KILL)
    article.status = rule.after.value
    article.kill_reason = reason
    _count_change(article, by=by, now=now)
    detail = {"by": by, **({"reason": reason} if reason else {})}
    store.add_steps(session, [(article.id, now, article.change, journey.KILLED, detail)])
    session.flush()
    if rule.event is not None:
        outbox.say(session, ArticleKilled(article=public_form(held)))
    return held


def public_form(held: Held) -> PublicArticle:
    """What readers may know of an article that is or was live. Of a killed one no text but the headline."""
    article, revision = held.article, held.revision
    killed = article.status == Status.KILLED
    if article.first_published_at is None or article.updated_at is None:
        raise ValueError(f"article {article.id} was never public")
    return PublicArticle(
        id=article.id,
        change=article.change,
        revision=article.revision,
        status=article.status,
        language=article.language,
        section=article.section,
        slug=article.slug,
        path=article.path,
        headline=revision.headline,
        standfirst="" if killed else revision.standfirst,
        body_html="" if killed else revision.body_html,
        first_published_at=article.first_published_at,
        updated_at=article.updated_at,
        tags=tuple(revision.tags),
        bylines=tuple(Byline(name=str(one["name"]), url=one["url"]) for one in revision.bylines),
        corrections=tuple(Correction(note=one.note or "", corrected_at=one.made_at) for one in held.corrections),
        urgency=article.urgency,
        notify=article.notify,
    )


# Reading


def read_article(session: Session, article_id: UUID) -> Held:
    """An article as it is now. Raises ArticleNotFound."""
    return _hold(session, article_id, lock=False)


# Progress


def note_progress(session: Session, facts: Iterable[ProgressFact]) -> None:
    """Add steps of articles' journeys to their timelines; safe to repeat."""
    facts = list(facts)
    store.add_steps(session, [(fact.article_id, fact.at, fact.change, fact.step, fact.detail) for fact in facts])
    seen: dict[UUID, datetime] = {}
    for fact in facts:
        if fact.step == journey.SEEN_LIVE:
            seen[fact.article_id] = min(fact.at, seen.get(fact.article_id, fact.at))
    store.set_live_at(session, seen)


# Replay


def ask_for_replay(session: Session, *, since: datetime | None, now: datetime) -> UUID:
    """Ask for the present state of all articles that were ever live to be said again, on the bulk lane.

    since: only of those changed since then. Gives back the replay's id, the first word of its jobs' references.
    """
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
        event = ArticleKilled if article.status == Status.KILLED else ArticlePublished
        outbox.say(session, event(article=public, replayed=True), lane="bulk")
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


# Requests that are repeated


def first_answer(
    session: Session, *, owner: str, path: str, key: str, body_hash: str, now: datetime
) -> FirstAnswer | None:
    """Take an Idempotency-Key for the answer that the caller goes on to make, or give back its first answer.

    owner: whose API key; path: the request's. A twin waits for the first, and makes the answer itself if that one
    was rolled back. Raises KeyReused when the key came with another body.
    """
    if store.begin_answer(session, owner=owner, path=path, key=key, body_hash=body_hash, now=now):
        return None
    answer = store.get_answer(session, owner=owner, path=path, key=key)
    if answer is None or answer.body_hash != body_hash:
        raise KeyReused(
            "This Idempotency-Key came with another body before; use a new key for a new request, "
            "and the same body to repeat one."
        )
    return answer


# Inside


_STEPS = {Move.EDIT: journey.EDITED, Move.REFILE: journey.REFILED, Move.CORRECT: journey.CORRECTED}
_TEXTS = ("headline", "standfirst", "body_format", "body_text", "body_html", "tags", "bylines")


def _past(published_at: datetime | None, now: datetime) -> datetime | None:
    if published_at is None or published_at <= now:
        return published_at
    if published_at <= now + _CLOCK_SKEW:
        return now
    detail = "lies in the future; leave it out, and publish the draft when its time has come"
    raise Unprocessable(errors=[Fault("/published_at", "in-the-future", detail)])


def _hold(
    session: Session, article_id: UUID, *, if_match: Sequence[int] | str | None = None, lock: bool = True
) -> Held:
    article = store.get_article(session, article_id, lock=lock)
    if article is None:
        raise ArticleNotFound(f"There is no article {article_id}.")
    if if_match is not None and not isinstance(if_match, str) and article.change not in if_match:
        raise PreconditionFailed(
            f"The article is at change {article.change}, made by {article.changed_by} at "
            f"{article.changed_at.isoformat(timespec='seconds')}; read it again and send its ETag.",
            headers={"ETag": f'"{article.change}"'},
        )
    revision = store.get_revision(session, article)
    # Most articles have one text only, and that one corrects nothing.
    corrected = store.corrections(session, [article.id]) if article.revision > 1 else {}
    return Held(article, revision, corrected.get(article.id, ()))


def _count_change(article: Article, *, by: str, now: datetime) -> None:
    article.change += 1
    article.changed_at = now
    article.changed_by = by


def _text(article: Article, wanted: Wanted, *, by: str, now: datetime, note: str | None = None) -> Revision:
    body = wanted.body
    return Revision(
        article_id=article.id,
        number=article.revision,
        headline=wanted.headline,
        standfirst=wanted.standfirst,
        body_format=body.format,
        body_text=None if body.text == body.html else body.text,
        body_html=body.html,
        tags=list(wanted.tags),
        bylines=[dict(one) for one in wanted.bylines],
        note=note,
        made_at=now,
        made_by=by,
    )


def _values(row: Article | Revision) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def _wanted_now(held: Held) -> Wanted:
    article, revision = held.article, held.revision
    text = revision.body_html if revision.body_text is None else revision.body_text
    return Wanted(
        headline=revision.headline,
        body=Body(revision.body_format, text, revision.body_html),
        language=article.language,
        section=article.section,
        standfirst=revision.standfirst,
        tags=tuple(revision.tags),
        bylines=tuple(revision.bylines),
        slug=article.slug,
        urgency=article.urgency,
        notify=article.notify,
        published_at=article.published_at,
    )


def _patched(before: Wanted, patch: Mapping[str, Any]) -> tuple[Wanted, Sequence[Notice]]:
    fields = dict(patch)
    notices: Sequence[Notice] = ()
    if "body" in fields:
        body_format = fields["body"].get("format", before.body.format)
        text = fields["body"].get("text", before.body.text)
        try:
            fields["body"] = made = make_body(body_format, text)
        except BadText as error:
            raise Unprocessable(errors=[Fault("/body/text", error.code, str(error))]) from None
        notices = made.notices
    return replace(before, **fields), notices


def _texts(wanted: Wanted) -> tuple[Any, ...]:
    body = wanted.body
    bylines = [dict(one) for one in wanted.bylines]
    return (wanted.headline, wanted.standfirst, body.format, body.text, body.html, list(wanted.tags), bylines)


def _change_address(
    session: Session, article: Article, before: Wanted, wanted: Wanted, newsroom: Newsroom, now: datetime
) -> None:
    """Give a draft another language, section, slug or date; refuse that for what readers have a link to."""
    names = ("language", "section", "slug", "published_at")
    changed = [name for name in names if getattr(before, name) != getattr(wanted, name)]
    if not changed:
        return
    if article.status != Status.DRAFT:
        faults = [
            Fault(f"/{name}", "fixed", f"is {getattr(before, name)} and stays so, now that it is public")
            for name in changed
        ]
        raise AddressFixed("What makes up a published article's address and date cannot be changed.", errors=faults)
    article.published_at = _past(wanted.published_at, now)
    article.language, article.section = wanted.language, wanted.section
    if changed == ["published_at"]:
        return
    slug = wanted.slug if wanted.slug and "slug" in changed else article.slug
    path = newsroom.article_path(wanted.language, wanted.section, slug)
    if path != article.path and store.path_taken(session, path):
        if "slug" in changed:
            raise _slug_taken(slug, path)
        slug, path = _free_slug(session, article, article.slug, newsroom, 2)
    article.slug, article.path = slug, path


def _add_under_a_free_path(session: Session, article: Article, wanted: Wanted, newsroom: Newsroom) -> None:
    base = wanted.slug or slugs.slug_from(wanted.headline)
    article.slug = base
    article.path = newsroom.article_path(article.language, article.section, base)
    free = bool(wanted.slug) or not is_reserved(base, newsroom)
    for _ in range(_SLUG_TRIES):
        if free and store.add_article(session, _values(article)):
            return
        if wanted.slug:
            raise _slug_taken(article.slug, article.path)
        article.slug, article.path = _free_slug(session, article, base, newsroom, 2)
        # It was free when we looked; another transaction may be faster, and then we look again.
        free = True
    raise SlugTaken("Others are taking the slugs of this headline at the same moment; try again.")


def _free_slug(session: Session, article: Article, base: str, newsroom: Newsroom, first: int) -> tuple[str, str]:
    def path(number: int) -> str:
        return newsroom.article_path(article.language, article.section, slugs.numbered(base, number))

    number = slugs.first_free(lambda candidate: store.path_taken(session, path(candidate)), first)
    return slugs.numbered(base, number), path(number)


def is_reserved(slug: str, newsroom: Newsroom) -> bool:
    """Whether a slug is a word that the site needs for its own addresses."""
    if slug in slugs.RESERVED or slug in RESERVED_SEGMENTS or slug in newsroom.section_keys:
        return True
    return slug in {language.lower() for language in newsroom.languages}


def _slug_taken(slug: str, path: str) -> SlugTaken:
    detail = f"{path} is another article's; choose another slug, or leave it out to have one made"
    return SlugTaken(f"The slug {slug} is taken.", errors=[Fault("/slug", "taken", detail)])


def _say_published(session: Session, held: Held) -> None:
    lane = "urgent" if held.article.urgency == FLASH else None
    outbox.say(session, ArticlePublished(article=public_form(held)), lane=lane)
