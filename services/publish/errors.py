"""What can go wrong with a request to publish."""

from __future__ import annotations

from shared.errors import Conflict, NotFound


class SubscriptionNotFound(NotFound):
    """404: no subscription has this id."""

    code = "subscription-not-found"


class DeliveryNotFound(NotFound):
    """404: no delivery has this id."""

    code = "delivery-not-found"


class NotRetryable(Conflict):
    """409: this delivery cannot be sent again."""

    code = "not-retryable"


class NotActive(Conflict):
    """409: the subscription is told nothing at present."""

    code = "subscription-not-active"


class NoSecret(Conflict):
    """409: nothing is signed for this subscription; only webhooks have a secret."""

    code = "no-secret"


class RedirectNotFound(NotFound):
    """404: no redirect stands at this path."""

    code = "redirect-not-found"
