"""jsonl: articles as the API takes them, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from rotative.importing.items import Item
from rotative.importing.reading import Meter

# ingest takes no longer line.
_LINE_BYTES = 2 * 1024 * 1024


def read_jsonl(path: Path, sections: dict[str, str], meter: Meter | None = None) -> Iterator[Item]:
    """The articles of a file, live unless they say otherwise, told to nobody. Raises BadArchive.

    An article without an origin gets one made of the file's name and its line, so that importing again adds nothing.
    sections: names to section keys; a key stands for itself.
    """
    with (meter or Meter()).open(path) as file:
        number = 0
        while line := file.readline(_LINE_BYTES + 1):
            number += 1
            name = f"line {number}"
            if len(line) > _LINE_BYTES:
                while line and not line.endswith(b"\n"):
                    line = file.readline(_LINE_BYTES)
                yield Item(name, reason=f"is longer than {_LINE_BYTES} bytes")
                continue
            if not line.strip():
                continue
            try:
                article = json.loads(line.decode("utf-8-sig"))
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
