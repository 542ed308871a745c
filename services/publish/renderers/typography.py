"""French typography, set when a page is written and never stored.

A thin no-break space (U+202F) goes before ; : ! ? and inside « »; existing blanks there, of any kind, become that one.
So do the blanks inside a number of groups of three (12 000), and before % ‰ € and the h of an hour (11 h 05).
A straight apostrophe inside a word becomes a typographic one; in HTML, the ending of an ordinal is raised (1er, XXe).
Markup, code, addresses and character references are left alone. Doing it twice changes nothing.
"""

from __future__ import annotations

import re

THIN = "\u202f"
APOSTROPHE = "\u2019"

# Every branch begins with a literal, so that the engine skips from one candidate to the next.
_SIGNS = r";|:|!|\?|»|%|‰|€|'|«\s*"
# A number in groups of three, an hour; in HTML also an ordinal. Le and Ce are words: single letters but V and X are
# no numbers here. Most texts have none of these, and are told so by one quick look.
_BLANK = "[ \u00a0\u202f]"
_NUMERIC = re.compile(rf"[0-9IVX](?:{_BLANK}[\dh]|[IVX]*e[rs]?\b|\d*e)|1re")
_GROUPED = "|".join(
    rf"{digit}(?:\d{{0,2}}(?:{_BLANK}\d{{3}}(?!\d))+|\d?{_BLANK}h(?:{_BLANK}[0-5]\d(?!\d)|(?!\w)))"
    for digit in "0123456789"
)
_ORDINAL = "|".join(
    [
        *(rf"{digit}\d*(?:ers?|res?|es?)(?!\w)" for digit in "123456789"),
        r"I(?:[IVX]+es?|er|re)(?!\w)",
        *(rf"{letter}[IVX]*es?(?!\w)" for letter in "VX"),
    ]
)
_NUMBER_AND_ENDING = re.compile(r"(1(?=er|re)|(?!1e)\d+(?=es?$)|[IVX]+)([ers]+)")
# After these a number is a part of something else: 1.5, 2026-11, l'A4.
_JOINING = frozenset(".,/-–_'’")
_ADDRESS = r"://[^\s<>«»]*"
_VERBATIM = r"<(?P<tag>pre|code|kbd|samp|var)\b.*?</(?P=tag)>"
_TAG = r"<[^\"'>]*+(?:(?:\"[^\"]*+\"|'[^']*+')[^\"'>]*+)*+>"
_IN_TEXT = re.compile(rf"{_ADDRESS}|{_SIGNS}")
_IN_HTML = re.compile(rf"{_VERBATIM}|{_TAG}|&[#\w]+;|{_ADDRESS}|{_SIGNS}", re.DOTALL)
_NUMBERS_IN_TEXT = re.compile(rf"{_ADDRESS}|{_GROUPED}")
_NUMBERS_IN_HTML = re.compile(rf"{_VERBATIM}|{_TAG}|&[#\w]+;|{_ADDRESS}|{_GROUPED}|{_ORDINAL}", re.DOTALL)
# Where no blank stands before a sign, one is set only if the sign ends something: 11:05 and a:b stay as they are.
_ENDS = re.compile(r"[;:!?]*(?:[\s<)\]»”\"’'.,…]|$)")
_DOUBLE_SIGNS = frozenset(";:!?")
_CLOSING_SIGNS = frozenset(";:!?»%‰€")
_NEVER_AFTER = frozenset("([{«;:!?¡¿")


def applies_to(language: str) -> bool:
    """Whether texts of this language (BCP 47) are set the French way."""
    return language == "fr" or language.startswith("fr-")


def french_text(text: str) -> str:
    """Plain text with French spaces."""
    return _spaced(_numbered(text, _NUMBERS_IN_TEXT), _IN_TEXT)


def french_html(html: str) -> str:
    """HTML with French spaces between its tags; `&nbsp;` counts as a blank and comes back as the character."""
    return _spaced(_numbered(html.replace("&nbsp;", "\u00a0"), _NUMBERS_IN_HTML), _IN_HTML)


def _numbered(text: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub(_number, text) if _NUMERIC.search(text) else text


def _number(match: re.Match[str]) -> str:
    found, start = match[0], match.start()
    if found[0] not in "0123456789IVX" or (
        start and ((before := match.string[start - 1]).isalnum() or before in _JOINING)
    ):
        return found
    if (ordinal := _NUMBER_AND_ENDING.fullmatch(found)) is not None:
        return f"{ordinal[1]}<sup>{ordinal[2]}</sup>"
    return re.sub(_BLANK, THIN, found)


def _spaced(text: str, pattern: re.Pattern[str]) -> str:
    parts: list[str] = []
    done = 0
    for match in pattern.finditer(text):
        found = match[0]
        start = match.start()
        if found[0] == "«":
            parts.append(text[done:start])
            parts.append("«" + THIN)
            done = match.end()
        elif found == "'":
            after = text[match.end() : match.end() + 1]
            if start and text[start - 1].isalpha() and (after == "«" or after.isalnum()):
                parts.append(text[done:start])
                parts.append(APOSTROPHE)
                done = match.end()
        elif found in _CLOSING_SIGNS and start:
            before = text[start - 1]
            if before.isspace():
                kept = text[done:start].rstrip()
                if kept or not parts:
                    parts.append(kept)
                    parts.append(THIN)
                done = start
            elif before not in _NEVER_AFTER and (
                found == "»" or (found in _DOUBLE_SIGNS and _ENDS.match(text, match.end()))
            ):
                parts.append(text[done:start])
                parts.append(THIN)
                done = start
    parts.append(text[done:])
    return "".join(parts)
