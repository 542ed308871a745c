"""What the API says to people, in French and Arabic as well as in English: errors, faults, warnings.

The code speaks English. `words.toml` holds each sentence in the three languages, with {names} where something is put
in; a sentence that was made is found again by its English form. What is not there stays English.
"""

from __future__ import annotations

import functools
import re
import tomllib
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("words.toml")
# Of all texts that people read; the first one is what the code is written in.
LANGUAGES = ("en", "fr", "ar")
# Where names that the API uses are put in, one or several: states, moves and roles. They are said with what they mean.
_TERMS_STAND_IN = frozenset({"status", "move", "allowed", "role", "other"})
_PLACE = re.compile(r"\\{(\w+)\\}")


@functools.cache
def _sentences() -> list[tuple[re.Pattern[str], dict[str, str]]]:
    with FILE.open("rb") as file:
        rows: list[dict[str, str]] = tomllib.load(file)["words"]
    return [(_shape(row["en"]), row) for row in rows]


def _shape(english: str) -> re.Pattern[str]:
    seen: set[str] = set()

    def place(found: re.Match[str]) -> str:
        name = found[1]
        if name in seen:
            return f"(?P={name})"
        seen.add(name)
        return f"(?P<{name}>.+?)"

    return re.compile(_PLACE.sub(place, re.escape(english)), re.DOTALL)


@functools.lru_cache(4096)
def _found(text: str) -> tuple[dict[str, str], dict[str, str]] | None:
    for shape, row in _sentences():
        match = shape.fullmatch(text)
        if match is not None:
            return row, match.groupdict()
    return None


def knows(text: str) -> bool:
    """Whether an English sentence can be said in every language."""
    return len(text) <= 2000 and _found(text) is not None


def translated(text: str, language: str) -> str:
    """An English sentence in one of LANGUAGES; as it is, when it is not known."""
    if language == LANGUAGES[0] or len(text) > 2000:
        return text
    found = _found(text)
    if found is None:
        return text
    row, values = found
    if "what" in values:
        # Why it is so is a sentence of ours too.
        values = {**values, "what": translated(values["what"], language)}
    for name in _TERMS_STAND_IN & values.keys():
        terms = [_terms().get(one, {}).get(language) for one in values[name].split(", ")]
        said = [f"{term} ({one})" if term else one for term, one in zip(terms, values[name].split(", "), strict=True)]
        values = {**values, name: ("، " if language == "ar" else ", ").join(said)}
    return row[language].format_map(_Values(values))


@functools.cache
def _terms() -> dict[str, dict[str, str]]:
    with FILE.open("rb") as file:
        rows: list[dict[str, str]] = tomllib.load(file)["terms"]
    return {row["en"]: row for row in rows}


class _Values(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return ""
