"""publish over HTTP: looking after the site. Subscriptions and deliveries are in channels/routes.py."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from services.publish import actions, schemas
from services.publish.service import Publish
from shared import clock, http


def create_blueprint(publish: Publish) -> Any:
    """The routes of publish under /v1."""
    bp = Blueprint("publish", __name__, url_prefix="/v1", description="The site")

    @bp.post("/publish/rebuild")
    @http.needs("operator")
    @bp.arguments(schemas.RebuildBody, required=False)
    @bp.response(202)
    def rebuild(wanted: dict[str, Any]) -> None:
        """202: the page, or the whole site, is built again and compared with the files that are there."""
        with http.node().unit_of_work() as session:
            actions.ask_for_rebuild(session, wanted.get("path"), builder=publish.builder, now=clock.now())

    @bp.post("/publish/verify")
    @http.needs("operator")
    @bp.response(200, schemas.DifferenceList)
    def verify() -> Any:
        """200 with every difference between the database, the store and the feeds."""
        with http.node().reading() as session:
            return {"items": actions.verify(session, builder=publish.builder)}

    return bp
