"""recommend's own errors."""

from __future__ import annotations

from shared.errors import NotFound


class ArticleNotFound(NotFound):
    """404: no article of this id is live here."""

    code = "article-not-found"
