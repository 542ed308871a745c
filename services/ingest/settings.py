"""ingest's settings."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings import ServiceSettings


@dataclass(frozen=True, kw_only=True)
class IngestSettings(ServiceSettings):
    """What every service needs to know; ingest has nothing of its own to set yet."""
