"""HTTP in, HTTP out: /v1/related, /v1/search and /v1/recommend/refresh."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from services.recommend import actions, domain, schemas, store
from services.recommend.errors import ArticleNotFound
from services.recommend.pace import Pace, address_of
from shared import clock, http


def related_blueprint() -> Any:
    """The related sets, for everybody."""
    bp = Blueprint("related", __name__, url_prefix="/v1/related", description="What to read next")

    @bp.get("/<uuid:article_id>")
    @bp.response(200, schemas.RelatedReply)
    def read_related(article_id: UUID) -> dict[str, Any]:
        """200 with the article's related set and why each entry is in it; 404 when no such article is live."""
        with http.node().reading() as session:
            article, stored, others = store.related(session, article_id)
        if article is None or article.status != domain.LIVE:
            raise ArticleNotFound(f"No article {article_id} is live.")
        entries = [
            {
                "article_id": UUID(other_id),
                "headline": others[UUID(other_id)].headline,
                "score": score,
                "reason": domain.reason(by_text),
                "words": domain.shared_words(article.words, others[UUID(other_id)].words) if by_text else [],
            }
            for other_id, score, by_text in (stored.entries if stored is not None else [])
            if UUID(other_id) in others
        ]
        return {
            "article_id": article_id,
            "headline": article.headline,
            "set_number": stored.set_number if stored is not None else 0,
            "made_at": stored.made_at if stored is not None else None,
            "entries": entries,
        }

    return bp


def search_blueprint() -> Any:
    """Search, for readers. Limited by address: everybody may ask."""
    bp = Blueprint("search", __name__, url_prefix="/v1/search", description="What readers search")
    pace = Pace()

    @bp.get("")
    @bp.arguments(schemas.SearchQuery, location="query")
    @bp.response(200, schemas.SearchReply)
    def search(asked: dict[str, str]) -> dict[str, Any]:
        """200 with articles that have every word of `q`, those with all of them in the headline first, then the newest.

        "Quotes" hold words together and a minus leaves a word out; accents and case do not matter. Any text is a query:
        one without a word finds nothing, and what cannot be read of the other parameters is passed over. `next` is the
        cursor of the next page, or null. 429 for an address that asks more than ten times a second.
        """
        pace.take(address_of(request))
        with http.node().reading() as session:
            return actions.search_articles(session, **asked)

    return bp


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

    return bp


def _refresh(session: Session) -> dict[str, Any]:
    state = store.state(session)
    return {
        "running": store.is_wanted(session, actions.REFRESH),
        "weights_number": state.weights,
        "articles_weighed": state.counted,
        "refreshed_at": state.refreshed_at,
    }
