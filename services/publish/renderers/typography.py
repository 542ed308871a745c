"""The spaces of French typography, set when a page is written and never stored.

A thin no-break space (U+202F) goes before ; : ! ? and inside « »; existing blanks there, of any kind, become that one.
A straight apostrophe inside a word becomes a typographic one.
Markup, code, addresses and character references are left alone. Doing it twice changes nothing.
"""

from __future__ import annotations

import re

THIN = "\u202f"
APOSTROPHE = "\u2019"

# Every branch begins with a literal, so that the engine skips from one candidate to the next.
_SIGNS = r";|:|!|\?|»|%|‰|€|'|«\s*"
_ADDRESS = r"://[^\s<>«»]*"
_VERBATIM = r"<(?P<tag>pre|code|kbd|samp|var)\b.*?</(?P=tag)>"
_TAG = r"<[^\"'>]*+(?:(?:\"[^\"]*+\"|'[^']*+')[^\"'>]*+)*+>"
_IN_TEXT = re.compile(rf"{_ADDRESS}|{_SIGNS}")
_IN_HTML = re.compile(rf"{_VERBATIM}|{_TAG}|&[#\w]+;|{_ADDRESS}|{_SIGNS}", re.DOTALL)

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
    return _spaced(text, _IN_TEXT)


def french_html(html: str) -> str:
    """HTML with French spaces between its tags; `&nbsp;` counts as a blank and comes back as the character."""
    return _spaced(html.replace("&nbsp;", "\u00a0"), _IN_HTML)


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
            if start and text[start - 1].isalpha() and text[match.end() : match.end() + 1].isalnum():
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
