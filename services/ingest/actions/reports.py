"""What is proved about a kill."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.ingest import store
from services.ingest.actions.common import read_article
from services.ingest.domain import journey
from services.ingest.domain.states import Status
from shared.errors import Conflict

# Where readers could meet an article that was public. publish and recommend tell of each of these, as a "gone" step,
# when they have taken the article away there and looked.
SURFACES = (
    "page",
    "copies",
    "addresses",
    "lists",
    "feeds",
    "sitemaps",
    "related-blocks",
    "pictures",
    "search",
    "related-sets",
)
# Also of one that was never public.
PREVIEWS = "previews"
# A step without a name is the page's own.
_UNNAMED = "page"
_STEPS_MAX = 1000


class NotKilled(Conflict):
    """The article is not killed."""

    code = "not-killed"
    title = "The article is not killed"


def report_kill(session: Session, article_id: UUID) -> dict[str, Any]:
    """Where a killed article is gone from, and since when, as the timeline tells it.

    Raises ArticleNotFound, or NotKilled.
    """
    article = read_article(session, article_id).article
    if article.status != Status.KILLED:
        raise NotKilled(f"The article is {article.status}, not killed.")
    steps = store.timeline(session, article_id, _STEPS_MAX)
    killed = next(step for step in reversed(steps) if step.step == journey.KILLED)
    gone: dict[str, datetime] = {}
    links: dict[str, datetime] = {}
    for step in steps:
        if step.step == journey.GONE and step.change >= killed.change:
            surface = str(step.detail.get("surface") or _UNNAMED)
            if surface == PREVIEWS:
                links[str(step.detail.get("preview"))] = step.at
            else:
                gone[surface] = min(step.at, gone.get(surface, step.at))
    previews = store.previews_ended_at(session, article_id, killed.at)
    if previews and len(links) >= previews:
        gone[PREVIEWS] = max(links.values())
    was_public = article.first_published_at is not None
    expected = [*(SURFACES if was_public else ()), *((PREVIEWS,) if previews else ())]
    expected += [one for one in gone if one not in expected]
    surfaces = [
        {
            "surface": name,
            "gone": name in gone,
            "gone_at": gone.get(name),
            "after_ms": int((gone[name] - killed.at).total_seconds() * 1000) if name in gone else None,
        }
        for name in expected
    ]
    complete = all(one["gone"] for one in surfaces)
    return {
        "id": article.id,
        "change": article.change,
        "killed_at": killed.at,
        "killed_by": killed.detail.get("by", ""),
        "reason": article.kill_reason,
        "was_public": was_public,
        "complete": complete,
        "completed_at": max((killed.at, *gone.values())) if complete else None,
        "surfaces": surfaces,
    }
