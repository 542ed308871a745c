"""The daily letter: made once for each edition at the newsroom's hour, then owed to its readers in slices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.publish.channels import store
from services.publish.channels.owe import ask_for_attempts
from services.publish.kinds import MAKE_DIGEST, SEND_DIGEST
from services.publish.models import Article, Digest
from services.publish.pictures import renditions_of
from services.publish.views import TeaserPicture
from shared import clock, jobs
from shared.ids import new_id
from shared.jobs import Claim
from shared.newsroom import Newsroom
from shared.tables import jobs as jobs_table

MOST_ENTRIES = 25
SLICE = 250
# Pictures are shown this wide: the letter's 600 pixels without its margins.
SHOWN_WIDTH = 536
# What was told in the letters of so many days is looked at: is it withdrawn by now?
REMEMBERED = timedelta(days=30)
# The first letter of an edition, and one after a long silence, goes back no further.
LONGEST = timedelta(days=2)


def next_digest(after: datetime, hour: time, zone: ZoneInfo) -> datetime:
    """When the next letter is due: this hour of the newsroom's day, strictly after an instant; aware UTC.

    Where the clocks go forward over this hour, the moment at which it would have been; where they go back over it, the
    first of both.
    """
    day = after.astimezone(zone).date()
    while True:
        due = _instant(day, hour, zone)
        if due > after:
            return due
        day += timedelta(days=1)


def _instant(day: date, hour: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, hour, tzinfo=zone).astimezone(UTC)


def schedule(session: Session, newsroom: Newsroom, hour: time, now: datetime) -> None:
    """Have the next letter of every edition made in time; asking twice asks once.

    The hour may be another than the one for which letters wait. One of today waits for the new hour, or is made at once
    when that is past; `make_digests` sees to it that none comes before its hour, and no second one on a day.
    """
    zone = newsroom.time_zone
    today = now.astimezone(zone).date()
    due, due_today = next_digest(now, hour, zone), _instant(today, hour, zone)
    ready = select(jobs_table.c.reference, jobs_table.c.run_at).where(
        jobs_table.c.kind == MAKE_DIGEST, jobs_table.c.state == "ready"
    )
    waiting = {row.reference: row.run_at for row in session.execute(ready)}
    for language in newsroom.languages:
        is_of_today = language in waiting and waiting[language].astimezone(zone).date() <= today
        run_at = now if is_of_today and due_today <= now else due
        jobs.add(session, MAKE_DIGEST, language, lane="deliver", run_at=run_at)


def make_digests(claim: Claim, *, newsroom: Newsroom, hour: time) -> None:
    """Make the letters that are due, have them sent, and the next ones made in time."""
    zone = newsroom.time_zone
    with claim.finish() as session:
        now = clock.now()
        for job in claim.jobs:
            language = job.reference
            if language not in newsroom.languages:
                continue
            jobs.add(session, MAKE_DIGEST, language, lane="deliver", run_at=next_digest(now, hour, zone))
            day = now.astimezone(zone).date()
            if now < _instant(day, hour, zone):
                continue  # asked for when the hour was another, or for yesterday: today's tells all that is new
            digest = make(session, language, day, newsroom, now)
            if digest is not None and (digest.entries[0]["entries"] or digest.entries[0]["removed"]):
                jobs.add(session, SEND_DIGEST, str(digest.id), lane="deliver", payload={})


def make(session: Session, language: str, day: date, newsroom: Newsroom, now: datetime) -> Digest | None:
    """The letter of a day, made now; None when it has been made before."""
    if session.scalar(select(Digest.id).where(Digest.language == language, Digest.day == day)) is not None:
        return None
    earlier = session.scalars(
        select(Digest)
        .where(Digest.language == language, Digest.made_at > now - REMEMBERED)
        .order_by(Digest.made_at.desc())
    ).all()
    since = max(earlier[0].made_at if earlier else now - timedelta(days=1), now - LONGEST)
    content = {
        "day": day.isoformat(),
        "entries": _entries(session, language, since, newsroom),
        **_removed(session, earlier),
    }
    digest = Digest(id=new_id(), language=language, day=day, made_at=now, entries=[content])
    session.add(digest)
    session.flush()
    return digest


def _entries(session: Session, language: str, since: datetime, newsroom: Newsroom) -> list[dict[str, Any]]:
    """What the edition has published since, the most urgent first; not what was brought in without telling anybody."""
    newest = (
        select(Article)
        .where(Article.language == language, Article.status == "live", Article.first_published_at > since)
        .order_by(Article.first_published_at.desc())
        .limit(MOST_ENTRIES * 4)
    )
    told = [row for row in session.scalars(newest) if row.state.get("notify", True)]
    told.sort(key=lambda row: row.state.get("urgency", 4))
    return [
        {
            "id": str(row.id),
            "headline": row.headline,
            "summary": row.summary,
            "url": newsroom.url(row.path),
            "section": row.section,
            "bylines": row.bylines,
            # Of the first alone: a letter is read before its pictures are let in.
            "picture": _picture(row, newsroom) if number == 0 else None,
        }
        for number, row in enumerate(told[:MOST_ENTRIES])
    ]


def _picture(row: Article, newsroom: Newsroom) -> dict[str, Any] | None:
    """The leading picture as the letter shows it; None while its renditions are not in place."""
    if not row.picture or not row.pictured:
        return None
    picture = TeaserPicture(**row.picture)
    # As JPEG, which every mail program shows, and sharp on fine screens.
    widths = renditions_of(picture, "16x9", "jpg")
    chosen = next((one for one in widths if one.width >= SHOWN_WIDTH), widths[-1])
    height = round(chosen.height * SHOWN_WIDTH / chosen.width)
    return {"src": newsroom.url(chosen.path), "alt": picture.alt, "height": height}


def _removed(session: Session, earlier: Sequence[Digest]) -> dict[str, list[str]]:
    """The headlines of what earlier letters told and is withdrawn since, once; with their ids for the next letter."""
    said = {one for digest in earlier for one in digest.entries[0].get("removed_ids", ())}
    told = {entry["id"]: entry["headline"] for digest in earlier for entry in digest.entries[0]["entries"]}
    wanted = [UUID(one) for one in told.keys() - said]
    gone = session.execute(select(Article.id).where(Article.id.in_(wanted), Article.status != "live")) if wanted else ()
    ids = sorted(str(row.id) for row in gone)
    return {"removed": [told[one] for one in ids], "removed_ids": ids}


def send_digests(claim: Claim) -> None:
    """Owe letters to the next slice of their readers, and go on from there."""
    with claim.finish() as session:
        now = clock.now()
        for job in claim.jobs:
            digest = session.get(Digest, UUID(job.reference))
            payload = job.payload or {}
            if digest is None:
                continue
            after = UUID(payload["after"]) if payload.get("after") else None
            readers = store.readers_of_letters(session, digest.language, SLICE, after)
            _owe(session, digest, [reader.id for reader in readers if (reader.keys or {}).get("daily")], now)
            if len(readers) == SLICE:
                rest = {"after": str(readers[-1].id)}
                jobs.add(session, SEND_DIGEST, job.reference, lane="deliver", payload=rest)


def _owe(session: Session, digest: Digest, to: Sequence[UUID], now: datetime) -> None:
    owed = store.earlier_deliveries(session, [digest.id], to) if to else {}
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "subscription_id": one,
            "article_id": digest.id,
            "change": 1,
            "type": "digest.daily",
            "announces": None,
            # One text for all its readers: it stands in the digest's row.
            "body": "{}",
            "state": "due",
            "tries": 0,
            "put_back": 0,
            "created_at": now,
            "next_attempt_at": now,
            "ended_at": None,
            "channel": "email",
        }
        for one in to
        if (digest.id, one) not in owed
    ]
    if rows:
        store.add_deliveries(session, rows)
        ask_for_attempts(session, [(row["id"], "email") for row in rows], now)
