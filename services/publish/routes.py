"""publish over HTTP: looking after the site. Subscriptions and deliveries are in channels/routes.py."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import RAISE
from sqlalchemy.orm import Session

from services.publish import redirects, schemas, upkeep
from services.publish.errors import RedirectNotFound
from services.publish.service import Publish
from shared import clock, http
from shared.replies import Answer, answer_once, idempotent


def create_blueprint(publish: Publish) -> Any:
    """The routes of publish under /v1."""
    bp = http.Blueprint("publish", __name__, url_prefix="/v1", description="The site")

    @bp.post("/publish/rebuild")
    @http.needs("operator")
    @bp.arguments(schemas.RebuildBody, required=False)
    @idempotent(bp)
    @bp.response(202)
    def rebuild(wanted: dict[str, Any]) -> Response:
        """202: the page, or the whole site, is built again and compared with the files that are there."""

        def ask(session: Session) -> Answer:
            upkeep.ask_for_rebuild(session, wanted.get("path"), builder=publish.builder, now=clock.now())
            return Answer(202, None)

        return answer_once(wanted, ask)

    @bp.post("/publish/verify")
    @http.needs("operator")
    @bp.response(200, schemas.DifferenceList)
    def verify() -> Any:
        """200 with every difference between the database, the store and the feeds."""
        with http.node().reading() as session:
            return {"items": upkeep.verify(session, builder=publish.builder)}

    @bp.put("/redirects")
    @http.needs("operator")
    @bp.arguments(schemas.RedirectBody)
    @bp.response(200, schemas.RedirectReply)
    def put_redirect(wanted: dict[str, str]) -> Any:
        """200 with the redirect: the address answers 301 with the target from now on; 422 for one that is in use."""
        with http.node().unit_of_work() as session:
            return redirects.put(session, wanted["path"], wanted["target"], builder=publish.builder, now=clock.now())

    @bp.get("/redirects")
    @http.needs("operator")
    @bp.arguments(schemas.RedirectQuery, location="query", unknown=RAISE)
    @bp.response(200, schemas.RedirectList)
    def list_redirects(query: dict[str, str]) -> Any:
        """200 with up to 1,000 redirects in the order of their paths; `after` asks for later ones."""
        with http.node().reading() as session:
            return {"items": redirects.listed(session, query["after"], 1000)}

    @bp.delete("/redirects")
    @http.needs("operator")
    @bp.arguments(schemas.RedirectPath, location="query", unknown=RAISE)
    @bp.response(204)
    def delete_redirect(query: dict[str, str]) -> None:
        """204: the address leads nowhere any more; 404 when there was no such redirect."""
        with http.node().unit_of_work() as session:
            if not redirects.take_back(session, query["path"], builder=publish.builder, now=clock.now()):
                raise RedirectNotFound(f"No redirect stands at {query['path']}.")

    return bp
