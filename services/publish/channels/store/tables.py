"""The tables of telling, for what runs for every article and every delivery; what runs for people uses the classes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BindParameter,
    Table,
    bindparam,
    text,
)

from services.publish.models import Attempt, Delivery, Subscription


def table(model: Any) -> Table:
    """A class's table."""
    made: Table = model.__table__
    return made


SUBSCRIPTIONS, DELIVERIES, ATTEMPTS = table(Subscription), table(Delivery), table(Attempt)
IDS: BindParameter[Any] = bindparam("ids", expanding=True)
CHANNELS: BindParameter[Any] = bindparam("channels", expanding=True)
# As the partial indexes have them, word for word.
OWED = text("deliveries.state IN ('due', 'sending')")
FAILED = text("deliveries.state IN ('failed', 'unknown')")
