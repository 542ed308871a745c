"""Before the first item: the reader of a kind of archive, and the mapping of categories."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rotative.client import Client
from rotative.importing.items import BadArchive, Item
from rotative.importing.jsonl import read_jsonl
from rotative.importing.ninjs import read_ninjs
from rotative.importing.reading import Meter
from rotative.importing.wxr import WxrOptions, read_attachments, read_wxr


def items_of(
    kind: str,
    file: Path,
    sections: dict[str, str],
    *,
    language: str | None,
    pages: bool,
    pictures: bool = False,
    meter: Meter | None = None,
) -> Iterator[Item]:
    """The items of an archive of this kind. Raises BadArchive, at once or on the way.

    pictures: those of a WordPress export name the pictures that they show; the file is read once before, for those that
    they lead with.
    """
    if kind == "wxr":
        found = read_attachments(file) if pictures else None
        return read_wxr(file, WxrOptions(sections, language, pages, found), meter)
    return read_ninjs(file, sections, meter) if kind == "ninjs" else read_jsonl(file, sections, meter)


def read_mapping(file: Path) -> dict[str, str]:
    """Categories, in small letters, to section keys. Raises BadArchive."""
    try:
        found = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadArchive(f"cannot be mapped: {file}: {error}") from error
    if wrong := [name for name, key in found.items() if not isinstance(key, str)]:
        raise BadArchive(f"cannot be mapped: {file}: {wrong[0]} should be the key of a section, in quotes")
    return {name.lower(): key for name, key in found.items()}


def check_wishes(client: Client, sections: Mapping[str, str], language: str | None) -> None:
    """Raise BadArchive, before anything is brought in, when a mapping names a section that the newsroom does not have.

    The same for the language. Asks by articles that are only tried.
    """
    wanted: list[str | None] = [*dict.fromkeys(sections.values())] or [None]
    tried: list[dict[str, Any]] = []
    for key in wanted:
        article: dict[str, Any] = {"headline": "?", "body": {"format": "text", "text": "?"}, "section": key}
        tried.append({**article, "language": language} if language else article)
    for key, verdict in zip(wanted, client.post_batch(tried, dry_run=True), strict=True):
        for fault in verdict.get("problem", {}).get("errors", []):
            if fault["pointer"] == "/section" and key is not None:
                name = next(name for name, one in sections.items() if one == key)
                raise BadArchive(f'cannot be mapped: "{name}" = "{key}": there is no such section. {fault["detail"]}')
            if fault["pointer"] == "/language":
                raise BadArchive(f"cannot be in the language {language}. {fault['detail']}")
