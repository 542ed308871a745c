"""ingest's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from shared.settings import ServiceSettings


@dataclass(frozen=True, kw_only=True)
class IngestSettings(ServiceSettings):
    """What every service needs to know; ingest has nothing of its own to set yet."""

    @classmethod
    def from_env(cls, variables: Mapping[str, str], service: str = "ingest") -> Self:
        """Read every setting. Raises SettingError naming all that are wrong."""
        return super().from_env(variables, service)
