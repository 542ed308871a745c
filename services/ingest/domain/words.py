"""What a search of articles compares: words, folded, and exact tags as words of their own."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from services.ingest.domain.texts import without_marks

# Of one search; more words find nothing more.
WORDS_MAX = 10
# Of one article: what is beyond is not found.
_TEXT_MAX = 4000
_WORD = re.compile(r"[^\W_]+")
_ARABIC = str.maketrans(dict(zip("أإآٱىة", "اااايه", strict=True)) | {"ـ": None})


def folded(text: str) -> str:
    """A text as searches compare it: words without accents, capitals, vowel marks and variants of letters."""
    if text.isascii():
        return " ".join(_WORD.findall(text.lower()))
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_ARABIC)
    return " ".join(_WORD.findall(without_marks(plain).translate(_ARABIC)))


def tag_word(tag: str) -> str:
    """One word that stands for a tag, the whole of it; capitals and accents do not matter."""
    return f"tag{hashlib.blake2b(folded(tag).encode(), digest_size=8).hexdigest()}"


def of_article(texts: Iterable[str], tags: Iterable[str]) -> str:
    """All words by which an article is found."""
    tags = list(tags)
    words = folded(" ".join((*texts, *tags)))[:_TEXT_MAX]
    return " ".join((words, *(tag_word(tag) for tag in tags)))


def of_search(text: str) -> list[str]:
    """The words that a search asks for; the last one may be the beginning of a word."""
    return folded(text).split()[:WORDS_MAX]
