"""ninjs 2.x and 3.x: one object, a list of them, or one a line. Source: github.com/iptc/newsinjson, specification/."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rotative.importing.items import BadArchive, Item
from rotative.importing.reading import BLOCK_BYTES, Meter
from shared.ninjs import NotNinjs, article_of_ninjs

# Of one item; no article is as long.
_ITEM_MAX = 8_000_000
# Where files with an item a line have the next one.
_NEXT_LINE = re.compile(r"\n(?=\{)")


def read_ninjs(path: Path, sections: dict[str, str], meter: Meter | None = None) -> Iterator[Item]:
    """The items of a file of ninjs. sections: subject codes and names to section keys. Raises BadArchive."""
    with (meter or Meter()).open(path) as file:
        for number, found in enumerate(objects(file), 1):
            if isinstance(found, Unread):
                yield Item(f"item {number}", reason=found.why)
                continue
            name = str(found.get("uri") or f"item {number}") if isinstance(found, dict) else f"item {number}"
            try:
                article = article_of_ninjs(found, sections)
            except NotNinjs as wrong:
                yield Item(name, reason=str(wrong))
                continue
            yield Item(name, {**article, "notify": False})


@dataclass(frozen=True)
class Unread:
    """A line of a file that is no JSON. why: as a report says it."""

    why: str


def objects(file: BinaryIO) -> Iterator[Any]:
    """The JSON values of a file, one after the other: those of one list, or with blanks or line ends between them.

    No more than one of them is in memory at a time. An `Unread` stands for one that is no JSON, where the next one
    begins on a line of its own. Raises BadArchive.
    """
    decoder, text = json.JSONDecoder(), codecs.getincrementaldecoder("utf-8-sig")()
    waiting, at_end, in_list, number = "", False, None, 0
    while True:
        waiting = waiting.lstrip() if in_list is None else waiting.lstrip(" \t\r\n,")
        if in_list is None and waiting:
            in_list = waiting[0] == "["
            waiting = waiting[1:] if in_list else waiting
            continue
        if in_list and waiting.startswith("]"):
            return
        if at_end and not waiting:
            if in_list:
                raise BadArchive("is not JSON: its list does not end")
            return
        try:
            # What is at the end of what was read may go on: a number, or a text that is cut.
            found, end = decoder.raw_decode(waiting)
        except RecursionError as error:
            raise BadArchive(f"is not JSON: item {number + 1} is nested too deeply") from error
        except json.JSONDecodeError as error:
            following = None if in_list else _NEXT_LINE.search(waiting, error.pos)
            if following is not None:
                waiting = waiting[following.end() :]
                number += 1
                yield Unread(f"is not JSON: {error.msg}")
                continue
            if at_end and number and not in_list:
                yield Unread(f"is not JSON: {error.msg}")
                return
            if at_end or len(waiting) > _ITEM_MAX:
                raise BadArchive(f"is not JSON: item {number + 1}: {error}") from error
        else:
            if at_end or end < len(waiting):
                waiting = waiting[end:]
                number += 1
                yield found
                continue
        try:
            block = file.read(max(BLOCK_BYTES, len(waiting)))
            waiting += text.decode(block, final=not block)
        except UnicodeDecodeError as error:
            raise BadArchive(f"is not UTF-8 text: {error.reason}") from error
        at_end = not block
