"""Moments in words."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.ingest.domain.moments import spoken

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "28 March 2027, 09:00 GMT+02:00"),
        ("fr", "28 mars 2027 à 09:00 UTC+02:00"),
        ("ar", "28 مارس 2027، 09:00 غرينتش+02:00"),
    ],
)
def test_a_moment_is_told_in_the_newsrooms_zone_and_the_readers_language(language: str, says: str) -> None:
    assert spoken(datetime(2027, 3, 28, 7, tzinfo=UTC), language, PARIS) == says


def test_an_hour_that_comes_twice_is_told_apart_and_seconds_are_told_when_there_are_some() -> None:
    first, second = (datetime(2027, 10, 31, hour, 30, 5, tzinfo=UTC) for hour in (0, 1))

    assert spoken(first, "fr", PARIS, day=False) == "02:30:05 UTC+02:00"
    assert spoken(second, "fr", PARIS, day=False) == "02:30:05 UTC+01:00"


def test_the_first_of_a_month_is_written_as_the_french_write_it() -> None:
    assert spoken(datetime(2027, 5, 1, 12, tzinfo=UTC), "fr", PARIS).startswith("1er mai 2027")
    assert spoken(datetime(2027, 5, 11, 12, tzinfo=UTC), "fr", PARIS).startswith("11 mai")
