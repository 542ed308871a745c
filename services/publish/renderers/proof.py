"""Tries a theme on sample pages: each kind, each edition, with everything that an article can have and with nothing.

A template that does not compile is found when the theme is read; one that asks for what is not there, only when a page
is made with it.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from jinja2 import TemplateSyntaxError

from services.publish.lists import Listing
from services.publish.renderers.list_pages import Turn
from services.publish.renderers.renderer import Renderer
from services.publish.renderers.theme import ThemeError
from services.publish.views import Teaser, teaser_of
from shared.events import Byline, Correction, Picture, PublicArticle, Retraction

_AT = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
_PICTURE = Picture(
    media_id=UUID(int=1), digest="0" * 64, media_type="image/jpeg", width=1600, height=1200, alt="A", caption="B",
    credit="C",
)  # fmt: skip


def prove(renderer: Renderer) -> None:
    """Make a sample of every page. Raises ThemeError with the template's file and line, and what went wrong there."""
    with naming_the_place():
        for language in renderer.newsroom.languages:
            _make_all(renderer, language)


@contextmanager
def naming_the_place() -> Iterator[None]:
    """Turn whatever a template raises inside into a ThemeError with its file and line."""
    try:
        yield
    except ThemeError:
        raise
    except Exception as error:
        if not (place := place_of(error)):
            raise
        raise ThemeError(f"{place}: {error}") from error


def place_of(error: BaseException) -> str:
    """Where in a template an error arose, as "FILE, line 3"; "" for an error that came from no template."""
    if isinstance(error, TemplateSyntaxError):
        return f"{error.filename or error.name}, line {error.lineno}"
    place = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        # Jinja gives its compiled code the template's own name and lines.
        if frame.f_code.co_filename.endswith((".html", ".xml", ".txt")):
            place = f"{frame.f_code.co_filename}, line {line}"
    return place


def _make_all(renderer: Renderer, language: str) -> None:
    section = renderer.newsroom.sections[0].key
    bare = PublicArticle(
        id=UUID(int=2), change=1, revision=1, status="live", language=language, section=section, slug="a", path="/s/a",
        headline="A", standfirst="", body_html="<p>A</p>", first_published_at=_AT, updated_at=_AT,
    )  # fmt: skip
    full = replace(
        bare,
        standfirst="B",
        tags=("T",),
        bylines=(Byline(name="N"), Byline(name="M", url="https://m.example/"), Byline(name="L")),
        images=(_PICTURE, _PICTURE),
        source="S",
        updated_at=_AT.replace(day=16),
        corrections=(Correction(note="N", corrected_at=_AT),),
        translations=UUID(int=3),
    )
    retracted = replace(full, status="retracted", retraction=Retraction(note="N", retracted_at=_AT))
    teasers: list[Teaser] = [teaser_of(full, True), teaser_of(bare), *([teaser_of(full, True)] * 30)]
    versions = {one: f"/{one}/a" for one in renderer.newsroom.languages} | {language: full.path}
    renderer.article_page(bare)
    renderer.article_page(full, teasers[:6], pictured=True, translations=versions)
    renderer.article_page(retracted, teasers[:6], pictured=True)
    for some in ([], teasers):
        renderer.front_page(language, some)
        for listing in (
            Listing("section", language, section),
            Listing("tag", language, "t"),
            Listing("author", language, "n"),
        ):
            renderer.list_page(listing, "T", some, Turn(older="/o/"))
        renderer.list_page(Listing("tag", language, "t", 2), "T", some, Turn("/n/", "/o/", 2))
        renderer.month_page(Listing("month", language, "2026-01"), some, Turn(older="/o/"))
    renderer.archive_page(language, ["2026-01", "2025-12"])
    renderer.withdrawn_page(language, "killed")
    renderer.withdrawn_page(language, "expired")
    renderer.not_found_page(language)
    item = {"url": "/s/a", "headline": "A", "excerpt_html": "<b>A</b>", "section": section, "language": language}
    renderer.search_page(language, "a", [item, {**item, "first_published_at": _AT.isoformat()}], "/o")
    renderer.search_page(language, "", None, "")
    renderer.newsletter_page(language, "H", "T", None)
    renderer.installed_files()
