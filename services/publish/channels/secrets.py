"""Secrets of subscriptions: derived from the newsroom's own, never stored."""

from __future__ import annotations

import hmac
import importlib
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.settings import ServiceSettings


def webhook_secret(settings: ServiceSettings, subscription_id: UUID, version: int) -> bytes:
    """The secret with which a subscription's deliveries are signed: 32 bytes."""
    return settings.derived_secret(f"webhook {subscription_id} {version}")


def signing_secrets(
    settings: ServiceSettings, subscription_id: UUID, version: int, old_until: datetime | None, now: datetime
) -> tuple[bytes, ...]:
    """The secrets that sign now, newest first: during a change also the one before."""
    newest = webhook_secret(settings, subscription_id, version)
    if old_until is None or old_until <= now or version < 2:
        return (newest,)
    return newest, webhook_secret(settings, subscription_id, version - 1)


def token(settings: ServiceSettings, purpose: str, subscription_id: UUID) -> str:
    """What lets whoever has it do this one thing with this subscription: 32 hex digits, in links that readers get."""
    return settings.derived_secret(f"{purpose} {subscription_id}").hex()[:32]


def fits(settings: ServiceSettings, purpose: str, subscription_id: UUID, given: str) -> bool:
    """Whether this is the token for this purpose; compared in constant time."""
    return hmac.compare_digest(token(settings, purpose, subscription_id).encode(), given.encode())


def indexnow_key(settings: ServiceSettings) -> str:
    """This site's IndexNow key, which the site answers with at `/{key}.txt`: 32 hex digits, no secret."""
    return settings.derived_secret("indexnow").hex()[:32]


def web_push() -> Any:
    """The module of Web Push. Its cryptography costs 8 MB: only a process that has to do with a browser loads it."""
    return importlib.import_module("services.publish.transports.web_push")


def vapid_key(settings: ServiceSettings) -> Any:
    """The key with which the newsroom signs its pushes."""
    return web_push().key_from(settings.derived_secret("vapid"))


def reader_secret(settings: ServiceSettings) -> bytes:
    """With what readers' addresses are turned into digests: 32 bytes."""
    return settings.derived_secret("readers")
