"""Times as newsrooms write them: an instant with its offset, or a local time with the name of its zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from services.ingest.domain.texts import BadText

EARLIEST_YEAR = 1500  # before the first newspaper; and far from what time zones cannot be applied to
_NAMED = re.compile(r"(?P<time>[^\[\]]{10,40})\[(?P<zone>[A-Za-z][A-Za-z0-9_+/-]{1,60})\]")
# What a machine keeps among its zones and means something else on each.
_NO_ZONES = frozenset({"localtime", "Factory", "posixrules"})
_NOT_A_TIME = "Not a valid time with its zone, such as 2026-11-23T09:00:00+01:00 or 2026-11-23T09:00:00[Europe/Paris]."


def instant(text: str) -> datetime:
    """The UTC instant of an RFC 3339 time, or of a local time with its zone's name in brackets (RFC 9557).

    Raises BadText for anything else; for a local time that the clocks skip, or show twice, unless its offset is given.
    """
    named = _NAMED.fullmatch(text)
    try:
        # RFC 3339 section 5.6 lets T and Z be small letters; the library does not.
        moment = datetime.fromisoformat((named["time"] if named else text).upper())
        zone = ZoneInfo(named["zone"]) if named and named["zone"] not in _NO_ZONES else None
        if named and zone is None:
            raise BadText("wrong-type", _NOT_A_TIME)
        if zone is not None:
            moment = _in_zone(moment, zone)
        if moment.tzinfo is None or len(text) < 16:
            raise BadText("wrong-type", _NOT_A_TIME)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError, KeyError) as error:
        if isinstance(error, BadText):
            raise
        raise BadText("wrong-type", _NOT_A_TIME) from None
    if not EARLIEST_YEAR <= moment.year <= 9998:
        raise BadText("out-of-range", f"should be in the years {EARLIEST_YEAR} to 9998")
    return moment


def _in_zone(moment: datetime, zone: ZoneInfo) -> datetime:
    if moment.tzinfo is not None:
        if moment.astimezone(zone).utcoffset() != moment.utcoffset():
            raise BadText("offset-does-not-fit", "the offset is not the one that this zone has at that time")
        return moment
    first, second = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise BadText("skipped-by-the-clocks", "does not exist: the clocks skip it; choose another time")
    raise BadText("shown-twice", "comes twice, for the clocks are put back then: give the offset as well")
