"""Builds pages: reads what a page shows, renders it, puts it in place, and records what it used.

Pages are drafted first, in a transaction that only reads, so that nobody waits while they are written; then they are
put in place in one that writes. A page never goes backwards: its row is locked while its files are put in place, and a
draft that shows an article as it no longer is is dropped and made again. Lists are built by their jobs alone, one at a
time, and whoever changes an article asks for them anew; drafts of them from before any article was withdrawn are
dropped, lest they bring it back for a moment. The row's build number grows with every build that wrote. Files that
belong to a page (a list's feeds, an article's ninjs) stand beside it, are built with it, and their digests stand in its
row. What has not changed is not written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache, partial
from time import monotonic, thread_time
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.publish import list_store, lists, store
from services.publish.kinds import PURGE
from services.publish.list_pages import ListPages
from services.publish.lists import Listing
from services.publish.made import Draft, Made
from services.publish.renderers import Renderer
from services.publish.renderers.proof import place_of
from services.publish.site import Site, digest_of
from services.publish.themes import Themes
from services.publish.views import Teaser
from shared import jobs
from shared.events import PublicArticle

log = logging.getLogger(__name__)

# How often who serves readers looks whether the theme has changed; who builds looks each time.
LOOK_S = 1.0
RELATED_TEASERS = 6
# The site's fact that changes with each withdrawal of an article.
WITHDRAWN = "withdrawn"
NINJS, RELATED = "ninjs.json", "related.json"


@dataclass
class Built:
    """What a build did. written: paths of pages that were written or taken away, they or a file beside them.

    wanted: paths of what is to be built because of it, later. stale: of pages that were not put in place, since what
    they show has changed since they were drafted. faults: by path, where in the theme and how its page failed; the last
    good one stays in place.
    """

    written: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)
    stale: set[str] = field(default_factory=set)
    faults: dict[str, str] = field(default_factory=dict)


class Builder:
    """Builds the pages of one newsroom's site."""

    def __init__(self, themes: Themes, site: Site, *, purges: bool = False) -> None:
        self.newsroom = themes.renderer.newsroom
        self.site = site
        self.themes = themes
        self._purges = purges
        self._renderer = themes.renderer
        self._lists = ListPages(self._renderer)
        self._looked = monotonic()
        self._installed: tuple[Renderer | None, frozenset[str]] = (None, frozenset())
        self.list_at = lru_cache(8192)(self._list_at)

    @property
    def version(self) -> str:
        """Changes with the theme and with everything of the newsroom that pages show."""
        return self._renderer.version

    @property
    def renderer(self) -> Renderer:
        """What writes the pages."""
        if monotonic() - self._looked > LOOK_S:
            self.take_theme()
        return self._renderer

    def take_theme(self) -> bool:
        """Go on with the theme as it is now; whether it, or what is wrong with it, has changed."""
        self._looked = monotonic()
        changed = self.themes.look()
        if self._renderer is not self.themes.renderer:
            self._renderer = self.themes.renderer
            self._lists = ListPages(self._renderer)
        return changed

    def _list_at(self, path: str) -> Listing | None:
        return lists.list_at(self.newsroom, path)

    def build(
        self, session: Session, paths: Iterable[str], *, now: datetime, articles: Mapping[str, PublicArticle]
    ) -> Built:
        """Build the pages of these articles, which the caller has locked and just stored, in its transaction.

        articles: by path, their newest states; what is not among them is read.
        """
        self.take_theme()
        rows = store.lock_pages(session, paths, now)
        made = self._make(session, rows, articles, frozenset(), now)
        return self._put(session, rows, made, frozenset(), now)

    def draft(
        self,
        session: Session,
        paths: Collection[str],
        *,
        now: datetime,
        check: Collection[str] = (),
        within_s: float | None = None,
    ) -> Draft:
        """The pages at these paths as they should be by what one transaction reads; nothing is written.

        check: paths whose files are to be compared themselves, instead of what is remembered of them, so that a lost
        or changed file is mended. within_s: of processor time; when that is over no further page is begun: lists come
        first, and all come in the order of `paths`.
        """
        self.take_theme()
        until = None if within_s is None else thread_time() + within_s
        rows: dict[str, Any] = dict.fromkeys(paths)
        rows.update(store.pages(session, paths))
        withdrawn = store.fact(session, WITHDRAWN)
        made = self._make(session, rows, {}, frozenset(check), now, until)
        draft = Draft(made, {}, frozenset(check).intersection(made), withdrawn)
        return replace(draft, states=self._states(session, draft, made))

    def put(self, session: Session, draft: Draft, paths: Collection[str], *, now: datetime) -> Built:
        """Put those drafted pages in place that are at these paths and still true, in the caller's transaction."""
        states = self._states(session, draft, paths)
        withdrawn = store.fact(session, WITHDRAWN)

        def is_stale(path: str) -> bool:
            if withdrawn != draft.withdrawn and self.list_at(path) is not None:
                return True
            keys: list[UUID | str] = [path, *draft.shown(path)]
            return any(states.get(key) != draft.states.get(key) for key in keys)

        stale = {path for path in paths if is_stale(path)}
        rows = store.lock_pages(session, [path for path in paths if path not in stale], now)
        built = self._put(session, rows, draft.made, draft.check, now)
        built.stale |= stale
        return built

    def _states(
        self, session: Session, draft: Draft, paths: Collection[str]
    ) -> dict[UUID | str, frozenset[store.State]]:
        shown = {one for path in paths for one in draft.shown(path)}
        return store.states_of(session, shown, [path for path in paths if self.list_at(path) is None])

    def _put(
        self, session: Session, rows: Mapping[str, Any], made: Mapping[str, Made], check: Collection[str], now: datetime
    ) -> Built:
        built = Built()
        changed: list[dict[str, Any]] = []
        for path, row in rows.items():
            page = made[path]
            if page.fault:
                built.faults[path] = page.fault
                if page.content is None:
                    continue
            built.wanted |= page.wanted
            values = self._place(path, row, page, check=path in check)
            about = page.article
            values["change"] = about.change if about is not None else 0
            values["article_id"] = about.id if about is not None else None
            if "digest" in values:
                built.written.add(path)
                values |= {"build": row.build + 1, "built_at": now}
            if page.numbers is not None:
                list_store.save_numbers(session, path, page.numbers)
            if page.fact is not None and store.fact(session, path) != page.fact:
                store.save_fact(session, path, page.fact)
            now_so = {**row._mapping, **values}
            if now_so != dict(row._mapping):
                changed.append(now_so)
        store.save_pages(session, changed)
        self.purge(session, built.written)
        # Lists need no record of what they show: who changes an article asks for them anew, whatever they show.
        used = {path: made[path].used for path in rows if made[path].content is not None or not made[path].fault}
        store.save_uses(session, {path: ids for path, ids in used.items() if ids is not None})
        return built

    def purge(self, session: Session, paths: Iterable[str]) -> None:
        """Have caches in front of the site forget these pages, once the transaction is committed."""
        if self._purges:
            jobs.add_many(session, PURGE, [(path, None) for path in paths], lane="deliver")

    def _place(self, path: str, row: Any, page: Made, *, check: bool) -> dict[str, Any]:
        """Put what has changed in place; the row's new values, empty when nothing has changed."""
        digest = digest_of(page.content) if page.content is not None else ""
        beside: dict[str, str] = {}
        changed = row.digest != digest or row.gone != page.gone
        if changed or (check and not self._stands(path, page)):
            changed = True
            if page.content is None:
                self.site.remove(path)
            elif page.gone:
                self.site.bury(path, page.content)
            else:
                self.site.put(path, page.content, clear=row.gone or check)
        for name, content in page.beside.items():
            if content is None:
                beside[name] = row.beside[name]
                continue
            beside[name] = digest_of(content)
            beside_path = beside_of(path, name)
            differs = beside[name] != row.beside.get(name)
            if differs or (check and not self._stands(beside_path, Made(content))):
                self.site.put(beside_path, content, clear=check)
                changed = True
        for name in row.beside.keys() - beside.keys():
            self.site.remove(beside_of(path, name))
            changed = True
        if not changed:
            return {}
        return {"digest": digest, "gone": page.gone, "size": len(page.content or b""), "beside": beside}

    def lock_inputs(self, session: Session, draft: Draft) -> None:
        """Keep the articles that drafted pages are of, and show, as they are until the transaction ends.

        To be called before any row is locked; `put` then compares with nothing that is changing. First pages of lists
        need no such lock: who changes an article asks for them anew, whatever they show.
        """
        if not store.has_one_writer(session):
            store.lock_articles(session, draft.to_lock(), to_change=False)

    def is_in_place(self, path: str, digest: str, gone: bool) -> bool:
        """Whether the store answers for this path with the bytes of this digest, as a page or as a tombstone."""
        content = self.site.tombstone(path) if gone else self.site.read(path)
        if gone and self.site.read(path) is not None:
            return False
        return content is not None and digest_of(content) == digest

    def install(self) -> None:
        """Put the files in place that are made of the theme and the newsroom alone.

        While the theme is broken, only those that are not there: what was made with the last good one stays.
        """
        for path, content in self._renderer.installed_files().items():
            if not self.site.exists(path) or not (self.themes.fault or self.site.holds(path, content, False)):
                self.site.put(path, content)

    def installed_paths(self) -> frozenset[str]:
        """The paths of the files that `install` puts in place."""
        if self._installed[0] is not self._renderer:
            self._installed = (self._renderer, frozenset(self._renderer.installed_files()))
        return self._installed[1]

    def not_found_page(self, path: str) -> bytes:
        """What an unknown address is answered with, in the language of the edition that it seems to be of."""
        return self._safely(lambda one: one.not_found_page(self.language_at(path)))

    def withdrawn_page(self, language: str, status: str) -> bytes:
        """What stands where an article was. No theme can hinder a kill: where it fails the built-in one is taken."""
        return self._safely(lambda one: one.withdrawn_page(language, status))

    def _safely(self, make: Callable[[Renderer], bytes]) -> bytes:
        try:
            return make(self.renderer)
        except Exception as error:
            log.error("the theme failed; the built-in one is taken", extra={"error": f"{place_of(error)}: {error}"})
            return make(self.themes.plain)

    def language_at(self, path: str) -> str:
        """The edition that an address belongs to by its first word."""
        first = path.strip("/").partition("/")[0]
        return next((one for one in self.newsroom.languages if one.lower() == first), self.newsroom.default_language)

    def _make(
        self,
        session: Session,
        rows: Mapping[str, Any],
        given: Mapping[str, PublicArticle],
        check: Collection[str],
        now: datetime,
        until: float | None = None,
    ) -> dict[str, Made]:
        made: dict[str, Made] = {}
        others: list[str] = []
        for path in rows:
            listing = self.list_at(path)
            if listing is None:
                others.append(path)
            elif not (made and until is not None and thread_time() > until):
                make_list = partial(self._make_list, session, path, listing, now)
                made[path] = self._try(make_list, path, rows[path])
        if not others or (made and until is not None and thread_time() > until):
            return made
        unknown = [path for path in others if path not in given]
        articles = {**(store.articles_at(session, unknown) if unknown else {}), **given}
        shown = [articles[path] for path in others if path in articles]
        ids = [one.id for one in shown if one.status == "live"]
        sets = store.related_ids(session, ids) if ids else {}
        wanted = {one for named in sets.values() for one in named}
        teasers = store.live_teasers(session, wanted) if wanted else {}
        with_pictures = [one.id for one in shown if one.images]
        pictured = store.pictured(session, with_pictures) if with_pictures else set()
        groups = {one.translations for one in shown if one.translations is not None and one.status == "live"}
        translated = store.translated(session, groups) if groups else {}
        for path in others:
            if made and until is not None and thread_time() > until:
                break
            article = articles.get(path)
            if article is None:
                made[path] = Made(None, used=frozenset())
                continue
            row = rows[path]
            held = row is not None and row.change == article.change and row.article_id == article.id
            make = partial(
                self._make_article,
                article,
                sets.get(article.id, []),
                teasers,
                pictured=article.id in pictured,
                translations=translated.get(article.translations, {}) if article.translations else {},
                keeps_ninjs=held and path not in check and NINJS in row.beside,
            )
            made[path] = self._try(make, path, row)
        return made

    def _try(self, make: Callable[[Renderer], Made], path: str, row: Any) -> Made:
        """Make a page. If the theme fails the last good one stays; where there is none the built-in theme makes it."""
        try:
            return make(self._renderer)
        except Exception as error:
            if not (place := place_of(error)):
                raise
            fault = f"{place}: {error}"
            log.error("a template failed", extra={"path": path, "error": fault})
            if row is not None and row.digest and not row.gone:
                return Made(None, fault=fault)
            return replace(make(self.themes.plain), fault=fault)

    def _make_list(self, session: Session, path: str, listing: Listing, now: datetime, renderer: Renderer) -> Made:
        pages = self._lists if renderer is self._renderer else ListPages(renderer)
        return pages.make(session, path, listing, now)

    def _make_article(
        self,
        article: PublicArticle,
        wanted: list[UUID],
        teasers: Mapping[UUID, Teaser],
        renderer: Renderer,
        *,
        pictured: bool,
        translations: Mapping[str, str],
        keeps_ninjs: bool,
    ) -> Made:
        if not is_shown(article, self.newsroom.expired):
            content = self.withdrawn_page(article.language, article.status)
            return Made(content, used=frozenset(), article=article, gone=True)
        shown = [teasers[one] for one in wanted if one in teasers][:RELATED_TEASERS]
        content = renderer.article_page(article, shown, pictured=pictured, translations=translations)
        ninjs = None if keeps_ninjs else renderer.ninjs(article, pictured=pictured)
        beside: dict[str, bytes | None] = {NINJS: ninjs}
        if shown:
            beside[RELATED] = renderer.related_json(article, shown)
        return Made(content, used=frozenset(wanted), article=article, beside=beside)

    def _stands(self, path: str, made: Made) -> bool:
        if made.content is None:
            return self.site.read(path) is None and self.site.tombstone(path) is None
        return self.site.holds(path, made.content, made.gone)


def is_shown(article: PublicArticle, expired: str) -> bool:
    """Whether readers still find the article's page. expired: the newsroom's choice for articles whose time is over."""
    return article.status in {"live", "retracted"} or (article.status == "expired" and expired == "kept")


def beside_of(path: str, name: str) -> str:
    """The path of a file that stands beside a page."""
    return f"{path.rstrip('/')}/{name}"
