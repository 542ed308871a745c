"""Copies: the same article once more, whole or in part, whoever signed it.

Two articles are copies when the first 160 words of one are largely found in the other: three words in a row shared
(half of the smaller set, and at least 4), or words shared (0.85 of the smaller, and more than 6), or when they have the
same title of more than 15 characters. What is compared are 13-bit hashes: two sets of 158 share 3 of them by chance,
far from any of the limits. They are kept as the steps from one to the next, mostly a byte each: 300 bytes an article.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

OPENING_WORDS = 160
SHINGLE_SHARE, SHINGLES = 0.5, 4
WORD_SHARE, WORDS = 0.85, 7
SHORTEST_TITLE = 16

_MARKS = re.compile("[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670]")
_WORD = re.compile(r"\w+")
_OPENING_CHARACTERS = OPENING_WORDS * 12


_HASH_BITS = 13
_WORDS_FROM = 1 << _HASH_BITS  # the words' hashes stand behind those of the shingles
_STEP = 255  # so far and no hash there: the next step goes on
_HEADER = 8  # bytes of a fingerprint before the steps


def fingerprint(headline: str, text: str) -> bytes:
    """What the copy check knows of an article, to be kept and given back as it is.

    Little-endian: 4 bytes hash of the folded title (0 when it is too short to prove anything), 2 bytes how many steps
    lead to the last shingle, 2 bytes how many to the last word; then the steps between the hashes of the shingles, from
    0 on, and those of the words, from 2^13 on, in order, a byte each: 255 means that far, and no hash there.
    """
    title = " ".join(_WORD.findall(_folded(headline)))
    opening = _WORD.findall(_folded(f"{headline} {text[:_OPENING_CHARACTERS]}"))[:OPENING_WORDS]
    hashes = np.array([crc32(word.encode()) for word in opening], dtype=np.uint32)
    words = np.unique(hashes >> (32 - _HASH_BITS)).astype(np.int64) + _WORDS_FROM
    shingles = words[:0]
    if len(hashes) >= 3:
        mixed = hashes[:-2] * np.uint32(2654435761) + hashes[1:-1] * np.uint32(2246822519) + hashes[2:]
        shingles = np.unique(mixed * np.uint32(3266489917) >> np.uint32(32 - _HASH_BITS)).astype(np.int64)
    key = crc32(title.encode()) or 1 if len(title) >= SHORTEST_TITLE else 0
    to_shingles, to_words = _steps(shingles, 0), _steps(words, _WORDS_FROM)
    head = key.to_bytes(4, "little") + len(to_shingles).to_bytes(2, "little") + len(to_words).to_bytes(2, "little")
    return head + to_shingles + to_words


def _steps(values: NDArray[np.int64], start: int) -> bytes:
    """The way from `start` - 1 over all of these, which are in order."""
    gaps = np.diff(values, prepend=start - 1)
    whole = (gaps - 1) // (_STEP - 1)  # a step is at least 1 and less than 255; a jump is 254
    rest = (gaps - whole * (_STEP - 1)).astype(np.uint8)
    steps = np.full(int(len(values) + whole.sum()), _STEP, dtype=np.uint8)
    steps[np.cumsum(whole + 1) - 1] = rest
    return steps.tobytes()


class Sieve:
    """Several fingerprints laid side by side, so that one can be compared with all of them at once."""

    _marks = np.zeros((2 << _HASH_BITS) + 1, dtype=np.int32)  # scratch, all 0 between calls

    def __init__(self, fingerprints: Sequence[bytes]) -> None:
        """fingerprints: as `fingerprint` made them; their order is the order of the answers."""
        heads = np.frombuffer(b"".join([one[:_HEADER] for one in fingerprints]), dtype="<u2").reshape(-1, 4)
        heads = heads.astype(np.intp)
        steps = np.frombuffer(b"".join([one[_HEADER:] for one in fingerprints]), dtype=np.uint8)
        jumps = steps == _STEP
        way = np.where(jumps, _STEP - 1, steps).cumsum(dtype=np.int32)
        self._title = heads[:, 0] | heads[:, 1] << 16
        # Where the steps to shingles begin, where those to words begin, where these end.
        self._last = heads[:, 2:].sum(axis=1).cumsum()
        self._middle = self._last - heads[:, 3]
        self._first = self._middle - heads[:, 2]
        before = np.concatenate(([0], way))
        start = np.stack((before[self._first] + 1, before[self._middle] + 1 - _WORDS_FROM), axis=1).ravel()
        hashes = way - np.repeat(start, heads[:, 2:].ravel())
        hashes[jumps] = -1  # no hash: the last of the marks, which no hash has
        self._hashes = hashes.astype(np.intp)
        self._totals = np.zeros(len(hashes) + 1, dtype=np.int32)
        there = np.concatenate(([0], (~jumps).cumsum()))
        self._shingles = there[self._middle] - there[self._first]
        self._words = there[self._last] - there[self._middle]

    def __len__(self) -> int:
        return len(self._words)

    def shares_of(self, position: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Which share of their shingles each fingerprint has in common with the one at this position.

        Of the smaller one's, and of the larger one's.
        """
        shared, _ = self._shared(position)
        both = self._shingles, self._shingles[position]
        return shared / np.maximum(1, np.minimum(*both)), shared / np.maximum(1, np.maximum(*both))

    def copies_of(self, position: int) -> NDArray[np.bool_]:
        """Which of the fingerprints are copies of the one at this position; it is one of itself."""
        shingles, words = self._shared(position)
        smaller = np.minimum(self._shingles, self._shingles[position])
        found = (shingles >= SHINGLES) & (shingles >= SHINGLE_SHARE * smaller)
        smaller = np.minimum(self._words, self._words[position])
        found |= (words >= WORDS) & (words >= WORD_SHARE * smaller)
        title = self._title[position]
        if title:
            found |= self._title == title
        return found

    def _shared(self, position: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """How many shingles, and how many words, each fingerprint has in common with the one at this position."""
        own = self._hashes[self._first[position] : self._last[position]]
        own = own[own >= 0]
        marks = Sieve._marks
        marks[own] = 1
        totals = self._totals
        marks.take(self._hashes, out=totals[1:], mode="wrap")
        np.cumsum(totals[1:], out=totals[1:])
        marks[own] = 0
        middle = totals[self._middle]
        return middle - totals[self._first], totals[self._last] - middle


def without_copies(shown: Sequence[bytes], candidates: Sequence[bytes], size: int) -> list[int]:
    """The first `size` of these fingerprints, by place, that are copies neither of those shown nor of one before.

    Only as many are laid side by side as are likely to be needed.
    """
    taken: list[int] = []
    held = list(shown)
    at = 0
    while at < len(candidates) and len(taken) < size:
        some = candidates[at : at + size - len(taken) + 2]
        sieve = Sieve([*held, *some])
        out = np.zeros(len(sieve), dtype=bool)
        for place in range(len(sieve)):
            if place < len(held):
                out |= sieve.copies_of(place)
            elif not out[place]:
                taken.append(at + place - len(held))
                if len(taken) >= size:
                    break
                out |= sieve.copies_of(place)
        held = [*shown, *(candidates[place] for place in taken)]
        at += len(some)
    return taken


def _folded(text: str) -> str:
    lowered = text.lower()
    if lowered.isascii():
        return lowered
    return _MARKS.sub("", unicodedata.normalize("NFKD", lowered))
