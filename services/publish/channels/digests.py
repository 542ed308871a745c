"""The daily letter: made once for each edition at the newsroom's hour, then owed to its readers in slices."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.publish.channels import store
from services.publish.channels.contents import digest_for
from services.publish.channels.owe import ask_for_attempts
from services.publish.kinds import MAKE_DIGEST, SEND_DIGEST
from services.publish.models import Article, Digest, Subscription
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
# What is withdrawn while a letter is made may be noted with an earlier time than the letter's.
OVERLAP = timedelta(hours=1)
MOST_WITHDRAWN = 500
WITHDRAWN = ("killed", "retracted", "expired")


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
            if digest is not None and _says_anything(digest.entries[0]):
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
        **_removed(session, language, earlier, now),
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


def _removed(session: Session, language: str, earlier: Sequence[Digest], now: datetime) -> dict[str, Any]:
    """What was told, in letters or as a flash, and is withdrawn since, once.

    removed: headlines of what earlier letters told, removed_ids: their ids. gone_flashes: {"id", "headline"} of what
    was sent by itself, for those readers to whom it was.
    """
    said = {one for digest in earlier for one in digest.entries[0].get("removed_ids", ())}
    said |= {one["id"] for digest in earlier for one in digest.entries[0].get("gone_flashes", ())}
    told = {entry["id"]: entry["headline"] for digest in earlier for entry in digest.entries[0]["entries"]}
    wanted = [UUID(one) for one in told.keys() - said]
    gone = session.execute(select(Article.id).where(Article.id.in_(wanted), Article.status != "live")) if wanted else ()
    ids = sorted(str(row.id) for row in gone)
    return {
        "removed": [told[one] for one in ids],
        "removed_ids": ids,
        "gone_flashes": _gone_flashes(session, language, said.union(ids), earlier, now),
    }


def _gone_flashes(
    session: Session, language: str, said: Collection[str], earlier: Sequence[Digest], now: datetime
) -> list[dict[str, str]]:
    """What was sent by itself to somebody and was withdrawn since the letter before this one."""
    since = (earlier[0].made_at - OVERLAP) if earlier else now - LONGEST
    withdrawn = (
        select(Article.id, Article.headline)
        .where(Article.language == language, Article.status.in_(WITHDRAWN), Article.withdrawn_at > since)
        .where(Article.first_published_at > now - REMEMBERED)
        .order_by(Article.withdrawn_at.desc())
        .limit(MOST_WITHDRAWN)
    )
    found = {row.id: row.headline for row in session.execute(withdrawn) if str(row.id) not in said}
    sent = store.flashed(session, found) if found else set()
    return [{"id": str(one), "headline": found[one]} for one in sorted(sent)]


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
            _owe(session, digest, [reader for reader in readers if (reader.keys or {}).get("daily")], now)
            if len(readers) == SLICE:
                rest = {"after": str(readers[-1].id)}
                jobs.add(session, SEND_DIGEST, job.reference, lane="deliver", payload=rest)


def _says_anything(content: Mapping[str, Any]) -> bool:
    return bool(content["entries"] or content["removed"] or content.get("gone_flashes"))


def _owe(session: Session, digest: Digest, to: Sequence[Subscription], now: datetime) -> None:
    owed = store.earlier_deliveries(session, [digest.id], [one.id for one in to]) if to else {}
    own = _own_parts(session, digest, to)
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "subscription_id": one.id,
            "article_id": digest.id,
            "change": 1,
            "type": "digest.daily",
            "announces": None,
            # One text for all its readers stands in the digest's row; here is what differs in this one's.
            "body": json.dumps(own.get(one.id, {}), ensure_ascii=False),
            "state": "due",
            "tries": 0,
            "put_back": 0,
            "created_at": now,
            "next_attempt_at": now,
            "ended_at": None,
            "channel": "email",
        }
        for one in to
        if (digest.id, one.id) not in owed and _says_anything(digest_for(digest.entries[0], own.get(one.id, {})))
    ]
    if rows:
        store.add_deliveries(session, rows)
        ask_for_attempts(session, [(row["id"], "email") for row in rows], now)


def _own_parts(session: Session, digest: Digest, to: Sequence[Subscription]) -> dict[UUID, dict[str, Any]]:
    """What differs in readers' own letters, as contents.digest_for takes it.

    Nobody gets twice what was sent to him by itself already; of that he hears here when it is withdrawn. Who was paused
    hears of what was withdrawn meanwhile of what he had been told.
    """
    content = digest.entries[0]
    missed = _missed(session, digest, to)
    flashes = [one for _, gap in missed.values() for each in gap for one in each.entries[0].get("gone_flashes", ())]
    flashes += content.get("gone_flashes", ())
    asked = {UUID(one["id"]) for one in (*content["entries"], *flashes)}
    sent = store.flashes_of(session, [reader.id for reader in to], asked) if asked and to else {}
    found: dict[UUID, dict[str, Any]] = {}
    for reader in to:
        flashed = {str(one) for one in sent.get(reader.id, ())}
        before, gap = missed.get(reader.id, ((), ()))
        told = {entry["id"] for each in before for entry in each.entries[0]["entries"]}
        removed = []
        for each in (*(one.entries[0] for one in gap), content):
            removed += [one["headline"] for one in each.get("gone_flashes", ()) if one["id"] in flashed]
            if each is not content:
                ended = zip(each.get("removed_ids", ()), each["removed"], strict=False)
                removed += [headline for one, headline in ended if one in told]
        without = [entry["id"] for entry in content["entries"] if entry["id"] in flashed]
        if without or removed:
            found[reader.id] = {"without": without, "removed": removed}
    return found


def _missed(
    session: Session, digest: Digest, to: Sequence[Subscription]
) -> dict[UUID, tuple[Sequence[Digest], Sequence[Digest]]]:
    """Of readers whose first letter after a pause this is: the letters that came before the pause, and in it."""
    back = [one for one in to if one.stopped_at and one.told_from and one.stopped_at < one.told_from]
    if not back:
        return {}
    earlier = session.scalars(
        select(Digest)
        .where(Digest.language == digest.language, Digest.made_at < digest.made_at)
        .where(Digest.made_at > digest.made_at - REMEMBERED)
        .order_by(Digest.made_at)
    ).all()
    found: dict[UUID, tuple[Sequence[Digest], Sequence[Digest]]] = {}
    for one in back:
        assert one.stopped_at is not None
        assert one.told_from is not None
        stopped_at = one.stopped_at
        gap = [each for each in earlier if each.made_at > stopped_at]
        if gap and gap[-1].made_at < one.told_from:
            found[one.id] = [each for each in earlier if each.made_at <= stopped_at], gap
    return found
