"""/v1/articles/{id}/…: the moves of an article from state to state."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy.orm import Session

from services.ingest import actions
from services.ingest.routes.desk import (
    DRY_RUN,
    IF_MATCH_OPTIONAL,
    Answer,
    Desk,
    answer_once,
    article_answer,
    documented_body,
    idempotent,
    optional_body,
    optional_if_match,
)
from services.ingest.schemas import articles as bodies
from services.ingest.schemas import replies
from shared import clock, http

_NOTHING = bodies.NothingBody()
_PUBLISH = bodies.PublishBody()
_KILL = bodies.KillBody()
_RETRACT = bodies.RetractBody()


def add_move_routes(bp: Any, desk: Desk) -> None:
    """publish, cancel, retract, kill, and restoring a revision."""
    takes = documented_body

    @bp.post("/<uuid:article_id>/publish")
    @http.needs("editor")
    @takes(bp, _PUBLISH, required=False)
    @idempotent(bp, IF_MATCH_OPTIONAL, DRY_RUN)
    @bp.response(200, replies.ArticleReply)
    def publish_article(article_id: UUID) -> Response:
        """Make an article live, or schedule it for the end of its embargo.

        200 with the article, also when it is live already; 404 unknown; 409 killed or retracted; 412 when If-Match is
        stale; 422 when its time is over.
        """
        sent = optional_body()
        wanted = _PUBLISH.load(sent)
        if_match = optional_if_match()

        def publish(session: Session) -> Answer:
            held = actions.publish_article(
                session, article_id, **wanted, if_match=if_match, by=http.actor(), now=clock.now()
            )
            return article_answer(desk, held, 200)

        return answer_once(sent, publish)

    @bp.post("/<uuid:article_id>/cancel")
    @http.needs("editor")
    @takes(bp, _NOTHING, required=False)
    @idempotent(bp, IF_MATCH_OPTIONAL, DRY_RUN)
    @bp.response(200, replies.ArticleReply)
    def cancel_article(article_id: UUID) -> Response:
        """Make a scheduled article a draft again.

        200 with the article, also when it is a draft already; 404 unknown; 409 in any other state; 412 stale.
        """
        sent = optional_body()
        _NOTHING.load(sent)
        if_match = optional_if_match()

        def cancel(session: Session) -> Answer:
            held = actions.cancel_article(session, article_id, if_match=if_match, by=http.actor(), now=clock.now())
            return article_answer(desk, held, 200)

        return answer_once(sent, cancel)

    @bp.post("/<uuid:article_id>/retract")
    @http.needs("chief")
    @takes(bp, _RETRACT, required=False)
    @idempotent(bp, IF_MATCH_OPTIONAL, DRY_RUN)
    @bp.response(200, replies.ArticleReply)
    def retract_article(article_id: UUID) -> Response:
        """Withdraw a live article: its page stays and says so, with the reason, and nothing offers it any more.

        200 with the article; when it is retracted already, another reason is put in place of the one it has, on its
        page too. 404 unknown; 409 in any other state; 412 stale.
        """
        sent = optional_body()
        reason = _RETRACT.load(sent)["reason"]
        if_match = optional_if_match()

        def retract(session: Session) -> Answer:
            held = actions.retract_article(
                session, article_id, reason=reason, if_match=if_match, by=http.actor(), now=clock.now()
            )
            return article_answer(desk, held, 200)

        return answer_once(sent, retract)

    @bp.post("/<uuid:article_id>/kill")
    @http.needs("chief")
    @takes(bp, _KILL, required=False)
    @idempotent(bp, DRY_RUN)
    @bp.response(200, replies.ArticleReply)
    def kill_article(article_id: UUID) -> Response:
        """Take an article out of use.

        200 with the article, in any state and whatever If-Match says; when it is killed already, another reason is put
        in place of the one it has. 404 unknown.
        """
        sent = optional_body()
        reason = _KILL.load(sent)["reason"]

        def kill(session: Session) -> Answer:
            held = actions.kill_article(session, article_id, reason=reason, by=http.actor(), now=clock.now())
            return article_answer(desk, held, 200)

        return answer_once(sent, kill)

    @bp.post("/<uuid:article_id>/revisions/<int(max=2147483647):number>/restore")
    @http.needs("reporter")
    @takes(bp, _NOTHING, required=False)
    @idempotent(bp, IF_MATCH_OPTIONAL, DRY_RUN)
    @bp.response(200, replies.ArticleReply)
    def restore_revision(article_id: UUID, number: int) -> Response:
        """Put an earlier text in place again, as a new revision; a chief's brings back what was killed or retracted.

        200 with the article; 403 the role; 404 no such article or revision; 409 expired; 412 stale.
        """
        sent = optional_body()
        _NOTHING.load(sent)
        if_match = optional_if_match()

        def restore(session: Session) -> Answer:
            held = actions.restore_revision(
                session, article_id, number, if_match=if_match, by=http.actor(), now=clock.now()
            )
            return article_answer(desk, held, 200)

        return answer_once(sent, restore)
