"""Related sets of an archive, made by the service's own code as the articles would have come.

    python -m bench.related --articles FILE.jsonl[.gz] --out related.jsonl [--no-refresh] [--no-fill]

Articles (id, lang, title, body, section, published_at) are put one by one, oldest first, those without a date last;
then the weights are refreshed once. The output has one line an article: {"id": ..., "related": [ids, best first]}.
Prints milliseconds of CPU per article, how many older sets each one changed, and how long a new process needs to load
the index from its snapshot and how much memory it then has.
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
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from bench.related_figures import LOAD, quantile
from services.recommend.domain import refresh_due_at
from services.recommend.index import Article, Index, Reading, Refresh, Rules, Source, read, snapshot

NOTHING_READ = read("fr", "", "")
# So that refreshes come as in a newsroom that is never in a hurry: each time the archive has grown by a fifth.
LONG_AGO, NOW = datetime(2000, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC)


def main() -> int:
    """Read the archive, make every set, write them, print the figures."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--articles", type=Path, required=True)
    asked.add_argument("--out", type=Path, required=True)
    asked.add_argument("--no-refresh", action="store_true", help="only the refresh at the end")
    asked.add_argument("--already", type=int, default=0, help="articles, the oldest, that are there from the start")
    asked.add_argument("--no-fill", action="store_true", help="leave out the fills from the section")
    asked.add_argument("--floor", type=float, default=Rules.floor)
    given = asked.parse_args()

    names: dict[UUID, str] = {}
    kept: dict[UUID, tuple[Article, bytes]] = {}
    index = Index(Rules(floor=given.floor))
    reading_ms: list[float] = []
    placing_ms: list[float] = []
    touched: list[int] = []
    refreshing_s = 0.0

    def source(ids: Sequence[UUID]) -> Iterator[Article]:
        for article_id in ids:
            article, packed = kept[article_id]
            yield replace(article, reading=Reading.unpacked(packed))

    for row in sorted(rows(given.articles), key=moment):
        begun = time.process_time()
        reading = read(row.get("lang") or "und", row.get("title") or "", row.get("body") or "")
        made = time.process_time()
        article = an_article(row, reading)
        names[article.id] = row["id"]
        kept[article.id] = replace(article, reading=NOTHING_READ), reading.packed()
        if len(names) <= given.already:
            if len(names) == given.already:
                refreshing_s += refresh(index, source, list(names))
            continue
        started = time.process_time()
        placed = index.put(article)
        index.changes()
        ended = time.process_time()
        reading_ms.append((made - begun) * 1e3)
        placing_ms.append((ended - started) * 1e3)
        touched.append(placed.older_sets)
        if not given.no_refresh and refresh_due_at(len(index), index.counted(), LONG_AGO, NOW) == NOW:
            refreshing_s += refresh(index, source)
    before = {article_id: index.set_of(article_id) for article_id in names}
    refreshing_s += refresh(index, source)

    same = total = 0
    with given.out.open("w", encoding="utf8") as out:
        for article_id, name in names.items():
            entries = [entry for entry in index.set_of(article_id) if entry.by_text or not given.no_fill]
            shown = {entry.article_id for entry in entries}
            same += len(shown & {entry.article_id for entry in before[article_id]})
            total += len(shown)
            line = {"id": name, "related": [names[entry.article_id] for entry in entries]}
            out.write(json.dumps(line, ensure_ascii=False) + "\n")

    late = 0 if given.already else len(placing_ms) // 2
    print(f"articles            {len(names)}")
    print(f"reading, CPU ms     p50 {quantile(reading_ms, 0.5):.2f}  p99 {quantile(reading_ms, 0.99):.2f}")
    print(f"placing, CPU ms     p50 {quantile(placing_ms, 0.5):.2f}  p99 {quantile(placing_ms, 0.99):.2f}")
    last = placing_ms[-2000:]
    print(f"the last 2,000      p50 {quantile(last, 0.5):.2f}  p99 {quantile(last, 0.99):.2f}")
    older = touched[late:]
    mean = sum(older) / max(1, len(older))
    print(f"older sets changed  mean {mean:.2f}  p99 {quantile(older, 0.99)}  max {max(older, default=0)}")
    print(f"same before and after the last refresh: {same / max(1, total):.3f}")
    print(f"refreshes, CPU s    {refreshing_s:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "index"
        size = snapshot.save(index, file, {})
        loaded = subprocess.run(
            [sys.executable, "-c", LOAD, file, str(given.floor)], capture_output=True, text=True, check=True
        )
    print(f"snapshot            {size / 1e6:.0f} MB; loaded: {loaded.stdout.strip()}")
    return 0


def refresh(index: Index, source: Source, ids: Sequence[UUID] | None = None) -> float:
    """Refresh the weights to the end, or fill an empty index with these articles; the CPU seconds that took."""
    started = time.process_time()
    work = Refresh(index, source, ids)
    while not work.run(0.2):
        pass
    index.changes()
    return time.process_time() - started


def rows(path: Path) -> Iterator[dict]:
    """The lines of a JSONL file, packed or not."""
    with gzip.open(path, "rt", encoding="utf8") if path.suffix == ".gz" else path.open(encoding="utf8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def moment(row: dict) -> tuple[bool, str]:
    """The place of a row in time: undated ones last, in the order of the file."""
    at = row.get("published_at") or ""
    return (not at, at)


def an_article(row: dict, reading: Reading) -> Article:
    """A row as the index takes it. Archives here share section names between sources: the set keeps them apart."""
    section = row.get("section")
    named = f"{row.get('set', '')}/{section}" if section else f"only {row['id']}"
    at = row.get("published_at") or ""
    published = datetime.fromisoformat(at) if at else None
    if published is not None and published.tzinfo is None:
        published = published.replace(tzinfo=UTC)
    return Article(uuid5(NAMESPACE_URL, row["id"]), row.get("lang") or "und", named, published, reading)


if __name__ == "__main__":
    sys.exit(main())
