"""recommend's own errors."""

from __future__ import annotations

from shared.errors import NewsroomError, NotFound


class ArticleNotFound(NotFound):
    """404: no article of this id is live here."""

    code = "article-not-found"


class TooManyRequests(NewsroomError):
    """429: this address asks too often."""

    status, code, title = 429, "too-many-requests", "That is too often"
