"""The articles that a run posts: real news from a file, or generated ones; and whether a page shows one of them."""

from __future__ import annotations

import gzip
import html
import json
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import generator

SECTION_OTHERWISE = "societe"
HEADLINE_MAX = 200
BODY_MAX = 400_000

# What the API refuses in texts and news files now and then hold: control characters, lone surrogates, non-characters.
_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_NO_WORD = re.compile(r"\W+")


class BadFile(Exception):
    """A file of articles cannot be used; the text says why, as a sentence."""


class Supply:
    """Articles to post, as bodies for POST /v1/articles; when a file's are used up it begins again.

    languages: what the articles are written in, most frequent first. source: for the report.
    """

    def __init__(self, found: Iterator[dict[str, Any]], languages: Collection[str], source: str) -> None:
        self._found = found
        self.languages = tuple(languages)
        self.source = source

    def take(self, *, notify: bool, dated: bool = False) -> dict[str, Any]:
        """The next article, to be live at once. notify: whether subscribers are told. dated: keeps its own date."""
        body = {**next(self._found), "status": "live", "notify": notify}
        if not dated:
            body.pop("published_at", None)
        return body


def generated(seed: int = 1) -> Supply:
    """Generated articles."""
    return Supply(generator.articles(seed), generator.SHARES, f"generated, seed {seed}")


def from_file(path: Path, sections: Collection[str]) -> Supply:
    """Real news: JSON Lines, packed or not, with id, lang, title, body, section and published_at.

    sections: the newsroom's keys. Rows without a title or a text are left out. Raises BadFile.
    """
    try:
        read = [article_of(row, sections) for row in _rows(path)]
    except (OSError, EOFError, ValueError, AttributeError, TypeError) as error:
        raise BadFile(f"{path} should hold one JSON object with title and body a line: {error}") from error
    usable = [article for article in read if article is not None]
    if not usable:
        raise BadFile(f"{path} holds no article with a title and a body.")
    counted: dict[str, int] = {}
    for article in usable:
        counted[article["language"]] = counted.get(article["language"], 0) + 1

    def endless() -> Iterator[dict[str, Any]]:
        while True:
            yield from usable

    languages = sorted(counted, key=lambda language: -counted[language])
    return Supply(endless(), languages, f"{path.name}, {len(usable)} articles")


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    packed = path.suffix == ".gz"
    with gzip.open(path, "rt", encoding="utf-8") if packed else path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def article_of(row: Mapping[str, Any], sections: Collection[str]) -> dict[str, Any] | None:
    """A row of a news file as a body for POST /v1/articles, without a status; None without a title or a text.

    Unknown and missing sections become societe, long titles are cut, each line of the text is a paragraph.
    """
    title = " ".join(_clean(row.get("title")).split())
    paragraphs = [" ".join(line.split()) for line in _clean(row.get("body")).splitlines()]
    text = "\n\n".join(paragraph for paragraph in paragraphs if paragraph)
    if not title or not text:
        return None
    section = row.get("section")
    article = {
        "headline": title if len(title) <= HEADLINE_MAX else title[: HEADLINE_MAX - 1].rstrip() + "…",
        "body": {"format": "text", "text": text[:BODY_MAX]},
        "language": str(row.get("lang") or "fr"),
        "section": section if section in sections else SECTION_OTHERWISE,
    }
    published_at = _instant(row.get("published_at"))
    if published_at is not None:
        article["published_at"] = published_at.isoformat()
    return article


def _clean(text: object) -> str:
    return _REFUSED.sub("", text) if isinstance(text, str) else ""


def _instant(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def shows(page: bytes, headline: str) -> bool:
    """Whether a page has the headline: the same letters and digits in the same order, whatever its typography is."""
    return _letters(headline) in _letters(html.unescape(page.decode("utf-8", "replace")))


def _letters(text: str) -> str:
    return _NO_WORD.sub("", text)
