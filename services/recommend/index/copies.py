"""Copies: the same article once more, whole or in part, whoever signed it.

Two articles are copies when the first 160 words of one are largely found in the other: three words in a row shared
(0.45 of the smaller set, and at least 4), or words shared (0.75 of the smaller, and more than 6), or when they have the
same title of more than 15 characters. What is compared are 15-bit hashes: two sets of 158 share 0.8 of them by chance,
far from any of the limits, and an article costs half a kilobyte.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

OPENING_WORDS = 160
SHINGLE_SHARE, SHINGLES = 0.45, 4
WORD_SHARE, WORDS = 0.75, 7
SHORTEST_TITLE = 16

_MARKS = re.compile("[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670]")
_WORD = re.compile(r"\w+")
_OPENING_CHARACTERS = OPENING_WORDS * 12


def fingerprint(headline: str, text: str) -> bytes:
    """What the copy check knows of an article: little-endian, to be kept and given back as it is.

    4 bytes hash of the folded title (0 when it is too short to prove anything), 2 bytes number of shingles, then the
    hashes of the shingles (even numbers) and of the words (odd ones), 2 bytes each, sorted.
    """
    title = " ".join(_WORD.findall(_folded(headline)))
    opening = _WORD.findall(_folded(f"{headline} {text[:_OPENING_CHARACTERS]}"))[:OPENING_WORDS]
    hashes = np.array([crc32(word.encode()) for word in opening], dtype=np.uint32)
    words = np.unique((hashes >> 16).astype("<u2") | np.uint16(1))
    if len(hashes) >= 3:
        mixed = hashes[:-2] * np.uint32(2654435761) + hashes[1:-1] * np.uint32(2246822519) + hashes[2:]
        shingles = np.unique((mixed * np.uint32(3266489917) >> 16).astype("<u2") & np.uint16(0xFFFE))
    else:
        shingles = words[:0]
    key = crc32(title.encode()) or 1 if len(title) >= SHORTEST_TITLE else 0
    return key.to_bytes(4, "little") + len(shingles).to_bytes(2, "little") + shingles.tobytes() + words.tobytes()


class Sieve:
    """Several fingerprints laid side by side, so that one can be compared with all of them at once."""

    _marks = np.zeros(1 << 16, dtype=np.int32)  # scratch, all 0 between calls

    def __init__(self, fingerprints: Sequence[bytes]) -> None:
        """fingerprints: as `fingerprint` made them; their order is the order of the answers."""
        joined = np.frombuffer(b"".join(fingerprints), dtype="<u2").astype(np.intp)
        ends = np.array([len(one) >> 1 for one in fingerprints], dtype=np.intp).cumsum()
        starts = np.concatenate(([0], ends[:-1]))
        self._hashes = joined
        self._title = joined[starts] | joined[starts + 1] << 16
        # In running totals: from where the shingles begin, over where the words begin, to where they end.
        self._first = starts + 2
        self._middle = self._first + joined[starts + 2]
        self._last = ends - 1
        self._shingles = self._middle - self._first
        self._words = self._last - self._middle

    def __len__(self) -> int:
        return len(self._words)

    def shares_of(self, position: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Which share of their shingles each fingerprint has in common with the one at this position.

        Of the smaller one's, and of the larger one's.
        """
        own = self._hashes[self._first[position] + 1 : self._middle[position] + 1]
        marks = Sieve._marks
        marks[own] = 1
        totals = marks.take(self._hashes).cumsum(dtype=np.int32)
        marks[own] = 0
        shared = totals[self._middle] - totals[self._first]
        both = self._shingles, self._shingles[position]
        return shared / np.maximum(1, np.minimum(*both)), shared / np.maximum(1, np.maximum(*both))

    def copies_of(self, position: int) -> NDArray[np.bool_]:
        """Which of the fingerprints are copies of the one at this position; it is one of itself."""
        own = self._hashes[self._first[position] + 1 : self._last[position] + 1]
        marks = Sieve._marks
        marks[own] = 1
        totals = marks.take(self._hashes).cumsum(dtype=np.int32)
        marks[own] = 0
        middle = totals[self._middle]
        shared = middle - totals[self._first]
        smaller = np.minimum(self._shingles, self._shingles[position])
        found = (shared >= SHINGLES) & (shared >= SHINGLE_SHARE * smaller)
        shared = totals[self._last] - middle
        smaller = np.minimum(self._words, self._words[position])
        found |= (shared >= WORDS) & (shared >= WORD_SHARE * smaller)
        title = self._title[position]
        if title:
            found |= self._title == title
        return found


def _folded(text: str) -> str:
    lowered = text.lower()
    if lowered.isascii():
        return lowered
    return _MARKS.sub("", unicodedata.normalize("NFKD", lowered))
