"""From an article's text to what the index knows of it: stems, names, and words that an editor can read.

French, Arabic, English, Spanish and German have a stemmer and their own list of words that say nothing; Arabic letters
are unified and pairs of words take the place of names, for Arabic has no capitals. Any other language is read as words
and runs of four letters.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from itertools import pairwise
from math import exp

import Stemmer

from services.recommend.index.silent_words import SILENT_WORDS

LONGEST_TEXT = 12_000  # characters of one article that are read: about four pages; the rest repeats the subject

READ_UNIT = 4  # of a count in Terms: a word that was read once, far down, has 4

_SILENT_TAGS = re.compile(
    r"</?(?:a|abbr|b|cite|code|del|dfn|em|i|ins|kbd|mark|q|s|small|span|strong|sub|sup|time|u)\b[^>]*>"
)
_TAGS = re.compile(r"<[^>]*>")
_TOKENS = re.compile(r"\w+|[.!?…:;\n«»“”\"(]")
_BREAKS = frozenset('.!?…:;\n«»“”"(')
_ARABIC_MARKS = re.compile("[\u0610-\u061a\u0640\u064b-\u065f\u0670]")
_ARABIC_LETTERS = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي"})
SPACELESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")

_ACCENTS = re.compile("[\u0300-\u036f]")
# Small words inside names.
PARTICLES = frozenset(
    [
        "de",
        "du",
        "des",
        "d",
        "la",
        "le",
        "von",
        "van",
        "der",
        "den",
        "zu",
        "bin",
        "ben",
        "ibn",
        "al",
        "el",
        "y",
        "e",
        "da",
        "do",
        "dos",
        "di",
        "del",
        "della",
    ]
)

STEMMERS = {"fr": "french", "ar": "arabic", "en": "english", "es": "spanish", "de": "german"}


@dataclass(frozen=True)
class Terms:
    """What an article is about.

    stems, names: how often each was read, in quarters, up to 255; one in the opening counts for several. surface: a
    term's first written form: of a stem in small letters, of a name with its capitals.
    """

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
    if language == "ar":
        stemmer = Stemmer.Stemmer(algorithm, 50_000)
        silent = frozenset(fold_arabic(SILENT_WORDS[language]).split())
        return lambda text: _read_arabic(text, stemmer, silent)
    lexicon = _Lexicon(Stemmer.Stemmer(algorithm, 0), frozenset(SILENT_WORDS[language].split()))
    # German writes every noun with a capital: there only two in a row, or capitals throughout, are a name.
    return lambda text: _read_with_names(text, lexicon, single=language != "de")


class _Kind(IntEnum):
    """What a token is to a reader that looks for names."""

    WORD = 0
    CAPITAL = 1
    SHOUTED = 2  # capitals throughout: a name even where a sentence opens
    BREAK = 3
    SILENT = 4
    SILENT_CAPITAL = 5  # opens a sentence by itself, so that the next word's capital says something


class _Lexicon(dict[str, tuple[int, str, str, str]]):
    """What each token of a language is: its kind, its stem, the word in lower case, and how it stands in a name."""

    _MOST = 30_000

    def __init__(self, stemmer: Stemmer.Stemmer, silent: frozenset[str]) -> None:
        self._stemmer = stemmer
        self._silent = silent

    def __missing__(self, token: str) -> tuple[int, str, str, str]:
        if len(self) >= self._MOST:
            self.clear()
        word = token.lower()
        capital = token[0].isupper()
        if token in _BREAKS:
            found = _Kind.BREAK, "", "", ""
        elif word in self._silent or len(word) < 2:
            found = _Kind.SILENT_CAPITAL if capital and len(word) > 1 else _Kind.SILENT, "", "", ""
        elif capital:
            kind = _Kind.SHOUTED if len(token) > 1 and token.isupper() else _Kind.CAPITAL
            found = kind, self._stemmer.stemWord(word), word, word if word.isascii() else _without_accents(word)
        else:
            found = _Kind.WORD, self._stemmer.stemWord(word), word, ""
        kept = int(found[0]), *found[1:]
        self[token] = kept
        return kept


def _read_with_names(text: str, lexicon: _Lexicon, *, single: bool) -> Terms:
    stems: list[str] = []
    words: list[str] = []
    names: list[tuple[str, int]] = []  # each with the place of its first word
    written: dict[str, str] = {}  # a name's first written form
    run: list[str] = []
    tokens: list[str] = []  # the run as it is written, particles before what follows them
    parts: list[int] = []  # where in the run a particle stood
    particles = 0  # since the last word of the run
    small = ""  # these, as written
    opening = True  # the next word opens a sentence, so its capital says nothing
    run_opened = False

    def close() -> None:
        nonlocal run, tokens, parts, particles, small
        first = len(words) - len(run)
        if len(run) > 1:
            whole = " ".join(run)
            names.append((whole, first))
            names.extend((word, first + at) for at, word in enumerate(run))
            written.setdefault(whole, " ".join(tokens))
            for word, token in zip(run, tokens, strict=True):
                written.setdefault(word, token.rpartition("’" if "’" in token else " ")[2])
            if parts:
                for start, end in pairwise([0, *parts, len(run)]):
                    if end - start > 1:
                        names.append((" ".join(run[start:end]), first + start))
                        written.setdefault(" ".join(run[start:end]), " ".join(tokens[start:end]))
        elif not run_opened and single:
            names.append((run[0], first))
            written.setdefault(run[0], tokens[0])
        run, tokens, parts, particles, small = [], [], [], 0, ""

    for token in _TOKENS.findall(text):
        kind, stem, word, name = lexicon[token]
        if kind == 0:  # a word like most
            if run:
                if particles < 2 and token in PARTICLES:  # "Konrad von Thurn", if a capital follows
                    particles += 1
                    small += f"{token} "
                    continue
                close()
            stems.append(stem)
            words.append(word)
            opening = False
        elif kind <= _SHOUTED:
            if not run:
                run_opened = opening and kind != _SHOUTED
            elif particles:
                parts.append(len(run))
            stems.append(stem)
            words.append(word)
            run.append(name)
            tokens.append(small + token if particles else token)
            particles, small = 0, ""
            opening = False
        elif kind == _BREAK:
            if run:
                close()
            opening = True
        else:
            # "Emmanuel Macron l'a dit": an elision or an article ends a name, and opens no sentence for the next word.
            if run:
                if particles < 2 and token in PARTICLES:  # "Charles de Gaulle"
                    particles += 1
                    small += f"{token} " if len(token) > 1 else f"{token}’"
                    continue
                close()
            if kind == _SILENT_CAPITAL:
                opening = False
    if run:
        close()
    return Terms(_counted(stems), _counted_names(names), _first_forms(stems, words) | written)


_SHOUTED, _BREAK, _SILENT_CAPITAL = int(_Kind.SHOUTED), int(_Kind.BREAK), int(_Kind.SILENT_CAPITAL)


def _without_accents(word: str) -> str:
    """A name as it is when its capitals have lost their accents: "Etat" is "État", "ELYSEE" is "Élysée"."""
    return _ACCENTS.sub("", unicodedata.normalize("NFD", word))


def _read_arabic(text: str, stemmer: Stemmer.Stemmer, silent: frozenset[str]) -> Terms:
    words = [word for word in _TOKENS.findall(fold_arabic(text).lower()) if len(word) > 1 and word not in silent]
    stems = stemmer.stemWords(words)
    pairs = [(f"{first} {second}", at) for at, (first, second) in enumerate(pairwise(stems))]
    forms = {pair: " ".join(words[at : at + 2]) for pair, at in reversed(pairs)}
    return Terms(_counted(stems), _counted_names(pairs), _first_forms(stems, words) | forms)


def _read_any(text: str) -> Terms:
    words: list[str] = []
    runs: list[tuple[str, int]] = []
    for word in _TOKENS.findall(text.lower()):
        if word in _BREAKS:
            continue
        if SPACELESS.search(word):
            words.extend(word[i : i + 2] for i in range(max(1, len(word) - 1)))
        elif len(word) > 1:
            runs.extend((word[i : i + 4], len(words)) for i in range(len(word) - 3))
            words.append(word)
    return Terms(_counted(words), _counted_names(runs), {})


# How much a word counts by its place among the telling words of an article: the news is told in the first sentences
# (the "inverted pyramid"), and what two reports of one event share stands there. Measured on English, French, Spanish
# and German news; the curve is flat around these values.
_OPENING, _OPENING_WORDS = 10.0, 15.0
_MORE_BY_PLACE = [_OPENING * exp(-place / _OPENING_WORDS) for place in range(120)]


def _counted(words: list[str]) -> dict[str, int]:
    counts: dict[str, float] = Counter(words)  # type: ignore[assignment]
    for word, more in zip(words, _MORE_BY_PLACE, strict=False):
        counts[word] += more
    return {word: min(255, int(count * READ_UNIT + 0.5)) for word, count in counts.items()}


def _counted_names(names: list[tuple[str, int]]) -> dict[str, int]:
    """Names count by where they stand first; later, each as one."""
    counts: dict[str, float] = {}
    for name, place in names:
        known = counts.get(name)
        if known is None:
            known = _MORE_BY_PLACE[place] if place < len(_MORE_BY_PLACE) else 0.0
        counts[name] = known + 1.0
    return {name: min(255, int(count * READ_UNIT + 0.5)) for name, count in counts.items()}


def _first_forms(stems: list[str], words: list[str]) -> dict[str, str]:
    return dict(zip(reversed(stems), reversed(words), strict=True))
