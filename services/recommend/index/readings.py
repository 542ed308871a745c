"""What is read out of an article's text, once, and how it is kept."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cached_property

from services.recommend.index import text
from services.recommend.index.copies import Sieve, fingerprint
from services.recommend.index.text import Terms
from services.recommend.index.vectors import Counted


class Reading:
    """An article's terms, and the fingerprint by which copies are known. What was packed is unpacked when asked for."""

    def __init__(self, fingerprint: bytes, *, terms: Terms | None = None, body: bytes = b"") -> None:
        """terms: as they were read; without them, body: as `packed` wrote them."""
        self.fingerprint = fingerprint
        self._body = body
        if terms is not None:
            self.terms = terms

    def packed(self) -> bytes:
        """The reading as bytes, without the words' written forms: about 1.5 kB for 300 words."""
        stems, names = self.terms.stems, self.terms.names
        parts = ("\n".join(stems).encode(), "\n".join(names).encode(), bytes((*stems.values(), *names.values())))
        body = zlib.compress(b"\0".join(parts), 1)
        return len(self.fingerprint).to_bytes(4, "little") + self.fingerprint + body

    @staticmethod
    def fingerprint_in(content: bytes) -> bytes:
        """The fingerprint of a packed reading, without unpacking the rest."""
        return content[4 : 4 + int.from_bytes(content[:4], "little")]

    @classmethod
    def unpacked(cls, content: bytes) -> Reading:
        """What `packed` made bytes of."""
        end = 4 + int.from_bytes(content[:4], "little")
        return cls(content[4:end], body=content[end:])

    @cached_property
    def terms(self) -> Terms:
        """The stems and names; their written forms only where they were just read."""
        stems, names, counts = self._parts()
        stem_list = [stem.decode() for stem in stems]
        return Terms(
            dict(zip(stem_list, counts, strict=False)),
            dict(zip([name.decode() for name in names], counts[len(stem_list) :], strict=True)),
        )

    @cached_property
    def counted(self) -> Counted:
        """The terms as the index takes them."""
        return Counted.of(*self._parts()) if self._body else Counted.of_terms(self.terms)

    def _parts(self) -> tuple[list[bytes], list[bytes], bytes]:
        stems, names, counts = zlib.decompress(self._body).split(b"\0", 2)
        return stems.split(b"\n") if stems else [], names.split(b"\n") if names else [], counts


def read(language: str, headline: str, body: str) -> Reading:
    """Read an article's text: body is plain, standfirst first. About 0.5 ms for 300 words."""
    terms = text.terms(text.primary_language(language), headline, body)
    return Reading(fingerprint(headline, body), terms=terms)


def are_copies(fingerprint: bytes, others: Sequence[bytes]) -> list[bool]:
    """Which of these fingerprints are of copies of the first one's text."""
    return Sieve([fingerprint, *others]).copies_of(0)[1:].tolist()


def shared_shares(fingerprint: bytes, others: Sequence[bytes]) -> list[tuple[float, float, bool]]:
    """How much each of these shares with the first: of the smaller opening, of the larger, and whether it is a copy."""
    sieve = Sieve([fingerprint, *others])
    smaller, larger = sieve.shares_of(0)
    copies = sieve.copies_of(0)[1:].tolist()
    return list(zip(smaller[1:].tolist(), larger[1:].tolist(), copies, strict=True))
