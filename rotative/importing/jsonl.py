"""jsonl: articles as the API takes them, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from rotative.importing.items import BadArchive, Item


def read_jsonl(path: Path, sections: dict[str, str]) -> Iterator[Item]:
    """The articles of a file, live unless they say otherwise, told to nobody. Raises BadArchive.

    An article without an origin gets one made of the file's name and its line, so that importing again adds nothing.
    sections: names to section keys; a key stands for itself.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                name = f"line {number}"
                try:
                    article = json.loads(line)
                except (ValueError, RecursionError) as error:
                    yield Item(name, reason=f"is not JSON: {error}")
                    continue
                if not isinstance(article, dict):
                    yield Item(name, reason="is not an object")
                    continue
                section = str(article.get("section", ""))
                article["section"] = sections.get(section.lower(), section)
                origin = f"jsonl:{path.name}#{number}"[:300]
                yield Item(name, {"status": "live", "origin": origin, **article, "notify": False}, category=section)
    except OSError as error:
        raise BadArchive(f"cannot be read: {error.strerror}") from error
