"""Serves the finished site from the store: 200 with the page, 301 for a given-up address, 410 with a tombstone, 404."""

from __future__ import annotations

import gzip

from flask import Flask, Response, redirect, request
from werkzeug.exceptions import NotFound

from services.publish.build import Builder
from services.publish.redirects import location_of
from services.publish.renderers.editions import SECURITY_POLICY
from services.publish.site import digest_of
from services.publish.site.headers import TYPES, caching_of, type_of
from shared import old_addresses
from shared.http import http_problem

# In the page itself stands all but the last: who may frame it, only a header can say.
CONTENT_SECURITY_POLICY = f"{SECURITY_POLICY}; frame-ancestors 'none'"
SMALL = 1400  # bytes: what fits into one packet is sent as it is


def serve_site(app: Flask, builder: Builder) -> None:
    """Answer every GET that no route takes from the site's files."""

    if builder.newsroom.ai_opt_out:

        @app.after_request
        def reserve_mining(response: Response) -> Response:
            # TDMRep, for who reads neither the page nor /.well-known/tdmrep.json.
            if not request.path.startswith("/v1/"):
                response.headers["tdm-reservation"] = "1"
            return response

    @app.errorhandler(NotFound)
    def page(error: NotFound) -> Response:
        if request.path.startswith("/v1/") or request.method not in {"GET", "HEAD"}:
            return http_problem(error)
        if request.query_string and (
            former := old_addresses.asked(request.path, request.query_string.decode("latin-1"))
        ):
            found = _former(builder, former)
            if found is not None:
                return found
        return answer(builder, request.path)


def answer(builder: Builder, path: str) -> Response:
    """The answer to a GET of a page's or file's URL path."""
    site = builder.site
    try:
        # The compressed twins are no pages of their own.
        content = None if path.endswith((".gz", ".br")) else site.read(path)
    except ValueError:
        return html(builder.not_found_page("/"), 404)
    if content is None:
        return _former(builder, path) or html(builder.not_found_page(path), 404)
    if path != "/":
        listing = builder.list_at(path.rstrip("/"))
        is_list = listing is not None and listing.is_html
        if path.endswith("/") and not is_list:
            return redirect(location_of(path.rstrip("/")), 301)  # type: ignore[return-value]
        if not path.endswith("/") and is_list:
            return redirect(location_of(f"{path}/"), 301)  # type: ignore[return-value]
    response = Response(content, content_type=type_of(path))
    coding, packed = _packed(builder, path, content)
    if packed is not None:
        response.set_data(packed)
        response.headers["Content-Encoding"] = coding
    response.headers["Cache-Control"] = caching_of(path)
    response.headers["Vary"] = "Accept-Encoding"
    guard(response)
    # One content in two codings is two bodies (RFC 9110 section 8.8.3.3).
    response.set_etag(digest_of(content) + (f"-{coding}" if packed is not None else ""))
    response.make_conditional(request)
    return response


def _former(builder: Builder, path: str) -> Response | None:
    """The answer for an address that was given up: 410 with its tombstone, 301; None for one that never was."""
    tombstone = builder.site.tombstone(path)
    if tombstone is not None:
        return html(tombstone, 410)
    target = builder.site.redirected(path)
    if target is None:
        return None
    moved: Response = redirect(location_of(target), 301)  # type: ignore[assignment]
    moved.headers["Cache-Control"] = "public, max-age=60"
    return moved


def _packed(builder: Builder, path: str, content: bytes) -> tuple[str, bytes | None]:
    """The body in the coding that the reader likes best, Brotli before gzip; None for the content as it is."""
    accepted = request.accept_encodings
    plain = accepted["identity"] if "identity" in accepted else 0  # noqa: SIM401 (it has no get)
    for coding in sorted(("br", "gzip"), key=lambda one: -accepted[one]):
        if accepted[coding] <= 0 or accepted[coding] < plain:
            continue
        packed = builder.site.encoded(path, coding)
        if packed is None and coding == "gzip" and len(content) > SMALL and _shrinks(path):
            packed = gzip.compress(content, 1, mtime=0)
        if packed is not None:
            return coding, packed
    return "", None


def _shrinks(path: str) -> bool:
    return type_of(path).partition(";")[0].endswith(("xml", "json"))


def html(content: bytes, status: int) -> Response:
    """A page that is no file of the site, never kept by a cache without asking."""
    response = Response(content, status=status, content_type=TYPES[".html"])
    response.headers["Cache-Control"] = "no-cache"
    guard(response)
    return response


def guard(response: Response) -> None:
    """What every page says to browsers."""
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
