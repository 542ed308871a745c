"""What the verbs share: an article as it is wanted and as it is held, its public form, its address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy.orm import Session

from services.ingest import store
from services.ingest.domain import slugs, words
from services.ingest.domain.bodies import Body, Notice
from services.ingest.domain.states import Status
from services.ingest.models import Article, Revision
from shared import jobs, outbox
from shared.errors import Conflict, Fault, NotFound, PreconditionFailed, Unprocessable
from shared.events import (
    ArticleEvent,
    ArticleExpired,
    ArticleKilled,
    ArticlePublished,
    ArticleRetracted,
    Byline,
    Correction,
    Picture,
    PublicArticle,
    Retraction,
)
from shared.newsroom import RESERVED_SEGMENTS, Newsroom
from shared.roles import Actor

R = TypeVar("R")
FLASH = 1
# Jobs with a time: an embargo to lift, a live article whose time is over. Their reference is the article's id.
RELEASE = "release_article"
EXPIRE = "expire_article"
OLD_PATHS_MAX = 50
# Clocks of senders may be ahead of ours by this much; anything later is a wish for an embargo.
CLOCK_SKEW = timedelta(minutes=2)
# What an article says besides its texts, its address and its times; a change of these makes no new revision.
OTHERS = ("urgency", "notify", "canonical_url", "translations", "evergreen", "custom", "expires")


class ArticleNotFound(NotFound):
    """No article has this id."""

    code = "article-not-found"


class RevisionNotFound(NotFound):
    """The article has no revision of this number."""

    code = "revision-not-found"


class SlugTaken(Conflict):
    """The slug that was asked for is another article's."""

    code = "slug-taken"
    title = "The slug is taken"


class AddressFixed(Conflict):
    """What a public article keeps for good was to be changed."""

    code = "address-fixed"
    title = "The article's address is fixed"


@dataclass(frozen=True)
class Wanted:
    """An article as an editor wants it; texts are clean and within their limits, the body is sanitised.

    slug: None to have it made from the headline. published_at: aware UTC, not in the future, None for now. images: as
    the API takes them until they are found (see pictures), then as events.Picture holds them. Times are aware UTC.
    origin: an id that it has elsewhere; an article that has it already is not posted again.
    """

    headline: str
    body: Body
    language: str
    section: str
    standfirst: str = ""
    tags: Sequence[str] = ()
    bylines: Sequence[Mapping[str, str | None]] = ()
    images: Sequence[Mapping[str, Any]] = ()
    source: str = ""
    slug: str | None = None
    urgency: int = 4
    notify: bool = True
    canonical_url: str | None = None
    translations: UUID | None = None
    evergreen: bool = False
    custom: Mapping[str, Any] | None = None
    published_at: datetime | None = None
    embargo: datetime | None = None
    expires: datetime | None = None
    old_paths: Sequence[str] = ()
    origin: str | None = None


@dataclass(frozen=True)
class Held:
    """An article as it is now, with its newest text and every correction of it; what a reply shows.

    existing: it was there already when it was posted once more, with the origin that it has.
    """

    article: Article
    revision: Revision
    corrections: Sequence[Revision] = ()
    warnings: Sequence[Notice] = ()
    existing: bool = False


def read_article(session: Session, article_id: UUID) -> Held:
    """An article as it is now. Raises ArticleNotFound."""
    return hold(session, article_id, lock=False)


def hold(session: Session, article_id: UUID, *, if_match: Sequence[int] | str | None = None, lock: bool = True) -> Held:
    """An article, by default kept from others until this transaction ends. Raises ArticleNotFound, PreconditionFailed.

    if_match: the change numbers that whoever changes it may have read; "*" or None for any.
    """
    article = store.get_article(session, article_id, lock=lock)
    if article is None:
        raise ArticleNotFound(f"There is no article {article_id}: GET /v1/articles lists those there are.")
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


def count_change(article: Article, *, by: Actor, now: datetime) -> None:
    """Give the article its next change number."""
    article.change += 1
    article.changed_at = now
    article.changed_by = by.name


