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
class Part:
    """What is asked of the articles of some languages: these, or all but those, or all when both are empty.

    wanted, unwanted: for each term the stems that must follow one another, in any of these ways.
    """

    wanted: tuple[Sequences, ...]
    unwanted: tuple[Sequences, ...] = ()
    languages: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()

    def speaks_of(self, language: str) -> bool:
        """Whether it is asked of articles of this language, a primary subtag."""
        return language in self.languages if self.languages else language not in self.besides


@dataclass(frozen=True)
class Query:
    """What is asked: a part for each language in which the words have other stems. Without a part it finds nothing."""

    parts: tuple[Part, ...]

    def marks(self, language: str) -> frozenset[str]:
        """The stems that are shown as found in an article of this language (BCP 47)."""
        primary = primary_language(language)
        parts = [part for part in self.parts if part.speaks_of(primary)]
        return frozenset(stem for part in parts for term in part.wanted for way in term for stem in way)


def parse(text: str, language: str | None) -> Query:
    """A reader's words as a query. language: BCP 47, of the articles that are asked for; None: any.

    Each language's articles are asked by the stems of that language: "œuvre" is not to find the French "ouvre" because
    German writes "oe" for "ö".
    """
    pieces: list[tuple[bool, bool, list[str]]] = []  # unwanted, quoted, words
    for match in _PIECE.finditer(text[:LONGEST_QUERY]):
        sign, *ways = match.groups()
        found = words(next((way for way in ways if way is not None), match[0]))
        if found:
            pieces.append((sign == "-", ways[-1] is None, found[:LONGEST_PHRASE]))
    pieces = pieces[:MOST_TERMS]
    if language:
        primary = primary_language(language)
        wanted, unwanted = _terms(pieces, primary, silent(primary))
        return Query((Part(wanted, unwanted),) if wanted else ())
    groups: dict[tuple[tuple[Sequences, ...], tuple[Sequences, ...]], list[str]] = {}
    for known in (_OTHERS, *STEMMERS):
        terms = _terms(pieces, known, silent(known or None))
        if terms[0]:
            groups.setdefault(terms, []).append(known)
    return Query(tuple(_part(terms, known) for terms, known in groups.items()))


_OTHERS = ""  # every language without a stemmer


def _part(terms: tuple[tuple[Sequences, ...], tuple[Sequences, ...]], known: list[str]) -> Part:
    if _OTHERS not in known:
        return Part(*terms, languages=tuple(known))
    return Part(*terms, besides=tuple(language for language in STEMMERS if language not in known))


def _terms(
    pieces: list[tuple[bool, bool, list[str]]], language: str, nothing: frozenset[str]
) -> tuple[tuple[Sequences, ...], tuple[Sequences, ...]]:
    terms = [(unwanted, _ways(found, language)) for unwanted, _, found in _without_silent(pieces, nothing)]
    return (
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


def _ways(found: Sequence[str], language: str) -> Sequences:
    ways = [tuple(stems(language, found))]
    if language == "ar":  # with its article a word may have another stem than without: both are looked for
        ways.append(tuple(found))
    return tuple(dict.fromkeys(ways))


def facet_of_language(language: str) -> str:
    """The word by which articles of a language are found. language: BCP 47."""
    return "l" + primary_language(language).encode().hex()


def facet_of_section(section: str) -> str:
    """The word by which a section's articles are found."""
    return "s" + section.encode(errors="replace").hex()


def as_fts5(query: Query, facets: Sequence[str], *, in_headline: bool | None) -> str:
    """The query for FTS5: articles whose headline has all of it, or that have it only otherwise; None: anywhere."""
    return " OR ".join(f"({_part_as_fts5(part, facets, in_headline)})" for part in query.parts)


def _part_as_fts5(part: Part, facets: Sequence[str], in_headline: bool | None) -> str:
    wanted = _joined(part.wanted, _fts5_way, " AND ", " OR ")
    parts = [f'facets : "{facet}"' for facet in facets]
    if part.languages:
        parts.append(_fts5_languages(part.languages))
    parts.append(f"headline : ({wanted})" if in_headline else f"{{headline body}} : ({wanted})")
    text = " AND ".join(parts)
    unwanted = [f"headline : ({wanted})"] if in_headline is False else []
    if part.unwanted:
        unwanted.append(f"{{headline body}} : ({_joined(part.unwanted, _fts5_way, ' OR ', ' OR ')})")
    if part.besides:
        unwanted.append(_fts5_languages(part.besides))
    return f"({text}) NOT ({' OR '.join(unwanted)})" if unwanted else text


def _fts5_languages(languages: Sequence[str]) -> str:
    return "facets : ({})".format(" OR ".join(f'"{facet_of_language(language)}"' for language in languages))


def _fts5_way(way: Sequence[str]) -> str:
    return f'"{" ".join(way)}"'


def as_tsquery(query: Query, facets: Sequence[str], *, in_headline: bool | None) -> str:
    """The same for PostgreSQL, to be cast to tsquery: headline words have the weight A, facets begin with "="."""
    return " | ".join(f"({_part_as_tsquery(part, facets, in_headline)})" for part in query.parts)


def _part_as_tsquery(part: Part, facets: Sequence[str], in_headline: bool | None) -> str:
    def headline_way(way: Sequence[str]) -> str:
        return "(" + " <-> ".join(f"'{stem}':A" for stem in way) + ")"

    def any_way(way: Sequence[str]) -> str:
        return "(" + " <-> ".join(f"'{stem}'" for stem in way) + ")"

    headline = _joined(part.wanted, headline_way, " & ", " | ")
    parts = [f"'={facet}'" for facet in facets]
    if part.languages:
        parts.append(_tsquery_languages(part.languages))
    if in_headline:
        parts.append(f"({headline})")
    else:
        parts.append(f"({_joined(part.wanted, any_way, ' & ', ' | ')})")
        if in_headline is False:
            parts.append(f"!({headline})")
    if part.unwanted:
        parts.append(f"!({_joined(part.unwanted, any_way, ' | ', ' | ')})")
    if part.besides:
        parts.append(f"!{_tsquery_languages(part.besides)}")
    return " & ".join(parts)


def _tsquery_languages(languages: Sequence[str]) -> str:
    return "({})".format(" | ".join(f"'={facet_of_language(language)}'" for language in languages))


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
