"""Where pictures stand as they were uploaded: ingest writes them, publish reads them and makes what readers get.

An original is named by what is in it: `<media store>/<first two hex digits>/<64 hex digits>`, the SHA-256 of its bytes,
without an ending. The media store is the folder that ROTATIVE_MEDIA_STORE names; by default `media/` in the data
folder. A file is there, whole and readable, before any event names it; it never changes.
"""

from __future__ import annotations

import re
from pathlib import Path

_DIGEST = re.compile(r"[0-9a-f]{64}")


def original_path(store: Path, digest: str) -> Path:
    """Where the original with this SHA-256 (64 small hex digits) stands. Raises ValueError for anything else."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"no SHA-256 in hex: {digest[:80]!r}")
    return store / digest[:2] / digest
