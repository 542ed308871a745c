"""Compressed twins: gzip with the page itself, Brotli in the background, a tenth smaller; a fifth for what lasts."""

from __future__ import annotations

import gzip
import zlib

import brotli

# What has compressed twins. Feeds, sitemaps and JSON have none: they are written with every article and asked for
# seldom, and mostly by programs that have them already; the servers compress them when they are asked.
TEXTS = (".html", ".css", ".js", ".svg", ".txt")
ENDINGS = {"gzip": ".gz", "br": ".br"}


def gzipped(content: bytes) -> bytes:
    """Compressed with gzip; the same bytes for the same content."""
    return gzip.compress(content, 5, mtime=0)


def squeezed(content: bytes, *, lasting: bool = False) -> bytes:
    """Compressed with Brotli.

    lasting: at its best, which takes 13 ms for a page of 13 kB; else in 0.4 ms to nine tenths of what gzip leaves
    instead of eight, since a page may be written many times.
    """
    packed: bytes = brotli.compress(content, mode=brotli.MODE_TEXT, quality=11 if lasting else 7)
    return packed


def unpacked(coding: str, packed: bytes) -> bytes | None:
    """What a twin holds, or None when it is damaged."""
    try:
        if coding == "br":
            plain: bytes = brotli.decompress(packed)
            return plain
        return gzip.decompress(packed)
    except (OSError, EOFError, zlib.error, brotli.error):
        return None
