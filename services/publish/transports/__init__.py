"""The ways out: one module each. A transport makes one attempt and says how it went; it records nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """One delivery as it is sent.

    to: the subscription's address. type: "article.published" and so on. body: the frozen content. keys: what the
    channel needs besides the address. secrets: those that sign, newest first, 32 bytes each.
    """

    delivery_id: UUID
    subscription_id: UUID
    article_id: UUID
    change: int
    channel: str
    to: str
    type: str
    body: str
    tries: int = 0
    language: str = ""
    keys: Mapping[str, Any] | None = None
    secrets: tuple[bytes, ...] = ()
    created_at: datetime | None = None
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went.

    status: HTTP's or SMTP's, None when no answer came. answer: its first bytes, or what went wrong. refused: the
    address may not be reached, or cannot be used. sent: without an answer, whether all of it may have arrived.
    reached: whether there was a connection. why: without an answer, the reason as WHY names it.
    """

    status: int | None
    answer: str
    retry_after: str = ""
    took_ms: int = 0
    refused: bool = False
    sent: bool = False
    reached: bool = True
    why: str = ""


class NotYet(Exception):
    """It is too early for this: not an attempt, to be taken up again later. seconds: how much later."""

    def __init__(self, seconds: float, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Place:
    """What an attempt may find overloaded or dead.

    host: the receiver's. address: which of several receivers there, where they may be well one by one; "" where the
    host is the receiver, as a push service and a relay are.
    """

    host: str
    address: str = ""


class Transport(Protocol):
    """A way out. Used inside one event loop, many attempts at once. places: how many at one host."""

    places: int

    def place(self, letter: Letter) -> Place:
        """Where an attempt at this letter goes."""
        ...

    async def attempt(self, letters: Sequence[Letter]) -> Outcome:
        """Make one attempt: at one delivery, or at all these where one request serves many. Raises NotYet only."""
        ...
