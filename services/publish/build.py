"""Builds pages: reads what a page shows, renders it, puts it in place, and records what it used.

A page never goes backwards. Its row is locked before anything that it shows is read, and held until the file is in
place and the transaction ends: whoever builds the page next reads at least what this build read. The row's build
number grows with every build that wrote. A page whose bytes have not changed is not written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.publish import domain, store
from services.publish.domain import ListPage
from services.publish.renderers import Renderer
from services.publish.renderers.renderer import FRONT_TEASERS
from services.publish.site import LocalSite, digest_of
from services.publish.views import Teaser, teaser_of
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
        self, session: Session, path: str, *, now: datetime, article: PublicArticle | None = None, check: bool = False
    ) -> bool:
        """Build the page at a path, in the caller's transaction; whether a file was written or taken away.

        article: the newest state of the article there, if the caller has just stored it. check: compare with the file
        that is there instead of with what is remembered of it, so that a lost or changed file is mended.
        """
        row = store.lock_page(session, path, now)
        made = self._make(session, path, article)
        digest = digest_of(made.content) if made.content is not None else ""
        change = made.article.change if made.article is not None else 0
        unchanged = row.digest == digest and row.gone == made.gone
        if unchanged and check:
            unchanged = self._stands(path, made)
        row.change = change
        row.article_id = made.article.id if made.article is not None else None
        store.save_uses(session, path, set(made.used))
        if unchanged:
            return False
        if made.content is None:
            self.site.remove(path)
        elif made.gone:
            self.site.bury(path, made.content)
        else:
            self.site.put(path, made.content)
        row.build += 1
        row.digest, row.gone, row.size, row.built_at = digest, made.gone, len(made.content or b""), now
        return True

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

    def not_found_page(self, path: str) -> bytes:
        """What an unknown address is answered with, in the language of the edition that it seems to be of."""
        first = path.strip("/").partition("/")[0]
        language = first if first in self.newsroom.languages else self.newsroom.default_language
        return self._renderer.not_found_page(language)

    def _make(self, session: Session, path: str, article: PublicArticle | None) -> Made:
        wanted = self.lists.get(path)
        if wanted is not None:
            return self._make_list(session, path, wanted)
        article = article or store.article_at(session, path)
        if article is None or article.path != path:
            return Made(None)
        if article.status != "live":
            return Made(self._renderer.tombstone_page(article.language), article=article, gone=True)
        wanted_ids = store.related_ids(session, article.id)
        known = store.articles(session, wanted_ids)
        related = [known[one] for one in wanted_ids if one in known and known[one].status == "live"]
        content = self._renderer.article_page(article, [teaser_of(one) for one in related[:RELATED_TEASERS]])
        return Made(content, frozenset(wanted_ids), article)

    def _make_list(self, session: Session, path: str, wanted: ListPage) -> Made:
        if wanted.form == "rss":
            shown = store.newest(session, wanted.language, wanted.section, FEED_ENTRIES)
            content = self._renderer.rss(wanted.language, wanted.section, shown, path)
        elif wanted.section is None:
            shown = store.newest(session, wanted.language, None, FRONT_TEASERS)
            content = self._renderer.front_page(wanted.language, self._teasers(shown))
        else:
            shown = store.newest(session, wanted.language, wanted.section, SECTION_TEASERS)
            content = self._renderer.section_page(wanted.language, wanted.section, self._teasers(shown))
        return Made(content, frozenset(one.id for one in shown))

    def _teasers(self, articles: Iterable[PublicArticle]) -> list[Teaser]:
        return [teaser_of(one) for one in articles]

    def _stands(self, path: str, made: Made) -> bool:
        if made.content is None:
            return self.site.read(path) is None and self.site.tombstone(path) is None
        return self.is_in_place(path, digest_of(made.content), made.gone) and self.site.twin_fits(path, made.gone)
