"""One edition as its pages show it: names, addresses, labels, dates, and the parts that all its pages share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from services.publish.renderers.dates import Dates
from services.publish.renderers.theme import Labels
from shared.newsroom import Newsroom

# Nothing is asked of any other site. Structured data is a data block, which no policy concerns.
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
    url: str
    labels: Labels
    dates: Dates
    sections: tuple[SectionView, ...]
    by_key: Mapping[str, SectionView]
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


def make_edition(newsroom: Newsroom, labels: Labels, language: str) -> Edition:
    """The edition of one of the newsroom's languages, its shared parts still to be rendered."""
    sections = tuple(
        SectionView(
            key=section.key,
            name=section.names[language],
            path=newsroom.section_path(language, section.key),
            feed_path=feed_path(newsroom, language, section.key),
        )
        for section in newsroom.sections
    )
    front_path = newsroom.front_path(language)
    return Edition(
        language=language,
        direction=newsroom.direction(language),
        name=newsroom.name_in(language),
        tagline=newsroom.tagline.get(language, ""),
        front_path=front_path,
        feed_path=feed_path(newsroom, language, None),
        url=newsroom.url(front_path),
        labels=labels,
        dates=Dates(
            labels.locale,
            newsroom.time_zone,
            {"date": labels.date, "date_time": labels.date_time, "date_time_short": labels.date_time_short},
        ),
        sections=sections,
        by_key={section.key: section for section in sections},
    )


def feed_path(newsroom: Newsroom, language: str, section: str | None) -> str:
    """The URL path of a list's RSS feed: "/feed.xml", "/en/politique/feed.xml"."""
    if section is None:
        return f"{newsroom.front_path(language)}feed.xml"
    return f"{newsroom.section_path(language, section)}feed.xml"
