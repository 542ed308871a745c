"""A great archive loaded into the index at once, and what an article then costs: python -m bench.related_load.

    python -m bench.related_load --articles FILE.jsonl[.gz]|- [--count 1000000] [--new 1000]
        [--minutes 90] [--folder DIR]

The first `count` articles of the file, or of the standard input, are read and put into an empty index with weights of
their own, in one process; the `new` ones behind them are then put one by one. When the time is over the archive is what
has been read by then; reading gets a third of it. Prints CPU seconds of loading, CPU milliseconds of the index step,
older sets changed, and how a new process starts from the snapshot and what memory it needs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO
from uuid import UUID

from bench.related import NOTHING_READ, an_article
from bench.related_figures import LOAD, quantile
from services.recommend.index import Article, Index, Reading, Refresh, Rules, read, snapshot

READING_SHARE = 1 / 3
TELL_S = 60.0


class Spool:
    """Articles as read, their readings in a file, so that memory holds the index alone."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._held: dict[UUID, tuple[Article, int, int]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def ids(self) -> list[UUID]:
        """Every article, in the order of its coming."""
        return list(self._held)

    def add(self, article: Article) -> None:
        """Keep one more."""
        packed = article.reading.packed()
        self._held[article.id] = replace(article, reading=NOTHING_READ), self._file.tell(), len(packed)
        self._file.write(packed)

    def source(self, ids: Sequence[UUID]) -> Iterator[Article]:
        """The articles of these ids."""
        for article_id in ids:
            article, at, size = self._held[article_id]
            self._file.seek(at)
            yield replace(article, reading=Reading.unpacked(self._file.read(size)))


def main() -> int:
    """Load, measure and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--articles", required=True)
    asked.add_argument("--count", type=int, default=1_000_000)
    asked.add_argument("--new", type=int, default=1000)
    asked.add_argument("--minutes", type=float, default=90.0)
    asked.add_argument("--folder", type=Path, help="for the spool and the snapshot, which stays there")
    given = asked.parse_args()
    until = time.monotonic() + given.minutes * 60
    with tempfile.TemporaryDirectory(dir=given.folder) as scratch, (Path(scratch) / "spool").open("w+b") as file:
        coming = _articles(given.articles)
        spool = Spool(file)
        reading_until = time.monotonic() + (until - time.monotonic()) * READING_SHARE
        started = time.process_time()
        for article in coming:
            spool.add(article)
            if len(spool) >= given.count or time.monotonic() > reading_until:
                break
        told(f"{len(spool):,} articles read, CPU s: {time.process_time() - started:.0f}")
        new = [next(coming) for _ in range(given.new)]

        index = Index(Rules())
        started = time.process_time()
        work = Refresh(index, spool.source, spool.ids())
        tell_at = time.monotonic() + TELL_S
        done = False
        while not done and time.monotonic() < until:
            done = work.run(1.0)
            if time.monotonic() > tell_at:
                told(f"  {len(index):,} in the index after {time.process_time() - started:.0f} s of CPU")
                tell_at = time.monotonic() + TELL_S
        told(f"index built{'' if done else ' in part: the time is over'}, CPU s: {time.process_time() - started:.0f}")
        index.changes()

        ms, older = [], []
        for article in new:
            started = time.process_time()
            older.append(index.put(article).older_sets)
            index.changes()
            ms.append((time.process_time() - started) * 1e3)
        told(f"index step, CPU ms   p50 {quantile(ms, 0.5):.2f}  p99 {quantile(ms, 0.99):.2f}   (3 / 15 at 1,000,000)")
        mean = sum(older) / len(older)
        told(f"older sets changed   mean {mean:.2f}  p99 {quantile(older, 0.99)}  max {max(older)}   (5 / 25)")
        if not done:
            return 1
        kept = (given.folder or Path(scratch)) / "loaded.index"
        size = snapshot.save(index, kept, {})
        del index, spool, work
        loaded = subprocess.run(
            [sys.executable, "-c", LOAD, kept, str(Rules.floor)], capture_output=True, text=True, check=True
        )
        told(f"snapshot             {size / 1e6:.0f} MB; loaded: {loaded.stdout.strip()}")
    return 0


def told(line: str) -> None:
    """Print a line at once: a great archive takes its time."""
    print(line, flush=True)


def _articles(path: str) -> Iterator[Article]:
    with _opened(path) as lines:
        for line in lines:
            row = json.loads(line)
            yield an_article(row, read(row.get("lang") or "und", row.get("title") or "", row.get("body") or ""))


def _opened(path: str) -> IO[str]:
    if path == "-":
        return sys.stdin
    return gzip.open(path, "rt", encoding="utf8") if path.endswith(".gz") else Path(path).open(encoding="utf8")


if __name__ == "__main__":
    sys.exit(main())
