"""How long work that many articles share may wait: shortly in the calm, longer the more articles come in.

A pass over lists costs about the same for one new article as for fifty. Passes begin at fixed ticks, so that all
processes that ask at about one time ask for the same moment.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

# Articles a second, in this process, up to which it is calm; and the length of passes at growing rates.
CALM = 4.0
_LENGTHS = ((CALM, 0.25), (20.0, 0.5), (math.inf, 1.0))
# What fewer readers wait for (tags, authors, archives, sitemaps) is passed over less often.
SLOW = 4
LONGEST_IN_CALM_S = 0.5
_MEMORY_S = 2.0


class Pace:
    """What one process has lately taken in: a rate that halves in two seconds."""

    def __init__(self) -> None:
        self._rate = 0.0
        self._at = 0.0

    def note(self, count: int, now: datetime) -> None:
        """That so many articles have come in."""
        self._rate = self._faded(now) + count / (_MEMORY_S * 1.44)
        self._at = now.timestamp()

    def is_calm(self, now: datetime) -> bool:
        """Whether so little comes in that nothing is gained by waiting for more."""
        return self._faded(now) < CALM

    def next_pass(self, now: datetime, *, slow: bool = False) -> datetime:
        """When the next pass is due: the next tick that is at least half a pass away."""
        rate = self._faded(now)
        length = next(length for upto, length in _LENGTHS if rate <= upto)
        if slow:
            length = LONGEST_IN_CALM_S if rate < CALM else length * SLOW
        share = 0.5 if length < LONGEST_IN_CALM_S else 0.0
        ticks = math.ceil(now.timestamp() / length + share)
        return datetime.fromtimestamp(ticks * length, UTC)

    def _faded(self, now: datetime) -> float:
        passed = max(0.0, now.timestamp() - self._at)
        return float(self._rate * 0.5 ** (passed / _MEMORY_S))
