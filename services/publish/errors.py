"""What can go wrong with a request to publish."""

from __future__ import annotations

from shared.errors import NotFound


class SubscriptionNotFound(NotFound):
    """404: no subscription has this id."""

    code = "subscription-not-found"


class RedirectNotFound(NotFound):
    """404: no redirect stands at this path."""

    code = "redirect-not-found"
