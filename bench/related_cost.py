"""What an article costs recommend: its own process, a real SQLite file, events as ingest sends them.

    python -m bench.related_cost [--at 0,1000,10000] [--count 200] [--articles FILE.jsonl[.gz]]

At each size of the archive so many articles are heard one at a time, and as many again in batches of 20. Prints the
milliseconds of CPU and of wall time for each, from the envelope as it arrives to the commit with all sets in it. What
Celery and the sending thread cost beside it is left out: `make bench` measures that over all processes.
"""

from __future__ import annotations

import argparse
import cProfile
import itertools
import pstats
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import articles
from bench.related_figures import quantile
from services.recommend import actions
from services.recommend.service import create_service
from services.recommend.settings import RecommendSettings
from shared import clock, jobs, migrate
from shared.event_schemas import encode
from shared.events import ArticlePublished, PublicArticle
from shared.ids import new_id
from shared.outbox import Letter
from shared.service import Node

SECTIONS = ("international", "politique", "economie", "societe", "culture", "sport", "sciences", "opinions")
BATCH = 20
ARTICLES_A_DAY = 100


@dataclass
class NoDispatcher:
    """Takes what would be sent and sends nothing."""

    letters: int = 0
    wakes: list[str] = field(default_factory=list)

    def send(self, letters: Sequence[Letter]) -> None:
        """Count them."""
        self.letters += len(letters)

    def wake(self, lanes: Iterable[str]) -> None:
        """Nobody is there to be woken."""

    def tell_receipt(self, sender: str, event_ids: Iterable[object]) -> None:
        """Nobody waits for receipts."""

    def close(self) -> None:
        """Nothing is open."""


def main() -> int:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--at", default="0,1000,10000", help="sizes of the archive, ascending")
    asked.add_argument("--count", type=int, default=200, help="articles for each figure")
    asked.add_argument("--articles", type=Path, help="real news in JSON Lines, packed or not")
    asked.add_argument("--profile", action="store_true", help="where the time goes, at the last size")
    given = asked.parse_args()
    supply = articles.from_file(given.articles, SECTIONS) if given.articles else articles.generated()
    sizes = [int(size) for size in given.at.split(",")]
    with tempfile.TemporaryDirectory(prefix="rotative-related-") as folder:
        node = a_node(Path(folder))
        coming = envelopes(supply)
        there = 0
        for size in sizes:
            while there < size:
                count = min(BATCH, size - there)
                node.hear(list(itertools.islice(coming, count)), "normal", False)
                there += count
            for batch in (1, BATCH):
                profile = cProfile.Profile() if given.profile and size == sizes[-1] else None
                cpu, wall = measure(node, coming, given.count, batch, profile)
                there += given.count
                each = sum(cpu) / given.count
                how = "alone" if batch == 1 else f"{batch} at once"
                print(f"at {size:>7,}, {how:>10}: {each:5.2f} ms of CPU an article; {told(cpu, wall)}", flush=True)
                if profile:
                    pstats.Stats(profile).sort_stats("tottime").print_stats(45)
        node.close()
    return 0


def told(cpu: Sequence[float], wall: Sequence[float]) -> str:
    """What a turn takes, as a line."""
    return (
        f"a turn takes CPU p50 {quantile(cpu, 0.5):.1f}, p99 {quantile(cpu, 0.99):.1f};"
        f" wall p50 {quantile(wall, 0.5):.1f}, p99 {quantile(wall, 0.99):.1f} ms"
    )


def a_node(folder: Path) -> Node:
    """recommend in this process on a fresh database, sending nothing."""
    url = f"sqlite:///{folder / 'recommend.db'}"
    migrate.upgrade(url, "recommend")
    settings = RecommendSettings.from_env(
        {
            "ROTATIVE_DATA_DIR": str(folder),
            "ROTATIVE_RECOMMEND_DATABASE_URL": url,
            "ROTATIVE_REDIS_URL": "redis://127.0.0.1:9/0",
            "ROTATIVE_ADMIN_KEY": "the-key-of-a-measurement",
            "ROTATIVE_SECRET_KEY": "the-secret-of-a-measurement",
        }
    )
    node = Node(create_service(settings), settings, here=("urgent", "normal", "bulk"))
    node.dispatcher.close()
    node.dispatcher = NoDispatcher()  # type: ignore[assignment]
    with node.unit_of_work() as session:
        jobs.add(session, actions.PLACE, actions.ALL)
    node.run_jobs("normal")
    return node


def measure(
    node: Node, coming: Iterator[dict[str, Any]], count: int, batch: int, profile: cProfile.Profile | None
) -> tuple[list[float], list[float]]:
    """Milliseconds of CPU and of wall time for each batch."""
    cpu, wall = [], []
    for _ in range(count // batch):
        events = list(itertools.islice(coming, batch))
        at, started = time.perf_counter(), time.process_time()
        if profile:
            profile.enable()
        node.hear(events, "normal", False)
        if profile:
            profile.disable()
        cpu.append((time.process_time() - started) * 1e3)
        wall.append((time.perf_counter() - at) * 1e3)
    return cpu, wall


def envelopes(supply: articles.Supply) -> Iterator[dict[str, Any]]:
    """Events as ingest says them, a hundred articles a day."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for number in itertools.count(1):
        body = supply.take(notify=False)
        slug = f"article-{number}"
        at = start + timedelta(days=number / ARTICLES_A_DAY)
        text = body["body"]["text"]
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
            body_html=text if body["body"]["format"] == "html" else f"<p>{text}</p>",
            first_published_at=at,
            updated_at=at,
        )
        yield encode(
            ArticlePublished(article=article), event_id=new_id(), source="ingest", said_at=clock.now(), trace=""
        )


if __name__ == "__main__":
    sys.exit(main())
