"""Front pages, sections, topics, authors, archives, and the feeds and sitemaps that go with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from markupsafe import Markup

from services.publish import lists
from services.publish.lists import Listing
from services.publish.renderers import sitemaps, structured
from services.publish.renderers.editions import Edition, SectionView
from services.publish.renderers.feeds import Feed, FeedWriter
from services.publish.renderers.fragments import Fragments, Press
from services.publish.renderers.looks import (
    BLOCK,
    BLOCK_FIRST,
    LATEST,
    LEAD,
    LINE,
    LISTED,
    LISTED_LEAD,
    SECOND,
    TOPIC,
)
from services.publish.renderers.texts import data_block, filled, og_locale, set_text
from services.publish.renderers.typography import Style, style_of
from services.publish.views import Dated, Entry, Teaser
from shared.events import Correction, PublicArticle

# How many teasers a front page gives each of its parts; it has no use for more than FRONT_TEASERS.
FRONT_SECONDS, FRONT_LATEST, FRONT_BLOCK = 4, 12, 4
# An edition with few articles keeps some for its sections.
FEW, FEW_SECONDS, FEW_LATEST = 24, 2, 6
LEAST_LATEST = 3
FRONT_TEASERS = 60


class Block(NamedTuple):
    """A section's part of the front page. width: "half", "third" or "full" of a row. opinion: its articles are."""

    section: SectionView
    teasers: list[Markup]
    width: str
    opinion: bool


class Turn(NamedTuple):
    """The pages before and after a list's: URL paths, "" for none. number: of this one, 0 for the first."""

    newer: str = ""
    older: str = ""
    number: int = 0


class ListPages(Fragments):
    """Writes lists of articles, for readers and for programs."""

    def __init__(self, press: Press) -> None:
        super().__init__(press)
        get = press.theme.templates.get_template
        self._front, self._list = get("front.html"), get("list.html")
        self._month, self._archive = get("month.html"), get("archive.html")
        self._feeds = FeedWriter(press.newsroom, self._body, self._corrections, self._section_name, press.hubs)

    def front_page(self, language: str, teasers: Sequence[Teaser]) -> bytes:
        """An edition's front page. teasers: the lead first, then the newest; FRONT_TEASERS of them are enough.

        Those with pictures open the page, the other newest are its list of latest articles, the rest is grouped by
        section.
        """
        edition = self._edition(language)
        seconds_most, latest_most = _shares(teasers)
        opened = 1 + seconds_most + latest_most
        opening = teasers[1:opened]
        if len(opening) < seconds_most + LEAST_LATEST:
            # A column of one or two would look lost.
            seconds_most += LEAST_LATEST - 1
        first = sorted(opening, key=lambda one: one.picture is None)[:seconds_most]
        seconds = [one for one in opening if one in first]
        latest = [one for one in opening if one not in first]
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
            preview=self._shared(teasers[0].picture) if teasers and teasers[0].picture else None,
            lead=show(teasers[0], edition.language, LEAD) if teasers else "",
            seconds=[show(teaser, edition.language, SECOND) for teaser in seconds],
            latest=[show(teaser, edition.language, LATEST) for teaser in latest],
            blocks=self._blocks(edition, teasers[opened:FRONT_TEASERS]),
        ).encode("utf-8")

    def _blocks(self, edition: Edition, teasers: Sequence[Teaser]) -> list[Block]:
        groups: dict[str, list[Markup]] = {section.key: [] for section in edition.sections}
        for teaser in teasers:
            group = groups.setdefault(teaser.section, [])
            if len(group) < FRONT_BLOCK:
                group.append(self._teaser(teaser, edition.language, BLOCK if group else BLOCK_FIRST))
        filled_groups = [(key, group) for key, group in groups.items() if group]
        return [
            Block(edition.section(self.newsroom, key), group, width, key in structured.OPINION_SECTIONS)
            for (key, group), width in zip(filled_groups, _row_widths(len(filled_groups)), strict=True)
        ]

    def list_page(self, listing: Listing, name: str, teasers: Sequence[Teaser], turn: Turn = Turn()) -> bytes:  # noqa: B008
        """A page of a section, tag or author: its newest articles, or an older page's. name: of the tag or author."""
        edition = self._edition(listing.language)
        title, about, heading = self._names(listing, name, edition)
        path = self._path(listing)
        first = LISTED_LEAD if listing.kind == "section" else TOPIC
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

    def _names(self, listing: Listing, name: str, edition: Edition) -> tuple[str, str, str]:
        """A list's title, what it is about, and its heading."""
        labels = edition.labels
        if listing.kind == "front":
            return edition.name, edition.tagline or edition.name, edition.name
        if listing.kind == "section":
            view = edition.section(self.newsroom, listing.key)
            return view.name, filled(labels.section_description, edition, section=view.name), view.name
        shown = set_text(name or listing.key, style_of(edition.language))
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

    def _corrections(self, article: PublicArticle) -> str:
        edition, style = self._edition(article.language), style_of(article.language)
        return "".join(str(self._correction(one, edition, style)) for one in article.corrections)

    def _correction(self, correction: Correction, edition: Edition, style: Style) -> Markup:
        date = edition.dates.text("date_time", correction.corrected_at)
        return Markup("\n<p><strong>{} ({})</strong> {}</p>").format(
            edition.labels.correction, date, set_text(correction.note, style)
        )


def _shares(teasers: Sequence[Teaser]) -> tuple[int, int]:
    """How many second and latest articles open a front page, so that its two columns end at about the same height."""
    few = len(teasers) < FEW
    seconds, latest = (FEW_SECONDS, FEW_LATEST) if few else (FRONT_SECONDS, FRONT_LATEST)
    if not teasers or teasers[0].picture is not None:
        return seconds, latest
    if any(one.picture is not None for one in teasers[1 : 1 + seconds + latest]):
        return seconds, latest if few else latest - 2
    # Without pictures the second articles are short.
    return seconds * 2, latest - (1 if few else 4)


def _row_widths(count: int) -> list[str]:
    """How wide each of so many blocks is: rows of two and of three in turn, and none with a hole at its end."""
    widths: list[str] = []
    row = 2
    while count:
        # A last block alone would be lost: three share a row instead, and four make two rows.
        taken = min(count, {3: 3, 4: 2}.get(count, row))
        widths += [{1: "full", 2: "half", 3: "third"}[taken]] * taken
        count -= taken
        row = 5 - row
    return widths
