"""An index on disk, so that a start does not read an archive again.

The file begins with a line that says what it is, how long the rest is and its SHA-256; a file that was cut off, changed
or made by another version is noticed and not used. It is written beside its place and renamed into it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from array import array
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from services.recommend.index import Index, Rules
from services.recommend.index.neighbours import Neighbours
from services.recommend.index.rules import RESERVE
from services.recommend.index.vectors import HEAVIEST, UNIT

FORMAT = 6
_HEADER_BYTES = 128
_ARRAYS = (
    *("section", "published", "hour", "id_high", "id_low", "near", "near_score", "known", "thinned"),
    *("bound", "bound_at", "shown", "shown_score", "by_text", "filled", "evergreen", "offered", "gets"),
)


class BrokenSnapshot(Exception):
    """The file is no snapshot that this version can use; str(error) says why."""


def save(index: Index, path: Path, note: dict[str, Any]) -> int:
    """Write the index and a note (small JSON values) that `load` gives back; the bytes written.

    Not while a Refresh is half done: ValueError.
    """
    if any(place.mixed for place in index._languages.values()):
        raise ValueError("the weights are being refreshed")
    head = {
        "note": note,
        "sections": index._sections,
        "languages": list(index._languages),
        "rules": _rules(index.rules),
        "age_limits": index.age_limits,
        "pins": {owner.hex(): [key.hex() for key in pins] for owner, pins in index._pins.items()},
        "banned": {
            place.keys[slot].hex(): [key.hex() for key in hand.banned]
            for place in index._languages.values()
            for slot, hand in place.hands.items()
            if hand.banned
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    try:
        with beside.open("w+b") as file:
            file.seek(_HEADER_BYTES)
            _write_bytes(file, json.dumps(head).encode())
            for place in index._languages.values():
                _save_language(file, place)
            size = file.tell()
            header = _header(file, size)
            file.seek(0)
            file.write(header)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
    return size


def load(path: Path, rules: Rules) -> tuple[Index, dict[str, Any]]:
    """The index in a file and the note that was saved with it.

    Raises BrokenSnapshot when there is none, it is damaged, or it was made by other rules or another version.
    """
    try:
        with path.open("rb") as file:
            first = file.read(_HEADER_BYTES)
            if not first.startswith(_header_start()):
                raise BrokenSnapshot(f"{path.name} is no snapshot of format {FORMAT}")
            if first != _header(file, file.seek(0, os.SEEK_END)):
                raise BrokenSnapshot(f"{path.name} is damaged: its length or checksum is wrong")
            file.seek(_HEADER_BYTES)
            return _load(file, path, rules)
    except OSError as error:
        raise BrokenSnapshot(f"{path.name} cannot be read: {error.strerror}") from error


def _load(file: BinaryIO, path: Path, rules: Rules) -> tuple[Index, dict[str, Any]]:
    head = json.loads(_read_bytes(file))
    if head["rules"] != _rules(rules):
        raise BrokenSnapshot(f"{path.name} was made with other rules")
    index = Index(rules)
    index._sections = head["sections"]
    for language in head["languages"]:
        place = index._languages[language] = Neighbours(rules)
        _load_language(file, place)
        index._language_of.update(dict.fromkeys(place.slots, language))
    index.limit_ages(head["age_limits"])
    for owner, pins in head["pins"].items():
        index._pin(bytes.fromhex(owner), tuple(bytes.fromhex(key) for key in pins))
    banned = {bytes.fromhex(owner): map(bytes.fromhex, keys) for owner, keys in head["banned"].items()}
    for owner in {*banned, *index._pins}:
        place = index._languages[index._language_of[owner]]
        place.hands[place.slots[owner]] = index._hand(owner, frozenset(banned.get(owner, ())))
    return index, head["note"]


def _header_start() -> bytes:
    return f"rotative index {FORMAT} ".encode()


def _header(file: BinaryIO, size: int) -> bytes:
    """What the file should begin with: format, length, and the SHA-256 of all that follows."""
    file.seek(_HEADER_BYTES)
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    return (_header_start() + f"{size} {digest}".encode()).ljust(_HEADER_BYTES - 1) + b"\n"


def _rules(rules: Rules) -> dict[str, Any]:
    return {**vars(rules), "unit": UNIT, "heaviest": HEAVIEST, "reserve": RESERVE}


def _save_language(body: BinaryIO, place: Neighbours) -> None:
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


def _load_language(body: BinaryIO, place: Neighbours) -> None:
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
    place._sums = np.zeros(size, dtype=np.int32)
    for section in _read_array(body).tolist():
        place.sections[section] = array("i", _read_array(body).tolist())
    place.pack()


def _read_texts(body: BinaryIO) -> list[bytes]:
    lengths = _read_array(body)
    joined = _read_bytes(body)
    ends = lengths.cumsum(dtype=np.int64).tolist()
    return [joined[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]


def _write_bytes(body: BinaryIO, content: bytes) -> None:
    body.write(len(content).to_bytes(8, "little"))
    body.write(content)


def _read_bytes(body: BinaryIO) -> bytes:
    return body.read(int.from_bytes(body.read(8), "little"))


def _write_array(body: BinaryIO, values: np.ndarray) -> None:
    np.save(body, values, allow_pickle=False)


def _read_array(body: BinaryIO) -> np.ndarray:
    return np.load(body, allow_pickle=False)
