"""The names of publish's kinds of jobs."""

from __future__ import annotations

BUILD_PAGE = "build_page"
REBUILD_SITE = "rebuild_site"
PROVE_GONE = "prove_gone"
TAKE_THEME = "take_theme"
SQUEEZE_PAGES = "squeeze_pages"
PURGE = "purge"
# Who is told.
ANNOUNCE = "announce"
FAN_OUT = "fan_out"
ATTEMPT_DELIVERY = "attempt_delivery"
EXPORT_REDIRECTS = "export_redirects"
MAKE_RENDITIONS = "make_renditions"
REMOVE_SUBSCRIPTION = "remove_subscription"
RESUME_SUBSCRIPTION = "resume_subscription"
RETRY_DELIVERIES = "retry_deliveries"
TELL_OWNER = "tell_owner"
ASK_READER = "ask_reader"
MAKE_DIGEST = "make_digest"
SEND_DIGEST = "send_digest"

# How long a job of the bulk lane may work before it leaves the rest to another: with what it then puts in place, and
# with the job before it, less than the 200 ms that a slice of bulk work may last. Seconds of processor time.
BULK_WORK_S = 0.07
# And one of the normal lane: the next article that goes live waits for no more than this.
NEWS_WORK_S = 0.015
