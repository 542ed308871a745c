"""Secret links that show an article as it will be, before readers see it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from services.ingest import store
from services.ingest.actions.common import hold, public_form
from services.ingest.domain.states import Status
from services.ingest.models import Preview
from shared import outbox
from shared.errors import Conflict, Fault, NotFound, Unprocessable
from shared.events import ArticlePreviewed
from shared.ids import new_id
from shared.roles import Actor

LASTS = timedelta(days=7)
LASTS_MOST = timedelta(days=90)
_AT_ONCE = 100


class PreviewNotFound(NotFound):
    """The article has no preview of this id."""

    code = "preview-not-found"


def token_of(secret: bytes) -> str:
    """The secret end of a link: 43 characters that stand for 32 bytes."""
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def make_preview(
    session: Session, article_id: UUID, *, expires_at: datetime | None, token: str, by: Actor, now: datetime
) -> Preview:
    """Make a link that shows the article as it is now, and say ArticlePreviewed.

    expires_at: in a week by default. token: its secret end, of which only a digest is kept. Raises ArticleNotFound,
    Conflict for what was killed or has too many links, and Unprocessable for an end that is past or more than 90 days
    away.
    """
    ends = expires_at or now + LASTS
    if not now < ends <= now + LASTS_MOST:
        raise Unprocessable(errors=[Fault("/expires_at", "out-of-range", "should lie within the next 90 days")])
    held = hold(session, article_id)
    article = held.article
    if article.status == Status.KILLED:
        raise Conflict("A killed article is shown to nobody.")
    if len(store.previews(session, article_id, valid_at=now, most=_AT_ONCE)) == _AT_ONCE:
        raise Conflict(f"An article may have {_AT_ONCE} previews at once; revoke some.")
    preview = Preview(
        id=new_id(),
        article_id=article_id,
        digest=hashlib.sha256(token.encode()).hexdigest(),
        change=article.change,
        made_at=now,
        made_by=by.name,
        expires_at=ends,
        revoked_at=None,
    )
    session.add(preview)
    shown_at = article.first_published_at or article.published_at or article.embargo or now
    shown = replace(
        public_form(held, first_published_at=shown_at, updated_at=article.updated_at or shown_at), notify=False
    )
    outbox.say(session, ArticlePreviewed(id=preview.id, digest=preview.digest, expires_at=ends, article=shown))
    return preview


def revoke_preview(session: Session, article_id: UUID, preview_id: UUID, *, now: datetime) -> None:
    """End a link; one that has ended stays so. Raises PreviewNotFound."""
    preview = store.get_preview(session, preview_id)
    if preview is None or preview.article_id != article_id:
        raise PreviewNotFound(
            f"There is no preview {preview_id} of this article: GET its previews lists those there are."
        )
    _revoke(session, preview, now)


def revoke_previews(session: Session, article_id: UUID, *, now: datetime, killed_change: int | None = None) -> None:
    """End all links to an article. killed_change: of the kill that ends them."""
    for preview in store.previews(session, article_id, valid_at=now, most=_AT_ONCE):
        _revoke(session, preview, now, killed_change)


def _revoke(session: Session, preview: Preview, now: datetime, killed_change: int | None = None) -> None:
    if preview.revoked_at is None:
        preview.revoked_at = now
        gone = ArticlePreviewed(
            id=preview.id,
            digest=preview.digest,
            number=2,
            expires_at=preview.expires_at,
            killed_article=preview.article_id if killed_change is not None else None,
            killed_change=killed_change,
        )
        outbox.say(session, gone, lane="urgent")
