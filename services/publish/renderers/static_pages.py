"""Pages that a newsroom writes itself (legal notice, contact, how errors are put right): a folder of Markdown.

`<folder>/<language>/<name>.md` becomes `/name` of that edition. Its first line is its title: `# Contact`. A page named
`corrections` is the newspaper's corrections policy to search engines, one named `principles` its principles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from services.publish.renderers.safe import clean_html
from services.publish.renderers.typography import set_html, set_plain, style_of
from services.publish.views import shortened, text_of
from shared.newsroom import RESERVED_SEGMENTS, Newsroom

POLICIES = {"corrections": "correctionsPolicy", "principles": "publishingPrinciples"}
ABOUT_LENGTH = 200
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


class StaticPageError(Exception):
    """A page of the newsroom's own cannot be used; the text names the file and what it should be."""


@dataclass(frozen=True, kw_only=True)
class StaticPage:
    """path: "/en/contact"; html: clean, below the title; about: its first words, as plain text."""

    language: str
    name: str
    path: str
    title: str
    html: str
    about: str


def load_pages(newsroom: Newsroom) -> Mapping[str, StaticPage]:
    """The newsroom's own pages by path. Raises StaticPageError."""
    found: dict[str, StaticPage] = {}
    folder = newsroom.pages_dir
    if folder is None:
        return found
    if not folder.is_dir():
        raise StaticPageError(
            f"pages: {folder} should be a folder that holds a folder of Markdown for each language; the newsroom's "
            "`pages` is looked for beside its file, and may be left out"
        )
    for language in newsroom.languages:
        for file in sorted((folder / language).glob("*.md")):
            page = _read(newsroom, language, file)
            found[page.path] = page
    return found


def _read(newsroom: Newsroom, language: str, file: Path) -> StaticPage:
    name = file.stem
    taken = RESERVED_SEGMENTS | newsroom.section_keys | {code.lower() for code in newsroom.languages}
    if not _NAME.fullmatch(name) or name in taken:
        raise StaticPageError(f"{file}: should have a name of small letters and hyphens that no section or list has")
    try:
        first, _, rest = file.read_text("utf-8").strip().partition("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise StaticPageError(f"{file}: should be Markdown in UTF-8: {error}") from error
    if not first.startswith("# "):
        raise StaticPageError(f'{file}: should begin with its title: a line "# …"')
    title, html = first[2:].strip(), clean_html(_MARKDOWN.render(rest))
    style = style_of(language)
    title, html = set_plain(title, style), set_html(html, style)
    front = newsroom.front_path(language)
    about = shortened(text_of(html), ABOUT_LENGTH)
    return StaticPage(language=language, name=name, path=f"{front}{name}", title=title, html=html, about=about)
