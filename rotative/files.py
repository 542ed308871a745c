"""Article files that `rotative post` and the demo read: Markdown with YAML front matter, JSON, and ninjs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import yaml

FENCE = "---"
_MARKDOWN, _JSON = frozenset({".md", ".markdown"}), frozenset({".json", ".ninjs"})
ENDINGS = _MARKDOWN | _JSON


class BadFile(Exception):
    """A file holds no article; the text says where and why."""


@dataclass(frozen=True)
class Piece:
    """One article of a file, as the API takes it. is_ninjs: in IPTC's format, which the API reads itself."""

    content: dict[str, Any]
    is_ninjs: bool = False


def read_articles(path: Path) -> list[dict[str, Any]]:
    """The articles of a Markdown or JSON file, as `read_pieces`; raises BadFile for ninjs too."""
    pieces = read_pieces(path)
    if any(piece.is_ninjs for piece in pieces):
        raise BadFile("is ninjs, not an article of the API")
    return [piece.content for piece in pieces]


def read_pieces(path: Path) -> list[Piece]:
    """The articles of a file: one of a Markdown file, one or a list of them of a JSON file, which may be ninjs.

    What the file does not say is `status: live`. Raises BadFile.
    """
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(f"is not UTF-8 text (byte {error.start + 1})") from error
    except OSError as error:
        raise BadFile(f"cannot be read: {error.strerror}") from error
    ending = path.suffix.lower()
    if ending in _MARKDOWN:
        articles = [_from_markdown(text)]
    elif ending in _JSON:
        articles = _from_json(text)
    else:
        raise BadFile("should be a Markdown file (.md), or one of JSON or ninjs (.json)")
    return [Piece(one, True) if _is_ninjs(one) else Piece({"status": "live", **one}) for one in articles]


def _is_ninjs(article: dict[str, Any]) -> bool:
    # An article of the API has no uri, and ninjs needs one.
    return isinstance(article.get("uri"), str)


def _from_markdown(text: str) -> dict[str, Any]:
    lines = text.splitlines(keepends=True)
    if not lines or lines[0].strip() != FENCE:
        raise BadFile(f'should begin with front matter: a line "{FENCE}", then headline, language, section…')
    end = next((number for number, line in enumerate(lines[1:], 1) if line.strip() == FENCE), None)
    if end is None:
        raise BadFile(f'should close its front matter with a line "{FENCE}"')
    try:
        front = yaml.safe_load("".join(lines[1:end])) or {}
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-02-31
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 2}: " if mark else ""
        raise BadFile(f"{where}the front matter is not YAML: {getattr(error, 'problem', None) or error}") from error
    if not isinstance(front, dict):
        raise BadFile("the front matter should be lines of the form `name: value`")
    article = {str(name): _plain(value) for name, value in front.items()}
    if "body" in article:
        raise BadFile("the body should follow the front matter, not be inside it")
    return {**article, "body": {"format": "markdown", "text": "".join(lines[end + 1 :]).strip()}}


def _from_json(text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BadFile(f"is not JSON: {error}") from error
    except RecursionError as error:
        raise BadFile("is nested too deeply") from error
    articles = found if isinstance(found, list) else [found]
    for number, article in enumerate(articles, 1):
        if not isinstance(article, dict):
            raise BadFile(f"should hold an article (an object) or a list of them; number {number} is none")
    return articles


def _plain(value: Any) -> Any:
    """YAML's dates as the API's texts; a date without a time is its midnight, one without a zone is UTC."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC).isoformat()
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value
