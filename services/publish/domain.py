"""The rules of publish: which lists show an article. Those of who is told, and when, are in channels/domain.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.newsroom import Newsroom

Form = Literal["html", "rss"]
FORMS: tuple[Form, ...] = ("html", "rss")


@dataclass(frozen=True)
class ListPage:
    """A list that the site shows. section: None for a whole edition; form: "html" or "rss"."""

    language: str
    section: str | None
    form: Form


def list_pages(newsroom: Newsroom) -> dict[str, ListPage]:
    """Every list of the site by its path."""
    found: dict[str, ListPage] = {}
    for language in newsroom.languages:
        for section in (None, *(section.key for section in newsroom.sections)):
            for form in FORMS:
                page = ListPage(language, section, form)
                found[list_path(newsroom, page)] = page
    return found


def list_path(newsroom: Newsroom, page: ListPage) -> str:
    """The path of a list as pages are kept: "/politique", "/en/feed.xml"; the front page is "/"."""
    if page.section is None:
        path = newsroom.front_path(page.language)
    else:
        path = newsroom.section_path(page.language, page.section)
    return f"{path}feed.xml" if page.form == "rss" else page_path(path)


def page_path(url_path: str) -> str:
    """A URL's path as pages are kept: without a slash at its end, but for the front page."""
    return url_path.rstrip("/") or "/"


def lists_of(newsroom: Newsroom, language: str, section: str) -> set[str]:
    """The paths of the lists in which an article of this language and section may stand."""
    edition = newsroom.edition(language)
    return {list_path(newsroom, ListPage(edition, where, form)) for where in (None, section) for form in FORMS}
