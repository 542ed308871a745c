"""What a text may hold, how it is tidied, and how long it is as people count."""

from __future__ import annotations

import re
import unicodedata

# Limits in characters as people count them; see length_for_people. They are part of the API's description.
HEADLINE_MAX = 200
STANDFIRST_MAX = 1000
NOTE_MAX = 500
REASON_MAX = 500
TAG_MAX = 80
TAGS_MAX = 30
BYLINE_MAX = 120
BYLINES_MAX = 20
URL_MAX = 2000
# A body's limit is in code points: nobody counts it by hand, and it bounds the work.
BODY_MAX = 400_000
ALT_MAX = 1000
CAPTION_MAX = 1000
CREDIT_MAX = 200
IMAGES_MAX = 30
SOURCE_MAX = 200
# Of the newsroom's own fields: bytes of their JSON together, characters of a name.
CUSTOM_MAX = 8192
KEY_MAX = 80
PATH_MAX = 600
OLD_PATHS_MAX = 20
ORIGIN_MAX = 300

# A character as people count may be several code points (letter, vowel marks, joined emoji), but not any number.
_CODE_POINTS_A_CHARACTER = 4

# All control characters but tab and line ends; surrogates, which are no text; U+FFFE and U+FFFF, which XML forbids.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Embeddings and overrides turn the text that follows them around, on the reader's page too. Isolates are harmless.
_TURNING = re.compile("[\u202a-\u202e]")
_BLANKS = re.compile("[ \t\r\n\u2028\u2029]+")
_EDGES = " \t\r\n\u00a0\u202f\u2028\u2029\ufeff"
_LINE_END = re.compile("\r\n?|\u2028")
_JOINER = "\u200d"


class BadText(ValueError):
    """A text that cannot be accepted. code: stable, kebab-case; str(error) says what to do."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def clean_line(text: str) -> str:
    """The text on one line: NFC, blanks as single spaces (no-break spaces stay), direction overrides taken out.

    Raises BadText when it holds control characters or lone surrogates.
    """
    return _BLANKS.sub(" ", _clean(text)).strip(_EDGES)


def clean_block(text: str) -> str:
    """The text with its line ends as \\n: NFC, direction overrides taken out. Raises BadText as clean_line does."""
    return _LINE_END.sub("\n", _clean(text)).replace("\ufeff", "")


def _clean(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    if found := _FORBIDDEN.search(text):
        point = ord(found.group())
        raise BadText(
            "control-character", f"holds U+{point:04X} at character {found.start() + 1}, which is no text: take it out"
        )
    return unicodedata.normalize("NFC", _TURNING.sub("", text))


def turns_text(text: str) -> bool:
    """Whether clean_line and clean_block would take direction overrides (U+202A to U+202E) out of the text."""
    return not text.isascii() and _TURNING.search(text) is not None


def length_for_people(text: str) -> int:
    """How many characters a person counts: marks belong to their letter, joined emoji are one, invisible ones none.

    Source: the grapheme clusters of Unicode UAX #29, without its rules for Hangul and Indic conjuncts.
    """
    if text.isascii() or not _UNCOMMON.search(text):
        return len(text)
    count = 0
    joined = half_flag = False
    for character in text:
        if character == _JOINER:
            joined = True
            continue
        if unicodedata.category(character) in _UNCOUNTED or "\U0001f3fb" <= character <= "\U0001f3ff":
            continue
        flag = "\U0001f1e6" <= character <= "\U0001f1ff"
        if not joined and not (flag and half_flag):
            count += 1
        half_flag = flag and not half_flag
        # Arabic joins letters with U+200D too: there each letter counts.
        joined = False
    return count


_UNCOUNTED = frozenset({"Mn", "Me", "Cf"})


def without_marks(text: str) -> str:
    """A decomposed text (NFD, NFKD) without what stands on its letters: accents, vowel marks."""
    text = _COMMON_MARKS.sub("", text)
    return text if not _UNCOMMON.search(text) else "".join(c for c in text if not unicodedata.combining(c))


# Asking of each character was a tenth of what accepting an article cost. Outside these ranges (Latin and Arabic
# letters, digits, punctuation, none of which joins another) there may be anything.
_UNCOMMON = re.compile("[^\x00-\xac\xae-\u02ff\u0621-\u064a\u0660-\u066d\u2010-\u2027\u202f-\u205e\u20a0-\u20bf]")
_COMMON_MARKS = re.compile("[\u0300-\u036f\u064b-\u065f\u0670]+")


def check_length(text: str, *, least: int = 0, most: int) -> None:
    """Raise BadText unless the text has between least and most characters, as people count them."""
    length = length_for_people(text)
    if length < least:
        raise BadText("too-short", "should not be empty" if least == 1 else f"should have at least {least} characters")
    if length > most:
        raise BadText("too-long", f"has {length} characters; should have at most {most}")
    if len(text) > most * _CODE_POINTS_A_CHARACTER:
        raise BadText("too-long", f"has more marks on its letters than any language needs; should have at most {most}")
