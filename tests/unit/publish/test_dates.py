"""Dates are put together from days and minutes that are kept, and read as Babel alone writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from babel.dates import format_datetime

from services.publish.renderers.dates import Dates

_PATTERNS = {
    "date_time": "d MMMM y 'à' HH 'h' mm",
    "english": "EEEE, MMMM d, y 'at' h:mm a",
    "short": "EEE d/MM/yy, HH:mm:ss",
    "zoned": "d MMM y HH:mm z",
}


@pytest.mark.parametrize("locale", ["fr", "ar", "en"])
@pytest.mark.parametrize("pattern", sorted(_PATTERNS))
def test_every_minute_reads_as_babel_writes_it(locale: str, pattern: str) -> None:
    zone = ZoneInfo("Europe/Paris")
    dates = Dates(locale, zone, _PATTERNS)
    # Over noon and midnight, the end of a year, and both changes of the clocks.
    for begin in (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 10, 24, 23, 30, tzinfo=UTC)):
        for minutes in range(0, 60 * 24 * 80, 619):
            when = begin + timedelta(minutes=minutes)
            expected = format_datetime(when.astimezone(zone), _PATTERNS[pattern], locale=Locale.parse(locale))
            if locale == "fr" and expected.startswith("1 "):
                expected = f"1er{expected[1:]}"
            assert dates.text(pattern, when) == expected
