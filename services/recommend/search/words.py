"""From text to the words that are searched: folded (without case and accents, Arabic unified) and stemmed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache

import Stemmer

from services.recommend.index.silent_words import SILENT_WORDS
from services.recommend.index.text import SPACELESS, STEMMERS, fold_arabic, primary_language

LONGEST_TEXT = 20_000  # characters of one article that can be searched

_MARKS = "\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670"
WORD = re.compile(rf"(?:[^\W_]|[{_MARKS}])+")
_MARK = re.compile(f"[{_MARKS}]")
# Letters that no decomposition takes apart, and the digits of Arabic texts.
_LETTERS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i"}
    | {chr(start + digit): str(digit) for start in (0x660, 0x6F0) for digit in range(10)}
)


@lru_cache(10_000)
def fold(word: str) -> str:
    """A word as it is compared: "École" and "ecole" are one."""
    lowered = word.lower()
    if lowered.isascii():
        return lowered
    apart = _MARK.sub("", unicodedata.normalize("NFKD", lowered.casefold()))
    return unicodedata.normalize("NFC", fold_arabic(apart).translate(_LETTERS))


def words(text: str) -> list[str]:
    """The folded words of a text in their order; scripts without spaces as overlapping pairs of letters."""
    found: list[str] = []
    for word in WORD.findall(unicodedata.normalize("NFC", text)):
        if word.isascii():
            found.append(fold(word))
        elif SPACELESS.search(word):
            found += pairs(word)
        else:
            found += WORD.findall(fold(word))  # folding takes "⑴" and "ﷺ" apart, into more than letters
    return [word for word in found if word]


def pairs(word: str) -> list[str]:
    """Each two letters of a word that follow one another; the word itself if it has only one."""
    folded = "".join(WORD.findall(fold(word)))
    return [folded[at : at + 2] for at in range(max(1, len(folded) - 1))]


def stems(language: str, folded: Sequence[str]) -> list[str]:
    """The stem of each folded word. language: a primary subtag; one without a stemmer leaves words as they are."""
    stemmer = _stemmer(language)
    return list(folded) if stemmer is None else stemmer.stemWords(list(folded))


def searched(language: str, text: str) -> list[str]:
    """What of a text can be found, in its order. language: BCP 47."""
    known = _known_words(primary_language(language))
    found = WORD.findall(unicodedata.normalize("NFC", text[:LONGEST_TEXT]))
    return [stem for word in found for stem in known[word]]


class _KnownWords(dict[str, list[str]]):
    """The stems of each word of a language, as it is written."""

    _MOST = 30_000

    def __init__(self, language: str) -> None:
        self._language = language

    def __missing__(self, word: str) -> list[str]:
        if len(self) >= self._MOST:
            self.clear()
        found = self[word] = stems(self._language, words(word))
        return found


@cache
def _known_words(language: str) -> _KnownWords:
    return _KnownWords(language if language in STEMMERS else "")


@cache
def _stemmer(language: str) -> Stemmer.Stemmer | None:
    algorithm = STEMMERS.get(language)
    return None if algorithm is None else Stemmer.Stemmer(algorithm, 10_000)


@cache
def silent(language: str | None) -> frozenset[str]:
    """Folded words that say nothing in a language; in any of those known when it is None."""
    lists = SILENT_WORDS.values() if language is None else [SILENT_WORDS.get(language, "")]
    return frozenset(fold(word) for listed in lists for word in listed.split())
