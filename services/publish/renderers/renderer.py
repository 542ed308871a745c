"""The renderer: one object that holds a newsroom and its theme, and turns views into finished pages and feeds.

Its methods are pure: the same arguments give the same bytes. What many pages share (the masthead, a teaser, a date, a
body that stays while its related set changes) is written once and kept in bounded caches; threads may share a renderer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup, escape

from services.publish.channels.words import words_for
from services.publish.renderers import robots, rss
from services.publish.renderers.editions import Edition, SectionView, feed_path, make_edition
from services.publish.renderers.safe import absolute_links, clean_html, clean_text
from services.publish.renderers.theme import load_theme
from services.publish.renderers.typography import applies_to, french_html, french_text
from services.publish.views import Teaser, shortened, summary_of
from shared.events import Byline, Correction, PublicArticle
from shared.newsroom import Newsroom

DESCRIPTION_LENGTH = 300
# How many teasers a front page gives each of its parts; it has no use for more than FRONT_TEASERS.
FRONT_SECONDS, FRONT_LATEST, FRONT_BLOCK = 6, 7, 4
FRONT_TEASERS = 60

# Longer bodies (characters) are written anew each time, so that the caches stay within a few megabytes.
KEPT_BODY = 20_000

_OG_LOCALES = {"ar": "ar_AR", "en": "en_GB", "fr": "fr_FR"}
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Look(NamedTuple):
    """How a teaser is shown in one kind of place. level: of its heading. date: name of a date pattern."""

    level: str
    section: bool
    summary: bool
    bylines: bool
    date: str


RELATED = Look("h3", True, True, False, "date")
LEAD = Look("h2", True, True, True, "date_time_short")
SECOND = Look("h2", True, True, False, "date_time_short")
LATEST = Look("h3", True, False, False, "date_time_short")
BLOCK_FIRST = Look("h3", False, True, False, "date_time_short")
BLOCK = Look("h3", False, False, False, "date_time_short")
LISTED_LEAD = Look("h2", False, True, True, "date_time_short")
LISTED = Look("h2", False, True, False, "date_time_short")


class Block(NamedTuple):
    """A section's part of the front page."""

    section: SectionView
    teasers: list[Markup]


