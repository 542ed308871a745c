"""Previews: an article's page as it will be, for whoever has its secret link, until the link ends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response
from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from services.publish.build import Builder
from services.publish.models import Preview
from services.publish.pages import html
from shared import clock, http, outbox
from shared.db import per_dialect
from shared.event_schemas import Heard, PreviewedArticleSchema
from shared.events import ArticleProgress, ProgressFact

_PREVIEWS: Table = Preview.__table__  # type: ignore[assignment]
_SCHEMA = PreviewedArticleSchema()


@per_dialect
def _hold(insert: Callable[[Table], Any]) -> Any:
    statement = insert(_PREVIEWS)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["id"],
        set_={name: new[name] for name in ("number", "expires_at", "article")},
        where=_PREVIEWS.c.number < new.number,
    )


def receive_previews(session: Session, heard: Sequence[Heard]) -> None:
    """Hold what links show; one that was revoked shows nothing. What is not newer than what is held is dropped.

    That a kill has ended a link is told to the article's timeline.
    """
    now = clock.now()
    gone: list[ProgressFact] = []
    for one in heard:
        event = one.event
        session.execute(
            _hold(session),
            {
                "id": event.id,
                "digest": event.digest,
                "number": event.number,
                "expires_at": event.expires_at,
                "article": None if event.article is None else _SCHEMA.dump(event.article),
            },
        )
        if event.article is None and event.killed_article is not None and event.killed_change is not None:
            detail: dict[str, Any] = {"surface": "previews", "preview": str(event.id)}
            fact = {"article_id": event.killed_article, "change": event.killed_change, "step": "gone", "at": now}
            gone.append(ProgressFact(**fact, detail=detail))
    if gone:
        outbox.say(session, ArticleProgress(facts=tuple(gone)))


def forget_ended(session: Session, now: datetime, most: int) -> int:
    """Remove previews whose time is over, at most so many; how many."""
    ended = session.scalars(select(_PREVIEWS.c.id).where(_PREVIEWS.c.expires_at < now).limit(most)).all()
    session.execute(delete(_PREVIEWS).where(_PREVIEWS.c.id.in_(ended)))
    return len(ended)


def previews_blueprint(builder: Builder) -> Blueprint:
    """/preview/<token>: 200 with the page; 404 for a link that is unknown, revoked or over."""
    bp = Blueprint("previews", __name__)

    @bp.get("/preview/<token>")
    def show_preview(token: str) -> Response:
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        with http.node().reading() as session:
            found = session.execute(select(_PREVIEWS).where(_PREVIEWS.c.digest == digest)).first()
        if found is None or found.article is None or found.expires_at <= clock.now():
            answer = html(builder.not_found_page("/"), 404)
        else:
            answer = html(builder.renderer.article_page(_SCHEMA.load(found.article)), 200)
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        answer.headers["Referrer-Policy"] = "no-referrer"
        return answer

    return bp
