"""Tells the owner of a subscription that it is paused."""

from __future__ import annotations

import logging
from uuid import UUID

from services.publish.channels import store
from services.publish.channels.letters import Letters
from services.publish.transports.email import Relay
from shared import clock
from shared.jobs import Claim

log = logging.getLogger(__name__)


class Owners:
    """Writes to owners. Without a relay for mail it is the log that says what happened, and the subscription."""

    def __init__(self, letters: Letters | None, relay: Relay | None) -> None:
        self._letters = letters
        self._relay = relay

    def tell(self, claim: Claim) -> None:
        """Tell the owners of these jobs' subscriptions, if they have left an address."""
        for job in list(claim.jobs):
            with claim.db.reading() as session:
                subscription = store.subscription(session, UUID(job.reference))
            if subscription is None or subscription.status != "paused":
                continue
            log.warning("a subscription is paused", extra={"subscription": job.reference, "why": subscription.why})
            if subscription.contact and self._letters is not None and self._relay is not None:
                text = (
                    f"Your {subscription.channel} subscription {subscription.id} has been paused: {subscription.why}.\n"
                    "What it is still owed is kept. Ask the newsroom to resume it when your receiver answers again.\n"
                )
                subject, number = "Your subscription has been paused", f"paused-{subscription.id}"
                message = self._letters.to_owner(subscription.contact, subject, text, number, clock.now())
                outcome = self._relay.send(self._letters.sender, subscription.contact, message)
                if outcome.status is None or 400 <= outcome.status < 500:
                    raise OwnerNotTold(f"{outcome.status}: {outcome.answer}")
        with claim.finish():
            pass


class OwnerNotTold(Exception):
    """The relay did not take the mail; it is tried again."""
