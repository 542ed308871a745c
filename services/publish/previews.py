"""Previews: an article's page as it will be, for whoever has its secret link, until the link ends.

Its pictures are made when they are asked for, below the link itself, and kept for a while in memory alone: nothing of
an article that is not live stands among the site's files.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Blueprint, Response
from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from services.publish import renditions, store
from services.publish.build import RELATED_TEASERS, Builder
from services.publish.models import Preview
from services.publish.pages import guard, html, type_of
from services.publish.pictures import Rendition, all_renditions, folder_of
from services.publish.renditions import look_of
from shared import clock, http, outbox
from shared.db import per_dialect
from shared.event_schemas import Heard, PreviewedArticleSchema
from shared.events import ArticleProgress, Picture, ProgressFact, PublicArticle
from shared.media import original_path

_PREVIEWS: Table = Preview.__table__  # type: ignore[assignment]
_SCHEMA = PreviewedArticleSchema()
# Renditions for previews that a process keeps, in bytes; the least lately shown go first.
KEPT_BYTES = 4 * 1024 * 1024


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


def shown_by(session: Session, token: str, now: datetime) -> PublicArticle | None:
    """The article that a link shows; None for a link that is unknown, revoked or over, and for a killed article."""
    digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
    found = session.execute(select(_PREVIEWS).where(_PREVIEWS.c.digest == digest)).first()
    if found is None or found.article is None or found.expires_at <= now:
        return None
    if store.is_killed(session, UUID(found.article["id"])):
        return None
    article: PublicArticle = _SCHEMA.load(found.article)
    return article


def preview_page(session: Session, article: PublicArticle, token: str, builder: Builder) -> bytes:
    """The page as it will be, with its pictures below the link; related articles as far as they are known."""
    wanted = store.related_ids(session, [article.id]).get(article.id, [])
    teasers = store.live_teasers(session, wanted) if wanted else {}
    translations: dict[str, str] = {}
    if article.translations is not None:
        translations = store.translated(session, [article.translations]).get(article.translations, {})
        translations = {**translations, article.language: article.path}
    page = builder.renderer.article_page(
        article,
        [teasers[one] for one in wanted if one in teasers][:RELATED_TEASERS],
        pictured=True,
        translations=translations,
    )
    folders = sorted({folder_of(one.digest) for one in article.images})
    if not folders:
        return page
    found = re.compile("|".join(re.escape(one) for one in folders).encode())
    return found.sub(lambda match: f"/preview/{token}".encode() + match[0], page)


class PreviewPictures:
    """Makes renditions for previews, one at a time, and keeps the last ones. media: where originals stand."""

    def __init__(self, builder: Builder, media: Path) -> None:
        self._builder, self._media = builder, media
        self._one = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def rendition(self, images: Sequence[Picture], path: str) -> bytes | None:
        """The bytes of a rendition of one of these pictures, by its path among the site's files; None for no such."""
        for image in images:
            for one in all_renditions(look_of(image), self._builder.renderer.forms):
                if one.path == path:
                    return self._builder.site.read(path) or self._made(image, one)
        return None

    def _made(self, image: Picture, wanted: Rendition) -> bytes | None:
        # Opening a large original takes some 200 MB.
        with self._one:
            if wanted.path in self._kept:
                self._kept.move_to_end(wanted.path)
                return self._kept[wanted.path]
            original = original_path(self._media, image.digest)
            try:
                made = renditions.one_of(original, look_of(image), wanted)
            except renditions.UNREADABLE:
                return None
            self._kept[wanted.path] = made
            while sum(map(len, self._kept.values())) > KEPT_BYTES and len(self._kept) > 1:
                self._kept.popitem(last=False)
            return made


def previews_blueprint(builder: Builder, media: Path) -> Blueprint:
    """/preview/<token>: 200 with the page; 404 for a link that is unknown, revoked or over. Its pictures are below."""
    bp = Blueprint("previews", __name__)
    pictures = PreviewPictures(builder, media)

    @bp.get("/preview/<token>")
    def show_preview(token: str) -> Response:
        with http.node().reading() as session:
            article = shown_by(session, token, clock.now())
            page = preview_page(session, article, token, builder) if article is not None else None
        return _secret(html(builder.not_found_page("/"), 404) if page is None else html(page, 200))

    @bp.get("/preview/<token>/media/<path:name>")
    def show_picture(token: str, name: str) -> Response:
        with http.node().reading() as session:
            article = shown_by(session, token, clock.now())
        content = pictures.rendition(article.images, f"/media/{name}") if article is not None else None
        if content is None:
            return _secret(html(builder.not_found_page("/"), 404))
        answer = Response(content, content_type=type_of(name))
        guard(answer)
        return _secret(answer)

    return bp


def _secret(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
