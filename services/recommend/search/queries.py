"""What a reader asks: words, "phrases" and -exclusions, and the same as FTS5 and as PostgreSQL's tsquery.

Any text is a query. What has no word in it finds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.recommend.index.text import STEMMERS, primary_language
from services.recommend.search.words import silent, stems, words

LONGEST_QUERY = 300
MOST_TERMS, LONGEST_PHRASE = 12, 8

# A minus counts only before a word: "porte-avions" is two words that follow one another.
_PIECE = re.compile(r"""(?<!\S)(-?)(?:"([^"]*)"?|«([^»]*)»?|“([^”]*)”?|„([^“”]*)[“”]?|(\S+))|\S""")

Sequences = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Query:
    """What is asked. wanted, unwanted: for each term the stems that must follow one another, in any of these ways."""

    wanted: tuple[Sequences, ...]
    unwanted: tuple[Sequences, ...]

    def marks(self) -> frozenset[str]:
        """The stems that are shown as found."""
        return frozenset(stem for term in self.wanted for way in term for stem in way)


def parse(text: str, language: str | None) -> Query:
    """A reader's words as a query. language: BCP 47, of the articles that are asked for; None: any."""
    primary = primary_language(language) if language else None
    languages = [primary] if primary else ["", *STEMMERS]
    pieces: list[tuple[bool, bool, list[str]]] = []  # unwanted, quoted, words
    for match in _PIECE.finditer(text[:LONGEST_QUERY]):
        sign, *ways = match.groups()
        found = words(next((way for way in ways if way is not None), match[0]))
        if found:
            pieces.append((sign == "-", ways[-1] is None, found[:LONGEST_PHRASE]))
    pieces = _without_silent(pieces[:MOST_TERMS], silent(primary))
    terms = [(unwanted, _ways(found, languages)) for unwanted, _, found in pieces]
    return Query(
        tuple(dict.fromkeys(way for unwanted, way in terms if not unwanted)),
        tuple(dict.fromkeys(way for unwanted, way in terms if unwanted)),
    )


def _without_silent(
    pieces: list[tuple[bool, bool, list[str]]], nothing: frozenset[str]
) -> list[tuple[bool, bool, list[str]]]:
    """Without the words that say nothing, unless they are quoted or all there is."""
    kept = []
    for unwanted, quoted, found in pieces:
        telling = found if quoted else [word for word in found if word not in nothing]
        if telling:
            kept.append((unwanted, quoted, telling))
    return kept if any(not unwanted for unwanted, _, _ in kept) else pieces


def _ways(found: Sequence[str], languages: Sequence[str]) -> Sequences:
    return tuple(dict.fromkeys(tuple(stems(language, found)) for language in languages))


def facet_of_language(language: str) -> str:
    """The word by which articles of a language are found. language: BCP 47."""
    return "l" + primary_language(language).encode().hex()


def facet_of_section(section: str) -> str:
    """The word by which a section's articles are found."""
    return "s" + section.encode(errors="replace").hex()


def as_fts5(query: Query, facets: Sequence[str], *, in_headline: bool | None) -> str:
    """The query for FTS5: articles whose headline has all of it, or that have it only otherwise; None: anywhere."""
    wanted = _joined(query.wanted, _fts5_way, " AND ", " OR ")
    parts = [f'facets : "{facet}"' for facet in facets]
    parts.append(f"headline : ({wanted})" if in_headline else f"{{headline body}} : ({wanted})")
    text = " AND ".join(parts)
    unwanted = [f"headline : ({wanted})"] if in_headline is False else []
    if query.unwanted:
        unwanted.append(f"{{headline body}} : ({_joined(query.unwanted, _fts5_way, ' OR ', ' OR ')})")
    return f"({text}) NOT ({' OR '.join(unwanted)})" if unwanted else text


def _fts5_way(way: Sequence[str]) -> str:
    return f'"{" ".join(way)}"'


def as_tsquery(query: Query, facets: Sequence[str], *, in_headline: bool | None) -> str:
    """The same for PostgreSQL, to be cast to tsquery: headline words have the weight A, facets begin with "="."""

    def headline_way(way: Sequence[str]) -> str:
        return "(" + " <-> ".join(f"'{stem}':A" for stem in way) + ")"

    def any_way(way: Sequence[str]) -> str:
        return "(" + " <-> ".join(f"'{stem}'" for stem in way) + ")"

    headline = _joined(query.wanted, headline_way, " & ", " | ")
    parts = [f"'={facet}'" for facet in facets]
    if in_headline:
        parts.append(f"({headline})")
    else:
        parts.append(f"({_joined(query.wanted, any_way, ' & ', ' | ')})")
        if in_headline is False:
            parts.append(f"!({headline})")
    if query.unwanted:
        parts.append(f"!({_joined(query.unwanted, any_way, ' | ', ' | ')})")
    return " & ".join(parts)


def _joined(terms: Sequence[Sequences], way: Callable[[Sequence[str]], str], between: str, among: str) -> str:
    return between.join(f"({among.join(way(one) for one in term)})" for term in terms)


def as_tsvector(headline: Sequence[str], body: Sequence[str], facets: Sequence[str]) -> str:
    """An article's words for PostgreSQL, to be cast to tsvector: no phrase reaches from the headline into the text."""
    places: dict[str, list[str]] = {}
    for at, stem in enumerate(headline, start=1):
        places.setdefault(stem, []).append(f"{at}A")
    for at, stem in enumerate(body, start=len(headline) + 10):
        if at > 16_000:  # PostgreSQL counts no further
            break
        held = places.setdefault(stem, [])
        if len(held) < 250:
            held.append(str(at))
    lexemes = [f"'{stem}':{','.join(at)}" for stem, at in places.items() if len(stem.encode()) < 2000]
    return " ".join([*lexemes, *(f"'={facet}'" for facet in facets)])
