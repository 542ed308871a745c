"""Instants as readers see them: in the newsroom's zone and the edition's language.

Formatting costs more than the rest of a page together, so every result is kept, by the minute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import DateTimeFormat, format_datetime, parse_pattern
from markupsafe import Markup

KEPT = 4096
# The fields of a CLDR pattern that a day decides, and those that the time of day does (UTS 35 part 4).
_OF_DAY, _OF_CLOCK = frozenset("GyYuUrQqMLlwWdDFgEec"), frozenset("aHhKkms")
_FIELD = re.compile(r"%\((\w+)\)s")


class Dates:
    """Writes aware instants for one edition. patterns: CLDR date patterns by name ("date", "date_time", …)."""

    def __init__(self, locale: str, zone: ZoneInfo, patterns: dict[str, str]) -> None:
        self._locale = Locale.parse(locale)
        self._zone = zone
        self._patterns = patterns
        # Whole texts by the minute, and of what they consist: days, and the 1,440 minutes of one.
        self._forms = {name: str(parse_pattern(one).format) for name, one in patterns.items()}
        self._fields = {name: _FIELD.findall(form) for name, form in self._forms.items()}
        self._day = lru_cache(512)(self._write_day)
        self._clock = lru_cache(1440)(self._write_clock)
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
        if all(one[0] in _OF_DAY | _OF_CLOCK for one in self._fields[pattern]):
            parts = {**self._day(pattern, local.date()), **self._clock(pattern, local.hour, local.minute)}
            text = self._forms[pattern] % parts
        else:
            text = format_datetime(local, self._patterns[pattern], locale=self._locale)
        if self._locale.language == "fr" and local.day == 1 and text.startswith("1 "):
            text = "1er" + text[1:]
        return text

    def _write_day(self, pattern: str, day: date) -> Mapping[str, str]:
        fields = DateTimeFormat(datetime(day.year, day.month, day.day), self._locale)  # noqa: DTZ001 (of a zone's day)
        return {one: fields[one] for one in self._fields[pattern] if one[0] in _OF_DAY}

    def _write_clock(self, pattern: str, hour: int, minute: int) -> Mapping[str, str]:
        fields = DateTimeFormat(datetime(2000, 1, 1, hour, minute), self._locale)  # noqa: DTZ001 (of any day)
        return {one: fields[one] for one in self._fields[pattern] if one[0] in _OF_CLOCK}

    def _write_element(self, pattern: str, when: datetime) -> Markup:
        return Markup('<time datetime="{}">{}</time>').format(self.iso(when), self.text(pattern, when))
