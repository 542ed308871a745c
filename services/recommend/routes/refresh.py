"""/v1/recommend/refresh: the weights of the index."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from services.recommend import actions, schemas, store
from shared import clock, http
from shared.replies import Answer, answer_once, idempotent

_REFRESH = schemas.RefreshReply()


def refresh_blueprint() -> Any:
    """The weights of the index, for operators."""
    bp = Blueprint("recommend-refresh", __name__, url_prefix="/v1/recommend", description="The weights of the index")

    @bp.post("/refresh")
    @http.needs("operator")
    @idempotent(bp)
    @bp.response(202, schemas.RefreshReply)
    def start_refresh() -> Response:
        """202: the weights of all terms are counted anew in the background, and sets that change are said."""

        def start(session: Session) -> Answer:
            actions.ask_for_refresh(session, now=clock.now())
            return Answer(202, _REFRESH.dump(_refresh(session)))

        return answer_once(None, start)

    @bp.get("/refresh")
    @http.needs("operator")
    @bp.response(200, schemas.RefreshReply)
    def read_refresh() -> dict[str, Any]:
        """200 with when the weights were last refreshed and whether they are being so now."""
        with http.node().reading() as session:
            return _refresh(session)

    @bp.post("/rebuild")
    @http.needs("operator")
    @idempotent(bp)
    @bp.response(202, schemas.RefreshReply)
    def rebuild() -> Response:
        """202: the index forgets its snapshot and is made anew from the database; sets that differ are said."""

        def forget(session: Session) -> Answer:
            actions.rebuild_index(session)
            return Answer(202, _REFRESH.dump(_refresh(session)))

        return answer_once(None, forget)

    return bp


def _refresh(session: Session) -> dict[str, Any]:
    state = store.state(session)
    return {
        "running": store.is_wanted(session, actions.REFRESH),
        "weights_number": state.weights,
        "articles_weighed": state.counted,
        "refreshed_at": state.refreshed_at,
    }
