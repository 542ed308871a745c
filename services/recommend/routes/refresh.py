"""/v1/recommend/refresh: the weights of the index."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from services.recommend import actions, schemas, store
from shared import clock, http


def refresh_blueprint() -> Any:
    """The weights of the index, for operators."""
    bp = Blueprint("recommend-refresh", __name__, url_prefix="/v1/recommend", description="The weights of the index")

    @bp.post("/refresh")
    @http.needs("operator")
    @bp.response(202, schemas.RefreshReply)
    def start_refresh() -> dict[str, Any]:
        """202: the weights of all terms are counted anew in the background, and sets that change are said."""
        with http.node().unit_of_work() as session:
            actions.ask_for_refresh(session, now=clock.now())
            return _refresh(session)

    @bp.get("/refresh")
    @http.needs("operator")
    @bp.response(200, schemas.RefreshReply)
    def read_refresh() -> dict[str, Any]:
        """200 with when the weights were last refreshed and whether they are being so now."""
        with http.node().reading() as session:
            return _refresh(session)

    @bp.post("/rebuild")
    @http.needs("operator")
    @bp.response(202, schemas.RefreshReply)
    def rebuild() -> dict[str, Any]:
        """202: the index forgets its snapshot and is made anew from the database; sets that differ are said."""
        with http.node().unit_of_work() as session:
            actions.rebuild_index(session)
            return _refresh(session)

    return bp


def _refresh(session: Session) -> dict[str, Any]:
    state = store.state(session)
    return {
        "running": store.is_wanted(session, actions.REFRESH),
        "weights_number": state.weights,
        "articles_weighed": state.counted,
        "refreshed_at": state.refreshed_at,
    }
