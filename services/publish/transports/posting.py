"""What the transports that speak HTTP have in common: an attempt through the gate never raises."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

from services.publish.transports import Outcome
from shared import failpoints
from shared.outgoing import Answer, NoAnswer, Refused

log = logging.getLogger(__name__)

ANSWER_CHARACTERS = 500
# So many requests run to one host at a time.
PER_HOST = 20


class Post(Protocol):
    """Sends bytes to a URL: Gate.post, or a stand-in."""

    async def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The receiver's answer. Raises Refused or NoAnswer."""
        ...


def host_of(url: str) -> str:
    """The scheme, host and port of a URL: who cannot be spoken to by TLS may be well without."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"
    except ValueError:
        return ""


async def post_once(post: Post, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
    """One request; no answer is an outcome."""
    began = time.perf_counter()
    failpoints.hit("post.before")
    try:
        answer = await post(url, body, headers)
    except Refused as error:
        return Outcome(None, str(error)[:ANSWER_CHARACTERS], took_ms=_ms_since(began), refused=True, why="not-allowed")
    except NoAnswer as error:
        said, took_ms = str(error)[:ANSWER_CHARACTERS], _ms_since(began)
        # Without a connection nothing was sent: what is sent at most once may be sent again.
        return Outcome(None, said, took_ms=took_ms, sent=error.reached, reached=error.reached, why=error.why)
    except Exception as error:
        # Somebody waits for an outcome, whatever happens.
        log.exception("an attempt failed")
        said = f"{type(error).__name__} {error}"[:ANSWER_CHARACTERS]
        return Outcome(None, said, took_ms=_ms_since(began), sent=True)
    failpoints.hit("post.after")
    return Outcome(answer.status, answer.text[:ANSWER_CHARACTERS], answer.retry_after, _ms_since(began))


def _ms_since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
