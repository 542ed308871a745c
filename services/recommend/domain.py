"""The rules: what of an event is new, what a set's entries say, when the index is due for what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.recommend.index import Entry
from shared.events import PublicArticle, RelatedSetEntry

LIVE = "live"
# How long the keeper of the index is left alone after its last turn before another process may take it over.
LEASE = timedelta(seconds=5)
# The weights are counted anew each time the archive has grown by a fifth, and by ten articles when it is small.
GROWTH, LEAST_GROWTH = 0.2, 10
# The index is saved after so many turns, or a twentieth of its articles: what a start has to catch up with.
SNAPSHOT_TURNS, SNAPSHOT_SHARE = 50, 0.05
# Shared words that are shown as an entry's reason.
REASON_WORDS = 5

NEAR, LATEST = "text", "latest in section"


def newest(articles: Iterable[PublicArticle]) -> dict[UUID, PublicArticle]:
    """The newest state of each article among these."""
    found: dict[UUID, PublicArticle] = {}
    for article in articles:
        held = found.get(article.id)
        if held is None or held.change < article.change:
            found[article.id] = article
    return found


def refresh_is_due(articles: int, counted: int) -> bool:
    """Whether so many articles are enough to count the weights anew after they were counted from so many."""
    return articles >= counted * (1 + GROWTH) + LEAST_GROWTH


def snapshot_is_due(turns: int, articles: int) -> bool:
    """Whether the index should be saved after so many turns since it last was."""
    return turns >= max(SNAPSHOT_TURNS, SNAPSHOT_SHARE * articles)


def stored_entries(entries: Sequence[Entry]) -> list[list[Any]]:
    """Entries as JSON values: [article id, score, near in text]."""
    return [[str(entry.article_id), entry.score, entry.by_text] for entry in entries]


def shown(stored: Sequence[Sequence[Any]]) -> list[tuple[str, bool]]:
    """What readers see of stored entries: which articles, and whether each is near in text or a fill."""
    return [(article_id, by_text) for article_id, _, by_text in stored]


def told_entries(stored: Sequence[Sequence[Any]]) -> tuple[RelatedSetEntry, ...]:
    """Stored entries as the event related.changed carries them."""
    return tuple(
        RelatedSetEntry(article_id=UUID(article_id), score=score, reason=reason(by_text))
        for article_id, score, by_text in stored
    )


def reason(by_text: bool) -> str:
    """Why an entry is there, as a stable code."""
    return NEAR if by_text else LATEST


def shared_words(article: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Up to five words that bring two articles together, heaviest first, as written in the first.

    article, other: their heaviest terms, heaviest first, each with its written form.
    """
    found: list[str] = []
    for term, written in article.items():
        if term in other and not any(written.lower() in known.lower() for known in found):
            found.append(written)
            if len(found) == REASON_WORDS:
                break
    return found
