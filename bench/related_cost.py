"""What recommend costs as the archive grows: its own process, a real SQLite file, events as ingest sends them.

    python -m bench.related_cost [--at 1000,10000,100000] [--count 200] [--articles FILE.jsonl[.gz]]

At each size of the archive: articles heard one at a time and in batches of 20, from the envelope as it arrives to the
commit with all sets in it; the step of the index alone; searches, and near-duplicates of a draft; how a new process
starts from the snapshot and how much memory it then has. Milliseconds, each beside what is promised. What Celery and
the sending thread cost beside it is left out: `python -m bench` measures that over all processes.
"""

from __future__ import annotations

import argparse
import itertools
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from bench import articles, inside
from bench.related_figures import LOAD, quantile
from services.recommend import actions, store
from services.recommend.index import Article, Index, Rules
from services.recommend.keeper import Keeper, Readiness
from services.recommend.search import actions as search
from services.recommend.search.similar import near_duplicates
from services.recommend.service import create_service
from services.recommend.settings import RecommendSettings
from shared import clock, jobs, migrate
from shared.event_schemas import encode
from shared.events import ArticlePublished, PublicArticle
from shared.ids import new_id
from shared.service import Node

SECTIONS = ("international", "politique", "economie", "societe", "culture", "sport", "sciences", "opinions")
BATCH = 20
ARTICLES_A_DAY = 100
BULK_FROM = 5000  # more new articles than this are stored first and placed all at once


def main() -> int:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--at", default="1000,10000,100000", help="sizes of the archive, ascending")
    asked.add_argument("--count", type=int, default=200, help="articles for each figure")
    asked.add_argument("--articles", type=Path, help="real news in JSON Lines, packed or not")
    given = asked.parse_args()
    supply = articles.from_file(given.articles, SECTIONS) if given.articles else articles.generated()
    sizes = [int(size) for size in given.at.split(",")]
    with tempfile.TemporaryDirectory(prefix="rotative-related-") as folder:
        bench = Bench(Path(folder), supply)
        for size in sizes:
            bench.fill(size)
            print(f"\nWith {bench.count:,} articles: p50, p99 in ms", flush=True)
            bench.measure_all(given.count)
        bench.node.close()
    return 0


