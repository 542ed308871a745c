"""Webhooks by Standard Webhooks 1.0.0: signed, 2xx only, no redirects followed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Sequence

from services.publish.transports import Letter, Outcome, Place
from services.publish.transports.posting import PER_HOST, Post, host_of, post_once


def shown_secret(secret: bytes) -> str:
    """The secret as its owner is shown it, once: "whsec_" and base64."""
    return "whsec_" + base64.b64encode(secret).decode()


def signature(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The v1 signature of a message. Source: Standard Webhooks, "Signature scheme"."""
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


class Webhooks:
    """The transport of webhooks."""

    places = PER_HOST

    def __init__(self, post: Post) -> None:
        self._post = post

    def place(self, letter: Letter) -> Place:
        """The receiver's address: one host often has many subscribers."""
        return Place(host_of(letter.to), letter.to)

    async def attempt(self, letters: Sequence[Letter]) -> Outcome:
        """Post one event."""
        (letter,) = letters
        timestamp = int(time.time())
        message_id = str(letter.delivery_id)
        body = letter.body.encode()
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "User-Agent": "Rotative",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            # While a secret is being changed, both sign: the receiver may know either.
            "webhook-signature": " ".join(signature(one, message_id, timestamp, body) for one in letter.secrets),
        }
        return await post_once(self._post, letter.to, body, headers)
