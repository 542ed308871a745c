"""What many pages share: the masthead, a teaser, a byline, a body that stays while its related set changes.

Each is written once and kept in a bounded cache; threads may share them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from services.publish import lists
from services.publish.channels.words import words_for
from services.publish.lists import Listing
from services.publish.pictures import renditions_of
from services.publish.renderers.editions import Edition, make_edition
from services.publish.renderers.feeds import KEPT_BODY
from services.publish.renderers.looks import BODY_SIZES, LEAD_SIZES, OPENING_SIZES, Look
from services.publish.renderers.pictures import picture_html, preload_html
from services.publish.renderers.safe import clean_html, clean_text
from services.publish.renderers.static_pages import StaticPage
from services.publish.renderers.texts import byline_html, set_text
from services.publish.renderers.theme import Theme
from services.publish.renderers.typography import Style, set_html, style_of
from services.publish.views import Teaser, TeaserPicture
from shared.events import Byline, Picture, PublicArticle
from shared.newsroom import Newsroom


@dataclass(frozen=True, kw_only=True)
class Press:
    """What a newsroom's pages are printed with. pages: its own, by path. The rest is as `Renderer` has it."""

    newsroom: Newsroom
    theme: Theme
    pages: Mapping[str, StaticPage]
    forms: tuple[str, ...]
    hubs: tuple[str, ...]
    letters: bool


class Fragments:
    """The parts of one newsroom's pages."""

    def __init__(self, press: Press) -> None:
        newsroom, theme = press.newsroom, press.theme
        self.newsroom = newsroom
        self.forms = press.forms
        self._theme = theme
        self._logo = newsroom.url(theme.paths["icon-512.png"])
        self._static_pages = press.pages
        self._editions = {
            language: make_edition(newsroom, theme.labels[language], language, press.pages)
            for language in newsroom.languages
        }
        for edition in self._editions.values():
            edition.head = self._part("head.html", edition, assets=theme.paths, ai_opt_out=newsroom.ai_opt_out)
            words = words_for(edition.language)
            informed = self._part("stay_informed.html", edition, assets=theme.paths, words=words, letters=press.letters)
            edition.footer = informed + self._part("footer.html", edition)
        self._teaser_template = theme.templates.get_template("teaser.html")
        self._header = lru_cache(256)(self._write_header)
        self._teaser = lru_cache(2048)(self._write_teaser)
        self._kept_body = lru_cache(256)(self._write_body)
        self._bylines = lru_cache(1024)(self._write_bylines)

    @property
    def icon_path(self) -> str:
        """The URL path of the newspaper's icon, as alerts show it: 192 pixels, PNG."""
        return self._theme.paths["icon-192.png"]

    # For the pages

    def _edition(self, language: str) -> Edition:
        edition = self._editions.get(language)
        return edition if edition is not None else self._editions[self.newsroom.edition(language)]

    def _path(self, listing: Listing) -> str:
        path = lists.list_path(self.newsroom, listing)
        return path if path == "/" or not listing.is_html else f"{path}/"

    def _part(self, template: str, edition: Edition, **values: object) -> Markup:
        text = self._theme.templates.get_template(template).render(
            edition=edition, editions=list(self._editions.values()), labels=edition.labels, **values
        )
        return Markup(text.strip())  # noqa: S704 (a template's output, escaped there)

    def _body(self, html: str, style: Style) -> Markup:
        return self._kept_body(html, style) if len(html) <= KEPT_BODY else self._write_body(html, style)

    def _figure(self, picture: Picture, style: Style, *, lead: bool = False) -> dict[str, Any]:
        alt = set_text(picture.alt, style)
        return {
            "html": picture_html(
                picture, alt, sizes=OPENING_SIZES if lead else BODY_SIZES, forms=self.forms, lazy=not lead
            ),
            "caption": set_text(picture.caption, style),
            "credit": set_text(picture.credit, style),
        }

    def _lead_preload(self, teasers: Sequence[Teaser]) -> Markup | str:
        if not teasers or (picture := teasers[0].picture) is None:
            return ""
        return preload_html(picture, crop="16x9", sizes=LEAD_SIZES, forms=self.forms)

    def _shared(self, picture: Picture | TeaserPicture) -> dict[str, Any]:
        """A picture as those see it who are sent the page's address."""
        shown = renditions_of(picture, "16x9", "jpg")[-1]
        url = self.newsroom.url(shown.path)
        return {"url": url, "width": shown.width, "height": shown.height, "alt": clean_text(picture.alt)}

    def _author_path(self, name: str, language: str) -> str:
        key = lists.term_key(name)
        return self._path(Listing("author", language, key)) if key else ""

    def _section_name(self, article: PublicArticle) -> str:
        return self._edition(article.language).section(self.newsroom, article.section).name

    # Written once and kept

    def _write_header(self, language: str, section: str, kind: str) -> Markup:
        return self._part(
            "header.html",
            self._editions[language],
            current=section,
            at_front=kind == "front",
            at_section=kind == "section",
        )

    def _write_teaser(self, teaser: Teaser, language: str, look: Look) -> Markup:
        edition = self._editions[language]
        style = style_of(teaser.language)
        picture: Markup | str = ""
        if look.picture and teaser.picture is not None:
            alt = set_text(teaser.picture.alt, style)
            picture = picture_html(
                teaser.picture,
                alt,
                crop="16x9",
                sizes=look.picture,
                forms=self.forms,
                lazy=not look.first,
                thumb=look.thumb,
            )
        text = self._teaser_template.render(
            labels=edition.labels,
            language=teaser.language if teaser.language != language else "",
            direction=self.newsroom.direction(teaser.language),
            section=edition.section(self.newsroom, teaser.section),
            level=look.level,
            show_section=look.section,
            show_summary=look.summary,
            show_bylines=look.bylines,
            path=teaser.path,
            picture=picture,
            headline=set_text(teaser.headline, style),
            summary=set_text(teaser.summary, style),
            bylines=self._bylines(tuple(Byline(name=name) for name in teaser.bylines), language, False),
            date=edition.dates.element(look.date, teaser.first_published_at),
        )
        return Markup(text.strip())  # noqa: S704 (a template's output, escaped there)

    def _write_body(self, html: str, style: Style) -> Markup:
        # Cleaned once for the page and for ninjs, which asks without typography.
        clean = str(self._body(html, "")) if style else clean_html(html).strip()
        return Markup(set_html(clean, style))  # noqa: S704 (allow-listed in the line above)

    def _write_bylines(self, bylines: tuple[Byline, ...], language: str, links: bool) -> Markup:
        if not bylines:
            return Markup()
        labels = self._editions[language].labels
        style = style_of(language)
        names = [byline_html(one, self._author_path(one.name, language) if links else "", style) for one in bylines]
        text = escape(labels.comma).join(names[:-1])
        if text:
            text += escape(labels.and_)
        return escape(labels.by) + Markup(" ") + text + names[-1]
