"""Webhooks by Standard Webhooks 1.0.0: signed, 2xx only, no redirects followed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import time
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import httpx

from shared import failpoints
from shared.outgoing import Answer, Refused

log = logging.getLogger(__name__)


class Post(Protocol):
    """Sends bytes to a URL: shared.outgoing.Gate.post, or a stand-in."""

    async def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """The receiver's answer."""
        ...


@dataclass(frozen=True)
class Letter:
    """One delivery as it is sent. secret: the subscription's, 32 bytes; body: UTF-8."""

    delivery_id: UUID
    url: str
    secret: bytes
    body: str


@dataclass(frozen=True)
class Outcome:
    """How an attempt went. status: HTTP's, None when no answer came; refused: the address may not be reached."""

    status: int | None
    answer: str
    retry_after: str
    took_ms: int
    refused: bool = False


def shown_secret(secret: bytes) -> str:
    """The secret as its owner is shown it, once: "whsec_" and base64."""
    return "whsec_" + base64.b64encode(secret).decode()


def signature(secret: bytes, message_id: str, timestamp: int, body: str) -> str:
    """The v1 signature of a message. Source: Standard Webhooks, "Signature scheme"."""
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


async def attempt(post: Post, letter: Letter) -> Outcome:
    """Make one attempt. Never raises: no answer is an outcome."""
    timestamp = int(time.time())
    message_id = str(letter.delivery_id)
    headers = {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "User-Agent": "Rotative",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(letter.secret, message_id, timestamp, letter.body),
    }
    began = time.perf_counter()

    def took_ms() -> int:
        return round((time.perf_counter() - began) * 1000)

    failpoints.hit("post.before")
    try:
        answer = await post(letter.url, letter.body.encode(), headers)
    except Refused as error:
        return Outcome(None, str(error), "", took_ms(), refused=True)
    except (httpx.InvalidURL, UnicodeError) as error:
        return Outcome(None, f"the URL cannot be used: {error}"[:500], "", took_ms(), refused=True)
    except (httpx.HTTPError, TimeoutError, OSError) as error:
        return Outcome(None, f"no answer: {type(error).__name__} {error}".strip()[:500], "", took_ms())
    except Exception as error:
        # Somebody waits for an outcome, whatever happens.
        log.exception("an attempt failed")
        return Outcome(None, f"{type(error).__name__} {error}"[:500], "", took_ms())
    failpoints.hit("post.after")
    return Outcome(answer.status, answer.text[:500], answer.retry_after, took_ms())
