"""/v1/articles/{id}/previews: secret links that show an article before readers see it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy.orm import Session

from services.ingest import actions, store
from services.ingest.actions import previews
from services.ingest.routes.desk import Desk, answer_once, documented_body, optional_body
from services.ingest.schemas.previews import NewPreviewReply, PreviewBody, PreviewListReply, PreviewReply
from shared import clock, http
from shared.replies import Answer, idempotent, new_secret, response, secret_of

_BODY = PreviewBody()
_PREVIEW = PreviewReply()
_MOST = 100


def add_preview_routes(bp: Any, desk: Desk) -> None:
    """Making, listing and revoking previews."""

    def url_of(token: str) -> str:
        return desk.newsroom.url(f"/preview/{token}")

    @bp.post("/<uuid:article_id>/previews")
    @http.needs("reporter")
    @documented_body(bp, _BODY, required=False)
    @idempotent(bp)
    @bp.response(201, NewPreviewReply)
    def make_preview(article_id: UUID) -> Response:
        """Make a secret link that shows the article as it is now. 201 with the url, this once; 404; 409 killed; 422."""
        sent = optional_body()
        wanted = _BODY.load(sent)

        def make(session: Session) -> Answer:
            secret, number = new_secret()
            token = previews.token_of(secret)
            made = previews.make_preview(session, article_id, **wanted, token=token, by=http.actor(), now=clock.now())
            shown = _PREVIEW.dump(made)
            return Answer(201, {**shown, "url": url_of(token)}, kept={**shown, "url": number})

        def again(kept: dict[str, Any]) -> dict[str, Any]:
            return {**kept, "url": kept["url"] and url_of(previews.token_of(secret_of(kept["url"])))}

        return answer_once(sent, make, again=again)

    @bp.get("/<uuid:article_id>/previews")
    @http.needs("reporter")
    @bp.response(200, PreviewListReply)
    def list_previews(article_id: UUID) -> Response:
        """200 with the links to an article that are valid; 404 unknown."""
        with http.node().reading() as session:
            actions.read_article(session, article_id)
            found = store.previews(session, article_id, valid_at=clock.now(), most=_MOST)
            return response(Answer(200, {"items": _PREVIEW.dump(found, many=True)}))

    @bp.delete("/<uuid:article_id>/previews/<uuid:preview_id>")
    @http.needs("reporter")
    @bp.response(204)
    def revoke_preview(article_id: UUID, preview_id: UUID) -> Response:
        """Revoke a link. 204, also when it was revoked already; 404 unknown."""
        with http.node().unit_of_work() as session:
            previews.revoke_preview(session, article_id, preview_id, now=clock.now())
        return response(Answer(204, None))
