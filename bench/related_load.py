"""A great archive loaded into the index at once, and what an article then costs: python -m bench.related_load.

    python -m bench.related_load --articles FILE.jsonl[.gz]|- [--count 1000000] [--new 1000]
        [--minutes 90] [--processes 2] [--folder DIR]

The first `count` articles of the file, or of the standard input, are read by so many processes and put into an empty
index with weights of their own; the sets are then made by so many processes as well. The `new` ones behind them are put
one by one, by one process as in the service. When the time is over the archive is what has been read by then; reading
gets a third of it. Prints CPU seconds of loading, CPU milliseconds of the index step, older sets changed, and how a new
process starts from the snapshot and what memory it needs.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import itertools
import json
import mmap
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event, Semaphore
from typing import IO
from uuid import UUID

import numpy as np

from bench.related import NOTHING_READ, an_article
from bench.related_figures import LOAD, quantile
from services.recommend.index import Article, Index, Reading, Refresh, Rules, read, snapshot

READING_SHARE = 1 / 3
TELL_S = 60.0
LINES = 200  # read by one process at a time
WAITING = 12  # of such parts
ROWS = ("near", "near_score", "known", "thinned", "bound", "bound_at", "shown", "shown_score", "by_text", "filled")


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

    def add(self, article: Article, packed: bytes) -> None:
        """Keep one more, whose reading is packed."""
        self._held[article.id] = replace(article, reading=NOTHING_READ), self._file.tell(), len(packed)
        self._file.write(packed)

    def source(self, ids: Sequence[UUID]) -> Iterator[Article]:
        """The articles of these ids."""
        for article_id in ids:
            article, at, size = self._held[article_id]
            self._file.seek(at)
            yield replace(article, reading=Reading.unpacked(self._file.read(size)))


class LinkedTogether(Refresh):
    """A refresh that fills an empty index, whose sets are made by several processes, each those of its own articles."""

    def __init__(self, index: Index, spool: Spool, processes: int) -> None:
        super().__init__(index, spool.source, spool.ids())
        self._processes = processes

    def _linking(self) -> Iterator[None]:
        for place in self._index._languages.values():
            for name in ROWS:
                held = getattr(place, name)
                shared = np.frombuffer(mmap.mmap(-1, max(1, held.nbytes)), dtype=held.dtype, count=held.size)
                shared = shared.reshape(held.shape)
                shared[:] = held
                setattr(place, name, shared)
        gc.collect()
        gc.freeze()
        forked = multiprocessing.get_context("fork")
        helpers = [forked.Process(target=self._link, args=(number,)) for number in range(self._processes)]
        for helper in helpers:
            helper.start()
        for helper in helpers:
            helper.join()
            if helper.exitcode:
                raise SystemExit("a process that made sets has failed")
        yield

    def _link(self, number: int) -> None:
        tell_at, done = time.monotonic() + TELL_S, 0
        for place in self._index._languages.values():
            for key in itertools.islice(place.keys, number, None, self._processes):
                if key:
                    place.link(key)
                    place._journal.clear()
                    done += 1
                if not number and time.monotonic() > tell_at:
                    told(f"  {done:,} sets made by the first process after {time.process_time():.0f} s of CPU")
                    tell_at = time.monotonic() + TELL_S


def main() -> int:
    """Load, measure and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--articles", required=True)
    asked.add_argument("--count", type=int, default=1_000_000)
    asked.add_argument("--new", type=int, default=1000)
    asked.add_argument("--minutes", type=float, default=90.0)
    asked.add_argument("--processes", type=int, default=2)
    asked.add_argument("--folder", type=Path, help="for the spool and the snapshot, which stays there")
    given = asked.parse_args()
    until = time.monotonic() + given.minutes * 60
    with tempfile.TemporaryDirectory(dir=given.folder) as scratch, (Path(scratch) / "spool").open("w+b") as file:
        coming = _read_by(given.processes, given.articles)
        spool = Spool(file)
        reading_until = time.monotonic() + (until - time.monotonic()) * READING_SHARE
        started = time.perf_counter()
        for article, packed in coming:
            spool.add(article, packed)
            if len(spool) >= given.count or time.monotonic() > reading_until:
                break
        new = [
            replace(article, reading=Reading.unpacked(packed))
            for article, packed in itertools.islice(coming, given.new)
        ]
        coming.close()
        told(f"{len(spool):,} articles read in {time.perf_counter() - started:.0f} s, CPU s: {_cpu_s():.0f}")

        index = Index(Rules())
        before, started = _cpu_s(), time.perf_counter()
        work = LinkedTogether(index, spool, given.processes)
        tell_at = time.monotonic() + TELL_S
        while not work.run(1.0):
            if time.monotonic() > tell_at:
                told(f"  {len(index):,} in the index after {time.perf_counter() - started:.0f} s")
                tell_at = time.monotonic() + TELL_S
        told(f"index of {len(index):,} built in {time.perf_counter() - started:.0f} s, CPU s: {_cpu_s() - before:.0f}")
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


def _cpu_s() -> float:
    """CPU seconds of this process and of those that it has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(one.ru_utime + one.ru_stime for one in used)


def _read_by(processes: int, path: str) -> Generator[tuple[Article, bytes], None, None]:
    """The articles of a file without their readings, and these packed, in the order of the file."""
    waiting, ended = Semaphore(WAITING), Event()

    def parts(lines: IO[str]) -> Iterator[list[str]]:
        while part := list(itertools.islice(lines, LINES)):
            waiting.acquire()
            if ended.is_set():
                return
            yield part

    with _opened(path) as lines, multiprocessing.get_context("fork").Pool(processes) as pool:
        try:
            for part in pool.imap(_read_part, parts(lines)):
                waiting.release()
                yield from part
        finally:
            ended.set()
            waiting.release()


def _read_part(lines: list[str]) -> list[tuple[Article, bytes]]:
    found = []
    for line in lines:
        row = json.loads(line)
        reading = read(row.get("lang") or "und", row.get("title") or "", row.get("body") or "")
        found.append((an_article(row, NOTHING_READ), reading.packed()))
    return found


def _opened(path: str) -> IO[str]:
    if path == "-":
        return sys.stdin
    return gzip.open(path, "rt", encoding="utf8") if path.endswith(".gz") else Path(path).open(encoding="utf8")


if __name__ == "__main__":
    sys.exit(main())
