"""Moments as people say them: in the newsroom's zone and the reader's language."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

# CLDR patterns; ZZZZ is the offset, so that an hour which comes twice is told apart.
_DAYS = {"en": "d MMMM y, ", "fr": "d MMMM y 'à' ", "ar": "d MMMM y، "}


def spoken(moment: datetime, language: str, zone: ZoneInfo, *, day: bool = True) -> str:
    """A moment in words: "28 March 2027, 09:00 GMT+02:00"; seconds only when there are some.

    language: of shared/words.py. day: False for the time of the day alone.
    """
    local = moment.astimezone(zone)
    time = "HH:mm:ss ZZZZ" if local.second else "HH:mm ZZZZ"
    text = format_datetime(local, (_DAYS[language] if day else "") + time, locale=language)
    return f"1er{text[1:]}" if day and language == "fr" and local.day == 1 else text
