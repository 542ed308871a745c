"""Markdown bodies: CommonMark with tables and ~~strikethrough~~; HTML inside it passes on to the sanitiser."""

from __future__ import annotations

from markdown_it import MarkdownIt

from services.ingest.domain.texts import BadText

_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

# More of these than in any article, and few enough that reading them takes less than half a second (measured).
BRACKETS_MAX = 10_000
SIGNS_MAX = 40_000


def to_html(text: str) -> str:
    """The HTML of a Markdown text, not yet sanitised. Raises BadText when it is built to take for ever to read."""
    if text.count("[") > BRACKETS_MAX or sum(map(text.count, "*_`~<&|")) > SIGNS_MAX:
        raise BadText("too-many-signs", f"holds more than {BRACKETS_MAX} brackets or {SIGNS_MAX} other Markdown signs")
    return str(_MARKDOWN.render(text))
