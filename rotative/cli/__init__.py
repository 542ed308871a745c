"""`rotative`: the commands. Each says what went wrong in a sentence; its exit code tells scripts the same.

0: done. 1: not, or not all of it. 2: used wrongly, or a setting is wrong.
"""

from __future__ import annotations

from rotative.cli import articles, dead, keys, readers, related, system
from rotative.cli.base import main

__all__ = ["articles", "dead", "keys", "main", "readers", "related", "system"]
