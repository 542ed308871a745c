"""The probe for flashes: has every one of them reached somebody by every channel through which somebody wanted it?"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from services.publish import store as site_store
from services.publish.channels import domain, store

# A flash may take a moment; one that no receiver of a channel has after a minute is a fault that people should see.
SOON = timedelta(minutes=1)
LOOKED_AT = timedelta(days=1)
# Of a channel's subscriptions so many are asked whether they want a flash that nobody was owed.
ASKED = 1000


def flashes_unheard(session: Session, now: datetime) -> dict[str, int]:
    """By channel in use: how many of the last day's flashes have reached nobody by it though somebody wanted them.

    Also those of which nobody was told at all: because their page is not in place, or the telling itself has failed.
    """
    flashes = store.flashes(session, now - LOOKED_AT, now - SOON)
    held = site_store.articles(session, [one.article_id for one in flashes])
    live = [one for one in flashes if one.article_id in held and held[one.article_id].status == "live"]
    owed = store.owed_of(session, [one.article_id for one in live])
    found = {channel: 0 for channel in domain.CHANNELS if store.is_in_use(session, channel)}
    found |= {channel: 0 for _, channel in owed}
    for flash in live:
        for channel in found:
            reached = owed.get((flash.article_id, channel))
            if reached is None:
                asked = store.subscribed_before(session, channel, flash.announced_at, ASKED)
                wanted = (one for one in asked if "article.published" in domain.events_of(channel, one.filter))
                reached = not any(domain.wants(one.filter, held[flash.article_id]) for one in wanted)
            found[channel] += not reached
    return found
