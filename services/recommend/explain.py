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
from services.recommend.index import Reading, are_copies
from services.recommend.search import similar

MOST_LEFT_OUT = 10


def related_set(session: Session, article_id: UUID) -> dict[str, Any] | None:
    """An article's set as RelatedReply says, or None when it is not live."""
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
        "entries": [_entry(article, others[UUID(one)], score, why) for one, score, why in shown],
        "left_out": _left_out(
            article,
            [others[UUID(entry[0])] for entry in shown],
            {one: others.get(one) for one in near},
            decided,
            store.age_limits(session),
        ),
    }


def _live(row: Any) -> bool:
    return row is not None and row.status == domain.LIVE


def _entry(article: Any, other: Any, score: float, why: bool | str) -> dict[str, Any]:
    words = domain.shared_words(article.words, other.words)
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
    left = dict.fromkeys((*named, *copies, *beyond))
    return [one for one in left if one != article.id and one not in shown][:100]


def _left_out(
    article: Any,
    shown: Sequence[Any],
    near: Mapping[UUID, Any],
    decided: Any,
    limits: Mapping[str, float],
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
            found.append(told | _reason(article, "never offered"))
        elif row.language != article.language:
            continue
        elif domain.is_too_old(article, row, limits.get(row.section)):
            texts = _texts(article)
            why = _days(texts["too old"], texts, limits[row.section])
            found.append(told | {"reason": "too old", "why": why})
        elif other_id in copy_of:
            found.append(told | _reason(article, "copy", headline=copy_of[other_id].headline))
        elif words := domain.shared_words(article.words, row.words):
            less.append((-len(words), told | _reason(article, "less alike", words=_listed(words))))
    less.sort(key=lambda one: one[0])
    return [*found, *(one for _, one in less)][:MOST_LEFT_OUT]


def _reason(article: Any, code: str, **values: object) -> dict[str, str]:
    return {"reason": code, "why": _texts(article)[code].format(**values)}


def _sentence(article: Any, reason: str, words: Sequence[str], apart: float, other: Any) -> str:
    texts = _texts(article)
    parts = [texts[reason].format(words=_listed(words))]
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
    return _TEXTS.get(article.language.partition("-")[0], _TEXTS["en"])


_TEXTS = {
    "fr": {
        domain.NEAR: "Les deux parlent de : {words}",
        domain.PINNED: "Épinglé par la rédaction",
        domain.LATEST: "Le plus récent de la rubrique, faute de mieux",
        "same day": "publiés à moins d'un jour d'écart",
        "days apart": "publiés à {days} d'écart",
        "day": "un jour",
        "days": "{} jours",
        "same section": "même rubrique",
        "between": " ; ",
        "end": ".",
        "banned": "Écarté ici par la rédaction.",
        "waiting": "Épinglé, il paraîtra ici quand il sera en ligne.",
        "never offered": "La rédaction ne le propose nulle part.",
        "too old": "Trop éloigné dans le temps : sa rubrique s'arrête à {days}.",
        "copy": "Presque le même texte que « {headline} ».",
        "less alike": "Moins proche que ceux qui sont montrés, bien qu'ils aient en commun : {words}.",
    },
    "en": {
        domain.NEAR: "Both are about: {words}",
        domain.PINNED: "Pinned by an editor",
        domain.LATEST: "The latest of the section, for want of a nearer one",
        "same day": "published within a day of one another",
        "days apart": "published {days} apart",
        "day": "a day",
        "days": "{} days",
        "same section": "same section",
        "between": "; ",
        "end": ".",
        "banned": "Left out here by an editor.",
        "waiting": "Pinned: it appears here when it is live.",
        "never offered": "Editors have it offered nowhere.",
        "too old": "Too far away in time: its section ends at {days}.",
        "copy": "Nearly the same text as “{headline}”.",
        "less alike": "Less alike than those shown, though they share: {words}.",
    },
    "ar": {
        domain.NEAR: "يتناول المقالان: {words}",
        domain.PINNED: "ثبّته المحرر",
        domain.LATEST: "الأحدث في القسم لعدم وجود أقرب منه",
        "same day": "نُشرا بفارق أقل من يوم",
        "days apart": "نُشرا بفارق {days}",
        "day": "يوم واحد",
        "days": "{} يوما",
        "same section": "القسم نفسه",
        "between": "؛ ",
        "end": ".",
        "banned": "استبعده المحرر هنا.",
        "waiting": "مثبّت، ويظهر هنا عند نشره.",
        "never offered": "لا يقترحه المحررون في أي مكان.",
        "too old": "بعيد زمنيا: يتوقف قسمه عند {days}.",
        "copy": "نص يكاد يطابق «{headline}».",
        "less alike": "أقل قربا من المعروضة وإن اشتركا في: {words}.",
    },
}
