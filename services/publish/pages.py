"""Serves the finished site from the store: 200 with the page, 301 for a given-up address, 410 with a tombstone, 404."""

from __future__ import annotations

import gzip
import mimetypes

from flask import Flask, Response, redirect, request
from werkzeug.exceptions import NotFound

from services.publish.build import Builder
from services.publish.redirects import location_of
from services.publish.renderers.editions import SECURITY_POLICY
from services.publish.site import digest_of
from shared.http import http_problem

# In the page itself stands all but the last: who may frame it, only a header can say.
CONTENT_SECURITY_POLICY = f"{SECURITY_POLICY}; frame-ancestors 'none'"
# A reader's browser asks each time whether its copy is the newest; a cache in front may answer for a second by itself,
# and goes on with what it has when this site is down.
PAGE_CACHING = "public, max-age=0, s-maxage=1, stale-while-revalidate=1, stale-if-error=86400"
ASSET_CACHING = "public, max-age=31536000, immutable"
# What stands at a picture's address never changes, but a kill takes it away.
MEDIA_CACHING = "public, max-age=86400"
SMALL = 1400  # bytes: what fits into one packet is sent as it is
_TYPES = {
    ".xml": "application/xml; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".avif": "image/avif",
}
_NAMED_TYPES = {
    "feed.xml": "application/rss+xml; charset=utf-8",
    "atom.xml": "application/atom+xml; charset=utf-8",
    "feed.json": "application/feed+json; charset=utf-8",
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
        return html(builder.not_found_page("/"), 404)
    if content is None:
        tombstone = site.tombstone(path)
        if tombstone is not None:
            return html(tombstone, 410)
        target = site.redirected(path)
        if target is not None:
            moved: Response = redirect(location_of(target), 301)  # type: ignore[assignment]
            moved.headers["Cache-Control"] = "public, max-age=60"
            return moved
        return html(builder.not_found_page(path), 404)
    if path != "/":
        listing = builder.list_at(path.rstrip("/"))
        is_list = listing is not None and listing.is_html
        if path.endswith("/") and not is_list:
            return redirect(location_of(path.rstrip("/")), 301)  # type: ignore[return-value]
        if not path.endswith("/") and is_list:
            return redirect(location_of(f"{path}/"), 301)  # type: ignore[return-value]
    response = Response(content, content_type=type_of(path))
    response.set_etag(digest_of(content))
    if path.startswith("/assets/"):
        response.headers["Cache-Control"] = ASSET_CACHING
    else:
        response.headers["Cache-Control"] = MEDIA_CACHING if path.startswith("/media/") else PAGE_CACHING
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        packed = site.compressed(path)
        if packed is None and len(content) > SMALL and type_of(path).partition(";")[0].endswith(("xml", "json")):
            packed = gzip.compress(content, 1, mtime=0)
        if packed is not None:
            response.set_data(packed)
            response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    guard(response)
    response.make_conditional(request)
    return response


def html(content: bytes, status: int) -> Response:
    """A page that is no file of the site, never kept by a cache without asking."""
    response = Response(content, status=status, content_type=_TYPES[".html"])
    response.headers["Cache-Control"] = "no-cache"
    guard(response)
    return response


def guard(response: Response) -> None:
    """What every page says to browsers."""
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"


def type_of(path: str) -> str:
    """The Content-Type of what stands at a path."""
    name = path.rpartition("/")[2]
    if name in _NAMED_TYPES:
        return _NAMED_TYPES[name]
    if "." not in name:
        return _TYPES[".html"]
    ending = name[name.rindex(".") :]
    return _TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"
