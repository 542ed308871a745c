"""How one article is offered on other pages: one look for each kind of place."""

from __future__ import annotations

from typing import NamedTuple

# How wide an article's own pictures are shown, as HTML says it.
BODY_SIZES = "(min-width: 42rem) 40rem, 100vw"
OPENING_SIZES = "(min-width: 76rem) 53rem, (min-width: 64rem) 70vw, (min-width: 42rem) 40rem, 100vw"


class Look(NamedTuple):
    """How a teaser is shown in one kind of place. level: of its heading. date: name of a date pattern.

    picture: how wide its picture is shown, as HTML says it; "" for none. first: it may be the first thing seen.
    thumb: on phones its picture is a small square beside the headline.
    """

    level: str
    section: bool
    summary: bool
    bylines: bool
    date: str
    picture: str = ""
    first: bool = False
    thumb: bool = False


CARD_SIZES = "(min-width: 64rem) 18rem, (min-width: 44rem) 45vw, 100vw"
LEAD_SIZES = "(min-width: 80rem) 50rem, (min-width: 64rem) 60vw, 100vw"
RELATED = Look("h3", True, True, False, "date", CARD_SIZES, thumb=True)
LEAD = Look("h2", True, True, True, "date_time_brief", LEAD_SIZES, True)
SECOND = Look("h2", True, True, False, "date_time_brief", CARD_SIZES, thumb=True)
LATEST = Look("h3", True, False, False, "date_time_brief")
BLOCK_FIRST = Look("h3", False, True, False, "date_time_brief", CARD_SIZES, thumb=True)
BLOCK = Look("h3", False, False, False, "date_time_brief")
LISTED_LEAD = Look("h2", False, True, True, "date_time_short", LEAD_SIZES, True)
LISTED = Look("h2", False, True, False, "date_time_short", CARD_SIZES, thumb=True)
TOPIC = Look("h2", True, True, False, "date_time_short", CARD_SIZES, thumb=True)
LINE = Look("h3", True, False, False, "time")
