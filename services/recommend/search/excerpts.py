"""The few words of an article that show why it was found."""

from __future__ import annotations

import html

from services.recommend.index.text import SPACELESS, primary_language
from services.recommend.search.words import WORD, fold, pairs, stems

LENGTH, BEFORE = 240, 60  # characters of an excerpt, and of them before the first word found


def excerpt(language: str, text: str, marks: frozenset[str]) -> str:
    """HTML of some 240 characters around the words found, these in <mark>; the beginning when none is in the text.

    marks: stems, as Query.marks gives them. Everything but the marks is escaped.
    """
    found = _found(language, text, marks)
    start = _best_start(found)
    start = 0 if start <= BEFORE else _word_start(text, start - BEFORE)
    end = len(text) if len(text) - start <= LENGTH else _word_end(text, start, start + LENGTH)
    parts = ["… " if start else ""]
    at = start
    for left, right, _ in found:
        if left < at or right > end:
            continue
        parts += [html.escape(text[at:left]), "<mark>", html.escape(text[left:right]), "</mark>"]
        at = right
    parts.append(html.escape(text[at:end].rstrip()))
    if end < len(text):
        parts.append(" …")
    return " ".join("".join(parts).split())


def _found(language: str, text: str, marks: frozenset[str]) -> list[tuple[int, int, str]]:
    matches = list(WORD.finditer(text))
    folded = [fold(match[0]) for match in matches]
    found = []
    for match, stem in zip(matches, stems(primary_language(language), folded), strict=True):
        if stem in marks:
            found.append((match.start(), match.end(), stem))
        elif not stem.isascii() and SPACELESS.search(match[0]) and not marks.isdisjoint(pairs(match[0])):
            found += [
                (match.start() + at, match.start() + at + 1, pair)
                for at, pair in enumerate(pairs(match[0]))
                if pair in marks
            ]
    return found


def _best_start(found: list[tuple[int, int, str]]) -> int:
    """Where the window begins that shows most of what was asked; the first of those that are level."""
    best, most = 0, (0, 0)
    for at, (start, _, _) in enumerate(found[:200]):
        inside = [stem for left, _, stem in found[at : at + 20] if left - start <= LENGTH - BEFORE]
        if (score := (len(set(inside)), len(inside))) > most:
            best, most = start, score
    return best


def _word_start(text: str, at: int) -> int:
    space = text.rfind(" ", max(0, at - 30), at)
    return at if space < 0 else space + 1


def _word_end(text: str, start: int, at: int) -> int:
    space = text.rfind(" ", max(start + 1, at - 40), at + 1)
    return at if space < 0 else space
