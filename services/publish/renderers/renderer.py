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
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from services.publish import lists
from services.publish.channels.words import words_for
from services.publish.lists import Listing
from services.publish.pictures import FULL, renditions_of
from services.publish.renderers import ninjs, robots, rss, sitemaps, structured
from services.publish.renderers.editions import Edition, SectionView, make_edition
from services.publish.renderers.feeds import KEPT_BODY, Feed, FeedWriter
from services.publish.renderers.pictures import picture_html, preload_html, srcset
from services.publish.renderers.safe import absolute_links, clean_html, clean_text
from services.publish.renderers.static_pages import StaticPage, load_pages
from services.publish.renderers.texts import byline_html, data_block, filled, og_locale, set_text
from services.publish.renderers.theme import load_theme
from services.publish.renderers.typography import applies_to, french_html
from services.publish.views import Dated, Entry, Teaser, shortened, summary_of
from shared.events import Byline, Correction, Picture, PublicArticle
from shared.newsroom import Newsroom

DESCRIPTION_LENGTH = 300
# How many teasers a front page gives each of its parts; it has no use for more than FRONT_TEASERS.
FRONT_SECONDS, FRONT_LATEST, FRONT_BLOCK = 6, 12, 4
FRONT_TEASERS = 60
# How wide an article's pictures are shown, as HTML says it.
BODY_SIZES = "(min-width: 42rem) 40rem, 100vw"
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Look(NamedTuple):
    """How a teaser is shown in one kind of place. level: of its heading. date: name of a date pattern.

    picture: how wide its picture is shown, as HTML says it; "" for none. first: it may be the first thing seen.
    """

    level: str
    section: bool
    summary: bool
    bylines: bool
    date: str
    picture: str = ""
    first: bool = False


_CARD = "(min-width: 64rem) 18rem, (min-width: 44rem) 45vw, 100vw"
_LEAD = "(min-width: 80rem) 50rem, (min-width: 64rem) 60vw, 100vw"
RELATED = Look("h3", True, True, False, "date", _CARD)
LEAD = Look("h2", True, True, True, "date_time_short", _LEAD, True)
SECOND = Look("h2", True, True, False, "date_time_short", _CARD)
LATEST = Look("h3", True, False, False, "date_time_short")
BLOCK_FIRST = Look("h3", False, True, False, "date_time_short", _CARD)
BLOCK = Look("h3", False, False, False, "date_time_short")
LISTED_LEAD = Look("h2", False, True, True, "date_time_short", _LEAD, True)
LISTED = Look("h2", False, True, False, "date_time_short", _CARD)
TOPIC = Look("h2", True, True, False, "date_time_short", _CARD)
LINE = Look("h3", True, False, False, "date_time_short")


class Block(NamedTuple):
    """A section's part of the front page."""

    section: SectionView
    teasers: list[Markup]


class Turn(NamedTuple):
    """The pages before and after a list's: URL paths, "" for none. number: of this one, 0 for the first."""

    newer: str = ""
    older: str = ""
    number: int = 0


