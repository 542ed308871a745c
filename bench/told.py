"""Figures told one by one: a line of text for people at once, and in the end all of them as JSON for comparing runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")


class Told:
    """What one measurement has told so far. about: what was measured on and with."""

    def __init__(self, name: str, **about: Any) -> None:
        self._name = name
        self._found: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **about, "figures": []}
        self._level = 0

    def at(self, articles: int) -> None:
        """What follows is with so many articles there."""
        self._level = articles
        print(f"\nWith {articles:,} articles", flush=True)

    def tell(self, what: str, figures: str, promised: str = "", **values: float) -> None:
        """Print a line of the table, and keep its values."""
        print(f"  {what:<52} {figures:<40} {promised}", flush=True)
        rounded = {name: round(float(value), 3) for name, value in values.items()}
        self._found["figures"].append({"articles": self._level, "what": what, **rounded, "promised": promised})

    def keep(self) -> Path:
        """Write all of it beside the results of other measurements; the file."""
        RESULTS.mkdir(exist_ok=True)
        file = RESULTS / f"{self._name}-{datetime.now(UTC):%Y-%m-%dT%H%M%S}.json"
        file.write_text(json.dumps(self._found, ensure_ascii=False, indent=1) + "\n", "utf-8")
        return file
