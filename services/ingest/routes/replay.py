"""/v1/ingest/replay: everything said again."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from services.ingest import actions
from services.ingest.routes.desk import answer_once, documented_body, optional_body
from services.ingest.schemas.articles import ReplayBody
from services.ingest.schemas.replies import ReplayReply
from shared import clock, http
from shared.replies import Answer, idempotent


def replay_blueprint() -> Any:
    """The route that has articles said again."""
    bp = Blueprint("ingest-replay", __name__, url_prefix="/v1/ingest", description="Operations of ingest")

    @bp.post("/replay")
    @http.needs("operator")
    @documented_body(bp, ReplayBody(), required=False)
    @idempotent(bp)
    @bp.response(202, ReplayReply)
    def replay() -> Response:
        """Say again the present state of all articles, or of those changed since a time; nobody is notified.

        202: it is being done on the bulk queues.
        """
        sent = optional_body()
        since = ReplayBody().load(sent)["since"]

        def ask(session: Session) -> Answer:
            replay_id = actions.ask_for_replay(session, since=since, now=clock.now())
            return Answer(202, ReplayReply().dump({"id": replay_id, "since": since}))

        return answer_once(sent, ask)

    return bp