def note(session: Session, article: Article, step: str, *, by: Actor, now: datetime, **detail: Any) -> None:
    """Add a step of the newsroom's own to the timeline; details that are None are left out."""
    said = {"by": by.name, **{name: value for name, value in detail.items() if value is not None}}
    store.add_steps(session, [(article.id, now, article.change, step, said)])


def text_row(article: Article, wanted: Wanted, *, by: Actor, now: datetime, note: str | None = None) -> Revision:
    """The revision that holds the wanted texts, under the article's present revision number."""
    body = wanted.body
    return plain_row(
        Revision,
        article_id=article.id,
        number=article.revision,
        headline=wanted.headline,
        standfirst=wanted.standfirst,
        body_format=body.format,
        body_text=None if body.text == body.html else body.text,
        body_html=body.html,
        tags=list(wanted.tags),
        bylines=[dict(one) for one in wanted.bylines],
        images=[dict(one) for one in wanted.images],
        source=wanted.source,
        note=note,
        made_at=now,
        made_by=by.name,
    )


def plain_row(kind: type[R], **values: Any) -> R:
    """A new row of a mapped class's columns, all of them, that no session will know.

    What reads it finds the same names; making the mapped class itself was a tenth of what accepting an article cost.
    """
    return cast(R, SimpleNamespace(**values))


def values_of(row: Article | Revision) -> dict[str, Any]:
    """A row's values by column."""
    if isinstance(row, SimpleNamespace):
        return dict(vars(row))
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def words_of(article: Article, revision: Revision) -> str:
    """The words by which an article is found: of its headline, standfirst, slug, bylines, source and tags."""
    names = [str(one["name"]) for one in revision.bylines]
    return words.of_article(
        (revision.headline, revision.standfirst, article.slug, *names, revision.source), revision.tags
    )


def body_of(revision: Revision) -> Body:
    """A revision's body as it was accepted."""
    text = revision.body_html if revision.body_text is None else revision.body_text
    return Body(revision.body_format, text, revision.body_html)


