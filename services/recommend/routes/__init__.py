"""HTTP in, HTTP out: one blueprint for each noun."""

from services.recommend.routes.hand import hand_blueprint
from services.recommend.routes.refresh import refresh_blueprint
from services.recommend.routes.related import related_blueprint
from services.recommend.routes.search import search_blueprint, similar_blueprint

__all__ = ["hand_blueprint", "refresh_blueprint", "related_blueprint", "search_blueprint", "similar_blueprint"]
