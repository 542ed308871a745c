"""How far the reading of an archive is: bytes of the file, for a progress bar that tells the truth."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from rotative.importing.items import BadArchive

BLOCK_BYTES = 256 * 1024


@dataclass
class Meter:
    """Counts what was read of an archive. size, position: bytes."""

    size: int = 0
    position: int = 0

    @contextmanager
    def open(self, path: Path) -> Iterator[BinaryIO]:
        """The file, counted as it is read. Raises BadArchive when it cannot be read, also on the way."""
        try:
            with path.open("rb") as file:
                self.size, self.position = path.stat().st_size, 0
                yield cast(BinaryIO, io.BufferedReader(_Counted(file, self), BLOCK_BYTES))
        except OSError as error:
            raise BadArchive(f"cannot be read: {error.strerror or error}") from error


class _Counted(io.RawIOBase):
    def __init__(self, file: BinaryIO, meter: Meter) -> None:
        self._file, self._meter = file, meter

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._file.read(len(buffer))
        buffer[: len(block)] = block
        self._meter.position += len(block)
        return len(block)
