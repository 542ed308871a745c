"""The verbs of subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from services.publish.models import Subscription
from shared.errors import Fault, Unprocessable
from shared.ids import new_id
from shared.newsroom import Newsroom
from shared.outgoing import Network, fault_of_url


def subscribe(
    session: Session,
    *,
    channel: str,
    url: str,
    filter: dict[str, list[str]],
    allow: Sequence[Network],
    newsroom: Newsroom,
    now: datetime,
) -> Subscription:
    """Note who wants to be told. Raises Unprocessable for an address that may not be reached or an unknown name."""
    faults = []
    if fault := fault_of_url(url, allow):
        faults.append(Fault("/url", "url", f"The URL {fault}."))
    known = {"languages": set(newsroom.languages), "sections": set(newsroom.section_keys)}
    for field, names in known.items():
        for index, name in enumerate(filter.get(field, ())):
            if name not in names:
                should = f"{name!r} is none of this newsroom's {field}: {', '.join(sorted(names))}."
                faults.append(Fault(f"/filter/{field}/{index}", "not-allowed", should))
    if faults:
        raise Unprocessable(errors=faults)
    made = Subscription(
        id=new_id(),
        channel=channel,
        url=url,
        filter=filter,
        status="active",
        why="",
        secret_version=1,
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made
