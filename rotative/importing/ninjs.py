"""ninjs 2.x and 3.x: one object, a list of them, or one a line. Source: github.com/iptc/newsinjson, specification/."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rotative.importing.items import BadArchive, Item
from shared.ninjs import NotNinjs, article_of_ninjs


def read_ninjs(path: Path, sections: dict[str, str]) -> Iterator[Item]:
    """The items of a file of ninjs. sections: subject codes and names to section keys. Raises BadArchive."""
    for number, found in enumerate(_objects(path), 1):
        name = str(found.get("uri") or f"item {number}") if isinstance(found, dict) else f"item {number}"
        try:
            article = article_of_ninjs(found, sections)
        except NotNinjs as wrong:
            yield Item(name, reason=str(wrong))
            continue
        yield Item(name, {**article, "notify": False})


def _objects(path: Path) -> Iterator[Any]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            first = file.readline()
            try:
                yield json.loads(first)
                lines = True
            except ValueError:
                lines = False
            if lines:
                for number, line in enumerate(file, 2):
                    if line.strip():
                        try:
                            yield json.loads(line)
                        except ValueError as error:
                            raise BadArchive(f"line {number} is not JSON: {error}") from error
                return
            file.seek(0)
            try:
                found = json.load(file)
            except (ValueError, RecursionError) as error:
                raise BadArchive(f"is not JSON: {error}") from error
            yield from found if isinstance(found, list) else [found]
    except (OSError, UnicodeDecodeError) as error:
        raise BadArchive(f"cannot be read: {error}") from error
