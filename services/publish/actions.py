"""The verbs of publish: take in what was heard, and build what it touches. upkeep.py and channels/ have the others."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from uuid import UUID

from sqlalchemy.orm import Session

from services.publish import kills, list_store, lists, redirects, renditions, store
from services.publish.build import WITHDRAWN, Builder
from services.publish.channels.announce import News, announce_now_or_later
from services.publish.kinds import BUILD_PAGE, BULK_WORK_S, NEWS_WORK_S
from services.publish.list_store import Place
from services.publish.lists import Listing
from services.publish.passes import Passes, Wait
from services.publish.views import teaser_of
from shared import clock, jobs
from shared.event_schemas import Heard
from shared.events import PublicArticle, RelatedSet
from shared.ids import new_id
from shared.jobs import Claim
from shared.newsroom import Newsroom

log = logging.getLogger(__name__)

# So many pages are built in the transaction that brings their related sets: they take some 15 ms.
AT_ONCE = 8


def receive_articles(
    session: Session,
    heard: Sequence[Heard],
    *,
    builder: Builder,
    passes: Passes,
    now: datetime,
    look_first: bool = False,
) -> None:
    """Hold the articles' new states, write their pages, and ask for everything else that they touch.

    What is not newer than what is held is dropped. A withdrawn article's page becomes a tombstone at once, and
    whatever showed it is built without waiting. look_first: announce only what the public address shows.
    """
    newest: dict[UUID, Heard] = {}
    for one in heard:
        known = newest.get(one.event.article.id)
        if known is None or known.event.article.change < one.event.article.change:
            newest[one.event.article.id] = one
    passes.note(len(newest), now)
    store.lock_articles(session, _locks_of(one.event.article for one in newest.values()), to_change=True)
    before = store.lock_known(session, newest)
    wanted = [newest[article_id].event.article for article_id in sorted(newest)]
    new = [one for one in wanted if one.id not in before or before[one.id].change < one.change]
    killed = [one for one in wanted if one.status == "killed" and _wants_proof(one, before.get(one.id))]
    looks = renditions.looks_of(session, [one.id for one in killed]) if killed else {}
    pictured = renditions.take_in(session, builder, new, before)
    saved = store.save_articles(session, new, pictured, now=now)
    articles = [one for one in wanted if one.id in saved]
    # Their pages before all else: readers have them from this moment.
    at = {one.path: one for one in articles}
    built = builder.build(session, at, now=now, articles=at)
    # Theirs is the dead letter that says where the theme failed; the event itself is done.
    jobs.add_many(session, BUILD_PAGE, [(path, {"check": True}) for path in built.faults], lane="normal")
    places = shelve(session, builder, before, articles)
    redirects.follow(session, builder, before, articles, now=now)
    for withdrawn in (True, False):
        group = [one for one in articles if (one.status != "live") == withdrawn]
        touched = _touched(session, builder, before, group, pictured, places)
        urgency = "withdrawn" if withdrawn else heard[0].lane
        ask_for_pages(session, touched, passes=passes, urgency=urgency, now=now)
    if any(article.status != "live" for article in articles):
        store.save_fact(session, WITHDRAWN, str(new_id()))
    if killed:
        _ask_for_proof(session, builder, before, killed, looks, lane=heard[0].lane, now=now)
    # What a replay has brought before the event itself is held already, but nobody was told.
    told_now = [one for one in wanted if one.id in saved or _was_replayed_first(before.get(one.id), newest[one.id])]
    news = [News(one, _event_name(newest[one.id]), newest[one.id].event.replayed, now) for one in told_now]
    announce_now_or_later(session, news, lane=heard[0].lane, builder=builder, now=now, look_first=look_first)


def _wants_proof(article: PublicArticle, known: store.Known | None) -> bool:
    # A replay of a kill has it proved once more.
    return known is None or known.change <= article.change


def _ask_for_proof(
    session: Session,
    builder: Builder,
    before: Mapping[UUID, store.Known],
    killed: Sequence[PublicArticle],
    looks: Mapping[UUID, Sequence[renditions.Look]],
    *,
    lane: str,
    now: datetime,
) -> None:
    places = list_store.places_of(session, [one.id for one in killed])
    found = []
    for article in killed:
        known = before.get(article.id)
        paths = store.users_of(session, [article.id])
        if known is not None:
            # Whether or not it was live: builds that a retraction has asked for may still be to come.
            paths |= _lists_touched(builder.newsroom, article)
            paths |= _left_behind(session, builder, known, article, places.get(article.id, ()))
            groups = {one for one in (known.translations, article.translations) if one is not None}
            paths |= {path for of in store.translated(session, groups).values() for path in of.values()}
        former = redirects.former_addresses(article, known)
        found.append(kills.Kill(article, paths, former, looks.get(article.id, ())))
    kills.ask_for_proof(session, found, builder=builder, lane=lane, now=now)


def _locks_of(articles: Iterable[PublicArticle]) -> set[UUID]:
    """What is locked while these articles change: they themselves, and the translations that they belong to."""
    return {one for article in articles for one in (article.id, article.translations) if one is not None}


def shelve(
    session: Session, builder: Builder, before: Collection[UUID], articles: Sequence[PublicArticle]
) -> dict[UUID, list[Place]]:
    """Give the articles their places in lists, and take back those that they have left; the places they had before.

    before: those that were held already. A withdrawn article keeps its places: its pages become shorter, and nothing
    moves.
    """
    had = list_store.places_of(session, [one.id for one in articles if one.id in before]) if before else {}
    wanted: list[tuple[UUID, str, datetime]] = []
    for article in articles:
        if article.status != "live" and article.id not in had:
            continue
        paths = {lists.list_path(builder.newsroom, one) for one in lists.listings_of(builder.newsroom, article)}
        at, held = article.first_published_at, had.get(article.id, ())
        right = {one.list_path for one in held if one.at == at}
        wanted += [(article.id, path, at) for path in sorted(paths - right)]
        list_store.give_up_places(session, [one for one in held if one.list_path not in paths])
    list_store.take_places(session, wanted)
    return had


def _was_replayed_first(known: store.Known | None, heard: Heard) -> bool:
    return known is not None and known.change == heard.event.article.change and not heard.event.replayed


def _event_name(heard: Heard) -> str:
    return str(heard.event.type.rpartition(".")[0])


def _touched(
    session: Session,
    builder: Builder,
    before: Mapping[UUID, store.Known],
    articles: Sequence[PublicArticle],
    pictured: Collection[UUID],
    places: Mapping[UUID, Sequence[Place]],
) -> set[str]:
    """The paths of the pages that have to be built because these articles have new states."""
    newsroom = builder.newsroom
    touched: set[str] = set()
    look_different: list[UUID] = []
    groups: set[UUID] = set()
    for article in articles:
        known = before.get(article.id)
        was_live = known is not None and known.live
        if article.status == "live" or was_live:
            touched |= _lists_touched(newsroom, article)
        if known is not None:
            if known.teaser.path != article.path:
                touched.add(known.teaser.path)
            touched |= _left_behind(session, builder, known, article, places.get(article.id, ()))
            if known.translations is not None:
                groups.add(known.translations)
        looks = teaser_of(article, article.id in pictured)
        if known is None or was_live != (article.status == "live") or known.teaser != looks:
            look_different.append(article.id)
        if article.translations is not None:
            groups.add(article.translations)
    if look_different:
        touched |= store.users_of(session, look_different)
    if groups:
        touched |= {path for paths in store.translated(session, groups).values() for path in paths.values()}
    touched -= {article.path for article in articles}
    # Their own pages were built just now, but what they show of others may be changing at this moment.
    with_sets = store.related_ids(session, [article.id for article in articles if article.status == "live"])
    again = [one.path for one in articles if with_sets.get(one.id) or one.translations is not None]
    return touched.union(again)


def _lists_touched(newsroom: Newsroom, article: PublicArticle) -> set[str]:
    """The lists in which a live article stands."""
    language = newsroom.edition(article.language)
    found = [*lists.listings_of(newsroom, article), Listing("front", language), Listing("news", language)]
    return {lists.list_path(newsroom, one) for one in found}


def _left_behind(
    session: Session, builder: Builder, known: store.Known, article: PublicArticle, places: Iterable[Place]
) -> set[str]:
    """The lists and sitemaps in which an article stood before, and the older pages that it has left."""
    newsroom = builder.newsroom
    now_in = {lists.list_path(newsroom, one) for one in lists.listings_of(newsroom, article)}
    found: set[str] = set()
    if known.live:
        language = newsroom.edition(known.teaser.language)
        found |= {lists.list_path(newsroom, Listing(kind, language)) for kind in ("front", "news")}
    for place in places:
        found.add(place.list_path)
        listing = builder.list_at(place.list_path)
        if listing is not None and place.list_path not in now_in and place.position is not None:
            found.add(f"{place.list_path}/page/{place.position // lists.PLACES[listing.kind] + 1}")
        if listing is not None and listing.kind == "month":
            position = place.position
            if position is None:
                # Not numbered yet: it will stand in the sitemap that grows.
                position = list_store.size_of(session, place.list_path)[0]
            page = position // lists.SITEMAP_PLACES + 1
            found.add(lists.list_path(newsroom, Listing("sitemap", listing.language, listing.key, page)))
    return found


def show_pictures(session: Session, ids: Iterable[UUID], *, builder: Builder, passes: Passes, now: datetime) -> None:
    """Have the pages built that show these articles, whose pictures are ready now."""
    articles = list(store.articles(session, ids).values())
    own = [(one.path, {"check": True}) for one in articles]
    jobs.add_many(session, BUILD_PAGE, own, lane="normal", run_at=now)
    touched = store.users_of(session, [one.id for one in articles])
    for one in articles:
        if one.status == "live":
            touched |= _lists_touched(builder.newsroom, one)
    ask_for_pages(session, touched - {path for path, _ in own}, passes=passes, urgency="normal", now=now)


def receive_related(
    session: Session, heard: Sequence[Heard], *, builder: Builder, passes: Passes, now: datetime
) -> None:
    """Hold the related sets that are newer than those held and have exactly the pages built that show them.

    In the calm a few are built in this transaction, as an article's own page is; many, and when much comes in, are
    asked for, and built together with what the next moments bring.
    """
    newest: dict[UUID, RelatedSet] = {}
    for one in heard:
        for related in one.event.sets:
            known = newest.get(related.article_id)
            if known is None or known.set_number < related.set_number:
                newest[related.article_id] = related
    bulk = all(one.lane == "bulk" for one in heard)
    at_once = not bulk and len(newest) <= AT_ONCE and passes.is_calm(now)
    shown = {entry.article_id for one in newest.values() for entry in one.entries} if at_once else set()
    store.lock_articles(session, newest.keys() | shown, to_change=True)
    changed = store.save_related(session, [newest[article_id] for article_id in sorted(newest)])
    paths: Collection[str] = store.paths_of_articles(session, changed)
    if at_once and paths:
        paths = _not_built(session, builder, paths, now)
    ask_for_pages(session, paths, passes=passes, urgency="bulk" if bulk else "normal", now=now, at_once=at_once)


def _not_built(session: Session, builder: Builder, paths: Collection[str], now: datetime) -> Collection[str]:
    """Build these pages in the caller's transaction; those that failed, whose jobs say why and try again."""
    try:
        return builder.build(session, paths, now=now, articles={}).faults
    except OSError as error:
        log.warning("pages could not be written; their jobs try again", extra={"error": str(error)})
        return paths


