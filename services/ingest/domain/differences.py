"""What changed between two texts of an article, in words that a person can read."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_BLOCK_END = re.compile(r"</(?:p|h[1-6]|li|blockquote|pre|figcaption|tr|dd|dt|caption)>|<br ?/?>|<hr ?/?>")
_MARKUP = re.compile(r"<[^>]*>")
_WORDS = re.compile(r"\s+|[^\s]+")
# Beyond this a paragraph is shown as replaced whole: comparing grows with the product of both lengths.
_WORDS_MAX = 600


@dataclass(frozen=True)
class Part:
    """A stretch of text. change: same, added or removed."""

    change: str
    text: str


def lines_of_html(source: str) -> list[str]:
    """An article's HTML as plain lines, one a block."""
    text = html.unescape(_MARKUP.sub("", _BLOCK_END.sub("\n", source)))
    return [line for line in (" ".join(one.split()) for one in text.split("\n")) if line]


def differences(before: Sequence[str], after: Sequence[str]) -> list[Part]:
    """The parts that lead from one list of lines to another; lines that stayed come as one part, joined by \\n."""
    return list(_joined(_parts(before, after)))


def _parts(before: Sequence[str], after: Sequence[str]) -> Iterator[Part]:
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, before, after).get_opcodes():
        if tag == "equal":
            yield from (Part("same", f"{line}\n") for line in before[i1:i2])
        elif tag == "replace" and i2 - i1 == j2 - j1:
            for old, new in zip(before[i1:i2], after[j1:j2], strict=True):
                yield from _within(old, new)
                yield Part("same", "\n")
        else:
            yield from (Part("removed", f"{line}\n") for line in before[i1:i2])
            yield from (Part("added", f"{line}\n") for line in after[j1:j2])


def _within(old: str, new: str) -> Iterator[Part]:
    words, others = _WORDS.findall(old), _WORDS.findall(new)
    if len(words) + len(others) > 2 * _WORDS_MAX:
        yield from (Part("removed", old), Part("added", new))
        return
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, words, others, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Part("same", "".join(words[i1:i2]))
        else:
            yield Part("removed", "".join(words[i1:i2]))
            yield Part("added", "".join(others[j1:j2]))


def _joined(parts: Iterator[Part]) -> Iterator[Part]:
    waiting: Part | None = None
    for part in parts:
        if not part.text:
            continue
        if waiting is not None and waiting.change == part.change:
            waiting = Part(part.change, waiting.text + part.text)
            continue
        if waiting is not None:
            yield waiting
        waiting = part
    if waiting is not None:
        yield waiting