class Renderer:
    """Writes pages and feeds for one newsroom.

    theme_dirs: the newsroom's own folders, the strongest first; any file in them replaces the theme's of that name.
    forms: the formats of pictures, the best first, "jpg" last. hubs: WebSub's, named in feeds.
    letters: whether there is a newsletter to sign up for.
    Raises ThemeError if a theme cannot be used, and for an edition whose language has no labels; StaticPageError.
    """

    def __init__(
        self,
        newsroom: Newsroom,
        theme_dirs: Sequence[Path] = (),
        *,
        forms: Sequence[str] = ("webp", "jpg"),
        hubs: Sequence[str] = (),
        letters: bool = True,
    ) -> None:
        self.newsroom = newsroom
        self.forms = tuple(forms)
        theme = load_theme(theme_dirs, newsroom.languages)
        self._theme = theme
        self._logo = newsroom.url(theme.paths["icon.svg"])
        self._static_pages = load_pages(newsroom)
        self._editions = {
            language: make_edition(newsroom, theme.labels[language], language, self._static_pages)
            for language in newsroom.languages
        }
        for edition in self._editions.values():
            edition.head = self._part("head.html", edition, assets=theme.paths, ai_opt_out=newsroom.ai_opt_out)
            words = words_for(edition.language)
            informed = self._part("stay_informed.html", edition, assets=theme.paths, words=words, letters=letters)
            edition.footer = informed + self._part("footer.html", edition)
        get = theme.templates.get_template
        self._article, self._front, self._list = get("article.html"), get("front.html"), get("list.html")
        self._month, self._archive, self._message = get("month.html"), get("archive.html"), get("message.html")
        self._page, self._search, self._teaser_template = get("page.html"), get("search.html"), get("teaser.html")
        self._header = lru_cache(256)(self._write_header)
        self._teaser = lru_cache(2048)(self._write_teaser)
        self._kept_body = lru_cache(256)(self._write_body)
        self._bylines = lru_cache(1024)(self._write_bylines)
        self._tombstone = lru_cache(32)(self._write_message)
        self._feeds = FeedWriter(newsroom, self._body, self._corrections, self._section_name, hubs)
        self.version = _version(newsroom, theme.digest, self._static_pages, (*self.forms, *hubs, f"letters {letters}"))

    # Articles

    def article_page(
        self,
        article: PublicArticle,
        related: Sequence[Teaser] = (),
        *,
        pictured: bool = False,
        translations: Mapping[str, str] | None = None,
    ) -> bytes:
        """An article's page, with its related set's teasers in their order.

        pictured: whether its pictures are ready. translations: paths of all versions by language, with its own.
        """
        edition = self._edition(article.language)
        section = edition.section(self.newsroom, article.section)
        french = applies_to(article.language)
        headline = set_text(article.headline, french)
        standfirst = set_text(article.standfirst.strip(), french)
        description = shortened(standfirst, DESCRIPTION_LENGTH) or set_text(summary_of(article), french)
        url = self.newsroom.url(article.path)
        dates = edition.dates
        foreign = article.language != edition.language
        retraction = article.retraction if article.status == "retracted" else None
        versions = self._versions(article, translations or {})
        authors = [self._author_path(byline.name, edition.language) for byline in article.bylines]
        pictures = article.images if pictured else ()
        body = self._body(article.body_html, french)
        return self._article.render(
            edition=edition,
            labels=edition.labels,
            header=self._header(edition.language, section.key, "article"),
            title=f"{headline} – {edition.name}",
            description=description,
            language=article.language if foreign else "",
            direction=self.newsroom.direction(article.language),
            url=url,
            canonical=article.canonical_url or url,
            path=article.path,
            og_locale=og_locale(article.language),
            versions=versions,
            section=section,
            headline=headline,
            standfirst=standfirst,
            bylines=self._bylines(article.bylines, edition.language, True),
            author_names=", ".join(clean_text(byline.name) for byline in article.bylines),
            tags=self._tags(article, edition),
            published=dates.element("date_time", article.first_published_at),
            published_iso=dates.iso(article.first_published_at),
            updated=(
                dates.element("date_time", article.updated_at)
                if _minute(article.updated_at) > _minute(article.first_published_at)
                else ""
            ),
            updated_iso=dates.iso(article.updated_at),
            picture=self._figure(pictures[0], french, lead=True) if pictures else "",
            preload=preload_html(pictures[0], crop=FULL, sizes=BODY_SIZES, forms=self.forms) if pictures else "",
            preview=self._preview(pictures[0]) if pictures else None,
            gallery=[self._figure(one, french) for one in pictures[1:]],
            body=body,
            source=set_text(article.source, french),
            retraction=(
                {
                    "date": dates.element("date_time", retraction.retracted_at),
                    "note": set_text(retraction.note, french),
                }
                if retraction
                else None
            ),
            noindex=article.status != "live",
            corrections=[
                {"date": dates.element("date_time", correction.corrected_at), "note": set_text(correction.note, french)}
                for correction in article.corrections
            ],
            related=[self._teaser(teaser, edition.language, RELATED) for teaser in related],
            structured=data_block(
                structured.article(
                    article,
                    self.newsroom,
                    edition,
                    section=section.name,
                    headline=headline,
                    description=description,
                    url=url,
                    logo=self._logo,
                    pictured=pictured,
                    author_urls=[
                        byline.url or (self.newsroom.url(path) if path else "")
                        for byline, path in zip(article.bylines, authors, strict=True)
                    ],
                )
            ),
        ).encode("utf-8")

    def related_json(self, article: PublicArticle, related: Sequence[Teaser]) -> bytes:
        """An article's related set for scripts: what its page shows, and where the next sets are."""
        edition = self._edition(article.language)
        items = [self._related_item(teaser, edition) for teaser in related]
        return (_ENCODER.encode({"items": items}) + "\n").encode("utf-8")

    def _related_item(self, teaser: Teaser, edition: Edition) -> dict[str, Any]:
        french = applies_to(teaser.language)
        found: dict[str, Any] = {
            "path": teaser.path,
            "related": f"{teaser.path}/related.json",
            "headline": set_text(teaser.headline, french),
            "excerpt": set_text(teaser.summary, french),
            "section": edition.section(self.newsroom, teaser.section).name,
            "language": teaser.language,
            "direction": self.newsroom.direction(teaser.language),
            "published_at": edition.dates.iso(teaser.first_published_at),
            "date": edition.dates.text("date", teaser.first_published_at),
        }
        if (picture := teaser.picture) is not None:
            shown = renditions_of(picture, "16x9", "jpg")
            found["picture"] = {
                "src": shown[0].path,
                "srcset": srcset(picture, "16x9", self.forms[-2] if len(self.forms) > 1 else "jpg"),
                "width": shown[-1].width,
                "height": shown[-1].height,
                "alt": set_text(picture.alt, french),
            }
        return found

    def ninjs(self, article: PublicArticle, *, pictured: bool = False) -> bytes:
        """The article as ninjs 3.1."""
        edition = self._edition(article.language)
        body = self._body(article.body_html, False)
        pictures: list[dict[str, object]] = []
        for number, one in enumerate(article.images if pictured else (), start=1):
            pictures.append(
                {
                    "name": f"picture-{number}",
                    "rel": "lead" if number == 1 else "illustration",
                    "uri": self.newsroom.url(renditions_of(one, FULL, "jpg")[-1].path),
                    "type": "picture",
                    **({"by": one.credit} if one.credit else {}),
                    "descriptions": [
                        {"role": role, "value": text}
                        for role, text in (("caption", one.caption), ("alt", one.alt))
                        if text
                    ],
                    "renditions": [
                        {
                            "name": f"{found.width}w",
                            "href": self.newsroom.url(found.path),
                            "contentType": "image/jpeg",
                            "width": found.width,
                            "height": found.height,
                        }
                        for found in renditions_of(one, FULL, "jpg")
                    ],
                }
            )
        return ninjs.document(
            article,
            uri=rss.guid_of(self.newsroom, article),
            url=self.newsroom.url(article.path),
            section=self._section_name(article),
            provider=edition.name,
            body_html=absolute_links(str(body), self.newsroom.base_url),
            pictures=pictures,
        )

    # Lists

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
            og_locale=og_locale(edition.language),
            structured=data_block(structured.website(self.newsroom, edition, self._logo)),
            preload=self._lead_preload(teasers),
            lead=show(teasers[0], edition.language, LEAD) if teasers else "",
            seconds=[show(teaser, edition.language, SECOND) for teaser in seconds],
            latest=[show(teaser, edition.language, LATEST) for teaser in latest],
            blocks=self._blocks(edition, teasers[1 + FRONT_SECONDS + FRONT_LATEST : FRONT_TEASERS]),
        ).encode("utf-8")

    def list_page(self, listing: Listing, name: str, teasers: Sequence[Teaser], turn: Turn = Turn()) -> bytes:  # noqa: B008
        """A page of a section, tag or author: its newest articles, or an older page's. name: of the tag or author."""
        edition = self._edition(listing.language)
        title, about, heading = self._names(listing, name, edition)
        path = self._path(listing)
        first = Look(*LISTED_LEAD) if listing.kind == "section" else TOPIC
        others = LISTED if listing.kind == "section" else TOPIC
        lead = teasers[0] if teasers and not turn.number and listing.kind == "section" else None
        rest = teasers[1:] if lead else teasers
        folder = self._path(Listing(listing.kind, listing.language, listing.key))
        trail = [(edition.name, edition.url), (heading, self.newsroom.url(folder))]
        if turn.number:
            values = {"section": title, "number": str(turn.number)}
            title = filled(edition.labels.page_number, edition, **values)
        return self._list.render(
            edition=edition,
            labels=edition.labels,
            header=self._header(
                edition.language,
                listing.key if listing.kind == "section" else "",
                "section" if listing.kind == "section" and not turn.number else "list",
            ),
            title=f"{title} – {edition.name}",
            heading=heading,
            number=turn.number,
            description=about,
            url=self.newsroom.url(path),
            og_locale=og_locale(edition.language),
            feed_folder=folder,
            feed_title=self._feed_title(listing, name, edition),
            structured=data_block(structured.breadcrumbs(trail)),
            preload=self._lead_preload([lead]) if lead else "",
            lead=self._teaser(lead, edition.language, first) if lead else "",
            teasers=[self._teaser(teaser, edition.language, others) for teaser in rest],
            turn=turn,
        ).encode("utf-8")

    def month_page(self, listing: Listing, teasers: Sequence[Teaser], turn: Turn = Turn()) -> bytes:  # noqa: B008
        """A page of a month's archive: headlines by day, newest first."""
        edition = self._edition(listing.language)
        month = self._month_name(listing.key, edition)
        title = filled(edition.labels.archive_of, edition, month=month)
        days: dict[str, list[Markup]] = {}
        for teaser in teasers:
            day = edition.dates.text("day", teaser.first_published_at)
            days.setdefault(day, []).append(self._teaser(teaser, edition.language, LINE))
        heading = title
        if turn.number:
            title = filled(edition.labels.page_number, edition, section=title, number=str(turn.number))
        return self._month.render(
            edition=edition,
            labels=edition.labels,
            header=self._header(edition.language, "", "list"),
            title=f"{title} – {edition.name}",
            heading=heading,
            description=filled(edition.labels.archive_about, edition, month=month),
            url=self.newsroom.url(self._path(listing)),
            days=list(days.items()),
            turn=turn,
        ).encode("utf-8")

    def archive_page(self, language: str, months: Sequence[str]) -> bytes:
        """The list of an edition's months, newest first. months: "2026-11"."""
        edition = self._edition(language)
        years: dict[str, list[tuple[str, str]]] = {}
        for month in months:
            path = self._path(Listing("month", edition.language, month))
            years.setdefault(month[:4], []).append((path, self._month_name(month, edition)))
        return self._archive.render(
            edition=edition,
            labels=edition.labels,
            header=self._header(edition.language, "", "list"),
            title=f"{edition.labels.archive} – {edition.name}",
            description=f"{edition.labels.archive} – {edition.name}",
            url=self.newsroom.url(edition.archive_path),
            years=list(years.items()),
        ).encode("utf-8")

    def feeds(self, listing: Listing, name: str, entries: Sequence[Entry]) -> Mapping[str, bytes]:
        """A list's feeds by file name: feed.xml, atom.xml and feed.json, with full texts."""
        edition = self._edition(listing.language)
        _, about, _ = self._names(listing, name, edition)
        folder = self._path(listing)
        feed = Feed(
            self._feed_title(listing, name, edition),
            about or edition.name,
            edition.language,
            edition.name,
            self.newsroom.url(folder),
            folder,
            self._logo,
        )
        return self._feeds.feeds(feed, entries)

    def sitemap(self, articles: Sequence[Dated]) -> bytes:
        """A sitemap of articles."""
        return sitemaps.sitemap(self.newsroom.base_url, articles)

    def news_sitemap(self, language: str, articles: Sequence[Dated]) -> bytes:
        """An edition's news sitemap."""
        return sitemaps.news(self.newsroom.base_url, self._edition(language).name, articles)

    def sitemap_index(self, paths: Sequence[str]) -> bytes:
        """The index of the sitemaps at these paths, and of that of the pages without a date."""
        return sitemaps.index([self.newsroom.url(path) for path in (lists.SITEMAP_OF_PAGES, *paths)])

    # Other pages and files

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
        french = applies_to(edition.language)
        shown = set_text(words, french)
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

    def installed_files(self) -> Mapping[str, bytes]:
        """The files that are made of the theme and the newsroom alone, by URL path."""
        newsroom = self.newsroom
        files = dict(self._theme.files)
        for language, edition in self._editions.items():
            prefix = edition.front_path.rstrip("/")
            files[f"{prefix}/404.html"] = self.not_found_page(language)
            files[edition.manifest_path] = self._manifest(edition)
        for path, page in self._static_pages.items():
            files[path] = self._write_page(page)
        index_paths = [lists.SITEMAP_INDEX]
        index_paths += [lists.list_path(newsroom, Listing("news", language)) for language in newsroom.languages]
        files["/robots.txt"] = robots.robots_txt(newsroom, tuple(index_paths))
        files["/.well-known/tdmrep.json"] = robots.tdmrep_json(newsroom)
        urls = [newsroom.url(self._path(one)) for one in lists.always(newsroom) if one.is_html]
        urls += [newsroom.url(path) for path in self._static_pages]
        files[lists.SITEMAP_OF_PAGES] = sitemaps.sitemap_of_pages(urls)
        return files

    # Parts that pages share

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
        picture: Markup | str = ""
        if look.picture and teaser.picture is not None:
            alt = set_text(teaser.picture.alt, french)
            picture = picture_html(
                teaser.picture, alt, crop="16x9", sizes=look.picture, forms=self.forms, lazy=not look.first
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
            headline=set_text(teaser.headline, french),
            summary=set_text(teaser.summary, french),
            bylines=self._bylines(tuple(Byline(name=name) for name in teaser.bylines), language, False),
            date=edition.dates.element(look.date, teaser.first_published_at),
        )
        return Markup(text.strip())  # noqa: S704 (a template's output, escaped there)

    def _lead_preload(self, teasers: Sequence[Teaser]) -> Markup | str:
        if not teasers or (picture := teasers[0].picture) is None:
            return ""
        return preload_html(picture, crop="16x9", sizes=_LEAD, forms=self.forms)

    def _figure(self, picture: Picture, french: bool, *, lead: bool = False) -> dict[str, Any]:
        alt = set_text(picture.alt, french)
        return {
            "html": picture_html(picture, alt, sizes=BODY_SIZES, forms=self.forms, lazy=not lead),
            "caption": set_text(picture.caption, french),
            "credit": set_text(picture.credit, french),
        }

    def _preview(self, picture: Picture) -> dict[str, Any]:
        shown = renditions_of(picture, "16x9", "jpg")[-1]
        url = self.newsroom.url(shown.path)
        return {"url": url, "width": shown.width, "height": shown.height, "alt": clean_text(picture.alt)}

    def _body(self, html: str, french: bool) -> Markup:
        return self._kept_body(html, french) if len(html) <= KEPT_BODY else self._write_body(html, french)

    def _write_body(self, html: str, french: bool) -> Markup:
        clean = clean_html(html).strip()
        return Markup(french_html(clean) if french else clean)  # noqa: S704 (allow-listed in the line above)

    def _author_path(self, name: str, language: str) -> str:
        key = lists.term_key(name)
        return self._path(Listing("author", language, key)) if key else ""

    def _tags(self, article: PublicArticle, edition: Edition) -> list[tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}
        for tag in article.tags:
            if key := lists.term_key(tag):
                path = self._path(Listing("tag", edition.language, key))
                found.setdefault(key, (path, set_text(tag, applies_to(article.language))))
        return list(found.values())

    def _versions(self, article: PublicArticle, translations: Mapping[str, str]) -> list[dict[str, Any]]:
        """The article's versions in all languages, with itself; [] when there is only one."""
        if article.status != "live" or len(translations) < 2 or translations.get(article.language) != article.path:
            return []
        return [
            {
                "language": language,
                "direction": self.newsroom.direction(language),
                "name": self._edition(language).labels.language_name,
                "path": path,
                "url": self.newsroom.url(path),
                "here": path == article.path,
            }
            for language, path in sorted(translations.items(), key=self._by_edition)
        ]

    def _by_edition(self, version: tuple[str, str]) -> int:
        return self.newsroom.languages.index(self.newsroom.edition(version[0]))

    def _write_bylines(self, bylines: tuple[Byline, ...], language: str, links: bool) -> Markup:
        if not bylines:
            return Markup()
        labels = self._editions[language].labels
        names = [byline_html(one, self._author_path(one.name, language) if links else "") for one in bylines]
        text = escape(labels.comma).join(names[:-1])
        if text:
            text += escape(labels.and_)
        return escape(labels.by) + Markup(" ") + text + names[-1]

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
            description="",
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
                {"src": self._theme.paths["icon.svg"], "type": "image/svg+xml", "sizes": "any", "purpose": "any"}
            ],
        }
        return (json.dumps(found, ensure_ascii=False) + "\n").encode()

    def _blocks(self, edition: Edition, teasers: Sequence[Teaser]) -> list[Block]:
        groups: dict[str, list[Markup]] = {section.key: [] for section in edition.sections}
        for teaser in teasers:
            group = groups.setdefault(teaser.section, [])
            if len(group) < FRONT_BLOCK:
                group.append(self._teaser(teaser, edition.language, BLOCK if group else BLOCK_FIRST))
        return [Block(edition.section(self.newsroom, key), group) for key, group in groups.items() if group]

    def _section_name(self, article: PublicArticle) -> str:
        return self._edition(article.language).section(self.newsroom, article.section).name

    def _corrections(self, article: PublicArticle) -> str:
        edition, french = self._edition(article.language), applies_to(article.language)
        return "".join(str(self._correction(one, edition, french)) for one in article.corrections)

    def _correction(self, correction: Correction, edition: Edition, french: bool) -> Markup:
        date = edition.dates.text("date_time", correction.corrected_at)
        return Markup("\n<p><strong>{} ({})</strong> {}</p>").format(
            edition.labels.correction, date, set_text(correction.note, french)
        )

    def _names(self, listing: Listing, name: str, edition: Edition) -> tuple[str, str, str]:
        """A list's title, what it is about, and its heading."""
        labels = edition.labels
        if listing.kind == "front":
            return edition.name, edition.tagline or edition.name, edition.name
        if listing.kind == "section":
            view = edition.section(self.newsroom, listing.key)
            return view.name, filled(labels.section_description, edition, section=view.name), view.name
        shown = set_text(name or listing.key, applies_to(edition.language))
        if listing.kind == "tag":
            title = filled(labels.tag_title, edition, tag=shown)
            return title, filled(labels.tag_about, edition, tag=shown), shown
        title = filled(labels.author_title, edition, author=shown)
        return title, filled(labels.author_about, edition, author=shown), shown

    def _feed_title(self, listing: Listing, name: str, edition: Edition) -> str:
        if listing.kind == "front":
            return edition.name
        return filled(edition.labels.feed_title, edition, section=self._names(listing, name, edition)[2])

    def _month_name(self, month: str, edition: Edition) -> str:
        first = datetime(int(month[:4]), int(month[5:]), 15, 12, tzinfo=self.newsroom.time_zone)
        return edition.dates.text("month", first)

    def _found(self, one: Mapping[str, Any], edition: Edition) -> dict[str, Any]:
        language = str(one.get("language") or edition.language)
        french = applies_to(language)
        date = one.get("first_published_at")
        return {
            "url": one.get("url", ""),
            "headline": set_text(str(one.get("headline", "")), french),
            "excerpt": Markup(clean_html(str(one.get("excerpt_html", "")))),  # noqa: S704 (allow-listed here)
            "section": edition.section(self.newsroom, str(one.get("section", ""))),
            "language": language if language != edition.language else "",
            "direction": self.newsroom.direction(language),
            "date": edition.dates.element("date", datetime.fromisoformat(date)) if isinstance(date, str) else "",
        }


def _minute(when: datetime) -> datetime:
    return when.replace(second=0, microsecond=0)


def _version(newsroom: Newsroom, theme: str, pages: Mapping[str, StaticPage], forms: Sequence[str]) -> str:
    """Changes when pages of the same articles would: with the newsroom, the theme, or the code that writes them."""
    digest = hashlib.sha256(f"{newsroom!r}\0{theme}\0{sorted(pages.items())!r}\0{forms!r}".encode())
    own = Path(__file__).parent
    for file in [
        *sorted(own.glob("*.py")),
        *(own.parent / name for name in ("channels/words.py", "lists.py", "pictures.py", "views.py")),
    ]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
