"""/v1/media: pictures uploaded once, and found again."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from flask import Response, request, send_file
from flask_smorest import Blueprint
from marshmallow import RAISE
from sqlalchemy.orm import Session

from services.ingest import pictures, store
from services.ingest.actions import media as actions
from services.ingest.routes.desk import answer_once
from services.ingest.schemas.examples import EXAMPLES
from services.ingest.schemas.media import MediaForm, MediaListReply, MediaQuery, MediaReply
from shared import clock, http
from shared.errors import Fault, Unprocessable, UnsupportedMediaType
from shared.media import original_path
from shared.replies import Answer, idempotent, link, response

_FORM = MediaForm()
_MEDIA = MediaReply()
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\\ud800-\udfff]")
# What a form has around its file.
_FORM_BYTES = 64 * 1024
_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": "JPEG, PNG, WebP, AVIF or GIF."},
                    "alt": {"type": "string", "description": "What it shows; or send decorative."},
                    "decorative": {"type": "string", "enum": ["true", "false"]},
                    "caption": {"type": "string"},
                    "credit": {"type": "string"},
                },
                "additionalProperties": False,
            },
            "example": EXAMPLES["media"],
        }
    },
}


def media_blueprint() -> Any:
    """The routes of media."""
    bp = Blueprint("media", __name__, url_prefix="/v1/media", description="Pictures, uploaded once")

    @bp.post("")
    @http.needs("reporter")
    @bp.doc(requestBody=_BODY)
    @idempotent(bp)
    @bp.response(201, MediaReply)
    @bp.alt_response(200, schema=MediaReply, success=True)
    def post_media() -> Response:
        """Upload a picture, with its alt text or decorative=true.

        201 with its id; 200 with the one that is there already when the same picture comes again; 413 more than 25 MiB;
        422 no picture, too many pixels, or no alt. It is turned upright, and the place where it was taken is removed;
        credit and caption are read from its IPTC data when they are not sent.
        """
        if request.mimetype != "multipart/form-data":
            raise UnsupportedMediaType(f"Send Content-Type: multipart/form-data, not {request.mimetype or 'nothing'}.")
        request.max_content_length = pictures.BYTES_MAX + _FORM_BYTES
        files = request.files.getlist("file")
        if len(files) != 1 or len(request.files) != 1:
            raise Unprocessable(errors=[Fault("/file", "missing", "Send one file in the field file.")])
        wanted = _FORM.load(request.form.to_dict())
        picture = pictures.read_picture(files[0].stream.read(pictures.BYTES_MAX + 1))
        actions.keep_original(http.node().settings.media_store, picture)
        name = _NOT_IN_NAMES.sub("", files[0].filename or "")[-255:]

        def add(session: Session) -> Answer:
            media, known = actions.add_media(session, picture, name=name, **wanted, by=http.actor(), now=clock.now())
            headers = {"Location": f"/v1/media/{media.id}"}
            return Answer(200 if known else 201, _MEDIA.dump(media), headers)

        return answer_once({**request.form.to_dict(), "file": picture.digest}, add)

    @bp.get("")
    @http.needs("reporter")
    @bp.arguments(MediaQuery, location="query", unknown=RAISE)
    @bp.response(200, MediaListReply)
    def list_media(query: dict[str, Any]) -> Response:
        """200 with a page of pictures, newest first, that have all words of `q` somewhere in what is said of them."""
        limit = query["limit"]
        words = actions.folded(query.get("q", "")).split()[:10]
        with http.node().reading() as session:
            found = store.list_media(session, words=words, before=query.get("before"), most=limit + 1)
        more = len(found) > limit
        same = {name: query[name] for name in ("q",) if name in query}
        links = [link("next", {**same, "limit": limit, "before": found[limit - 1].id})] if more else []
        body = {"items": _MEDIA.dump(found[:limit], many=True)}
        return response(Answer(200, body, {"Link": ", ".join(links)} if links else {}))

    @bp.get("/<uuid:media_id>")
    @http.needs("reporter")
    @bp.response(200, MediaReply)
    def get_media(media_id: UUID) -> Response:
        """200 with what is known of a picture; 404 unknown."""
        with http.node().reading() as session:
            return response(Answer(200, _MEDIA.dump(actions.read_media(session, media_id))))

    @bp.get("/<uuid:media_id>/original")
    @http.needs("reporter")
    @bp.doc(responses={"200": {"description": "The file", "content": {"image/*": {"schema": {"type": "string"}}}}})
    def get_original(media_id: UUID) -> Response:
        """200 with the picture's file as it is kept; 404 unknown."""
        with http.node().reading() as session:
            media = actions.read_media(session, media_id)
        path = original_path(http.node().settings.media_store, media.digest)
        if not path.is_file():
            raise actions.MediaNotFound(f"There is no picture {media_id}: GET /v1/media finds those there are.")
        return send_file(path, mimetype=media.media_type, etag=media.digest)

    return bp
