"""Makes the pages of lists: first and older pages with their feeds, archives, sitemaps.

Whoever builds a list's first page gives numbers to the articles that have come into it since; the older pages, and the
sitemaps, that get something by that are asked for. Making a page writes nothing: what is to be held goes with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.publish import list_store, lists, store
from services.publish.kept_items import KeptItems
from services.publish.list_store import NUMBERED_AT_ONCE, size_of
from services.publish.lists import PLACES, SITEMAP_PLACES, Listing
from services.publish.made import Made, Numbers
from services.publish.renderers import FRONT_TEASERS, Renderer, Turn
from services.publish.renderers.feeds import Items
from services.publish.renderers.sitemaps import NEWS_AGE, NEWS_MOST
from shared.events import PublicArticle

LIST_TEASERS = 30
FEED_ENTRIES = 30


class ListPages:
    """Makes the lists of one newsroom's site."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._newsroom = renderer.newsroom
        self._items = KeptItems()

    def make(self, session: Session, path: str, listing: Listing, now: datetime) -> Made:
        """The page of a list as it should be now."""
        if listing.kind == "front":
            return self._front(session, listing)
        if listing.kind in {"section", "tag", "author"}:
            if listing.page:
                return self._older(session, path, listing)
            return self._first(session, path, listing)
        if listing.kind == "month":
            return self._month(session, path, listing)
        if listing.kind == "archive":
            months = self._months(session, listing.language)
            return Made(self._renderer.archive_page(listing.language, months))
        if listing.kind == "sitemap":
            return self._sitemap(session, listing)
        if listing.kind == "news":
            return self._news(session, path, listing, now)
        return self._index(session)

    def _range(self, listing: Listing) -> tuple[str, int, int]:
        places = PLACES.get(listing.kind, SITEMAP_PLACES)
        kind = "month" if listing.kind == "sitemap" else listing.kind
        base = lists.list_path(self._newsroom, Listing(kind, listing.language, listing.key))
        return base, (listing.page - 1) * places, listing.page * places

    def _front(self, session: Session, listing: Listing) -> Made:
        versions = store.newest_versions(session, listing.language, None, FRONT_TEASERS)
        content = self._renderer.front_page(listing.language, store.teasers(session, versions))
        return Made(content, beside=self._renderer.feeds(listing, "", self._feed_items(session, versions)))

    def _first(self, session: Session, path: str, listing: Listing) -> Made:
        before, numbers = list_store.numbers(session, path)
        full = numbers.size // PLACES[listing.kind]
        wanted = _to_go_on(path, numbers)
        wanted |= {f"{path}/page/{page}" for page in range(before // PLACES[listing.kind] + 1, full + 1)}
        if full > before // PLACES[listing.kind] >= 1:
            # The page that was the newest of the older ones now has a newer one.
            wanted.add(f"{path}/page/{before // PLACES[listing.kind]}")
        last: int | None = None
        if listing.kind == "section":
            versions = store.newest_versions(session, listing.language, listing.key, LIST_TEASERS)
            if full and versions:
                last = list_store.position_of(session, path, versions[-1].id)
        else:
            placed = list_store.newest(session, path, LIST_TEASERS)
            versions = [one for one, _ in placed]
            last = placed[-1][1] if placed else None
        if listing.kind != "section" and not versions:
            return Made(None, numbers=_to_hold(numbers), wanted=frozenset(wanted))
        if last is None and versions:
            last = numbers.positions.get(versions[-1].id)
        found = numbers
        if listing.kind != "section" and not numbers.name:
            # Kept from now on: older pages show it too, and are not to change with every spelling.
            newest = store.articles(session, [versions[0].id])[versions[0].id]
            numbers = replace(numbers, name=self._name(listing, newest))
        older = ""
        if full and len(versions) == LIST_TEASERS:
            page = min(full, (last if last is not None else numbers.size) // PLACES[listing.kind] + 1)
            older = f"{path}/page/{page}/"
        teasers = store.teasers(session, versions)
        content = self._renderer.list_page(listing, numbers.name, teasers, Turn(older=older))
        feeds = self._renderer.feeds(listing, numbers.name, self._feed_items(session, versions))
        return Made(content, beside=feeds, numbers=_to_hold(numbers, found), wanted=frozenset(wanted))

    def _feed_items(self, session: Session, versions: Sequence[store.Version]) -> list[Items]:
        def make(ids: Sequence[UUID]) -> dict[UUID, Items]:
            entries = store.entries(session, ids)
            return {one.article.id: self._renderer.feed_items(one) for one in entries}

        return self._items.take(versions[:FEED_ENTRIES], make)

    def _older(self, session: Session, path: str, listing: Listing) -> Made:
        base, first, end = self._range(listing)
        size, name = size_of(session, base)
        if size < end:
            return Made(None, used=frozenset())
        everyone, versions = list_store.between(session, base, first, end)
        turn = self._turn(base, listing.page, size // PLACES[listing.kind])
        content = self._renderer.list_page(listing, name, store.teasers(session, versions), turn)
        return Made(content, used=frozenset(everyone))

    def _month(self, session: Session, path: str, listing: Listing) -> Made:
        places = PLACES["month"]
        if listing.page:
            base, first, end = self._range(listing)
            size, _ = size_of(session, base)
            full = size // places
            # The newest full page stands on the first one.
            if listing.page >= full:
                return Made(None, used=frozenset())
            everyone, versions = list_store.between(session, base, first, end)
            content = self._page_of_month(session, listing, versions, self._turn(base, listing.page, full - 1))
            return Made(content, used=frozenset(everyone))
        before, numbers = list_store.numbers(session, path)
        size = numbers.size
        full = size // places
        wanted = _to_go_on(path, numbers)
        if full > before // places:
            # With the one that was the newest of the older ones: it now has a newer one.
            wanted |= {f"{path}/page/{page}" for page in range(max(1, before // places - 1), full)}
        if before == 0 and size:
            wanted.add(lists.list_path(self._newsroom, Listing("archive", listing.language)))
        if size > before:
            files = range(before // SITEMAP_PLACES + 1, (size - 1) // SITEMAP_PLACES + 2)
            wanted |= {self._path(Listing("sitemap", listing.language, listing.key, page)) for page in files}
            if before == 0 or len(files) > 1 or before % SITEMAP_PLACES == 0:
                wanted.add(lists.SITEMAP_INDEX)
        _, versions = list_store.between(session, path, max(0, full - 1) * places, size, numbers.positions)
        older = f"{path}/page/{full - 1}/" if full > 1 else ""
        content = self._page_of_month(session, listing, versions, Turn(older=older))
        return Made(content, numbers=_to_hold(numbers), wanted=frozenset(wanted))

    def _page_of_month(self, session: Session, listing: Listing, versions: list[store.Version], turn: Turn) -> bytes:
        teasers = store.teasers(session, versions)
        teasers.sort(key=lambda one: (one.first_published_at, one.path), reverse=True)
        return self._renderer.month_page(listing, teasers, turn)

    def _sitemap(self, session: Session, listing: Listing) -> Made:
        base, first, end = self._range(listing)
        if size_of(session, base)[0] <= first:
            return Made(None, used=frozenset())
        content = self._renderer.sitemap(list_store.dated_between(session, base, first, end))
        return Made(content)

    def _news(self, session: Session, path: str, listing: Listing, now: datetime) -> Made:
        articles = list_store.dated_since(session, listing.language, now - NEWS_AGE, NEWS_MOST)
        # The sweeper has it built again when its oldest article is too old for it.
        ages_at = (articles[-1].first_published_at + NEWS_AGE).isoformat() if articles else ""
        return Made(self._renderer.news_sitemap(listing.language, articles), fact=ages_at)

    def _index(self, session: Session) -> Made:
        paths = [self._path(Listing("news", language)) for language in self._newsroom.languages]
        for language in self._newsroom.languages:
            prefix = f"{self._path(Listing('archive', language))}/"
            for base, size in sorted(list_store.sizes(session, prefix).items()):
                key = base.removeprefix(prefix)
                pages = range(1, (size - 1) // SITEMAP_PLACES + 2)
                paths += [self._path(Listing("sitemap", language, key, page)) for page in pages]
        content = self._renderer.sitemap_index(paths)
        return Made(content)

    def _months(self, session: Session, language: str) -> list[str]:
        prefix = f"{self._path(Listing('archive', language))}/"
        return sorted((path.removeprefix(prefix) for path in list_store.sizes(session, prefix)), reverse=True)

    def _path(self, listing: Listing) -> str:
        return lists.list_path(self._newsroom, listing)

    @staticmethod
    def _turn(base: str, page: int, newest: int) -> Turn:
        newer = f"{base}/page/{page + 1}/" if page < newest else f"{base}/"
        older = f"{base}/page/{page - 1}/" if page > 1 else ""
        return Turn(newer=newer, older=older, number=page)

    @staticmethod
    def _name(listing: Listing, article: PublicArticle) -> str:
        """A tag's or author's name as this article spells it."""
        names = article.tags if listing.kind == "tag" else tuple(one.name for one in article.bylines)
        return next((name for name in names if lists.term_key(name) == listing.key), listing.key)


def _to_go_on(path: str, numbers: Numbers) -> set[str]:
    """The list's own path when it may have more articles to number than are numbered at once."""
    return {path} if len(numbers.positions) >= NUMBERED_AT_ONCE else set()


def _to_hold(numbers: Numbers, found: Numbers | None = None) -> Numbers | None:
    """These numbers if they differ from what is held. found: as they were read."""
    return numbers if numbers.positions or numbers is not (found or numbers) else None
