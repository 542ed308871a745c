"""/v1/related/{id}: what to read next, and why."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from services.recommend import explain, schemas
from services.recommend.errors import ArticleNotFound
from shared import http


def related_blueprint(story_cap: int) -> Any:
    """The related sets, for everybody. story_cap: how many of one story a set shows, 0 for any."""
    bp = Blueprint("related", __name__, url_prefix="/v1/related", description="What to read next")

    @bp.get("/<uuid:article_id>")
    @bp.response(200, schemas.RelatedReply)
    def read_related(article_id: UUID) -> dict[str, Any]:
        """200 with the article's related set: why each entry is in it, and what else was near and why it is not.

        404 when no such article is live.
        """
        with http.node().reading() as session:
            found = explain.related_set(session, article_id, story_cap=story_cap)
        if found is None:
            raise ArticleNotFound(f"No article {article_id} is live.")
        return found

    return bp
