"""Slugs: the part of an article's address that its headline gives, made once, when the article is accepted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from anyascii import anyascii

SLUG_MAX = 80
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

# Addresses that belong to the site itself, now or soon; the newsroom's sections and languages come on top.
_names = str.split
RESERVED = frozenset(
    _names("""
    admin amp api archive archives assets atom author authors auteur auteurs contact desk docs feed feeds index json
    live media metrics newsletter ninjs page pages preview push related robots rss search section sections sitemap
    sitemaps static tag tags v1 v2 wp-admin wp-content wp-json
    """)
)

# anyascii gives an alif nothing and hamza, ayn and ta marbuta a sign that no address may hold; readers expect a vowel.
_ARABIC = str.maketrans(dict(zip("اأآٱإؤئعةى", "aaaaiwyaaa", strict=True)) | {"ء": "", "ـ": ""})
_BOUNDARIES = str.maketrans({"'": " ", "’": " ", "ʼ": " ", "`": " ", "´": " ", "°": " ", "…": " "})
_NOT_IN_SLUGS = re.compile(r"[^a-z0-9]+")
_FALLBACK = "article"


def slug_from(headline: str) -> str:
    """The slug that a headline gives: accents folded, other scripts transliterated, cut at a word; never empty.

    At most SLUG_MAX characters of [a-z0-9-]. It may be reserved or taken: see numbered.
    """
    text = headline
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_BOUNDARIES).translate(_ARABIC)
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
        # What signs are left come from transliterating letters: they part no words.
        text = anyascii(text).replace("'", "").replace("`", "")
    slug = _NOT_IN_SLUGS.sub("-", text.lower()).strip("-")
    return _cut(slug, SLUG_MAX) or _FALLBACK


def numbered(slug: str, number: int) -> str:
    """The slug for the number-th article of the same headline: itself for 1, then slug-2, slug-3 and so on."""
    if number < 2:
        return slug
    return f"{_cut(slug, SLUG_MAX - 1 - len(str(number)))}-{number}"


def _cut(slug: str, most: int) -> str:
    if len(slug) <= most:
        return slug
    head, between, _ = slug[: most + 1].rpartition("-")
    # A single word longer than that is cut inside, and so is one that would leave almost nothing.
    return head.strip("-") if between and len(head) > most // 4 else slug[:most].strip("-")


def first_free(taken: Callable[[int], bool], first: int) -> int:
    """A number from `first` on that is not taken, found in few questions however many are.

    taken: whether a number is. Doubles its step until a free number is found, then halves between: where numbers were
    given out in order that is the smallest free one, and about 2 log2(n) questions.
    """
    low, step = first, 1
    if not taken(low):
        return low
    while taken(low + step):
        low, step = low + step, step * 2
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        if taken(middle):
            low = middle
        else:
            high = middle
    return high