def ask_for_pages(
    session: Session, paths: Collection[str], *, passes: Passes, urgency: str, now: datetime, at_once: bool = False
) -> None:
    """Have these pages built: "withdrawn" at once, "urgent", "normal" in the next pass, "bulk" when there is time.

    Lists that few readers wait for are passed over less often when several articles come in.
    """
    lane = "urgent" if urgency in {"urgent", "withdrawn"} else urgency
    if urgency == "withdrawn" or at_once:
        jobs.add_many(session, BUILD_PAGE, [(path, None) for path in paths], lane=lane, run_at=now)
        return
    groups: dict[Wait, list[tuple[str, None]]] = {}
    for path in paths:
        groups.setdefault(_wait_of(path), []).append((path, None))
    for wait, group in sorted(groups.items()):
        jobs.add_many(session, BUILD_PAGE, group, lane=lane, run_at=passes.next_at(now, wait))


_LIST = re.compile(r"(?:/[a-z]{2,3}(?:-[a-z0-9]+)*)?/(archive|tag|author|auteur|sitemaps)(?:/.*)?|/sitemap\.xml")


@lru_cache(8192)
def _wait_of(path: str) -> Wait:
    found = _LIST.fullmatch(path)
    if found is None:
        return "soon"
    return "slowly" if found[1] in {"tag", "author", "auteur"} else "seldom"


