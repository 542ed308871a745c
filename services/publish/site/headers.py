"""What every file of the site is sent with, whoever sends it: publish itself, a bucket; nginx.conf says the same."""

from __future__ import annotations

import mimetypes

# A reader's browser asks each time whether its copy is the newest; a cache in front may answer for a second by itself,
# and goes on with what it has when this site is down.
PAGE_CACHING = "public, max-age=0, s-maxage=1, stale-while-revalidate=1, stale-if-error=86400"
ASSET_CACHING = "public, max-age=31536000, immutable"
# What stands at a picture's address never changes, but a kill takes it away.
MEDIA_CACHING = "public, max-age=86400"
TYPES = {
    ".xml": "application/xml; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".ico": "image/x-icon",
}
_NAMED_TYPES = {
    "feed.xml": "application/rss+xml; charset=utf-8",
    "atom.xml": "application/atom+xml; charset=utf-8",
    "feed.json": "application/feed+json; charset=utf-8",
}


def type_of(path: str) -> str:
    """The Content-Type of what stands at a path."""
    name = path.rpartition("/")[2]
    if name in _NAMED_TYPES:
        return _NAMED_TYPES[name]
    if "." not in name:
        return TYPES[".html"]
    ending = name[name.rindex(".") :]
    return TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def caching_of(path: str) -> str:
    """The Cache-Control of what stands at a path."""
    if path.startswith("/assets/"):
        return ASSET_CACHING
    return MEDIA_CACHING if path.startswith("/media/") else PAGE_CACHING
