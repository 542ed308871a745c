"""One edition as its pages show it: names, addresses, labels, dates, and the parts that all its pages share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from services.publish.renderers.dates import Dates
from services.publish.renderers.static_pages import POLICIES, StaticPage
from services.publish.renderers.theme import Labels
from shared.newsroom import Newsroom

# Nothing is asked of any other site, and only the theme's own scripts run. Structured data is a data block, which no
# policy concerns.
SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SectionView:
    """A section in one edition. path: its front; feed_path: its RSS feed."""

    key: str
    name: str
    path: str
    feed_path: str


@dataclass(kw_only=True, slots=True)
class Edition:
    """Everything about one edition that is the same on every page; head and footer are filled in once."""

    language: str
    direction: str
    name: str
    tagline: str
    front_path: str
    feed_path: str
    archive_path: str
    manifest_path: str
    url: str
    labels: Labels
    dates: Dates
    sections: tuple[SectionView, ...]
    by_key: Mapping[str, SectionView]
    pages: tuple[StaticPage, ...] = ()
    policies: Mapping[str, str] = field(default_factory=dict)
    security_policy: str = SECURITY_POLICY
    head: Markup = field(default_factory=Markup)
    footer: Markup = field(default_factory=Markup)

    def section(self, newsroom: Newsroom, key: str) -> SectionView:
        """The section, also if the newsroom has given it up since: then its key is its name."""
        known = self.by_key.get(key)
        if known is not None:
            return known
        path = newsroom.section_path(self.language, key)
        return SectionView(key=key, name=key.replace("-", " ").capitalize(), path=path, feed_path=f"{path}feed.xml")


def make_edition(newsroom: Newsroom, labels: Labels, language: str, pages: Mapping[str, StaticPage]) -> Edition:
    """The edition of one of the newsroom's languages, its shared parts still to be rendered."""
    sections = tuple(
        SectionView(
            key=section.key,
            name=section.names[language],
            path=newsroom.section_path(language, section.key),
            feed_path=f"{newsroom.section_path(language, section.key)}feed.xml",
        )
        for section in newsroom.sections
    )
    front_path = newsroom.front_path(language)
    own = tuple(page for page in pages.values() if page.language == language)
    return Edition(
        language=language,
        direction=newsroom.direction(language),
        name=newsroom.name_in(language),
        tagline=newsroom.tagline.get(language, ""),
        front_path=front_path,
        feed_path=f"{front_path}feed.xml",
        archive_path=f"{front_path}archive/",
        manifest_path=f"{front_path}manifest.webmanifest",
        url=newsroom.url(front_path),
        labels=labels,
        dates=Dates(
            labels.locale,
            newsroom.time_zone,
            {
                "date": labels.date,
                "date_time": labels.date_time,
                "date_time_short": labels.date_time_short,
                "date_time_brief": labels.date_time_brief,
                "time": labels.time,
                "month": labels.month,
                "day": labels.day,
            },
        ),
        sections=sections,
        by_key={section.key: section for section in sections},
        pages=own,
        policies={POLICIES[page.name]: page.path for page in own if page.name in POLICIES},
    )
