"""Before the first item: the reader of a kind of archive, the mapping of categories, the progress bar."""

from __future__ import annotations

import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from rotative.importing.items import BadArchive, Item
from rotative.importing.jsonl import read_jsonl
from rotative.importing.ninjs import read_ninjs
from rotative.importing.wxr import WxrOptions, read_wxr


def items_of(kind: str, file: Path, sections: dict[str, str], *, language: str | None, pages: bool) -> Iterator[Item]:
    """The items of an archive of this kind. Raises BadArchive, at once or on the way."""
    if kind == "wxr":
        return read_wxr(file, WxrOptions(sections, language, pages))
    return read_ninjs(file, sections) if kind == "ninjs" else read_jsonl(file, sections)


def read_mapping(file: Path) -> dict[str, str]:
    """Categories, in small letters, to section keys. Raises BadArchive."""
    try:
        found = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadArchive(f"cannot be mapped: {file}: {error}") from error
    if wrong := [name for name, key in found.items() if not isinstance(key, str)]:
        raise BadArchive(f"cannot be mapped: {file}: {wrong[0]} should be the key of a section, in quotes")
    return {name.lower(): key for name, key in found.items()}


class Progress:
    """How far an import is, on one line of a terminal that is written over; nothing where there is no terminal."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._began = time.monotonic()
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            print(file=sys.stderr)

    def show(self, read: int, added: int, refused: int) -> None:
        """Write the line anew."""
        if self._shown:
            rate = read / max(0.001, time.monotonic() - self._began)
            line = f"\r{read} items read, {added} added, {refused} not taken, {rate:.0f} a second"
            print(line, end="", file=sys.stderr, flush=True)
