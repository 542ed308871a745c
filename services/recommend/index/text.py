"""From an article's text to what the index knows of it: stems, names, and words that an editor can read.

French, Arabic, English, Spanish and German have a stemmer and their own list of words that say nothing; Arabic letters
are unified and pairs of words take the place of names, for Arabic has no capitals. Any other language is read as words
and runs of four letters.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import Stemmer

from services.recommend.index.silent_words import SILENT_WORDS

LONGEST_TEXT = 12_000  # characters of one article that are read: about four pages; the rest repeats the subject

_SILENT_TAGS = re.compile(
    r"</?(?:a|abbr|b|cite|code|del|dfn|em|i|ins|kbd|mark|q|s|small|span|strong|sub|sup|time|u)\b[^>]*>"
)
_TAGS = re.compile(r"<[^>]*>")
_TOKENS = re.compile(r"\w+|[.!?…:;\n«»“”\"(]")
_BREAKS = frozenset('.!?…:;\n«»“”"(')
_ARABIC_MARKS = re.compile("[\u0610-\u061a\u0640\u064b-\u065f\u0670]")
_ARABIC_LETTERS = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي"})
SPACELESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")

STEMMERS = {"fr": "french", "ar": "arabic", "en": "english", "es": "spanish", "de": "german"}


@dataclass(frozen=True)
class Terms:
    """What an article is about. stems, names: how often each was read (1-255); surface: a stem's first written form."""

    stems: dict[str, int]
    names: dict[str, int]
    surface: dict[str, str] = field(default_factory=dict)


def plain_text(body_html: str) -> str:
    """The words of sanitised HTML: a line for each block, entities read, nothing of the markup."""
    return html.unescape(_TAGS.sub("\n", _SILENT_TAGS.sub("", body_html)))


def primary_language(tag: str) -> str:
    """The first subtag of a BCP 47 language tag, in lower case: "fr" for "fr-CA"."""
    return tag.partition("-")[0].lower()


def terms(language: str, headline: str, text: str) -> Terms:
    """The stems and names of an article; text is plain, without the headline. language: a primary subtag."""
    return _reader(language)(f"{headline}\n{text[:LONGEST_TEXT]}")


def fold_arabic(text: str) -> str:
    """Arabic without vowel marks and tatweel, with one form for each of alef, ya, ta marbuta and their hamzas."""
    return _ARABIC_MARKS.sub("", text).translate(_ARABIC_LETTERS)


@cache
def _reader(language: str) -> Callable[[str], Terms]:
    algorithm = STEMMERS.get(language)
    if algorithm is None:
        return _read_any
    stemmer = Stemmer.Stemmer(algorithm, 100_000)
    if language == "ar":
        silent = frozenset(fold_arabic(SILENT_WORDS[language]).split())
        return lambda text: _read_arabic(text, stemmer, silent)
    silent = frozenset(SILENT_WORDS[language].split())
    # German writes every noun with a capital: there only two in a row, or capitals throughout, are a name.
    return lambda text: _read_with_names(text, stemmer, silent, single=language != "de")


def _read_with_names(text: str, stemmer: Stemmer.Stemmer, silent: frozenset[str], *, single: bool) -> Terms:
    words: list[str] = []
    names: list[str] = []
    run: list[str] = []
    opening = True  # the next word opens a sentence, so its capital says nothing
    run_opened = False

    def close() -> None:
        nonlocal run
        if len(run) > 1:
            names.append(" ".join(run))
            names.extend(run)
        elif run and not run_opened and single:
            names.append(run[0])
        run = []

    for token in _TOKENS.findall(text):
        if token in _BREAKS:
            if run:
                close()
            opening = True
            continue
        word = token.lower()
        if word in silent or len(word) < 2:
            # "Emmanuel Macron l'a dit": an elision or an article ends a name, and opens no sentence for the next word.
            if run:
                close()
            if not opening or token[0].isupper():
                opening = opening and len(word) < 2
            continue
        words.append(word)
        if token[0].isupper():
            if not run:
                run_opened = opening and not (len(token) > 1 and token.isupper())
            run.append(word)
        elif run:
            close()
        opening = False
    close()
    stems = stemmer.stemWords(words)
    return Terms(_counted(stems), _counted(names), _first_forms(stems, words))


def _read_arabic(text: str, stemmer: Stemmer.Stemmer, silent: frozenset[str]) -> Terms:
    words = [word for word in _TOKENS.findall(fold_arabic(text).lower()) if len(word) > 1 and word not in silent]
    stems = stemmer.stemWords(words)
    pairs = [f"{first} {second}" for first, second in pairwise(stems)]
    return Terms(_counted(stems), _counted(pairs), _first_forms(stems, words))


def _read_any(text: str) -> Terms:
    words: list[str] = []
    runs: list[str] = []
    for word in _TOKENS.findall(text.lower()):
        if word in _BREAKS:
            continue
        if SPACELESS.search(word):
            words.extend(word[i : i + 2] for i in range(max(1, len(word) - 1)))
        elif len(word) > 1:
            words.append(word)
            runs.extend(word[i : i + 4] for i in range(len(word) - 3))
    return Terms(_counted(words), _counted(runs), {})


def _counted(words: list[str]) -> dict[str, int]:
    return {word: min(count, 255) for word, count in Counter(words).items()}


def _first_forms(stems: list[str], words: list[str]) -> dict[str, str]:
    return dict(zip(reversed(stems), reversed(words), strict=True))
