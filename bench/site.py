"""What the site costs as the archive grows: publish in this process, a real SQLite file and folder, real web servers.

    python -m bench.site [--at 1000,10000] [--count 200] [--articles FILE.jsonl[.gz]] [--seconds 3]

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
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from bench import articles, inside
from bench.baseline import Baseline
from bench.figures import quantile
from bench.wire import Connection, free_port
from services.publish import store, upkeep
from services.publish.kinds import BUILD_PAGE, REBUILD_SITE
from services.publish.models import Page
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

SECTIONS = ("international", "politique", "economie", "societe", "culture", "sport", "sciences", "opinions")
TAGS, AUTHORS, ARTICLES_A_DAY, BATCH = 200, 40, 100, 100
# DESIGN.md section 10 and the promises of docs/architecture.md.
RENDER_MS, RELATED_MS, PAGES_PER_S, NGINX_PER_S, SLICE_MS = 1.5, 50, 500, 22_000, 200
# After which nothing is left of the rate at which articles came in before.
CALM_S = 12
ROOT = Path(__file__).parents[1]


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
    asked.add_argument("--seconds", type=float, default=3.0, help="how long each web server is asked")
    asked.add_argument("--articles", type=Path, help="real news in JSON Lines, packed or not")
    given = asked.parse_args()
    supply = articles.from_file(given.articles, SECTIONS) if given.articles else articles.generated()
    with tempfile.TemporaryDirectory(prefix="rotative-site-") as made:
        bench = Bench(Path(made), supply)
        for size in (int(one) for one in given.at.split(",")):
            bench.fill(size)
            print(f"\nWith {bench.count:,} articles", flush=True)
            bench.render(given.count)
            bench.files_of_one(20)
            bench.related(min(given.count, 100))
            bench.rebuild()
        bench.serve(given.seconds)
        bench.node.close()
    return 0


class Bench:
    """publish in this process on a fresh database and folder, sending nothing."""

    def __init__(self, folder: Path, supply: articles.Supply) -> None:
        self.folder = folder
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
        """Bring the archive to this size, as an import would, with related sets among the newest."""
        while self.count < size:
            some = list(itertools.islice(self.coming, min(BATCH, size - self.count)))
            self.hear([ArticlePublished(article=one, replayed=True) for one in some], "bulk")
            self.hear([self.sets_of(some)], "bulk")
            self.count += len(some)
        self.finish()

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
            paths = session.scalars(select(Page.path).where(Page.article_id.is_not(None))).all()
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
        told(
            "an article's page rendered, CPU ms p50, p99",
            f"{quantile(cpu, 0.5):.2f}, {quantile(cpu, 0.99):.2f}",
            f"≤ {RENDER_MS}",
        )

    def files_of_one(self, times: int) -> None:
        """What publishing one article writes, with every list, feed and sitemap that it touches."""
        counts = []
        for one in itertools.islice(self.coming, times):
            WRITTEN.clear()
            self.hear([ArticlePublished(article=one)])
            self.finish()
            counts.append(len(WRITTEN))
            self.count += 1
        told("files written for one article, p50, most", f"{quantile(counts, 0.5)}, {max(counts)}", "does not grow")

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
        figures = f"{quantile(wall, 0.5):.1f}, {quantile(wall, 0.99):.1f}"
        told("related.changed to the page on disk, ms p50, p99", figures, f"≤ {RELATED_MS}")

    def rebuild(self) -> None:
        """The whole site built again, files compared; meanwhile an article is published now and then."""
        with self.node.unit_of_work() as session:
            upkeep.ask_for_rebuild(session, None, builder=self.builder, now=clock.now())
        kinds = jobs_table.c.kind.in_((BUILD_PAGE, REBUILD_SITE))
        waits = (jobs_table.c.state == "ready") & (jobs_table.c.lane == "bulk") & kinds
        slices, live = [], []
        files = sum(len(names) for _, _, names in os.walk(self.folder / "site"))
        cpu, pages = 0.0, self.pages()
        while True:
            began = time.process_time()
            self.node.run_jobs("bulk")
            slices.append((time.process_time() - began) * 1e3)
            cpu += slices[-1] / 1e3
            with self.node.reading() as session:
                left = session.scalar(select(func.count()).select_from(jobs_table).where(waits))
            if not left or len(slices) > 100_000:
                break
            if len(slices) % 20 == 0:
                one = next(self.coming)
                began = time.perf_counter()
                self.hear([ArticlePublished(article=one)])
                live.append((time.perf_counter() - began) * 1e3)
                self.count += 1
        figures = f"{pages / cpu:,.0f} ({pages:,} pages, {files:,} files, {cpu:.1f} s)"
        told("the site built again, pages/s of CPU", figures, f"≥ {PAGES_PER_S}")
        figures = f"{quantile(slices, 0.5):.0f}, {quantile(slices, 0.99):.0f}, {max(slices):.0f}"
        told("its slices, CPU ms p50, p99, most", figures, f"≤ {SLICE_MS}")
        if live:
            told("an article meanwhile, to its page, ms p50", f"{quantile(live, 0.5):.1f}", "")
        self.finish()

    def pages(self) -> int:
        """How many pages there are."""
        with self.node.reading() as session:
            return session.scalar(select(func.count()).select_from(Page).where(Page.digest != "")) or 0

    def serve(self, seconds: float) -> None:
        """Pages served a second: by publish itself and by nginx, beside the bare server."""
        print("\nServed", flush=True)
        paths = [one.path for one in self.some(200)]
        with Baseline(self.folder / "baseline") as bare:
            name = bare._connection.post("/bare", {"body": {"text": "x" * 20_000}})["path"]
            base = asked_per_s(bare._port, [name], seconds)
            told("pages/s of a bare server", f"{base:,.0f}", "")
        port = free_port()
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"]
        command += ["--threads", "4", "--no-control-socket", "services.publish.app:create_app()"]
        with running(command, {**os.environ, **self.variables}, port):
            found = asked_per_s(port, paths, seconds)
            told("pages/s of publish itself", f"{found:,.0f} ({found / base:.2f} × bare)", "")
        nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if nginx is None:
            print("  nginx is not installed: not measured", flush=True)
            return
        port = free_port()
        with running(
            [nginx, "-e", "/dev/null", "-c", str(self._nginx(port)), "-g", "daemon off;"], dict(os.environ), port
        ):
            wrk = shutil.which("wrk")
            found = asked_by_wrk(wrk, port, paths, seconds) if wrk else asked_per_s(port, paths, seconds)
            how = "" if wrk else ", bound by the one process that asks: wrk is not installed"
            told("pages/s of nginx", f"{found:,.0f} ({found / base:.1f} × bare{how})", f"≥ {NGINX_PER_S:,}")

    def _nginx(self, port: int) -> Path:
        own = Path(shutil.copytree(ROOT / "docker" / "nginx", self.folder / "nginx"))
        (own / "redirects.map").touch()
        (own / "resolver.conf").write_text("resolver 127.0.0.1;\n")
        conf = own / "nginx.conf"
        text = conf.read_text("utf-8").replace("listen 8080;", f"listen 127.0.0.1:{port};")
        if os.geteuid() == 0:
            text = f"user root;\n{text}"  # nobody may not look into the folder
        conf.write_text(text.replace("/tmp/", f"{own}/").replace("/srv/site", str(self.folder)), "utf-8")
        return conf


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


class running:
    """A web server, from when it answers until the block ends."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], port: int) -> None:
        self.command, self.environment, self.port = command, environment, port

    def __enter__(self) -> None:
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(self.command, env=self.environment, cwd=ROOT, stdout=quiet, stderr=quiet)
        deadline = time.monotonic() + 30
        while True:
            try:
                Connection(self.port).get("/robots.txt")
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)


def asked_per_s(port: int, paths: Sequence[str], seconds: float) -> float:
    """GETs a second over four kept connections."""
    until = time.perf_counter() + seconds
    counts = [0] * 4

    def ask(number: int) -> None:
        connection = Connection(port)
        for path in itertools.cycle(paths[number:] or paths):
            if connection.get(path).status != 200:
                raise OSError(f"{path} is not served")
            counts[number] += 1
            if time.perf_counter() > until:
                return

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(counts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def asked_by_wrk(wrk: str, port: int, paths: Sequence[str], seconds: float) -> float:
    """The same by wrk, which is no bottleneck itself; one page, as in DESIGN.md's comparison."""
    url = f"http://127.0.0.1:{port}{paths[0]}"
    command = [wrk, "-t", "1", "-c", "32", "-d", f"{max(1, int(seconds))}s", "-H", "Accept-Encoding: gzip", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("Requests/sec")))


def told(what: str, figures: str, promised: str) -> None:
    """A line of the table."""
    print(f"  {what:<52} {figures:<40} {promised}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
