"""How long work that many articles share may wait: shortly in the calm, longer the more articles come in.

A pass over lists costs about the same for one new article as for fifty. Passes begin at fixed ticks, so that all
processes that ask at about one time ask for the same moment.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Literal

# Who is waiting: every reader, those who follow one topic, or programs and people who look back.
Wait = Literal["soon", "slowly", "seldom"]

# Articles a second, in this process, up to which it is quiet (one, after a pause), and up to which it is calm.
QUIET, CALM = 0.5, 4.0
# Seconds from one pass to the next, by the rate up to which they hold.
_LENGTHS: dict[Wait, tuple[tuple[float, float], ...]] = {
    "soon": ((CALM, 0.25), (20.0, 0.5), (math.inf, 1.0)),
    "slowly": ((CALM, 0.5), (20.0, 2.0), (math.inf, 4.0)),
    # These are long: months and sitemaps hold hundreds of articles.
    "seldom": ((QUIET, 0.5), (math.inf, 5.0)),
}
# No pass that is asked for begins later than this.
LONGEST_S = max(length for lengths in _LENGTHS.values() for _, length in lengths)
# Of a pass so short, half at least is still to come when it is asked for: else it would find little.
_SHORT_S = 0.25
_MEMORY_S = 2.0


class Passes:
    """When lists are passed over, by what one process has lately taken in: a rate that halves in two seconds."""

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

    def next_at(self, now: datetime, wait: Wait) -> datetime:
        """When the next pass is due."""
        rate = self._faded(now)
        length = next(length for upto, length in _LENGTHS[wait] if rate <= upto)
        share = 0.5 if length <= _SHORT_S else 0.0
        ticks = math.ceil(now.timestamp() / length + share)
        return datetime.fromtimestamp(ticks * length, UTC)

    def _faded(self, now: datetime) -> float:
        passed = max(0.0, now.timestamp() - self._at)
        return float(self._rate * 0.5 ** (passed / _MEMORY_S))
