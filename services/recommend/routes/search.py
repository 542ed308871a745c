"""/v1/search, for readers, and /v1/similar, for the desk."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_smorest import Blueprint

from services.recommend import schemas
from services.recommend.search import actions
from shared import http
from shared.pace import Pace, address_of

# What one address may ask: by far more than a reader does, and less than a harvester.
PER_SECOND, BURST = 10.0, 40
_TOO_LONG = {
    "description": "The address with its query is too long",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def search_blueprint() -> Any:
    """Search, for readers. Limited by address: everybody may ask."""
    bp = Blueprint("search", __name__, url_prefix="/v1/search", description="What readers search")
    pace = Pace(PER_SECOND, BURST)

    @bp.get("")
    @bp.arguments(schemas.SearchQuery, location="query")
    @bp.response(200, schemas.SearchReply)
    @bp.doc(responses={"414": _TOO_LONG})
    def search(asked: dict[str, str]) -> dict[str, Any]:
        """200 with articles that have every word of `q`, those with all of them in the headline first, then the newest.

        "Quotes" hold words together and a minus leaves a word out; accents and case do not matter. Any text is a query:
        one without a word finds nothing, and so do a `lang` and a `section` that no article has. `next` is the cursor
        of the next page, or null; a `limit` that cannot be read is passed over. 422 for a `from` that is no day or
        instant, a `lang` that is no language tag, a `cursor` that no page gave. 414 when the whole address is longer
        than about 4,000 signs; of `q` the first 300 count. 429 for an address that asks more than ten times a second.
        """
        pace.take(address_of(request, http.node().settings.trusted_proxies))
        with http.node().reading() as session:
            return actions.search_articles(session, **asked)

    return bp


def similar_blueprint() -> Any:
    """Near-duplicates of a draft, for the desk."""
    bp = Blueprint("similar", __name__, url_prefix="/v1/similar", description="What is like a draft")
    content = {"application/json": {"schema": schemas.SimilarBody}}

    @bp.post("")
    @http.needs("reporter")
    @bp.doc(requestBody={"required": True, "content": content})
    @bp.response(200, schemas.SimilarReply)
    def similar() -> dict[str, Any]:
        """200 with live articles that are likely copies or earlier versions of a draft, and what they share with it.

        `kind`: "same text", "version" (a copy with changes) or "passages". Nothing is stored.
        """
        wanted = schemas.SimilarBody().load(http.json_body())
        with http.node().reading() as session:
            return actions.similar_articles(session, **wanted)

    return bp
