"""How the command line counts."""

from __future__ import annotations


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun: "1 item", "2 items"; many: for nouns that do not just take an s."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"
