"""Serves the finished site from the store: 200 with the page, 410 with a tombstone, 404 with a page that helps on."""

from __future__ import annotations

import mimetypes

from flask import Flask, Response, redirect, request
from werkzeug.exceptions import NotFound

from services.publish.build import Builder
from services.publish.renderers.editions import SECURITY_POLICY
from services.publish.site import digest_of
from shared.http import http_problem

# In the page itself stands all but the last: who may frame it, only a header can say.
CONTENT_SECURITY_POLICY = f"{SECURITY_POLICY}; frame-ancestors 'none'"
_TYPES = {
    ".xml": "application/rss+xml; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}


def serve_site(app: Flask, builder: Builder) -> None:
    """Answer every GET that no route takes from the site's files."""

    @app.errorhandler(NotFound)
    def page(error: NotFound) -> Response:
        if request.path.startswith("/v1/") or request.method not in {"GET", "HEAD"}:
            return http_problem(error)
        return answer(builder, request.path)


def answer(builder: Builder, path: str) -> Response:
    """The answer to a GET of a page's or file's URL path."""
    site = builder.site
    try:
        content = site.read(path)
    except ValueError:
        return _html(builder.not_found_page("/"), 404)
    if content is None:
        tombstone = site.tombstone(path)
        if tombstone is not None:
            return _html(tombstone, 410)
        return _html(builder.not_found_page(path), 404)
    if path != "/" and path.endswith("/") and path.rstrip("/") not in builder.lists:
        return redirect(path.rstrip("/"), 301)  # type: ignore[return-value]
    if not path.endswith("/") and path in builder.lists and "." not in path.rpartition("/")[2]:
        return redirect(f"{path}/", 301)  # type: ignore[return-value]
    response = Response(content, content_type=_type_of(path))
    response.set_etag(digest_of(content))
    if path.startswith("/assets/"):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        # A reader's copy is asked after each time; a page is never stale.
        response.headers["Cache-Control"] = "no-cache"
    if "gzip" in request.headers.get("Accept-Encoding", "") and (packed := site.compressed(path)) is not None:
        response.set_data(packed)
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    _guard(response)
    response.make_conditional(request)
    return response


def _html(content: bytes, status: int) -> Response:
    response = Response(content, status=status, content_type=_TYPES[".html"])
    response.headers["Cache-Control"] = "no-cache"
    _guard(response)
    return response


def _guard(response: Response) -> None:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"


def _type_of(path: str) -> str:
    name = path.rpartition("/")[2]
    if "." not in name:
        return _TYPES[".html"]
    ending = name[name.rindex(".") :]
    return _TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"