def ask_for_wanted(session: Session, wanted: Iterable[str], *, passes: Passes, lane: str, now: datetime) -> None:
    """Have built what a build has found to be needed: nothing of it is urgent."""
    lane = "bulk" if lane == "bulk" else "normal"
    run_at = passes.next_at(now, "slowly")
    jobs.add_many(session, BUILD_PAGE, [(path, None) for path in wanted], lane=lane, run_at=run_at)


def build_pages(claim: Claim, *, builder: Builder, passes: Passes) -> None:
    """Build the pages of these jobs. A job's payload {"check": true} mends the files as well.

    What is not urgent goes on for a part of its slice; what it has not come to by then is given back.
    """
    now = clock.now()
    check = {job.reference for job in claim.jobs if (job.payload or {}).get("check")}
    lane = claim.jobs[0].lane
    with claim.db.reading() as session:
        paths = [job.reference for job in claim.jobs]
        within_s = BULK_WORK_S if lane == "bulk" else NEWS_WORK_S if lane == "normal" else None
        draft = builder.draft(session, paths, now=now, check=check, within_s=within_s)
    with claim.finish(first=partial(builder.lock_inputs, draft=draft)) as session:
        drafted = [job.reference for job in claim.jobs if job.reference in draft.made]
        built = builder.put(session, draft, drafted, now=clock.now())
        for job in claim.jobs:
            if job.reference not in draft.made:
                claim.retry(job, at=now, error="its slice of time was over", counts=False)
            if job.reference in built.faults:
                claim.bury(job, built.faults[job.reference])
            if job.reference in built.stale:
                claim.retry(job, at=now, error="an article that the page shows has changed meanwhile", counts=False)
        ask_for_wanted(session, built.wanted, passes=passes, lane=lane, now=now)
