"""Instants as readers see them: in the newsroom's zone and the edition's language.

Formatting costs more than the rest of a page together, so every result is kept, by the minute.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime
from markupsafe import Markup

KEPT = 4096


class Dates:
    """Writes aware instants for one edition. patterns: CLDR date patterns by name ("date", "date_time", …)."""

    def __init__(self, locale: str, zone: ZoneInfo, patterns: dict[str, str]) -> None:
        self._locale = Locale.parse(locale)
        self._zone = zone
        self._patterns = patterns
        self._written = lru_cache(KEPT)(self._write)
        self._element = lru_cache(KEPT)(self._write_element)

    def text(self, pattern: str, when: datetime) -> str:
        """The instant in words: "23 novembre 2026 à 11 h 05"."""
        return self._written(pattern, when.replace(second=0, microsecond=0))

    def element(self, pattern: str, when: datetime) -> Markup:
        """The instant as a <time> element that machines can read too."""
        return self._element(pattern, when.replace(microsecond=0))

    def iso(self, when: datetime) -> str:
        """The instant as RFC 3339 with the newsroom's offset, in whole seconds."""
        return when.replace(microsecond=0).astimezone(self._zone).isoformat()

    def _write(self, pattern: str, when: datetime) -> str:
        local = when.astimezone(self._zone)
        text = format_datetime(local, self._patterns[pattern], locale=self._locale)
        if self._locale.language == "fr" and local.day == 1 and text.startswith("1 "):
            text = "1er" + text[1:]
        return text

    def _write_element(self, pattern: str, when: datetime) -> Markup:
        return Markup('<time datetime="{}">{}</time>').format(self.iso(when), self.text(pattern, when))