class Renderer:
    """Writes pages and feeds for one newsroom.

    theme_dirs: the newsroom's own folders, the strongest first; any file in them replaces the theme's of that name.
    Raises ThemeError if a theme cannot be used, and for an edition whose language has no labels.
    """

    def __init__(self, newsroom: Newsroom, theme_dirs: Sequence[Path] = ()) -> None:
        self.newsroom = newsroom
        theme = load_theme(theme_dirs, newsroom.languages)
        self._theme = theme
        self._logo = newsroom.url(theme.paths["icon.svg"])
        self._editions = {
            language: make_edition(newsroom, theme.labels[language], language) for language in newsroom.languages
        }
        for edition in self._editions.values():
            edition.head = self._part("head.html", edition, assets=theme.paths, ai_opt_out=newsroom.ai_opt_out)
            words = words_for(edition.language)
            informed = self._part("stay_informed.html", edition, assets=theme.paths, words=words)
            edition.footer = informed + self._part("footer.html", edition)
        self._article = theme.templates.get_template("article.html")
        self._front = theme.templates.get_template("front.html")
        self._section = theme.templates.get_template("section.html")
        self._message = theme.templates.get_template("message.html")
        self._teaser_template = theme.templates.get_template("teaser.html")
        self._header = lru_cache(256)(self._write_header)
        self._teaser = lru_cache(2048)(self._write_teaser)
        self._kept_body = lru_cache(256)(self._write_body)
        self._kept_item = lru_cache(256)(self._write_item)
        self._bylines = lru_cache(1024)(self._write_bylines)
        self._tombstone = lru_cache(16)(self._write_message)
        self.version = _version(newsroom, theme.digest)

    # Pages

    def article_page(self, article: PublicArticle, related: Sequence[Teaser] = ()) -> bytes:
        """An article's page, with its related set's teasers in their order."""
        edition = self._edition(article.language)
        section = edition.section(self.newsroom, article.section)
        french = applies_to(article.language)
        headline = _set(article.headline, french)
        standfirst = _set(article.standfirst.strip(), french)
        description = shortened(standfirst, DESCRIPTION_LENGTH) or _set(summary_of(article), french)
        url = self.newsroom.url(article.path)
        dates = edition.dates
        published_iso, updated_iso = dates.iso(article.first_published_at), dates.iso(article.updated_at)
        published = dates.element("date_time", article.first_published_at)
        updated = dates.element("date_time", article.updated_at)
        foreign = article.language != edition.language
        return self._article.render(
            edition=edition,
            labels=edition.labels,
            header=self._header(edition.language, section.key, "article"),
            title=f"{headline} – {edition.name}",
            description=description,
            language=article.language if foreign else "",
            direction=self.newsroom.direction(article.language),
            url=url,
            og_locale=_og_locale(article.language),
            section=section,
            headline=headline,
            standfirst=standfirst,
            bylines=self._bylines(article.bylines, edition.language, True),
            author_names=", ".join(clean_text(byline.name) for byline in article.bylines),
            tags=[clean_text(tag) for tag in article.tags],
            published=published,
            published_iso=published_iso,
            updated=updated if _minute(article.updated_at) > _minute(article.first_published_at) else "",
            updated_iso=updated_iso,
            body=self._body(article.body_html, french),
            corrections=[
                {"date": dates.element("date_time", correction.corrected_at), "note": _set(correction.note, french)}
                for correction in article.corrections
            ],
            related=[self._teaser(teaser, edition.language, RELATED) for teaser in related],
            structured=_data_block(
                self._structured(article, edition, section, headline, description, url, published_iso, updated_iso)
            ),
        ).encode("utf-8")

    def front_page(self, language: str, teasers: Sequence[Teaser]) -> bytes:
        """An edition's front page. teasers: the lead first, then the newest; FRONT_TEASERS of them are enough.

        The first ones open the page, the next are its list of latest articles, the rest is grouped by section.
        """
        edition = self._edition(language)
        seconds = teasers[1 : 1 + FRONT_SECONDS]
        latest = teasers[1 + FRONT_SECONDS : 1 + FRONT_SECONDS + FRONT_LATEST]
        title = f"{edition.name} – {edition.tagline}" if edition.tagline else edition.name
        show = self._teaser
        return self._front.render(
            edition=edition,
            editions=list(self._editions.values()),
            labels=edition.labels,
            header=self._header(edition.language, "", "front"),
            title=title,
            description=edition.tagline,
            url=edition.url,
            og_locale=_og_locale(edition.language),
            structured=_data_block(
                {
                    "@context": "https://schema.org",
                    "@type": "WebSite",
                    "name": edition.name,
                    "url": edition.url,
                    "inLanguage": edition.language,
                    "publisher": self._publisher(edition),
                }
            ),
            lead=show(teasers[0], edition.language, LEAD) if teasers else "",
            seconds=[show(teaser, edition.language, SECOND) for teaser in seconds],
            latest=[show(teaser, edition.language, LATEST) for teaser in latest],
            blocks=self._blocks(edition, teasers[1 + FRONT_SECONDS + FRONT_LATEST : FRONT_TEASERS]),
        ).encode("utf-8")

    def section_page(self, language: str, section: str, teasers: Sequence[Teaser]) -> bytes:
        """A section's front: its newest articles, newest first."""
        edition = self._edition(language)
        view = edition.section(self.newsroom, section)
        labels = edition.labels
        return self._section.render(
            edition=edition,
            labels=labels,
            header=self._header(edition.language, section, "section"),
            title=f"{view.name} – {edition.name}",
            description=_filled(labels.section_description, edition, view),
            url=self.newsroom.url(view.path),
            og_locale=_og_locale(edition.language),
            section=view,
            feed_title=_filled(labels.feed_title, edition, view),
            lead=self._teaser(teasers[0], edition.language, LISTED_LEAD) if teasers else "",
            teasers=[self._teaser(teaser, edition.language, LISTED) for teaser in teasers[1:]],
        ).encode("utf-8")

    def tombstone_page(self, language: str) -> bytes:
        """What stands where a killed article was, answered with 410. It says nothing of the article."""
        return self._tombstone(self._edition(language).language, True)

    def not_found_page(self, language: str) -> bytes:
        """What an unknown address is answered with, beside 404."""
        return self._tombstone(self._edition(language).language, False)

    # Feeds and files

    def rss(self, language: str, section: str | None, entries: Sequence[PublicArticle], self_path: str) -> bytes:
        """An RSS 2.0 feed with full texts. section: None for the whole edition. self_path: the feed's own URL path."""
        edition = self._edition(language)
        if section is None:
            title, link, about = edition.name, edition.url, edition.tagline or edition.name
        else:
            view = edition.section(self.newsroom, section)
            title = _filled(edition.labels.feed_title, edition, view)
            link = self.newsroom.url(view.path)
            about = _filled(edition.labels.section_description, edition, view)
        return rss.document(
            title=title,
            link=link,
            description=about,
            language=edition.language,
            self_url=self.newsroom.url(self_path),
            built_at=max((entry.updated_at for entry in entries), default=None),
            items=[self._item(entry) for entry in entries],
        )

    def feed_path(self, language: str, section: str | None) -> str:
        """The URL path at which pages look for a list's RSS feed."""
        return feed_path(self.newsroom, self._edition(language).language, section)

    def robots_txt(self, sitemap_paths: tuple[str, ...] = ()) -> bytes:
        """/robots.txt; sitemap_paths: those that exist."""
        return robots.robots_txt(self.newsroom, sitemap_paths)

    def tdmrep_json(self) -> bytes:
        """/.well-known/tdmrep.json."""
        return robots.tdmrep_json(self.newsroom)

    def static_files(self) -> Mapping[str, bytes]:
        """Every static file by its URL path under /assets/; the path holds the content's hash, so it never changes."""
        return self._theme.files

    # Parts that pages share

    def _edition(self, language: str) -> Edition:
        edition = self._editions.get(language)
        return edition if edition is not None else self._editions[self.newsroom.edition(language)]

    def _part(self, template: str, edition: Edition, **values: object) -> Markup:
        text = self._theme.templates.get_template(template).render(
            edition=edition, editions=list(self._editions.values()), labels=edition.labels, **values
        )
        return Markup(text.strip())  # noqa: S704 (a template's output, escaped there)

    @property
    def icon_path(self) -> str:
        """The URL path of the newspaper's icon."""
        return self._theme.paths["icon.svg"]

    def newsletter_page(self, language: str, heading: str, text: str, form: Mapping[str, object] | None) -> bytes:
        """A page on which readers sign up for letters, confirm, or leave; it is never stored."""
        edition = self._edition(language)
        page = self._theme.templates.get_template("newsletter.html").render(
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
        french = applies_to(teaser.language)
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
            headline=_set(teaser.headline, french),
            summary=_set(teaser.summary, french),
            bylines=self._bylines(tuple(Byline(name=name) for name in teaser.bylines), language, False),
            date=edition.dates.element(look.date, teaser.first_published_at),
        )
        return Markup(text.strip())  # noqa: S704 (a template's output, escaped there)

    def _body(self, html: str, french: bool) -> Markup:
        return self._kept_body(html, french) if len(html) <= KEPT_BODY else self._write_body(html, french)

    def _item(self, article: PublicArticle) -> str:
        return self._kept_item(article) if len(article.body_html) <= KEPT_BODY else self._write_item(article)

    def _write_body(self, html: str, french: bool) -> Markup:
        clean = clean_html(html).strip()
        return Markup(french_html(clean) if french else clean)  # noqa: S704 (allow-listed in the line above)

    def _write_bylines(self, bylines: tuple[Byline, ...], language: str, links: bool) -> Markup:
        if not bylines:
            return Markup()
        labels = self._editions[language].labels
        names = [_byline(byline, links) for byline in bylines]
        text = escape(labels.comma).join(names[:-1])
        if text:
            text += escape(labels.and_)
        return escape(labels.by) + Markup(" ") + text + names[-1]

    def _write_message(self, language: str, gone: bool) -> bytes:
        edition = self._editions[language]
        labels = edition.labels
        heading = labels.gone_title if gone else labels.not_found_title
        return self._message.render(
            edition=edition,
            labels=labels,
            header=self._header(language, "", "message"),
            title=f"{heading} – {edition.name}",
            description="",
            heading=heading,
            text=labels.gone_text if gone else labels.not_found_text,
        ).encode("utf-8")

    def _blocks(self, edition: Edition, teasers: Sequence[Teaser]) -> list[Block]:
        groups: dict[str, list[Markup]] = {section.key: [] for section in edition.sections}
        for teaser in teasers:
            group = groups.setdefault(teaser.section, [])
            if len(group) < FRONT_BLOCK:
                group.append(self._teaser(teaser, edition.language, BLOCK if group else BLOCK_FIRST))
        return [Block(edition.section(self.newsroom, key), group) for key, group in groups.items() if group]

    def _write_item(self, article: PublicArticle) -> str:
        edition = self._edition(article.language)
        french = applies_to(article.language)
        content = absolute_links(str(self._body(article.body_html, french)), self.newsroom.base_url)
        for correction in article.corrections:
            content += str(self._correction(correction, edition, french))
        section = edition.section(self.newsroom, article.section)
        return rss.item(
            title=_set(article.headline, french),
            link=self.newsroom.url(article.path),
            guid=rss.guid_of(self.newsroom, article),
            published_at=article.first_published_at,
            creators=[clean_text(byline.name) for byline in article.bylines],
            categories=[section.name, *(clean_text(tag) for tag in article.tags)],
            description=_set(summary_of(article, DESCRIPTION_LENGTH), french),
            content_html=content,
        )

    def _correction(self, correction: Correction, edition: Edition, french: bool) -> Markup:
        date = edition.dates.text("date_time", correction.corrected_at)
        return Markup("\n<p><strong>{} ({})</strong> {}</p>").format(
            edition.labels.correction, date, _set(correction.note, french)
        )

    # Structured data

    def _structured(
        self,
        article: PublicArticle,
        edition: Edition,
        section: SectionView,
        headline: str,
        description: str,
        url: str,
        published_iso: str,
        updated_iso: str,
    ) -> dict[str, object]:
        """The article as schema.org describes it; all of it is also visible on the page."""
        data: dict[str, object] = {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "mainEntityOfPage": url,
            "headline": headline,
            "description": description,
            "datePublished": published_iso,
            "dateModified": updated_iso,
            "inLanguage": article.language,
            "articleSection": section.name,
            "isAccessibleForFree": True,
            "publisher": self._publisher(edition),
        }
        if article.bylines:
            data["author"] = [
                {"@type": "Person", "name": clean_text(byline.name), **({"url": byline.url} if byline.url else {})}
                for byline in article.bylines
            ]
        if article.tags:
            data["keywords"] = [clean_text(tag) for tag in article.tags]
        if article.corrections:
            data["correction"] = [
                {
                    "@type": "CorrectionComment",
                    "text": clean_text(correction.note),
                    "datePublished": edition.dates.iso(correction.corrected_at),
                }
                for correction in article.corrections
            ]
        return data

    def _publisher(self, edition: Edition) -> dict[str, object]:
        return {
            "@type": "NewsMediaOrganization",
            "name": edition.name,
            "url": self.newsroom.url(self.newsroom.front_path(self.newsroom.default_language)),
            "logo": {"@type": "ImageObject", "url": self._logo},
        }


