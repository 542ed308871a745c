"""recommend's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from services.recommend.index import Rules
from shared.settings import Env, ServiceSettings


@dataclass(frozen=True, kw_only=True)
class RecommendSettings(ServiceSettings):
    """rules: what makes a related set. snapshot_file: where the index is kept between two starts."""

    snapshot_file: Path
    rules: Rules = field(default_factory=Rules)

    @classmethod
    def from_env(cls, variables: Mapping[str, str], service: str = "recommend") -> Self:
        """Read every setting. Raises SettingError naming all that are wrong."""
        return super().from_env(variables, service)

    @classmethod
    def read(cls, env: Env, service: str) -> dict[str, object]:
        """The constructor's arguments."""
        values = super().read(env, service)
        rules = Rules(
            size=env.integer("ROTATIVE_RELATED_SIZE", Rules.size, at_least=1, at_most=12),
            fill=env.flag("ROTATIVE_RELATED_FILL", Rules.fill),
            story_cap=env.integer("ROTATIVE_RELATED_STORY_CAP", Rules.story_cap, at_least=0, at_most=12),
            floor=env.number("ROTATIVE_RELATED_FLOOR", Rules.floor, at_least=0.001, at_most=1),
            decay_floor=env.number("ROTATIVE_RELATED_DECAY_FLOOR", Rules.decay_floor, at_least=0, at_most=1),
            decay_days=env.number("ROTATIVE_RELATED_DECAY_DAYS", Rules.decay_days, at_least=0.1, at_most=10_000),
            section_factor=env.number("ROTATIVE_RELATED_SECTION_FACTOR", Rules.section_factor, at_least=1, at_most=10),
        )
        data_dir = values["data_dir"]
        assert isinstance(data_dir, Path)
        return {**values, "rules": rules, "snapshot_file": data_dir / "snapshots" / "recommend.index"}
