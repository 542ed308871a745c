"""What the site costs as the archive grows: publish in this process, a real SQLite file and folder, real web servers.

    python -m bench.site [--at 1000,10000] [--count 200] [--articles FILE.jsonl[.gz]] [--seconds 3]

Beyond 20,000 articles the archive is made of rows alone, and what needs all of its files is left out.

At each size of the archive: an article's page rendered; one article published, with all that it touches, in files
written; a related set changed, until the page is on disk; the whole site built again, with an urgent article in between
now and then. Then pages served by publish itself and by nginx, if it is there, beside a bare server. Each figure stands
beside what is promised.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, insert, select

from bench import articles, inside
from bench.figures import quantile
from bench.serving import serve
from bench.told import Told
from services.publish import list_store, store, upkeep
from services.publish.kinds import BUILD_PAGE, REBUILD_SITE
from services.publish.lists import Listing, list_path, listings_of
from services.publish.made import Numbers
from services.publish.models import Article, ListedArticle, ListSize, Page
from services.publish.service import create_service
from services.publish.settings import PublishSettings
from services.publish.site.local import LocalSite
from services.publish.views import teaser_of
from shared import clock, migrate
from shared.event_schemas import encode
from shared.events import ArticlePublished, Byline, Event, PublicArticle, RelatedChanged, RelatedSet, RelatedSetEntry
from shared.ids import new_id
from shared.service import Node
from shared.tables import jobs as jobs_table
from shared.worker import collect_seldom

SECTIONS = ("international", "politique", "economie", "societe", "culture", "sport", "sciences", "opinions")
TAGS, AUTHORS, ARTICLES_A_DAY, BATCH = 200, 40, 100, 100
# DESIGN.md section 10 and the promises of docs/architecture.md.
RENDER_MS, RELATED_MS, PAGES_PER_S, SLICE_MS = 1.5, 50, 500, 200
# Events of imports are taken in so many at a time; what comes with them is put off.
AT_ONCE = 5
# More new articles than this are stored as rows alone.
ROWS_ALONE_FROM = 20_000
# After which nothing is left of the rate at which articles came in before.
CALM_S = 12


class Counting(LocalSite):
    """The site in a folder, with a list of what was written."""

    def _write(self, file: Path, content: bytes, *, durable: bool = False) -> None:
        super()._write(file, content, durable=durable)
        WRITTEN.append(str(file))


WRITTEN: list[str] = []


def main() -> int:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--at", default="1000,10000", help="sizes of the archive, ascending")
    asked.add_argument("--count", type=int, default=200, help="articles for each figure")
    asked.add_argument("--seconds", type=float, default=3.0, help="how long each web server is asked; 0: not at all")
    asked.add_argument("--articles", type=Path, help="real news in JSON Lines, packed or not")
    given = asked.parse_args()
    supply = articles.from_file(given.articles, SECTIONS) if given.articles else articles.generated()
    told = Told("site", source=supply.source, processors=os.cpu_count() or 0, load_before=os.getloadavg()[0])
    collect_seldom()  # as every worker does
    with tempfile.TemporaryDirectory(prefix="rotative-site-") as made:
        bench = Bench(Path(made), supply, told)
        for size in (int(one) for one in given.at.split(",")):
            bench.fill(size)
            told.at(bench.count)
            bench.render(given.count)
            bench.files_of_one(20)
            bench.related(min(given.count, 100))
            if bench.has_files:
                bench.rebuild()
        if given.seconds and bench.has_files:
            serve(told, Path(made), bench.variables, [one.path for one in bench.some(200)], given.seconds)
        bench.node.close()
    print(f"\n{told.keep()}")
    return 0


class Bench:
    """publish in this process on a fresh database and folder, sending nothing."""

    def __init__(self, folder: Path, supply: articles.Supply, told: Told) -> None:
        self.folder, self.told = folder, told
        # Whether the pages of all that is in the database are in the folder.
        self.has_files = True
        url = f"sqlite:///{folder / 'publish.db'}"
        migrate.upgrade(url, "publish")
        self.variables = {
            "ROTATIVE_DATA_DIR": str(folder),
            "ROTATIVE_PUBLISH_DATABASE_URL": url,
            "ROTATIVE_REDIS_URL": "redis://127.0.0.1:9/0",
            "ROTATIVE_ADMIN_KEY": "the-key-of-a-measurement",
            "ROTATIVE_SECRET_KEY": "the-secret-of-a-measurement",
            "ROTATIVE_BASE_URL": "https://journal.example",
        }
        settings = PublishSettings.from_env(self.variables, "publish")
        self.publish = create_service(settings)
        self.builder = self.publish.builder
        self.builder.site = Counting(folder)
        self.node = Node(self.publish.service, settings, here=("urgent", "normal"))
        inside.keep_inside(self.node)
        self.coming = public_articles(supply)
        self.chance = random.Random(1)
        self.count = 0
        self.set_number = 0
        with self.node.unit_of_work() as session:
            upkeep.look_after(session, builder=self.builder, now=clock.now())
        self.finish()

    def hear(self, events: Sequence[Event], lane: str = "normal") -> None:
        """Hear these events in one batch, and do what is due at once."""
        said = [encode(one, event_id=new_id(), source="ingest", said_at=clock.now(), trace="") for one in events]
        self.node.hear(said, lane, False)

    def finish(self) -> None:
        """Do all that waits, whenever it was to be done."""
        inside.finish(self.node)

    def fill(self, size: int) -> None:
        """Bring the archive to this size, as an import would, with related sets among the newest.

        A great many articles are stored as rows alone, with their places in lists numbered and no page written: what
        publishing the next one writes depends on the rows.
        """
        if size - self.count > ROWS_ALONE_FROM:
            self.finish()
            self.store(size - self.count)
        while self.count < size:
            some = list(itertools.islice(self.coming, min(BATCH, size - self.count)))
            for at in range(0, len(some), AT_ONCE):
                self.hear([ArticlePublished(article=one, replayed=True) for one in some[at : at + AT_ONCE]], "bulk")
            self.hear([self.sets_of(some)], "bulk")
            self.count += len(some)
        self.finish()

    def store(self, count: int) -> None:
        """Put so many articles into the database as they are when all is built, without building anything."""
        self.has_files = False
        with self.node.reading() as session:
            sizes = {row.path: row.size for row in session.execute(select(ListSize.path, ListSize.size))}
        while count > 0:
            some = list(itertools.islice(self.coming, min(1000, count)))
            count -= len(some)
            self.count += len(some)
            places = []
            for one in some:
                for path in sorted({list_path(self.builder.newsroom, found) for found in self._lists_of(one)}):
                    position = sizes[path] = sizes.get(path, 0)
                    sizes[path] += 1
                    at = one.first_published_at
                    places.append({"article_id": one.id, "list_path": path, "at": at, "position": position})
            with self.node.unit_of_work() as session:
                store.save_articles(session, some, now=clock.now())
                session.execute(insert(ListedArticle), places)
                store.save_related(session, self.sets_of(some).sets)
        with self.node.unit_of_work() as session:
            for path, size in sizes.items():
                list_store.save_numbers(session, path, Numbers({}, size, ""))
        self.finish()

    def _lists_of(self, article: PublicArticle) -> Sequence[Listing]:
        return listings_of(self.builder.newsroom, article)

    def sets_of(self, some: Sequence[PublicArticle]) -> RelatedChanged:
        """A related set of six for each of these articles, from among them."""
        sets = []
        for one in some:
            self.set_number += 1
            others = [other for other in self.chance.sample(some, min(7, len(some))) if other.id != one.id][:6]
            entries = tuple(RelatedSetEntry(article_id=other.id, score=0.5, reason="text") for other in others)
            sets.append(RelatedSet(article_id=one.id, set_number=self.set_number, entries=entries))
        return RelatedChanged(sets=tuple(sets))

    def some(self, count: int) -> list[PublicArticle]:
        """Articles that are there, anywhere in the archive."""
        with self.node.reading() as session:
            paths = session.scalars(select(Article.path)).all()
            return list(store.articles_at(session, self.chance.sample(paths, min(count, len(paths)))).values())

    def render(self, count: int) -> None:
        """One article's page with six teasers, of articles that were not lately rendered."""
        held = self.some(count)
        teasers = [teaser_of(one) for one in held]
        cpu = []
        for number, one in enumerate(held):
            shown = [teasers[(number + step) % len(teasers)] for step in range(1, 7)]
            began = time.process_time()
            self.builder.renderer.article_page(one, shown)
            cpu.append((time.process_time() - began) * 1e3)
        self.tell_spread("an article's page rendered, CPU ms p50, p99", cpu, f"≤ {RENDER_MS}")

    def files_of_one(self, times: int) -> None:
        """What publishing one article writes, with every list, feed and sitemap that it touches."""
        counts = []
        for one in itertools.islice(self.coming, times):
            WRITTEN.clear()
            self.hear([ArticlePublished(article=one)])
            self.finish()
            counts.append(len(WRITTEN))
            self.count += 1
        p50, most = quantile(counts, 0.5), max(counts)
        what = "files written for one article, p50, most"
        self.told.tell(what, f"{p50}, {most}", "does not grow", p50=p50, most=most)

    def related(self, count: int) -> None:
        """From related.changed as it is heard to the page on disk, when little else comes in."""
        wall = []
        time.sleep(CALM_S)
        for one, other in itertools.pairwise(self.some(count + 1)):
            self.set_number += 1
            entry = RelatedSetEntry(article_id=other.id, score=0.5, reason="text")
            said = RelatedChanged(sets=(RelatedSet(article_id=one.id, set_number=self.set_number, entries=(entry,)),))
            before = self.builder.site.read(one.path)
            began = time.perf_counter()
            self.hear([said])
            wall.append((time.perf_counter() - began) * 1e3)
            assert self.builder.site.read(one.path) != before, "the page did not change"
        self.tell_spread("related.changed to the page on disk, ms p50, p99", wall, f"≤ {RELATED_MS}")

    def tell_spread(self, what: str, values: Sequence[float], promised: str = "") -> None:
        """p50 and p99 of these."""
        p50, p99 = quantile(values, 0.5), quantile(values, 0.99)
        self.told.tell(what, f"{p50:.2f}, {p99:.2f}", promised, p50=p50, p99=p99)

    def rebuild(self) -> None:
        """The whole site built again, files compared; meanwhile an article is published now and then.

        A page is one that has an address of its own in the database: of an article, of a list, a sitemap. What stands
        beside it (feeds, ninjs, related.json, compressed twins) is made and compared in the same time, and so are the
        slices in which pictures and strays are looked for. Processor time of this process, which does nothing else.
        """
        with self.node.unit_of_work() as session:
            upkeep.ask_for_rebuild(session, None, builder=self.builder, now=clock.now())
        kinds = jobs_table.c.kind.in_((BUILD_PAGE, REBUILD_SITE))
        waits = (jobs_table.c.state == "ready") & (jobs_table.c.lane == "bulk") & kinds
        slices, walls, live = [], [], []
        files = sum(len(names) for _, _, names in os.walk(self.folder / "site"))
        cpu, pages = 0.0, self.pages()
        while True:
            began, wall = time.process_time(), time.perf_counter()
            self.node.run_jobs("bulk")
            slices.append((time.process_time() - began) * 1e3)
            walls.append((time.perf_counter() - wall) * 1e3)
            cpu += slices[-1] / 1e3
            with self.node.reading() as session:
                left = session.scalar(select(func.count()).select_from(jobs_table).where(waits))
            if not left or len(slices) > 100_000:
                break
            if len(slices) % 20 == 0:
                one = next(self.coming)
                at = time.perf_counter()
                self.hear([ArticlePublished(article=one)])
                live.append((time.perf_counter() - at) * 1e3)
                self.count += 1
        what = f"the site built again, pages/s of CPU ({pages:,} pages)"
        figures = f"{pages / cpu:,.0f} ({files:,} files, {cpu:.1f} s)"
        self.told.tell(what, figures, f"≥ {PAGES_PER_S}", per_s=pages / cpu, pages=pages, files=files, cpu_s=cpu)
        for what, found in (("its slices, CPU ms", slices), ("its slices, ms", walls)):
            p50, p99, most = quantile(found, 0.5), quantile(found, 0.99), max(found)
            figures = f"{p50:.0f}, {p99:.0f}, {most:.0f}"
            self.told.tell(f"{what} p50, p99, most", figures, f"≤ {SLICE_MS}", p50=p50, p99=p99, most=most)
        if live:
            self.tell_spread("an article meanwhile, to its page, ms p50, p99", live)
        self.finish()

    def pages(self) -> int:
        """How many pages there are."""
        with self.node.reading() as session:
            return session.scalar(select(func.count()).select_from(Page).where(Page.digest != "")) or 0


