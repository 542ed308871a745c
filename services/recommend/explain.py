"""Why a related set is what it is, in words: each entry, and what else was near and is not in it.

Read from the database alone, so that any process can tell. What is near is what the entries' own sets show, what the
full text finds with the same passages, and what editors have named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.recommend import domain, store
from services.recommend.explain_texts import TEXTS
from services.recommend.index import Reading, are_copies
from services.recommend.index.text import primary_language
from services.recommend.search import similar

MOST_LEFT_OUT, MOST_COPIES = 10, 4
MOST_NOWHERE = 40  # of the articles that are offered nowhere, the newest, so many are looked at


def related_set(session: Session, article_id: UUID, *, story_cap: int = 0) -> dict[str, Any] | None:
    """An article's set as RelatedReply says, or None when it is not live.

    story_cap: how many of one story a set shows, 0 for any.
    """
    rows = store.explained(session, [article_id])
    article = rows.get(article_id)
    if article is None or article.status != domain.LIVE:
        return None
    stored = store.related_sets(session, [article_id]).get(article_id)
    entries = stored.entries if stored is not None else []
    decided = store.hands(session, [article_id]).get(article_id)
    near = _near(session, article, entries, decided)
    others = store.explained(session, [*(UUID(entry[0]) for entry in entries), *near])
    shown = [entry for entry in entries if _live(others.get(UUID(entry[0])))]
    return {
        "article_id": article_id,
        "headline": article.headline,
        "set_number": stored.set_number if stored is not None else 0,
        "made_at": stored.made_at if stored is not None else None,
        "note": _note(article, decided),
        "entries": [_entry(article, others[UUID(one)], score, why) for one, score, why in shown],
        "left_out": _left_out(
            article,
            [others[UUID(entry[0])] for entry in shown],
            {one: others.get(one) for one in near},
            decided,
            store.age_limits(session),
            story_cap,
        ),
    }


def _note(article: Any, decided: Any) -> str | None:
    """What editors have decided for the article itself."""
    said = [_texts(article)["never gets any"]] if decided is not None and decided.never_gets_any else []
    said += [_texts(article)["never offered itself"]] if article.never_offered else []
    return " ".join(said) or None


def _live(row: Any) -> bool:
    return row is not None and row.status == domain.LIVE


def _entry(article: Any, other: Any, score: float, why: bool | str) -> dict[str, Any]:
    words = _shared(article, other)
    apart = domain.days_apart(article.published_at, other.published_at)
    return {
        "article_id": other.id,
        "headline": other.headline,
        "score": score,
        "reason": domain.reason(why),
        "words": words if domain.reason(why) == domain.NEAR else [],
        "days_apart": round(apart, 2),
        "why": _sentence(article, domain.reason(why), words, apart, other),
    }


def _near(session: Session, article: Any, entries: Sequence[Sequence[Any]], decided: Any) -> list[UUID]:
    """Articles that might have been in a set, and are not: those that editors named first."""
    shown = [UUID(entry[0]) for entry in entries]
    sets = store.related_sets(session, shown)
    beyond = [UUID(entry[0]) for one in shown if one in sets for entry in sets[one].entries if entry[2] is True]
    named = [UUID(one) for one in (*decided.bans, *decided.pins)] if decided is not None else []
    copies = similar.same_passages(session, article.id, shown)
    nowhere = store.never_offered(session, article.language, MOST_NOWHERE)
    left = dict.fromkeys((*named, *nowhere, *copies, *beyond))
    return [one for one in left if one != article.id and one not in shown][:100]


def _left_out(
    article: Any,
    shown: Sequence[Any],
    near: Mapping[UUID, Any],
    decided: Any,
    limits: Mapping[str, float],
    story_cap: int,
) -> list[dict[str, Any]]:
    live = [row for row in near.values() if _live(row) and row.language == article.language]
    prints = [Reading.fingerprint_in(row.reading) for row in live]
    copy_of: dict[UUID, Any] = {}
    for one in (article, *shown):
        if one.reading:
            for row, copy in zip(live, are_copies(Reading.fingerprint_in(one.reading), prints), strict=True):
                if copy:
                    copy_of.setdefault(row.id, one)
    bans = set(decided.bans) if decided is not None else set()
    pins = set(decided.pins) if decided is not None else set()
    found: list[dict[str, Any]] = []
    copies: list[dict[str, Any]] = []
    less: list[tuple[int, dict[str, Any]]] = []
    for other_id, row in near.items():
        told = {"article_id": other_id, "headline": row.headline if row is not None else None}
        if str(other_id) in bans:
            found.append(told | _reason(article, "banned"))
        elif str(other_id) in pins and not _live(row):
            found.append(told | _reason(article, "waiting"))
        elif not _live(row):
            continue
        elif row.never_offered:
            if str(other_id) in pins or (row.language == article.language and _shared(article, row)):
                found.append(told | _reason(article, "never offered"))
        elif str(other_id) in pins:
            found.append(told | _reason(article, "no room"))
        elif row.language != article.language:
            continue
        elif domain.is_too_old(article, row, limits.get(row.section)):
            texts = _texts(article)
            why = _days(texts["too old"], texts, limits[row.section])
            found.append(told | {"reason": "too old", "why": why})
        elif other_id in copy_of:
            copies.append(told | _reason(article, "copy", headline=copy_of[other_id].headline))
        elif words := _shared(article, row):
            same = [one for one in shown if domain.tell_one_story(one.words, row.words)] if story_cap else []
            if story_cap and len(same) >= story_cap:
                less.append((-100, told | _reason(article, "story", headline=same[0].headline)))
            else:
                less.append((-len(words), told | _reason(article, "less alike", words=_listed(words))))
    less.sort(key=lambda one: one[0])
    rest = [one for _, one in less]
    return [*found[: MOST_LEFT_OUT - 2], *copies[:MOST_COPIES], *rest, *copies[MOST_COPIES:]][:MOST_LEFT_OUT]


def _shared(article: Any, other: Any) -> list[str]:
    return domain.shared_words(primary_language(article.language), article.words, other.words)


def _reason(article: Any, code: str, **values: object) -> dict[str, str]:
    return {"reason": code, "why": _texts(article)[code].format(**values)}


def _sentence(article: Any, reason: str, words: Sequence[str], apart: float, other: Any) -> str:
    texts = _texts(article)
    code = reason if reason != domain.NEAR or words else "alike"
    parts = [texts[code].format(words=_listed(words))]
    parts.append(texts["same day"] if apart < 1 else _days(texts["days apart"], texts, apart))
    if other.section == article.section:
        parts.append(texts["same section"])
    return texts["between"].join(parts) + texts["end"]


def _days(sentence: str, texts: Mapping[str, str], days: float) -> str:
    count = max(1, round(days))
    return sentence.format(days=texts["day"] if count == 1 else texts["days"].format(count))


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "…"


def _texts(article: Any) -> Mapping[str, str]:
    return TEXTS.get(primary_language(article.language), TEXTS["en"])
