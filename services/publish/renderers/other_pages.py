"""Pages that show no list and no article: search, letters, tombstones, the newsroom's own, and files for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from services.publish import lists
from services.publish.channels.words import words_for
from services.publish.lists import Listing
from services.publish.renderers import icons, robots, sitemaps
from services.publish.renderers.editions import Edition
from services.publish.renderers.fragments import Fragments, Press
from services.publish.renderers.safe import clean_html
from services.publish.renderers.static_pages import StaticPage
from services.publish.renderers.texts import filled, set_text
from services.publish.renderers.typography import Style, set_html, style_of
from shared.events import Byline


class OtherPages(Fragments):
    """Writes the pages and files that are made of the theme, the newsroom, and a few words."""

    def __init__(self, press: Press) -> None:
        super().__init__(press)
        get = press.theme.templates.get_template
        self._message, self._page = get("message.html"), get("page.html")
        self._search, self._newsletter, self._letter = get("search.html"), get("newsletter.html"), get("letter.html")
        self._tombstone = lru_cache(32)(self._write_message)

    def withdrawn_page(self, language: str, status: str) -> bytes:
        """What stands where a killed or expired article was, answered with 410. It says nothing of the article."""
        return self._tombstone(self._edition(language).language, "expired" if status == "expired" else "gone")

    def not_found_page(self, language: str) -> bytes:
        """What an unknown address is answered with, beside 404."""
        return self._tombstone(self._edition(language).language, "not_found")

    def search_page(self, language: str, words: str, items: Sequence[Mapping[str, Any]] | None, older: str) -> bytes:
        """What a search found. items: as /v1/search answers, None when it did not. older: the next page's URL or ""."""
        edition = self._edition(language)
        labels = edition.labels
        found = [self._found(one, edition) for one in items or ()]
        style = style_of(edition.language)
        shown = set_text(words, style)
        return self._search.render(
            edition=edition,
            labels=labels,
            header=self._header(edition.language, "", "list"),
            title=f"{labels.search} – {edition.name}",
            description=labels.search_hint,
            words=words,
            heading=filled(labels.search_found, edition, words=shown) if words else labels.search,
            nothing=filled(labels.search_nothing, edition, words=shown),
            away=items is None,
            found=found,
            older=older,
        ).encode("utf-8")

    def _found(self, one: Mapping[str, Any], edition: Edition) -> dict[str, Any]:
        language = str(one.get("language") or edition.language)
        style = style_of(language)
        excerpt = clean_html(str(one.get("excerpt_html", "")))
        date = one.get("first_published_at")
        return {
            "url": one.get("url", ""),
            "headline": set_text(str(one.get("headline", "")), style),
            "excerpt": Markup(set_html(excerpt, style)),  # noqa: S704 (allow-listed here)
            "section": edition.section(self.newsroom, str(one.get("section", ""))),
            "language": language if language != edition.language else "",
            "direction": self.newsroom.direction(language),
            "date": edition.dates.element("date", datetime.fromisoformat(date)) if isinstance(date, str) else "",
        }

    def newsletter_page(self, language: str, heading: str, text: str, form: Mapping[str, object] | None) -> bytes:
        """A page on which readers sign up for letters, confirm, or leave; it is never stored."""
        edition = self._edition(language)
        page = self._newsletter.render(
            edition=edition,
            labels=edition.labels,
            words=words_for(edition.language),
            header=self._header(edition.language, "", "message"),
            title=f"{heading} – {edition.name}",
            description="",
            heading=heading,
            text=text,
            form=form,
        )
        return page.encode()

    def letter(
        self,
        language: str,
        *,
        title: str,
        small: str,
        dateline: str = "",
        heading: str = "",
        entries: Sequence[Mapping[str, Any]] = (),
        removed: Sequence[str] = (),
        text: str = "",
        button: tuple[str, str] | None = None,
        leave: str = "",
    ) -> str:
        """A mail's HTML half. entries: what it tells, in order, as digests keep it. removed: headlines of what is gone.

        button: its text and where it leads. small: why the reader gets it. leave: the address for leaving.
        """
        edition = self._edition(language)
        style = style_of(edition.language)
        shown = [self._letter_entry(one, edition, style) for one in entries]
        return self._letter.render(
            edition=edition,
            words=words_for(edition.language),
            front=self.newsroom.url(edition.front_path),
            title=title,
            preview=" · ".join(one["headline"] for one in shown[:3]) or text,
            dateline=dateline,
            heading=set_text(heading, style),
            entries=shown,
            removed=[set_text(one, style) for one in removed],
            text=set_text(text, style),
            button={"text": button[0], "url": button[1]} if button else None,
            small=set_text(small, style),
            leave=leave,
        )

    def _letter_entry(self, one: Mapping[str, Any], edition: Edition, style: Style) -> dict[str, Any]:
        section, picture = one.get("section", ""), one.get("picture")
        bylines = tuple(Byline(name=name) for name in one.get("bylines", ()))
        return {
            "url": one["url"],
            "headline": set_text(one["headline"], style),
            "summary": set_text(one["summary"], style),
            "section": edition.section(self.newsroom, section).name if section else "",
            "bylines": self._bylines(bylines, edition.language, False),
            "picture": {**picture, "alt": set_text(picture["alt"], style)} if picture else None,
        }

    def installed_files(self) -> Mapping[str, bytes]:
        """The files that are made of the theme and the newsroom alone, by URL path."""
        newsroom = self.newsroom
        files = dict(self._theme.files)
        # Where browsers and phones look for themselves, whatever the page says.
        files |= {f"/{name}": files[self._theme.paths[name]] for name in (icons.FAVICON, icons.TOUCH)}
        files["/400.html"] = self._tombstone(newsroom.default_language, "refused")
        for language, edition in self._editions.items():
            prefix = edition.front_path.rstrip("/")
            files[f"{prefix}/404.html"] = self.not_found_page(language)
            files[edition.manifest_path] = self._manifest(edition)
        for path, page in self._static_pages.items():
            files[path] = self._write_page(page)
        index_paths = [lists.SITEMAP_INDEX]
        index_paths += [lists.list_path(newsroom, Listing("news", language)) for language in newsroom.languages]
        files["/robots.txt"] = robots.robots_txt(newsroom, tuple(index_paths))
        if newsroom.ai_opt_out:
            files["/.well-known/tdmrep.json"] = robots.tdmrep_json()
        urls = [newsroom.url(self._path(one)) for one in lists.always(newsroom) if one.is_html]
        urls += [newsroom.url(path) for path in self._static_pages]
        files[lists.SITEMAP_OF_PAGES] = sitemaps.sitemap_of_pages(urls)
        return files

    def _write_message(self, language: str, kind: str) -> bytes:
        edition = self._editions[language]
        labels = edition.labels
        heading = getattr(labels, f"{kind}_title")
        return self._message.render(
            edition=edition,
            labels=labels,
            header=self._header(language, "", "message"),
            title=f"{heading} – {edition.name}",
            description="",
            heading=heading,
            text=getattr(labels, f"{kind}_text"),
        ).encode("utf-8")

    def _write_page(self, page: StaticPage) -> bytes:
        edition = self._editions[page.language]
        return self._page.render(
            edition=edition,
            labels=edition.labels,
            header=self._header(page.language, "", "list"),
            title=f"{page.title} – {edition.name}",
            description=page.about,
            url=self.newsroom.url(page.path),
            heading=page.title,
            body=Markup(page.html),  # noqa: S704 (cleaned when it was read)
        ).encode("utf-8")

    def _manifest(self, edition: Edition) -> bytes:
        found = {
            "name": edition.name,
            "short_name": edition.name,
            "description": edition.tagline,
            "lang": edition.language,
            "dir": edition.direction,
            "start_url": edition.front_path,
            "scope": "/",
            "id": edition.front_path,
            "display": "minimal-ui",
            "background_color": "#fffdf9",
            "theme_color": "#fffdf9",
            "icons": [
                {"src": self._theme.paths[name], "type": kind, "sizes": sizes, "purpose": purpose}
                for name, kind, sizes, purpose in icons.MANIFEST
            ],
        }
        return (json.dumps(found, ensure_ascii=False) + "\n").encode()
