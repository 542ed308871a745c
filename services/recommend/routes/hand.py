"""What editors decide about related sets: /v1/related/{id}/pins and /bans, /v1/related/sections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask_smorest import Blueprint
from marshmallow import Schema

from services.recommend import hand, schemas
from shared import clock, http


def hand_blueprint() -> Any:
    """Pins, bans and age limits."""
    bp = Blueprint("related-hand", __name__, url_prefix="/v1/related", description="What editors decide")

    @bp.get("/<uuid:article_id>/pins")
    @http.needs("reporter")
    @bp.response(200, schemas.PinsReply)
    def read_pins(article_id: UUID) -> dict[str, Any]:
        """200 with what opens the article's related set, in order; those that are not live wait."""
        with http.node().reading() as session:
            return hand.pins_of(session, article_id)

    @bp.put("/<uuid:article_id>/pins")
    @http.needs("editor")
    @_takes(bp, schemas.PinsBody)
    @bp.response(200, schemas.PinsReply)
    def put_pins(article_id: UUID) -> dict[str, Any]:
        """200: these articles open the related set, in this order, whatever their language; the page shows it shortly.

        Any id may be given, also the first: drafts are not known here. What is not live yet waits, and appears when it
        is. 404: no id. 422: one twice, the article itself, or one that nothing may show here: killed, banned from this
        set, or never offered.
        """
        wanted = schemas.PinsBody().load(http.json_body())
        with http.node().unit_of_work() as session:
            return hand.pin(session, article_id, wanted["article_ids"], by=http.key_owner(), now=clock.now())

    @bp.get("/<uuid:article_id>/bans")
    @http.needs("reporter")
    @bp.response(200, schemas.BansReply)
    def read_bans(article_id: UUID) -> dict[str, Any]:
        """200 with what is never in the article's related set, and whether it is offered and gets any itself."""
        with http.node().reading() as session:
            return hand.bans_of(session, article_id)

    @bp.put("/<uuid:article_id>/bans")
    @http.needs("editor")
    @_takes(bp, schemas.BansBody)
    @bp.response(200, schemas.BansReply)
    def put_bans(article_id: UUID) -> dict[str, Any]:
        """200: these articles are never in the related set. What is left out of the body is none, or false.

        Any id may be given, as for pins. A ban beats a pin: `beaten_pins` names those that do not show because of it.
        404: no id.
        `never_offered`: no set shows the article. `never_gets_any`: its own stays empty, for sensitive subjects.
        """
        wanted = schemas.BansBody().load(http.json_body())
        with http.node().unit_of_work() as session:
            return hand.ban(session, article_id, by=http.key_owner(), now=clock.now(), **wanted)

    @bp.get("/sections")
    @http.needs("reporter")
    @bp.response(200, schemas.AgeLimitList)
    def list_age_limits() -> dict[str, Any]:
        """200 with the sections that have an age limit."""
        with http.node().reading() as session:
            return hand.age_limits(session)

    @bp.get("/sections/<section>")
    @http.needs("reporter")
    @bp.response(200, schemas.AgeLimitReply)
    def read_age_limit(section: str) -> dict[str, Any]:
        """200 with the section's age limit; null: it has none. Any key may be given: sections are the newsroom's."""
        with http.node().reading() as session:
            return hand.age_limit_of(session, section)

    @bp.put("/sections/<section>")
    @http.needs("chief")
    @_takes(bp, schemas.AgeLimitBody)
    @bp.response(200, schemas.AgeLimitReply)
    def put_age_limit(section: str) -> dict[str, Any]:
        """200: articles of this section are offered only under those published so many days before or after; null: all.

        Evergreen articles are offered all the same. Sets that show what is now too old change at once, a few hundred in
        the first second, then the newest articles'; the rest of a great archive follows in the background.
        """
        wanted = schemas.AgeLimitBody().load(http.json_body())
        with http.node().unit_of_work() as session:
            return hand.limit_age(session, section, wanted["age_limit_days"], now=clock.now())

    return bp


def _takes(bp: Any, schema: type[Schema]) -> Callable[[Any], Any]:
    content = {"application/json": {"schema": schema}}
    described: Callable[[Any], Any] = bp.doc(requestBody={"required": True, "content": content})
    return described
