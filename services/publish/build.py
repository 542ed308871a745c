"""Builds pages: reads what a page shows, renders it, puts it in place, and records what it used.

A page never goes backwards. Its row is locked before anything that it shows is read, and held until the file is in
place and the transaction ends: whoever builds the page next reads at least what this build read. The row's build
number grows with every build that wrote. A page whose bytes have not changed is not written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.publish import domain, store
from services.publish.domain import ListPage
from services.publish.renderers import Renderer
from services.publish.renderers.renderer import FRONT_TEASERS
from services.publish.site import LocalSite, digest_of
from services.publish.views import Teaser
from shared.events import PublicArticle

SECTION_TEASERS = 30
FEED_ENTRIES = 30
RELATED_TEASERS = 6
NOT_FOUND = "/404.html"


@dataclass(frozen=True)
class Made:
    """What a page is to be. content: None when there is to be no page; gone: the content is a tombstone."""

    content: bytes | None
    used: frozenset[UUID] = frozenset()
    article: PublicArticle | None = None
    gone: bool = False


class Builder:
    """Builds the pages of one newsroom's site."""

    def __init__(self, renderer: Renderer, site: LocalSite) -> None:
        self.newsroom = renderer.newsroom
        self.site = site
        self._renderer = renderer
        self.lists = domain.list_pages(self.newsroom)

    @property
    def version(self) -> str:
        """Changes with the theme and with everything of the newsroom that pages show."""
        return self._renderer.version

    def build(
        self,
        session: Session,
        paths: Iterable[str],
        *,
        now: datetime,
        articles: Mapping[str, PublicArticle] | None = None,
        check: Collection[str] = (),
    ) -> set[str]:
        """Build the pages at these paths, in the caller's transaction; the paths of those written or taken away.

        articles: by path, the newest states that the caller has just stored. check: paths whose file is compared
        itself, instead of what is remembered of it, so that a lost or changed file is mended.
        """
        rows = store.lock_pages(session, paths, now)
        made = self._make(session, rows, articles or {})
        changed: list[dict[str, Any]] = []
        written: set[str] = set()
        for path, row in rows.items():
            page = made[path]
            digest = digest_of(page.content) if page.content is not None else ""
            same = row.digest == digest and row.gone == page.gone
            if same and path in check:
                same = self._stands(path, page)
            about = page.article
            values = {
                **row._mapping,
                "change": about.change if about is not None else 0,
                "article_id": about.id if about is not None else None,
            }
            if not same:
                self._place(path, page)
                written.add(path)
                values |= {"build": row.build + 1, "digest": digest, "gone": page.gone}
                values |= {"size": len(page.content or b""), "built_at": now}
            if values != dict(row._mapping):
                changed.append(values)
        store.save_pages(session, changed)
        # Who changes an article asks for its lists whatever they show: nothing needs to be remembered of them.
        store.save_uses(session, {path: page.used for path, page in made.items() if path not in self.lists})
        return written

    def lock_inputs(self, session: Session, paths: Collection[str]) -> None:
        """Keep the articles that these pages are of, and show, as they are until the transaction ends.

        To be called before any row is locked; `build` then reads nothing that is changing. Lists need no such lock: who
        changes an article asks for them anew, whatever they show.
        """
        if store.has_one_writer(session):
            return
        ids = store.ids_at(session, [path for path in paths if path not in self.lists])
        shown = {one for named in store.related_ids(session, ids).values() for one in named} if ids else set()
        store.lock_articles(session, ids | shown, to_change=False)

    def _place(self, path: str, page: Made) -> None:
        if page.content is None:
            self.site.remove(path)
        elif page.gone:
            self.site.bury(path, page.content)
        else:
            self.site.put(path, page.content)

    def is_in_place(self, path: str, digest: str, gone: bool) -> bool:
        """Whether the store answers for this path with the bytes of this digest, as a page or as a tombstone."""
        content = self.site.tombstone(path) if gone else self.site.read(path)
        if gone and self.site.read(path) is not None:
            return False
        return content is not None and digest_of(content) == digest

    def install(self) -> None:
        """Put the files in place that are made of the theme and the newsroom alone."""
        files = dict(self._renderer.static_files())
        files[NOT_FOUND] = self._renderer.not_found_page(self.newsroom.default_language)
        files["/robots.txt"] = self._renderer.robots_txt()
        files["/.well-known/tdmrep.json"] = self._renderer.tdmrep_json()
        for path, content in files.items():
            if self.site.read(path) != content:
                self.site.put(path, content)

    def installed_paths(self) -> set[str]:
        """The paths of the files that `install` puts in place."""
        return {*self._renderer.static_files(), NOT_FOUND, "/robots.txt", "/.well-known/tdmrep.json"}

    @property
    def renderer(self) -> Renderer:
        """What writes the pages."""
        return self._renderer

    def not_found_page(self, path: str) -> bytes:
        """What an unknown address is answered with, in the language of the edition that it seems to be of."""
        first = path.strip("/").partition("/")[0]
        language = first if first in self.newsroom.languages else self.newsroom.default_language
        return self._renderer.not_found_page(language)

    def _make(self, session: Session, paths: Collection[str], given: Mapping[str, PublicArticle]) -> dict[str, Made]:
        made = {path: self._make_list(session, path, self.lists[path]) for path in paths if path in self.lists}
        others = [path for path in paths if path not in made]
        unknown = [path for path in others if path not in given]
        articles = {**(store.articles_at(session, unknown) if unknown else {}), **given}
        live = [articles[path].id for path in others if path in articles and articles[path].status == "live"]
        sets = store.related_ids(session, live) if live else {}
        wanted = {one for ids in sets.values() for one in ids}
        teasers = store.live_teasers(session, wanted) if wanted else {}
        for path in others:
            article = articles.get(path)
            made[path] = Made(None) if article is None else self._make_article(article, sets, teasers)
        return made

    def _make_article(
        self, article: PublicArticle, sets: Mapping[UUID, list[UUID]], teasers: Mapping[UUID, Teaser]
    ) -> Made:
        if article.status != "live":
            return Made(self._renderer.tombstone_page(article.language), article=article, gone=True)
        wanted = sets.get(article.id, [])
        shown = [teasers[one] for one in wanted if one in teasers]
        content = self._renderer.article_page(article, shown[:RELATED_TEASERS])
        return Made(content, frozenset(wanted), article)

    def _make_list(self, session: Session, path: str, wanted: ListPage) -> Made:
        language, section = wanted.language, wanted.section
        if wanted.form == "rss":
            entries = store.newest(session, language, section, FEED_ENTRIES)
            return Made(self._renderer.rss(language, section, entries, path), frozenset(entry.id for entry in entries))
        if section is None:
            teasers = store.newest_teasers(session, language, None, FRONT_TEASERS)
            content = self._renderer.front_page(language, list(teasers.values()))
        else:
            teasers = store.newest_teasers(session, language, section, SECTION_TEASERS)
            content = self._renderer.section_page(language, section, list(teasers.values()))
        return Made(content, frozenset(teasers))

    def _stands(self, path: str, made: Made) -> bool:
        if made.content is None:
            return self.site.read(path) is None and self.site.tombstone(path) is None
        return self.is_in_place(path, digest_of(made.content), made.gone) and self.site.twin_fits(path, made.gone)
