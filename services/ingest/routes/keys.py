"""/v1/keys: API keys, for operators."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from services.ingest.actions import keys as actions
from services.ingest.routes.desk import answer_once, documented_body, optional_body
from services.ingest.schemas.articles import NothingBody
from services.ingest.schemas.keys import KeyBody, KeyListReply, KeyReply, NewKeyReply
from shared import clock, http, keys
from shared.replies import Answer, idempotent, new_secret, response, secret_of

_BODY = KeyBody()
_KEY = KeyReply()
_NOTHING = NothingBody()


def keys_blueprint() -> Any:
    """The routes of API keys."""
    bp = Blueprint("keys", __name__, url_prefix="/v1/keys", description="API keys and their roles")

    @bp.post("")
    @http.needs("operator")
    @documented_body(bp, _BODY)
    @idempotent(bp)
    @bp.response(201, NewKeyReply)
    def create_key() -> Response:
        """Make an API key. 201 with the key itself, this once; 409 when a valid key has this name; 422."""
        sent = http.json_body()
        wanted = _BODY.load(sent)

        def create(session: Session) -> Answer:
            secret, number = new_secret()
            token = keys.token_of(secret)
            row = actions.create_key(session, **wanted, token=token, by=http.actor(), now=clock.now())
            shown = _KEY.dump(row)
            # What is kept for a repetition lacks the key: it is nowhere in the database.
            headers = {"Location": f"/v1/keys/{row.id}"}
            return Answer(201, {**shown, "key": token}, headers, kept={**shown, "key": number})

        def again(kept: dict[str, Any]) -> dict[str, Any]:
            return {**kept, "key": kept["key"] and keys.token_of(secret_of(kept["key"]))}

        return answer_once(sent, create, again=again)

    @bp.get("")
    @http.needs("operator")
    @bp.response(200, KeyListReply)
    def list_keys() -> Response:
        """200 with all API keys, newest first, revoked ones too."""
        with http.node().reading() as session:
            return response(Answer(200, {"items": _KEY.dump(keys.list_keys(session), many=True)}))

    @bp.get("/<uuid:key_id>")
    @http.needs("operator")
    @bp.response(200, KeyReply)
    def get_key(key_id: UUID) -> Response:
        """200 with an API key; 404 unknown."""
        with http.node().reading() as session:
            return response(Answer(200, _KEY.dump(actions.read_key(session, key_id))))

    @bp.post("/<uuid:key_id>/revoke")
    @http.needs("operator")
    @documented_body(bp, _NOTHING, required=False)
    @idempotent(bp)
    @bp.response(200, KeyReply)
    def revoke_key(key_id: UUID) -> Response:
        """End an API key, everywhere within a second. 200 with it, also when it is revoked already; 404 unknown."""
        sent = optional_body()
        _NOTHING.load(sent)

        def revoke(session: Session) -> Answer:
            return Answer(200, _KEY.dump(actions.revoke_key(session, key_id, now=clock.now())))

        answered = answer_once(sent, revoke)
        book = http.key_book()
        if book is not None:
            book.forget()
        return answered

    return bp