def public_articles(supply: articles.Supply) -> Iterator[PublicArticle]:
    """Articles as events carry them, in the order of their dates, with tags and authors."""
    at, chance = datetime(2026, 1, 1, tzinfo=UTC), random.Random(2)
    for number in itertools.count():
        body = supply.take(notify=False)
        at += timedelta(days=1 / ARTICLES_A_DAY)
        language = body["language"] if body["language"] in {"fr", "en", "ar"} else "fr"
        prefix = "" if language == "fr" else f"/{language}"
        text = "".join(f"<p>{one}</p>\n" for one in body["body"]["text"].split("\n\n"))
        yield PublicArticle(
            id=new_id(),
            change=1,
            revision=1,
            status="live",
            language=language,
            section=body["section"],
            slug=f"article-{number}",
            path=f"{prefix}/{body['section']}/article-{number}",
            headline=body["headline"],
            standfirst=body.get("standfirst", ""),
            body_html=text.replace("&", "&amp;"),
            first_published_at=at,
            updated_at=at,
            tags=tuple(f"Sujet {chance.randrange(TAGS)}" for _ in range(3)),
            bylines=(Byline(name=f"Journaliste {chance.randrange(AUTHORS)}"),),
        )


if __name__ == "__main__":
    sys.exit(main())
