"""An index on disk, so that a start does not read an archive again.

The file begins with a line that says what it is, how long the rest is and its SHA-256; a file that was cut off, changed
or made by another version is noticed and not used. It is written beside its place and renamed into it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from array import array
from pathlib import Path
from typing import Any

import numpy as np

from services.recommend.index import Index, Rules
from services.recommend.index.neighbours import RESERVE, Neighbours
from services.recommend.index.vectors import HEAVIEST, UNIT

FORMAT = 1
_ARRAYS = (
    *("section", "published", "hour", "id_high", "id_low", "near", "near_score", "known", "bound"),
    *("shown", "shown_score", "by_text", "filled"),
)


class BrokenSnapshot(Exception):
    """The file is no snapshot that this version can use; str(error) says why."""


def save(index: Index, path: Path, note: dict[str, Any]) -> int:
    """Write the index and a note (small JSON values) that `load` gives back; the bytes written.

    Not while a Refresh is half done: ValueError.
    """
    if any(place.mixed for place in index._languages.values()):
        raise ValueError("the weights are being refreshed")
    body = io.BytesIO()
    head = {
        "note": note,
        "sections": index._sections,
        "languages": list(index._languages),
        "rules": _rules(index.rules),
    }
    _write_bytes(body, json.dumps(head).encode())
    for place in index._languages.values():
        _save_language(body, place)
    content = body.getbuffer()
    digest = hashlib.sha256(content).hexdigest()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    try:
        with beside.open("wb") as file:
            file.write(f"rotative index {FORMAT} {len(content)} {digest}\n".encode())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
    return len(content)


def load(path: Path, rules: Rules) -> tuple[Index, dict[str, Any]]:
    """The index in a file and the note that was saved with it.

    Raises BrokenSnapshot when there is none, it is damaged, or it was made by other rules or another version.
    """
    try:
        with path.open("rb") as file:
            first = file.readline(200).split()
            content = file.read()
    except OSError as error:
        raise BrokenSnapshot(f"{path.name} cannot be read: {error.strerror}") from error
    if first[:3] != [b"rotative", b"index", str(FORMAT).encode()] or len(first) != 5:
        raise BrokenSnapshot(f"{path.name} is no snapshot of format {FORMAT}")
    if first[3] != str(len(content)).encode() or first[4].decode() != hashlib.sha256(content).hexdigest():
        raise BrokenSnapshot(f"{path.name} is damaged: its length or checksum is wrong")
    body = io.BytesIO(content)
    head = json.loads(_read_bytes(body))
    if head["rules"] != _rules(rules):
        raise BrokenSnapshot(f"{path.name} was made with other rules")
    index = Index(rules)
    index._sections = head["sections"]
    for language in head["languages"]:
        place = index._languages[language] = Neighbours(rules)
        _load_language(body, place)
        index._language_of.update(dict.fromkeys(place.slots, language))
    return index, head["note"]


def _rules(rules: Rules) -> dict[str, Any]:
    return {**vars(rules), "unit": UNIT, "heaviest": HEAVIEST, "reserve": RESERVE}


def _save_language(body: io.BytesIO, place: Neighbours) -> None:
    size = len(place.keys)
    _write_array(body, np.array([size, place.weights.articles], dtype=np.int64))
    _write_array(body, place.table.keys())
    _write_array(body, place.weights.frequencies(np.arange(place.table.size, dtype=np.int32)))
    _write_array(body, np.array(place.free, dtype=np.int32))
    _write_bytes(body, b"".join(key or bytes(16) for key in place.keys))
    for texts in (place.vectors, place.prints):
        _write_array(body, np.array([len(one) for one in texts], dtype=np.int32))
        _write_bytes(body, b"".join(texts))
    for name in _ARRAYS:
        _write_array(body, getattr(place, name)[:size])
    _write_array(body, np.array(list(place.sections), dtype=np.int32))
    for line in place.sections.values():
        _write_array(body, np.frombuffer(line, dtype=np.int32) if line else np.zeros(0, dtype=np.int32))


def _load_language(body: io.BytesIO, place: Neighbours) -> None:
    size, articles = _read_array(body).tolist()
    place.table.load(_read_array(body))
    place.weights.articles = articles
    place.weights.set(np.arange(place.table.size, dtype=np.int32), _read_array(body))
    place.free = _read_array(body).tolist()
    keys = _read_bytes(body)
    place.keys = [keys[start : start + 16] for start in range(0, size * 16, 16)]
    for slot in place.free:
        place.keys[slot] = b""
    place.slots = {key: slot for slot, key in enumerate(place.keys) if key}
    place.vectors, place.prints = _read_texts(body), _read_texts(body)
    for name in _ARRAYS:
        setattr(place, name, _read_array(body))
    place._sums = np.zeros(size, dtype=np.int64)
    for section in _read_array(body).tolist():
        place.sections[section] = array("i", _read_array(body).tolist())
    for slot in place.slots.values():
        place.postings.put(slot, *place._vector_at(slot))


def _read_texts(body: io.BytesIO) -> list[bytes]:
    lengths = _read_array(body)
    joined = _read_bytes(body)
    ends = lengths.cumsum(dtype=np.int64).tolist()
    return [joined[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]


def _write_bytes(body: io.BytesIO, content: bytes) -> None:
    body.write(len(content).to_bytes(8, "little"))
    body.write(content)


def _read_bytes(body: io.BytesIO) -> bytes:
    return body.read(int.from_bytes(body.read(8), "little"))


def _write_array(body: io.BytesIO, values: np.ndarray) -> None:
    np.save(body, values, allow_pickle=False)


def _read_array(body: io.BytesIO) -> np.ndarray:
    return np.load(body, allow_pickle=False)
