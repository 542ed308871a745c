"""Near-duplicates of a text: what shares passages with it, found by the database's full text.

Of the opening of a text, which is where copies are known by (see index.copies), some runs of three words are looked for
as phrases: two texts that share half of their runs share one of a dozen for certain, by any measure that matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from services.recommend import store as articles
from services.recommend.index import Reading, read, shared_shares
from services.recommend.index.copies import OPENING_WORDS
from services.recommend.search import store
from services.recommend.search.queries import Part, Query
from services.recommend.search.words import WORD, fold, searched

RUN, RUNS = 3, 9  # words of a run, and how many of them are looked for
CANDIDATES = 60
LEAST = 0.12  # of the smaller text's runs: below that two texts only speak of the same thing
PASSAGES, LONGEST_PASSAGE = 3, 200


@dataclass(frozen=True)
class Likeness:
    """An article that shares text with a draft. score: 0 to 1, the share of the smaller opening that both have.

    kind: "same text", "version" (a copy with changes) or "passages" (some of it). passages: what they share.
    """

    hit: store.Hit
    score: float
    kind: str
    passages: list[str]


def near_duplicates(
    session: Session, language: str, headline: str, text: str, *, besides: UUID | None, most: int
) -> list[Likeness]:
    """Live articles that share passages with a text, the most alike first. besides: an article that is left out."""
    hits = [hit for hit in _candidates(session, language, headline, text) if hit.article_id != besides]
    readings = articles.readings(session, [hit.article_id for hit in hits])
    hits = [hit for hit in hits if readings.get(hit.article_id)]
    prints = [Reading.fingerprint_in(readings[hit.article_id]) for hit in hits]
    own = read(language, headline, text).fingerprint
    found = []
    for hit, (share, of_larger, copy) in zip(hits, shared_shares(own, prints), strict=True):
        if copy or share >= LEAST:
            kind = "same text" if copy and of_larger >= 0.9 else "version" if copy else "passages"
            passages = _shared_passages(f"{headline}\n{text}", f"{hit.headline}\n{hit.text}")
            found.append(Likeness(hit, round(share, 3), kind, passages))
    found.sort(key=lambda one: (one.kind == "passages", -one.score, -one.hit.number))
    return found[:most]


def same_passages(session: Session, article_id: UUID, others: Sequence[UUID]) -> list[UUID]:
    """The articles that share passages with one, or with one of these others of its set."""
    texts = store.of_articles(session, [article_id, *others])
    own = texts.pop(article_id, None)
    if own is None:
        return []
    runs = _opening_runs(own.language, own.headline, own.text, RUNS)
    for other in texts.values():
        runs += _opening_runs(own.language, other.headline, other.text, 3)
    return [hit.article_id for hit in _with_any(session, own.language, runs)]


def _candidates(session: Session, language: str, headline: str, text: str) -> list[store.Hit]:
    return _with_any(session, language, _opening_runs(language, headline, text, RUNS))


def _opening_runs(language: str, headline: str, text: str, most: int) -> list[tuple[str, ...]]:
    in_headline = searched(language, headline)
    runs = _runs(in_headline)[:2] or ([tuple(in_headline)] if in_headline else [])
    return runs + _runs(searched(language, text[: OPENING_WORDS * 12])[:OPENING_WORDS])[:most]


def _with_any(session: Session, language: str, runs: Sequence[tuple[str, ...]]) -> list[store.Hit]:
    if not runs:
        return []
    query = Query((Part((tuple(dict.fromkeys(runs)),)),))
    return store.find_anywhere(session, query, language=language, most=CANDIDATES)


def _runs(stems: Sequence[str]) -> list[tuple[str, ...]]:
    """Runs of three words that do not overlap, those with the longest words first: they are found in few articles."""
    runs = [tuple(stems[at : at + RUN]) for at in range(0, len(stems) - RUN + 1, RUN)]
    return sorted(runs, key=lambda run: -sum(map(len, run)))


def _shared_passages(one: str, other: str) -> list[str]:
    """The longest stretches of words that both have, as written in the second."""
    held = [fold(word) for word in WORD.findall(one)]
    runs = {tuple(held[at : at + RUN]) for at in range(len(held) - RUN + 1)}
    matches = list(WORD.finditer(other))
    folded = [fold(match[0]) for match in matches]
    found: list[tuple[int, int]] = []
    for at in range(len(folded) - RUN + 1):
        if tuple(folded[at : at + RUN]) not in runs:
            continue
        if found and found[-1][1] >= at:
            found[-1] = (found[-1][0], at + RUN)
        else:
            found.append((at, at + RUN))
    found.sort(key=lambda span: span[0] - span[1])
    passages = [other[matches[start].start() : matches[end - 1].end()] for start, end in found[:PASSAGES]]
    return [" ".join(passage.split())[:LONGEST_PASSAGE] for passage in passages]
