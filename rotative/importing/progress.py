"""How far an import is: a bar of the file on a terminal, plain lines where there is none."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

import click

from rotative.importing.reading import Meter
from rotative.importing.runner import Report

# Where nobody looks at a terminal, a line so often. Seconds.
LINE_EVERY_S = 10.0


class Progress:
    """Shows how much of an archive's file is read, how fast, and how long the rest will take."""

    def __init__(self, meter: Meter, size: int, *, before: int = 0) -> None:
        """size: of the file, in bytes; before: items that an import which is gone on with did before."""
        self._meter, self._size, self._before = meter, size, before
        self._began = self._said = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar = click.progressbar(
                length=self._size, show_percent=True, item_show_func=lambda line: line, file=sys.stderr
            )
            self._bar.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, at)

    def show(self, report: Report) -> None:
        """That so much is done."""
        now = time.monotonic()
        rate = (report.read - self._before) / max(0.001, now - self._began)
        line = f"{report.read} items, {rate:.0f} a second"
        line += f", {report.refused} not taken" if report.refused else ""
        position = min(self._meter.position, self._size)
        if self._bar is not None:
            self._bar.update(position - self._bar.pos, line)
        elif now - self._said >= LINE_EVERY_S:
            self._said = now
            left = (self._size - position) * (now - self._began) / max(1, position)
            percent = 100 * position // max(1, self._size)
            click.echo(f"{percent} % of the file read: {line}, about {left:.0f} s left", err=True)
