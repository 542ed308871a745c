"""Samples and what is said of them: quantiles, and the spread between processes. Pure functions and values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How samples are spread. All but n in the samples' unit."""

    n: int
    p50: float
    p95: float
    p99: float
    mean: float
    least: float
    most: float

    def to_json(self) -> dict[str, float]:
        """Rounded to a thousandth."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that this share of them does not exceed (nearest rank). Raises ValueError for none."""
    if not values:
        raise ValueError("there is no quantile of nothing")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(values: Sequence[float]) -> Spread:
    """The spread of the values. Raises ValueError for none."""
    return Spread(
        n=len(values),
        p50=quantile(values, 0.5),
        p95=quantile(values, 0.95),
        p99=quantile(values, 0.99),
        mean=sum(values) / len(values),
        least=min(values),
        most=max(values),
    )


def ratio(value: float, base: float) -> float | None:
    """How many times the base a value is; None when the base is nothing."""
    return value / base if base else None


def growth(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What each name has gained, largest first; names that are gone count as nothing gained."""
    gained = {name: after[name] - before.get(name, 0.0) for name in after}
    return dict(sorted(gained.items(), key=lambda item: -item[1]))
