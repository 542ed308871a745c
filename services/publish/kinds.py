"""The names of publish's kinds of jobs."""

from __future__ import annotations

BUILD_PAGE = "build_page"
REBUILD_SITE = "rebuild_site"
ANNOUNCE = "announce"
ATTEMPT_DELIVERY = "attempt_delivery"
EXPORT_REDIRECTS = "export_redirects"
MAKE_RENDITIONS = "make_renditions"
