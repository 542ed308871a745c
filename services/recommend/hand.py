"""The verbs of the editors' hand: pin, ban, limit ages. What they decide beats the machine.

The index takes it in by placing the article again, as an urgent job: the page shows it within a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.recommend import actions, domain, store
from shared import jobs
from shared.errors import Fault, Unprocessable

MOST_BEATEN = 100  # pins in other articles' sets that an answer names


def pin(session: Session, article_id: UUID, pins: Sequence[UUID], *, by: str, now: datetime) -> dict[str, Any]:
    """Have these articles open an article's related set, in this order; what is not live waits.

    Raises Unprocessable when the article itself is among them, or one that no set may show here: killed, banned here or
    offered nowhere.
    """
    _refuse_itself(article_id, pins)
    _refuse_unshowable(session, article_id, pins)
    store.save_hand(session, article_id, pins=[str(one) for one in pins], changed_by=by, changed_at=now)
    _place_again(session, article_id)
    return pins_of(session, article_id)


def ban(
    session: Session,
    article_id: UUID,
    *,
    article_ids: Sequence[UUID],
    never_offered: bool,
    never_gets_any: bool,
    by: str,
    now: datetime,
) -> dict[str, Any]:
    """Never show these articles in an article's related set; nor the article anywhere, nor anything under it.

    A ban beats a pin: the answer names the pins that do not show because of these bans.
    Raises Unprocessable when the article itself is among them.
    """
    _refuse_itself(article_id, article_ids)
    store.save_hand(
        session,
        article_id,
        bans=[str(one) for one in article_ids],
        never_offered=never_offered,
        never_gets_any=never_gets_any,
        changed_by=by,
        changed_at=now,
    )
    _place_again(session, article_id)
    return bans_of(session, article_id)


def limit_age(session: Session, section: str, days: float | None, *, now: datetime) -> dict[str, Any]:
    """Offer a section's articles only so many days apart; None: without a limit.

    Sets that show what is now too old are made anew first, then the newest articles', then all others.
    """
    _refuse_no_section(section)
    store.save_age_limit(session, section, days)
    jobs.add(session, actions.LIMIT, actions.ALL, lane="urgent", payload={"asked_at": now.isoformat()})
    return {"section": section, "age_limit_days": days}


def age_limit_of(session: Session, section: str) -> dict[str, Any]:
    """A section's age limit, None when it has none."""
    _refuse_no_section(section)
    return {"section": section, "age_limit_days": store.age_limits(session).get(section)}


def age_limits(session: Session) -> dict[str, Any]:
    """Every section with an age limit."""
    limits = store.age_limits(session)
    return {"items": [{"section": section, "age_limit_days": days} for section, days in limits.items()]}


def pins_of(session: Session, article_id: UUID) -> dict[str, Any]:
    """What opens an article's related set, as PinsReply says."""
    decided = store.hands(session, [article_id]).get(article_id)
    return {"article_id": article_id, "pins": _named(session, decided.pins if decided is not None else [])}


def bans_of(session: Session, article_id: UUID) -> dict[str, Any]:
    """What is never in an article's related set, as BansReply says."""
    decided = store.hands(session, [article_id]).get(article_id)
    beaten: list[tuple[UUID, str]] = []
    if decided is not None:
        beaten = [(article_id, one) for one in decided.pins if one in decided.bans or decided.never_gets_any]
        if decided.never_offered:
            beaten += [(owner, str(article_id)) for owner in store.pinned_in(session, article_id, MOST_BEATEN)]
    named = _named(session, [one for _, one in beaten])
    return {
        "article_id": article_id,
        "bans": _named(session, decided.bans if decided is not None else []),
        "never_offered": decided is not None and decided.never_offered,
        "never_gets_any": decided is not None and decided.never_gets_any,
        "beaten_pins": [{"set_of": owner, **one} for (owner, _), one in zip(beaten, named, strict=True)],
    }


def _named(session: Session, ids: Iterable[str]) -> list[dict[str, Any]]:
    wanted = [UUID(one) for one in ids]
    known = store.headlines(session, wanted)
    return [
        {
            "article_id": one,
            "headline": known[one].headline if one in known else None,
            "live": one in known and known[one].status == domain.LIVE,
        }
        for one in wanted
    ]


def _place_again(session: Session, article_id: UUID) -> None:
    if store.place_again(session, article_id):
        jobs.add(session, actions.PLACE, actions.ALL, lane="urgent")


def _refuse_no_section(section: str) -> None:
    if not 0 < len(section) <= domain.LONGEST_SECTION or "\x00" in section:
        raise Unprocessable(errors=[Fault("/section", "length", "A section's key has 1 to 80 characters.")])


_UNSHOWABLE = {
    "killed": "This article was killed: nothing shows it any more.",
    "banned": "This article is banned from this related set; take the ban away first.",
    "never-offered": "This article is never offered anywhere; take that away first.",
}


def _refuse_unshowable(session: Session, article_id: UUID, pins: Sequence[UUID]) -> None:
    decided = store.hands(session, [article_id, *pins])
    bans = set(decided[article_id].bans) if article_id in decided else set()
    known = store.headlines(session, pins)
    faults = []
    for place, one in enumerate(pins):
        code = None
        if one in known and known[one].status == domain.KILLED:
            code = "killed"
        elif str(one) in bans:
            code = "banned"
        elif one in decided and decided[one].never_offered:
            code = "never-offered"
        if code is not None:
            faults.append(Fault(f"/article_ids/{place}", code, _UNSHOWABLE[code]))
    if faults:
        raise Unprocessable(errors=faults)


def _refuse_itself(article_id: UUID, others: Sequence[UUID]) -> None:
    faults = [
        Fault(f"/article_ids/{place}", "itself", "An article cannot be named for its own related set.")
        for place, other in enumerate(others)
        if other == article_id
    ]
    if faults:
        raise Unprocessable(errors=faults)
