"""Typography by language, set when a page is written and never stored: above all French.

A thin no-break space (U+202F) goes before ; : ! ? and inside « »; existing blanks there, of any kind, become that one.
So do the blanks inside a number of groups of three (12 000), and before % ‰ € and the h of an hour (11 h 05); a
number that % ‰ or € follows at once gets one.
A straight apostrophe inside a word becomes a typographic one; in HTML, the ending of an ordinal is raised (1er, XXe).
English gets curly quotation marks in pairs and typographic apostrophes inside words; in Arabic a number of groups stays
one. Markup, code, addresses and character references are left alone. Doing it twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, cast

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
_UNITS = frozenset("%‰€")
# An apostrophe may stand before markup: l'<em>eau</em>.
_WORD_IN_MARKUP = re.compile(r"(?:</?[a-z][^<>]*+>)+(?:\w|«)")
_CLOSING_SIGNS = frozenset(";:!?»%‰€")
_NEVER_AFTER = frozenset("([{«;:!?¡¿")


# By whose rules a text is set: French, English, or none.
Style = Literal["fr", "en", "ar", ""]
# What ends a pair of quotation marks that was left open, and what stands for nothing in between.
_BLOCK = re.compile(r"</?(?:blockquote|br|caption|dd|div|dl|dt|fig|h[1-6]|hr|li|ol|p|pre|t[abdhr]|ul)", re.IGNORECASE)
_QUOTES_IN_TEXT = re.compile(rf"{_ADDRESS}|[\"']")
_QUOTES_IN_HTML = re.compile(rf"{_VERBATIM}|{_TAG}|&[#\w]+;|{_ADDRESS}|[\"']", re.DOTALL)


_TWO_GROUPS = re.compile(rf"\d{_BLANK}\d")
_GROUPS = rf"(?<![\w.,/:+-])(?<!\d{_BLANK})\d{{1,3}}(?:{_BLANK}\d{{3}})+(?!{_BLANK}?\d)"
_GROUPS_IN_TEXT = re.compile(rf"{_ADDRESS}|{_GROUPS}")
_GROUPS_IN_HTML = re.compile(rf"{_VERBATIM}|{_TAG}|&[#\w]+;|{_ADDRESS}|{_GROUPS}", re.DOTALL)


def style_of(language: str) -> Style:
    """By whose rules texts of this language (BCP 47) are set."""
    main = language.partition("-")[0]
    return cast("Style", main) if main in _STYLES else ""


def set_plain(text: str, style: Style) -> str:
    """Plain text by the rules of its language, not yet escaped."""
    return _STYLES[style][0](text) if style else text


def set_html(html: str, style: Style) -> str:
    """HTML by the rules of its language."""
    return _STYLES[style][1](html) if style else html


def arabic_text(text: str) -> str:
    """Plain text in whose lines a number of groups (12 000) stays one: a blank would have it read as two."""
    return _joined(text, _GROUPS_IN_TEXT)


def arabic_html(html: str) -> str:
    """HTML with whole numbers between its tags."""
    return _joined(html, _GROUPS_IN_HTML)


def _joined(text: str, pattern: re.Pattern[str]) -> str:
    if not _TWO_GROUPS.search(text):
        return text
    return pattern.sub(lambda found: re.sub(_BLANK, "\u00a0", found[0]) if found[0][0].isdigit() else found[0], text)


def english_text(text: str) -> str:
    """Plain text with curly quotation marks and apostrophes."""
    return _quoted(text, _QUOTES_IN_TEXT)


def english_html(html: str) -> str:
    """HTML with curly quotation marks and apostrophes between its tags."""
    return _quoted(html, _QUOTES_IN_HTML)


def _quoted(text: str, pattern: re.Pattern[str]) -> str:
    """Pairs alone are made curly: a block with an odd number of marks (5' 10", one that goes on) keeps its own."""
    if '"' not in text and "'" not in text:
        return text
    signs = list(text)
    marks: list[int] = []

    def settle() -> None:
        if len(marks) % 2 == 0:
            for number, at in enumerate(marks):
                signs[at] = "”" if number % 2 else "“"
        marks.clear()

    for match in pattern.finditer(text):
        found, at = match[0], match.start()
        if found == '"':
            marks.append(at)
        elif found == "'":
            if at and text[at - 1].isalpha() and text[at + 1 : at + 2].isalpha():
                signs[at] = APOSTROPHE
        elif found[0] == "<" and _BLOCK.match(found):
            settle()
    settle()
    return "".join(signs)


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
            if (
                start
                and text[start - 1].isalpha()
                and (after == "«" or after.isalnum() or (after == "<" and _WORD_IN_MARKUP.match(text, match.end())))
            ):
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
                found == "»"
                or (found in _DOUBLE_SIGNS and _ENDS.match(text, match.end()))
                or (found in _UNITS and before.isdigit() and not text[match.end() : match.end() + 1].isalnum())
            ):
                parts.append(text[done:start])
                parts.append(THIN)
                done = start
    parts.append(text[done:])
    return "".join(parts)


_STYLES: dict[str, tuple[Callable[[str], str], Callable[[str], str]]] = {
    "fr": (french_text, french_html),
    "en": (english_text, english_html),
    "ar": (arabic_text, arabic_html),
}