def _set(text: str, french: bool) -> str:
    """Plain text as it is shown, not yet escaped."""
    clean = clean_text(text)
    return french_text(clean) if french else clean


def _byline(byline: Byline, links: bool) -> Markup:
    name = Markup("<bdi>{}</bdi>").format(clean_text(byline.name))
    if links and byline.url and byline.url.startswith(("https://", "http://", "/")):
        return Markup('<a rel="author" href="{}">{}</a>').format(byline.url, name)
    return name


def _data_block(data: dict[str, object]) -> Markup:
    """JSON that may stand in a script element: no "<" can end it."""
    return Markup(_ENCODER.encode(data).replace("<", "\\u003c"))  # noqa: S704 (escaped just here)


def _filled(pattern: str, edition: Edition, section: SectionView) -> str:
    text = pattern.replace("{name}", edition.name).replace("{section}", section.name)
    return french_text(text) if applies_to(edition.language) else text


def _og_locale(language: str) -> str:
    return _OG_LOCALES.get(language) or language.replace("-", "_")


def _minute(when: datetime) -> datetime:
    return when.replace(second=0, microsecond=0)


def _version(newsroom: Newsroom, theme: str) -> str:
    """Changes when pages of the same articles would: with the newsroom, the theme, or the code that writes them."""
    digest = hashlib.sha256(f"{newsroom!r}\0{theme}".encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
