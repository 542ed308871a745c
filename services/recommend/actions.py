"""The verbs: hear of articles, place them, refresh the weights, save the index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.recommend import domain, store
from services.recommend.index import Article, Change, Reading, read
from services.recommend.index.text import plain_text
from services.recommend.keeper import Keeper, Turn
from services.recommend.search import store as search
from shared import jobs, outbox
from shared.events import ArticleProgress, ProgressFact, PublicArticle, RelatedChanged, RelatedSet
from shared.service import Heard

# Kinds of jobs; each has one job, of this reference.
PLACE, REFRESH, SNAPSHOT = "place_articles", "refresh_weights", "save_snapshot"
# New age limits: at once where an editor looks first, and then everywhere.
LIMIT, LIMIT_REST = "limit_ages", "limit_all_ages"
ALL = "all"
# What one transaction places, and what one related.changed carries.
MOST_PLACED, MOST_SETS = 50, 100
REFRESH_SLICE_S = 0.1
LIMIT_SLICE_S = 0.3


def hear_articles(session: Session, heard: Sequence[Heard], *, keeper: Keeper, now: datetime) -> None:
    """Hold what is new in these events, put it into the index, and say which related sets that changes.

    All in the caller's transaction. When the index is not here the articles are stored and a job places them. A change
    that is not newer than what is held changes nothing.
    """
    wanted = domain.newest(one.event.article for one in heard)
    known = store.known(session, wanted)
    texts = {article.id: _plain_text(article) for article in wanted.values() if article.status == domain.LIVE}
    _make_findable(session, wanted.values(), texts, known)
    new = [
        article for article in wanted.values() if article.id not in known or article.change > known[article.id].change
    ]
    if not new:
        return
    lane = heard[0].lane
    turn = keeper.take_turn(session, now=now)
    hands = store.hands(session, [article.id for article in new]) if turn is not None else {}
    rows: list[dict[str, Any]] = []
    facts = [_gone(one.id, one.change, "search", now) for one in new if one.status == domain.KILLED]
    for article in new:
        row = _row(article, texts)
        if turn is not None:
            placed = _for_index(row, row.pop("_read"), hands.get(article.id))
            facts.append(_place(keeper, turn, row, placed, now=now))
        row.pop("_read", None)
        rows.append(row)
    store.save_articles(session, rows)
    if turn is None:
        jobs.add(session, PLACE, ALL, lane=lane)
        if facts:
            outbox.say(session, ArticleProgress(facts=tuple(facts)))
        return
    store.delete_sets(session, [article.id for article in new if article.status != domain.LIVE])
    _finish(session, keeper, turn, facts, lane=lane, now=now)


def place_waiting(session: Session, turn: Turn, *, keeper: Keeper, lane: str, now: datetime) -> bool:
    """Place articles that were stored while the index was not here, oldest first; True when none is left.

    Before them, sets that a start has made from the database are compared with those stored, 100 at a time.
    """
    if keeper.unsaved:
        turn.fragile = True
        changes = [keeper.unsaved.pop(next(iter(keeper.unsaved))) for _ in range(min(MOST_SETS, len(keeper.unsaved)))]
        _finish(session, keeper, turn, [], changes=changes, lane=lane, now=now)
        return False
    waiting = store.waiting_articles(session, MOST_PLACED)
    facts = []
    for row in waiting:
        values = {"id": row.id, "change": row.change, "words": row.words}
        placed = store.for_index(row) if row.status == domain.LIVE else None
        facts.append(_place(keeper, turn, values, placed, now=now))
        store.mark_placed(session, row, turn.position, values["words"])
    store.delete_sets(session, [row.id for row in waiting if row.status != domain.LIVE])
    _finish(session, keeper, turn, facts, lane=lane, now=now)
    return len(waiting) < MOST_PLACED


def ask_for_refresh(session: Session, *, now: datetime) -> None:
    """Have the weights of all terms counted anew, on the bulk lane. One that is already running starts once more."""
    jobs.add(session, REFRESH, ALL, lane="bulk", payload={"asked_at": now.isoformat()})


def rebuild_index(session: Session) -> None:
    """Have whoever keeps the index make it anew from the database, and say the sets that then differ.

    No snapshot has the weights of this number, and no process has taken the turn of this one.
    """
    state = store.locked_state(session)
    store.change_state(session, weights=state.weights + 1, serial=state.serial + 1)
    jobs.add(session, PLACE, ALL)


def refresh_weights(session: Session, turn: Turn, *, asked: str | None, keeper: Keeper, now: datetime) -> bool:
    """Do one slice of a refresh and say the sets that really change, on the bulk lane; True when it is done.

    asked: tells one request from the next (see `Keeper.refresh`).
    """
    done = keeper.refresh(session, turn, REFRESH_SLICE_S, asked)
    values: dict[str, Any] = {"refreshed_at": now, "counted": turn.index.counted()} if done else {}
    _finish(session, keeper, turn, [], lane="bulk", now=now, **values)
    if done:
        jobs.add(session, SNAPSHOT, ALL, lane="bulk")
    return done


def limit_ages(session: Session, turn: Turn, *, asked: str | None, keeper: Keeper, lane: str, now: datetime) -> bool:
    """Make sets under the age limits that now hold, for a while, and say those that change; True when all are made."""
    done = keeper.relink(session, turn, LIMIT_SLICE_S if lane == "urgent" else REFRESH_SLICE_S, asked)
    _finish(session, keeper, turn, [], lane=lane, now=now)
    if done:
        jobs.add(session, SNAPSHOT, ALL, lane="bulk")
    return done


def _make_findable(
    session: Session, articles: Iterable[PublicArticle], texts: Mapping[UUID, str], known: Mapping[UUID, Any]
) -> None:
    """Have readers find live articles as they are now, and no others. texts: plain, of those that are live."""
    found, gone = [], []
    for article in articles:
        held = known.get(article.id)
        change, number = (held.change, held.number) if held is not None else (0, None)
        # One that was held before there was a search is made findable by a replay.
        if article.id in texts and (article.change > change or (article.change == change and number is None)):
            found.append(
                search.Text(
                    article_id=article.id,
                    language=article.language,
                    section=article.section,
                    path=article.path,
                    headline=article.headline,
                    text=texts[article.id],
                    published_at=article.first_published_at,
                    number=number,
                )
            )
        elif article.change > change and number is not None:
            gone.append(number)
    search.remove(session, gone)
    search.save(session, found)


def _plain_text(article: PublicArticle) -> str:
    return f"{article.standfirst}\n{plain_text(article.body_html)}".strip()


def _row(article: PublicArticle, texts: Mapping[UUID, str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": article.id,
        "change": article.change,
        "status": article.status,
        "language": article.language,
        "section": article.section,
        "headline": article.headline,
        "published_at": article.first_published_at,
        "position": 0,
        "reading": b"",
        "words": {},
        "evergreen": article.evergreen,
        "_read": None,
    }
    if article.status == domain.LIVE:
        reading = read(article.language, article.headline, texts[article.id])
        row |= {"reading": reading.packed(), "words": reading.terms.surface, "_read": reading}
    return row


def _for_index(row: dict[str, Any], reading: Reading | None, hand: Any) -> Article | None:
    """A new state as the index takes it; None when it is not live."""
    if reading is None:
        return None
    values = row["id"], row["language"], row["section"], row["published_at"], reading
    article = Article(*values, evergreen=row["evergreen"])
    return article if hand is None else store.decided(article, hand)


def _place(keeper: Keeper, turn: Turn, row: dict[str, Any], article: Article | None, *, now: datetime) -> ProgressFact:
    """Put an article into the index or take it out; notes the position and the heaviest words in the row."""
    article_id: UUID = row["id"]
    row["position"] = turn.position
    turn.touched.add(article_id)
    try:
        if article is None:
            turn.index.remove(article_id)
            row["words"] = {}
            return _gone(article_id, row["change"], "related-sets", now)
        placed = turn.index.put(article)
    except Exception:
        keeper.drop()  # half changed: nothing can be said about what it holds
        raise
    row["words"] = {term: row["words"].get(term, term) for term in placed.terms}
    detail: dict[str, Any] = {"entries": placed.entries, "changed": placed.older_sets}
    return ProgressFact(article_id=article_id, change=row["change"], step="related_set_made", at=now, detail=detail)


def _gone(article_id: UUID, change: int, surface: str, now: datetime) -> ProgressFact:
    return ProgressFact(article_id=article_id, change=change, step="gone", at=now, detail={"surface": surface})


def _finish(
    session: Session,
    keeper: Keeper,
    turn: Turn,
    facts: Sequence[ProgressFact],
    *,
    lane: str,
    now: datetime,
    changes: Iterable[Change] = (),
    **values: Any,
) -> None:
    """Store and say what a turn has changed, and end it."""
    said = _save_sets(session, turn, [*changes, *turn.index.changes()], now=now)
    for start in range(0, len(said), MOST_SETS):
        outbox.say(session, RelatedChanged(sets=tuple(said[start : start + MOST_SETS])), lane=_own_or(lane))
    if facts:
        outbox.say(session, ArticleProgress(facts=tuple(facts)), lane="bulk" if lane == "bulk" else None)
        values["placed_at"] = now
    if said:
        values["changed_at"] = now
    keeper.end_turn(session, turn, now=now, **values)
    _ask_for_due_refresh(session, keeper, turn, now=now)
    if keeper.snapshot_is_due():
        jobs.add(session, SNAPSHOT, ALL, lane="bulk")


def _ask_for_due_refresh(session: Session, keeper: Keeper, turn: Turn, *, now: datetime) -> None:
    if keeper.refreshing:
        return
    at = domain.refresh_due_at(len(turn.index), turn.index.counted(), turn.state.refreshed_at, now)
    if at is not None and (keeper.refresh_asked is None or at < keeper.refresh_asked):
        keeper.refresh_asked = at
        jobs.add(session, REFRESH, ALL, lane="bulk", run_at=at)


def _save_sets(session: Session, turn: Turn, changes: Sequence[Change], *, now: datetime) -> list[RelatedSet]:
    """Store the sets that are not what is stored; those in which readers see a difference, numbered, to be said."""
    stored: dict[UUID, store.AnyRow] = store.related_sets(session, [change.article_id for change in changes])
    rows, said, gone = [], [], []
    for change in sorted(changes, key=lambda change: change.article_id):
        before = stored.get(change.article_id)
        if change.entries is None:
            gone.append(change.article_id)
            continue
        entries = domain.stored_entries(change.entries)
        if before is not None and before.entries == entries:
            continue
        row = {"article_id": change.article_id, "entries": entries, "made_at": now}
        if before is not None and domain.shown(before.entries) == domain.shown(entries):
            rows.append(row | {"set_number": before.set_number, "made_at": before.made_at})
            continue
        turn.set_number += 1
        rows.append(row | {"set_number": turn.set_number})
        said.append(
            RelatedSet(
                article_id=change.article_id, set_number=turn.set_number, entries=domain.told_entries(change.entries)
            )
        )
    store.delete_sets(session, gone)
    store.save_sets(session, rows)
    return said


def _own_or(lane: str) -> str | None:
    """The lane that what follows from an event travels on: bulk and urgent stay what they are."""
    return lane if lane in {"bulk", "urgent"} else None