def pictures(session: Session, asked: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The pictures that an article asks for, with what is known of them, as events.Picture in JSON.

    asked: as the API takes them. Raises Unprocessable naming those that are not there.
    """
    known = store.get_media(session, [one["media"] for one in asked]) if asked else {}
    faults = [
        Fault(f"/images/{number}/media", "unknown-media", f"there is no picture {one['media']}: upload it first")
        for number, one in enumerate(asked)
        if one["media"] not in known
    ]
    if faults:
        raise Unprocessable(errors=faults)
    found = []
    for one in asked:
        media = known[one["media"]]
        alt = "" if one.get("decorative") else one.get("alt", media.alt)
        focus = one.get("focal_point", {})
        found.append(
            {
                "media_id": str(media.id),
                "digest": media.digest,
                "media_type": media.media_type,
                "width": media.width,
                "height": media.height,
                "alt": alt,
                "caption": one.get("caption", media.caption),
                "credit": one.get("credit", media.credit),
                "focus_x": focus.get("x", 0.5),
                "focus_y": focus.get("y", 0.5),
            }
        )
    return found


# What readers may know, and saying so


def public_form(
    held: Held, *, first_published_at: datetime | None = None, updated_at: datetime | None = None
) -> PublicArticle:
    """What readers may know of an article that is or was live. Of a killed one no text but the headline.

    first_published_at, updated_at: of one that is not public yet, as its page would have them.
    """
    article, revision = held.article, held.revision
    bare = article.status == Status.KILLED
    first_published_at = article.first_published_at or first_published_at
    updated_at = article.updated_at or updated_at
    if first_published_at is None or updated_at is None:
        raise ValueError(f"article {article.id} was never public")
    retraction = None
    if article.status == Status.RETRACTED and article.retracted_at is not None:
        retraction = Retraction(note=article.retraction_note or "", retracted_at=article.retracted_at)
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
        standfirst="" if bare else revision.standfirst,
        body_html="" if bare else revision.body_html,
        first_published_at=first_published_at,
        updated_at=updated_at,
        tags=tuple(revision.tags),
        bylines=tuple(Byline(name=str(one["name"]), url=one["url"]) for one in revision.bylines),
        corrections=tuple(Correction(note=one.note or "", corrected_at=one.made_at) for one in held.corrections),
        urgency=article.urgency,
        notify=article.notify,
        images=() if bare else tuple(_picture(one) for one in revision.images),
        translations=article.translations,
        source=revision.source,
        canonical_url=article.canonical_url,
        evergreen=article.evergreen,
        old_paths=tuple(article.old_paths),
        retraction=retraction,
        # Articles from before this was noted: when they were seen live, or the date they bear.
        live_since=article.live_since or article.live_at or article.first_published_at,
    )


def _picture(one: Mapping[str, Any]) -> Picture:
    return Picture(**{**one, "media_id": UUID(one["media_id"])})


def event_of(status: str) -> type[ArticleEvent]:
    """The event that tells the present state of an article that is or was public."""
    return _EVENTS.get(Status(status), ArticlePublished)


_EVENTS: dict[Status, type[ArticleEvent]] = {
    Status.KILLED: ArticleKilled,
    Status.RETRACTED: ArticleRetracted,
    Status.EXPIRED: ArticleExpired,
}


def say_published(session: Session, held: Held, *, lane: str | None = None) -> None:
    """Say that an article is live; a flash overtakes. lane: where it travels unless it is one."""
    lane = "urgent" if held.article.urgency == FLASH else lane
    outbox.say(session, ArticlePublished(article=public_form(held)), lane=lane)


def ask_for_its_times(session: Session, article: Article) -> None:
    """Ask for the jobs that lift the article's embargo, or end its time."""
    if article.status == Status.SCHEDULED and article.embargo is not None:
        jobs.add(session, RELEASE, str(article.id), lane="urgent", run_at=article.embargo)
    if article.status == Status.LIVE and article.expires is not None:
        jobs.add(session, EXPIRE, str(article.id), lane="urgent", run_at=article.expires)


def check_expiry(expires: datetime | None, embargo: datetime | None, now: datetime) -> None:
    """Raise Unprocessable unless the article's time ends after it begins."""
    if expires is not None and expires <= max(now, embargo or now):
        detail = "should lie in the future, and after the embargo"
        raise Unprocessable(errors=[Fault("/expires", "too-early", detail)])


# Addresses


def free_slug(session: Session, article: Article, base: str, newsroom: Newsroom, first: int) -> tuple[str, str]:
    """A slug made of a base and a number from `first` on, and its path, that no other article has."""

    def path(number: int) -> str:
        return newsroom.article_path(article.language, article.section, slugs.numbered(base, number))

    number = slugs.first_free(lambda candidate: store.path_taken(session, path(candidate)), first)
    return slugs.numbered(base, number), path(number)


def is_reserved(slug: str, newsroom: Newsroom) -> bool:
    """Whether a slug is a word that the site needs for its own addresses."""
    if slug in slugs.RESERVED or slug in RESERVED_SEGMENTS or slug in newsroom.section_keys:
        return True
    return slug in {language.lower() for language in newsroom.languages}


def slug_taken(slug: str, path: str) -> SlugTaken:
    """That an address is, or was, another article's."""
    detail = f"{path} is another article's; choose another slug, or leave it out to have one made"
    return SlugTaken(f"The slug {slug} is taken.", errors=[Fault("/slug", "taken", detail)])


def check_old_paths(session: Session, article_id: UUID, paths: Sequence[str]) -> None:
    """Raise SlugTaken when one of these addresses is, or was, another article's."""
    faults = []
    for number, path in enumerate(paths):
        owner = store.path_owner(session, path)
        if owner is not None and owner != article_id:
            faults.append(Fault(f"/old_paths/{number}", "taken", f"{path} is another article's; leave it out"))
    if faults:
        raise SlugTaken("An old address is another article's.", errors=faults)
