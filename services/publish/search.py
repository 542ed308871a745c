"""The search page: recommend's answer as a page that works without JavaScript.

The one request that one service makes to another, in a reader's own request, for half a second at most; when there is
no answer the page says so kindly.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from flask import Blueprint, Response, current_app, request

from services.publish.build import Builder
from services.publish.pages import html
from shared import http
from shared.pace import address_of

log = logging.getLogger(__name__)

PATIENCE_S = 0.5
ANSWER_MOST = 2_000_000  # bytes
WORDS_MOST = 200
# What asks for articles: (query, the reader's address) -> the answer's JSON. Raises OSError or ValueError.
Search = Callable[[Mapping[str, str], str], Mapping[str, Any]]


def search_at(url: str) -> Search:
    """A search that asks recommend at this address."""

    def search(query: Mapping[str, str], address: str) -> Mapping[str, Any]:
        asked = Request(f"{url}/v1/search?{urlencode(query)}", headers={"X-Forwarded-For": address})  # noqa: S310
        ends = time.monotonic() + PATIENCE_S
        content = b""
        with urlopen(asked, timeout=PATIENCE_S) as answer:  # noqa: S310 (the operator's own address, http or https)
            # What comes a little at a time would keep a reader for ever: each wait is bounded, and so are all together.
            while part := answer.read1(65_536):
                content += part
                if time.monotonic() > ends or len(content) > ANSWER_MOST:
                    raise TimeoutError("the answer is too long in coming")
        found: Mapping[str, Any] = json.loads(content)
        return found

    return search


def search_blueprint(builder: Builder) -> Blueprint:
    """/search with `lang`, `q` (at most 200 characters) and `cursor`, the next page's; anything else is passed over."""
    bp = Blueprint("site-search", __name__)

    @bp.get("/search")
    def show_search() -> Response:
        asked = request.args.get("lang", "")
        newsroom = builder.newsroom
        language = asked if asked in newsroom.languages else newsroom.default_language
        words = " ".join(request.args.get("q", "")[:WORDS_MOST].split())
        query = {"q": words, "lang": language}
        if cursor := request.args.get("cursor", "")[:400]:
            query["cursor"] = cursor
        items: Any = []
        older = ""
        if words:
            search: Search | None = current_app.extensions.get("search")
            try:
                address = address_of(request, http.node().settings.trusted_proxies)
                if search is None:
                    raise OSError("no search is set")
                try:
                    found = search(query, address)
                except OSError:
                    if "cursor" not in query:
                        raise
                    del query["cursor"]  # one that no page gave: a reader begins again
                    found = search(query, address)
                items = list(found["items"])
                if found.get("next"):
                    older = f"/search?{urlencode({**query, 'cursor': str(found['next'])})}"
            except (OSError, ValueError, KeyError, TypeError) as error:
                log.warning("search did not answer", extra={"error": str(error)[:200]})
                items = None
        return html(builder.renderer.search_page(language, words, items, older), 200)

    return bp