class Bench:
    """recommend in this process on a fresh database, sending nothing."""

    def __init__(self, folder: Path, supply: articles.Supply) -> None:
        url = f"sqlite:///{folder / 'recommend.db'}"
        migrate.upgrade(url, "recommend")
        self.settings = RecommendSettings.from_env(
            {
                "ROTATIVE_DATA_DIR": str(folder),
                "ROTATIVE_RECOMMEND_DATABASE_URL": url,
                "ROTATIVE_REDIS_URL": "redis://127.0.0.1:9/0",
                "ROTATIVE_ADMIN_KEY": "the-key-of-a-measurement",
                "ROTATIVE_SECRET_KEY": "the-secret-of-a-measurement",
            }
        )
        self.keeper = Keeper(self.settings.rules, self.settings.snapshot_file)
        self.node = Node(create_service(self.settings, self.keeper), self.settings, here=("urgent", "normal", "bulk"))
        inside.keep_inside(self.node)
        self.coming = envelopes(supply)
        self.count = 0
        self.chance = random.Random(1)
        self.last: list[dict[str, Any]] = []
        self.do(actions.PLACE)

    def do(self, *kinds: str) -> None:
        """Ask for jobs and do all that is due."""
        with self.node.unit_of_work() as session:
            for kind in kinds:
                jobs.add(session, kind, actions.ALL)
        inside.finish(self.node)

    def hear(self, count: int) -> None:
        """Hear so many articles in one batch."""
        self.take(count)
        self.hear_taken()

    def take(self, count: int) -> None:
        """Make the next batch."""
        self.last = list(itertools.islice(self.coming, count))

    def hear_taken(self) -> None:
        """Hear the batch that was made."""
        self.node.hear(self.last, "normal", False)
        self.count += len(self.last)

    def fill(self, size: int) -> None:
        """Bring the archive to this size; a great many articles as an import into a service without its index would."""
        if size - self.count > BULK_FROM:
            self.keeper.drop()
            self.settings.snapshot_file.unlink(missing_ok=True)
            self.keeper.prepare = lambda *_, **__: Readiness.STANDING_BY  # type: ignore[method-assign]
            while self.count < size:
                self.hear(min(100, size - self.count))
            del self.keeper.prepare  # the method again
            with self.node.unit_of_work() as session:
                session.execute(text("UPDATE articles SET position = 1 WHERE position = 0"))
                store.change_state(session, weights=store.state(session).weights + 1)
            self.do(actions.PLACE)
        while self.count < size:
            self.hear(min(BATCH, size - self.count))

    def measure_all(self, count: int) -> None:
        """Every figure at the present size."""
        for batch in (1, BATCH):
            cpu, wall = timed(self.hear_taken, count // batch, partial(self.take, batch))
            how = "an article heard alone" if batch == 1 else f"{batch} heard together"
            told(f"{how}: to all sets stored, wall", wall, "20 / 100" if batch == 1 else "")
            told(f"{how}: CPU an article", [one / batch for one in cpu])
        self.measure_index(count)
        words = [word for one in self.last for word in one["data"]["article"]["headline"].split() if len(word) > 4]
        for how, terms in (("one word", 1), ("two words", 2)):
            _, wall = timed(partial(self.search_words, words, terms), count)
            told(f"search for {how}, wall", wall, "30 / -")
        _, wall = timed(self.similar, count)
        told("near-duplicates of a draft, wall", wall, "50 / -")
        self.do(actions.SNAPSHOT)
        started = subprocess.run(
            [sys.executable, "-c", LOAD, self.settings.snapshot_file, str(Rules.floor)],
            capture_output=True,
            text=True,
            check=True,
        )
        print(f"  start from the snapshot: {started.stdout.strip()}", flush=True)

    def measure_index(self, count: int) -> None:
        """The index alone: its newest articles are taken out and put again; then one here and one there of all."""
        index = self.keeper.index
        assert index is not None
        held = self.held(index.ids()[-count:])
        for one in reversed(held):
            index.remove(one.id)
        index.changes()
        self.put_again("the step of the index, a new article, CPU", index, held, "1.5 / 5")
        held = self.held(self.chance.sample(index.ids(), min(count, len(index))))
        self.put_again("... an article put anew amid the archive, CPU", index, held)

    def held(self, ids: Sequence[UUID]) -> list[Article]:
        """These articles, in this order, as the database has them."""
        with self.node.reading() as session:
            found = {
                one.id: one
                for start in range(0, len(ids), 100)
                for one in store.read_articles(session, ids[start : start + 100])
            }
        return [found[one] for one in ids]

    def put_again(self, what: str, index: Index, held: Sequence[Article], promised: str = "") -> None:
        """Measure putting these articles, which are taken out before as far as they are there."""
        cpu, older = [], []
        for one in held:
            if index.remove(one.id):
                index.changes()
            started = time.process_time()
            older.append(index.put(replace(one)).older_sets)
            index.changes()
            cpu.append((time.process_time() - started) * 1e3)
        told(what, cpu, promised)
        print(f"  older sets changed: mean {sum(older) / len(older):.1f}, p99 {quantile(older, 0.99)} (5 / 25)")

    def search_words(self, words: Sequence[str], count: int) -> None:
        """Search for so many of these words, whichever."""
        self.search(" ".join(self.chance.sample(words, count)))

    def search(self, asked: str) -> None:
        """One search as a reader's request makes it."""
        with self.node.reading() as session:
            search.search_articles(session, q=asked, lang="fr", section="", since="", cursor="", limit="")

    def similar(self) -> None:
        """Near-duplicates of a text that is there."""
        one = self.chance.choice(self.last)["data"]["article"]
        with self.node.reading() as session:
            near_duplicates(session, one["language"], one["headline"], one["body_html"], besides=None, most=10)


def timed(
    work: Callable[[], None], times: int, before: Callable[[], None] = lambda: None
) -> tuple[list[float], list[float]]:
    """Milliseconds of CPU and of wall time of each run; what is done before each does not count."""
    cpu, wall = [], []
    for _ in range(times):
        before()
        at, started = time.perf_counter(), time.process_time()
        work()
        cpu.append((time.process_time() - started) * 1e3)
        wall.append((time.perf_counter() - at) * 1e3)
    return cpu, wall


def told(what: str, values: Sequence[float], promised: str = "") -> None:
    """Print a figure: p50, p99, and what is promised of them."""
    mean = sum(values) / len(values)
    found = f"{quantile(values, 0.5):8.2f} {quantile(values, 0.99):8.2f}   mean {mean:7.2f}"
    print(f"  {what:48}{found}   {f'({promised})' if promised else ''}", flush=True)


def envelopes(supply: articles.Supply) -> Iterator[dict[str, Any]]:
    """Events as ingest says them, a hundred articles a day."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    for number in itertools.count(1):
        body = supply.take(notify=False)
        slug = f"article-{number}"
        at = start + timedelta(days=number / ARTICLES_A_DAY)
        content = body["body"]["text"]
        article = PublicArticle(
            id=new_id(),
            change=1,
            revision=1,
            status="live",
            language=body["language"],
            section=body["section"],
            slug=slug,
            path=f"/{body['section']}/{slug}",
            headline=body["headline"],
            standfirst=body.get("standfirst", ""),
            body_html=content if body["body"]["format"] == "html" else f"<p>{content}</p>",
            first_published_at=at,
            updated_at=at,
        )
        yield encode(
            ArticlePublished(article=article), event_id=new_id(), source="ingest", said_at=clock.now(), trace=""
        )


if __name__ == "__main__":
    sys.exit(main())
