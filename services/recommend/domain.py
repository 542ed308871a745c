"""The rules: what of an event is new, what a set's entries say, when the index is due for what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import sqrt
from typing import Any
from uuid import UUID
from zlib import crc32

from services.recommend.flat_words import is_flat
from services.recommend.index import SAME_STORY, Entry
from shared.events import PublicArticle, RelatedSetEntry

LIVE = "live"
KILLED = "killed"
LONGEST_SECTION = 80
# How long the keeper of the index is left alone after its last turn before another process may take it over.
LEASE = timedelta(seconds=5)
# The weights are counted anew at once when the archive has doubled, and when it has grown by a fifth (and by twenty
# articles), but then not within ten minutes of the last time: so an import costs each article about one more look,
# whatever its size, and a newsroom's daily work a refresh every few weeks.
DOUBLED, GROWN, LEAST_GROWTH = 2.0, 1.2, 20
REFRESH_PAUSE = timedelta(minutes=10)
# The index is saved after so many articles, or a twentieth of those it has: what a start has to catch up with.
SNAPSHOT_ARTICLES, SNAPSHOT_SHARE = 500, 0.05
# Shared words that are shown as an entry's reason.
REASON_WORDS = 5

NEAR, LATEST, PINNED = "text", "latest in section", "pinned"


def newest(articles: Iterable[PublicArticle]) -> dict[UUID, PublicArticle]:
    """The newest state of each article among these."""
    found: dict[UUID, PublicArticle] = {}
    for article in articles:
        held = found.get(article.id)
        if held is None or held.change < article.change:
            found[article.id] = article
    return found


def refresh_due_at(articles: int, counted: int, refreshed_at: datetime | None, now: datetime) -> datetime | None:
    """When the weights should be counted anew, now or later; None: not yet.

    articles: how many there are; counted: how many there were when the weights were last counted, at refreshed_at.
    """
    if articles < max(counted * GROWN, counted + LEAST_GROWTH):
        return None
    if refreshed_at is None or articles >= counted * DOUBLED:
        return now
    return max(now, refreshed_at + REFRESH_PAUSE)


def snapshot_is_due(unsaved: int, articles: int) -> bool:
    """Whether the index should be saved after so many articles were placed since it last was."""
    return unsaved >= max(SNAPSHOT_ARTICLES, SNAPSHOT_SHARE * articles)


def stored_entries(entries: Sequence[Entry]) -> list[list[Any]]:
    """Entries as JSON values: [article id, score, why], see models.RelatedSet."""
    return [[str(entry.article_id), entry.score, PINNED if entry.pinned else entry.by_text] for entry in entries]


def shown(stored: Sequence[Sequence[Any]]) -> list[tuple[str, Any]]:
    """What readers see of stored entries: which articles, and why each is there."""
    return [(article_id, why) for article_id, _, why in stored]


def told_entries(entries: Sequence[Entry]) -> tuple[RelatedSetEntry, ...]:
    """Entries as the event related.changed carries them."""
    return tuple(
        RelatedSetEntry(
            article_id=entry.article_id,
            score=entry.score,
            reason=reason(PINNED if entry.pinned else entry.by_text),
        )
        for entry in entries
    )


def reason(why: bool | str) -> str:
    """Why an entry is there, as a stable code, from what is stored."""
    return PINNED if why == PINNED else NEAR if why else LATEST


def shared_words(language: str, article: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Up to five words that bring two articles together, as written in the first: names, then the heaviest.

    Words that say nothing of what an article is about are left out. language: a primary subtag; article, other: their
    heaviest terms, heaviest first, each with its written form.
    """
    shared = [written for term, written in article.items() if term in other and not is_flat(language, written)]
    names = [written for written in shared if " " in written or written[0].isupper()]
    names.sort(key=lambda name: -len(name.split()))  # "Amina Khelifi" says more than "Khelifi"
    found: list[str] = []
    known: set[str] = set()
    for written in (*names, *(word for word in shared if word not in names)):
        parts = set(written.lower().split())
        if not parts <= known:
            found.append(written)
            known |= parts
            if len(found) == REASON_WORDS:
                break
    return found


def tell_one_story(article: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two articles look to be of one story, by their heaviest terms: what the cap per story counts."""
    return len(article.keys() & other.keys()) >= SAME_STORY * sqrt(len(article) * len(other)) > 0


def days_apart(one: datetime, other: datetime) -> float:
    """Days between two moments, whichever is first."""
    return abs((one - other).total_seconds()) / 86_400


def is_too_old(article: Any, other: Any, limit_days: float | None) -> bool:
    """Whether one article's section is not offered so far in time from the other; as the index sees it, by the hour."""
    if not limit_days or other.evergreen:
        return False
    hours = abs(int(article.published_at.timestamp() // 3600) - int(other.published_at.timestamp() // 3600))
    return hours > round(limit_days * 24)


# Search

PAGE_SIZE, MOST_PAGE_SIZE = 20, 50
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_CURSOR = re.compile(r"([ht])(-?[0-9a-f]{1,16})-([0-9a-f]{4})", re.ASCII)


def page_size(text: str) -> int:
    """How many articles a page of search shows; the usual number for what is no number."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else PAGE_SIZE
    return min(MOST_PAGE_SIZE, max(1, number))


def is_language_tag(text: str) -> bool:
    """Whether this looks like a BCP 47 language tag, whatever languages there are."""
    return len(text) <= 35 and _LANGUAGE_TAG.fullmatch(text) is not None


def day_or_instant(text: str) -> datetime | None:
    """A day (its first moment in UTC) or an instant; None for what is neither."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        return None


def cursor(in_headline: bool, number: int) -> str:
    """The place behind an article found, as text, with a check that none of it is lost or changed on its way."""
    place = f"{'h' if in_headline else 't'}{number:x}"
    return f"{place}-{_check(place)}"


def after_cursor(text: str) -> tuple[bool, int] | None:
    """What `cursor` made text of; None for anything else."""
    match = _CURSOR.fullmatch(text)
    if match is None or match[3] != _check(match[1] + match[2]) or not -(1 << 63) <= int(match[2], 16) < 1 << 63:
        return None
    return match[1] == "h", int(match[2], 16)


def _check(text: str) -> str:
    return f"{crc32(text.encode()) & 0xFFFF:04x}"
