"""`python -m bench.desk`: what the newsroom's side promises: accepting, batches, an import beside the news, lists.

Each figure stands beside the bare server's of the same run: a POST that writes one file to the disk (see baseline.py).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import articles, newsroom
from bench.articles import Supply
from bench.baseline import Baseline
from bench.figures import quantile, ratio
from bench.system import System
from bench.wire import Connection

CLIENTS = 4
BATCH_LINES = 50
LIVE_PATIENCE_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure: what it is, its value, what is promised, and how many times the bare server's it is."""

    what: str
    value: float
    target: str
    times_bare: float | None


def main() -> int:
    """Run it, print a table."""
    asked = argparse.ArgumentParser(prog="python -m bench.desk", description=__doc__)
    asked.add_argument("--count", type=int, default=200, help="articles for each figure")
    count = asked.parse_args().count
    supply = articles.generated()
    with tempfile.TemporaryDirectory(prefix="rotative-desk-") as made:
        folder = Path(made)
        variables = newsroom.environment_for(supply.languages, folder / "newsroom")
        with System(folder, variables) as system, Baseline(folder / "baseline") as baseline:
            system.wait_until_at_rest(30)
            found = measure(system, baseline, supply, count)
    print(
        f"load average before and now: {os.getloadavg()[2]:.1f}, {os.getloadavg()[0]:.1f}; {os.cpu_count()} processors"
    )
    for row in found:
        times = "" if row.times_bare is None else f"{row.times_bare:8.2f} × bare"
        print(f"{row.what:<58}{row.value:10.1f}  {row.target:<12}{times}")
    return 0


def measure(system: System, baseline: Baseline, supply: Supply, count: int) -> list[Row]:
    """All figures, one after the other, with a pause between them until the system is quiet."""
    desk = system.desk()
    bare: list[float] = []
    accepted: list[float] = []
    for _ in range(count):
        article = supply.take(notify=False)
        bare.append(baseline.round_ms(article))
        began = time.perf_counter()
        desk.post("/v1/articles", article)
        accepted.append((time.perf_counter() - began) * 1000)
        time.sleep(0.05)
    system.wait_until_quiet(60)
    rows = [
        _against("accept, one at a time, p50 (ms)", quantile(accepted, 0.5), "≤ 8", quantile(bare, 0.5)),
        _against("accept, one at a time, p99 (ms)", quantile(accepted, 0.99), "≤ 40", quantile(bare, 0.99)),
    ]
    bare_rate = 1000 / (sum(bare) / len(bare))
    rate = _batches(system, supply, count * CLIENTS, bulk=False)
    rows.append(_against("accepted in batches, 4 clients (articles/s)", rate, "≥ 300", bare_rate))
    system.wait_until_quiet(120)
    rows += _import_beside_news(system, supply, count, bare)
    system.wait_until_quiet(240)
    for query in ("", "?status=live&limit=20", "?q=pont"):
        times = []
        for _ in range(30):
            began = time.perf_counter()
            desk.get_json(f"/v1/articles{query}")
            times.append((time.perf_counter() - began) * 1000)
        name = f"a page of /v1/articles{query}, p50 (ms)"
        rows.append(_against(name, quantile(times, 0.5), "≤ 20", quantile(bare, 0.5)))
    return rows


def _against(what: str, value: float, target: str, bare: float) -> Row:
    return Row(what=what, value=value, target=target, times_bare=ratio(value, bare))


def _batches(system: System, supply: Supply, count: int, *, bulk: bool) -> float:
    """Articles accepted a second by CLIENTS clients that send batches of BATCH_LINES."""
    bodies = [supply.take(notify=False) for _ in range(count)]
    return _send(system, bodies, bulk=bulk)


def _send(system: System, bodies: list[dict[str, Any]], *, bulk: bool) -> float:
    batches = [bodies[at : at + BATCH_LINES] for at in range(0, len(bodies), BATCH_LINES)]
    lock = threading.Lock()
    accepted = 0

    def client() -> None:
        nonlocal accepted
        connection = system.desk()
        while True:
            with lock:
                if not batches:
                    break
                batch = batches.pop()
            verdicts = _post_batch(connection, batch, bulk)
            with lock:
                accepted += sum(one["status"] == 201 for one in verdicts)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(1 if bulk else CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return accepted / (time.perf_counter() - began)


def _post_batch(connection: Connection, batch: list[dict[str, Any]], bulk: bool) -> list[dict[str, Any]]:
    lines = "".join(f"{json.dumps(one)}\n" for one in batch).encode()
    path = f"/v1/articles/batch?bulk={'true' if bulk else 'false'}"
    answer = connection.post_lines(path, lines)
    return [json.loads(line) for line in answer.body.splitlines()]


def _import_beside_news(system: System, supply: Supply, count: int, bare: list[float]) -> list[Row]:
    """The rate of an import, and how soon an editor's articles are live while it goes on."""
    rates: list[float] = []
    old = [supply.take(notify=False) for _ in range(count * 10)]
    today = [supply.take(notify=False) for _ in range(count)]
    archive = threading.Thread(target=lambda: rates.append(_send(system, old, bulk=True)))
    archive.start()
    desk, reader = system.desk(), system.reader()
    live: list[float] = []
    while archive.is_alive() and len(live) < count:
        began = time.perf_counter()
        path = desk.post("/v1/articles", today[len(live)])["path"]
        while reader.get(path).status != 200 and time.perf_counter() - began < LIVE_PATIENCE_S:
            time.sleep(0.002)
        live.append((time.perf_counter() - began) * 1000)
        time.sleep(0.1)
    archive.join()
    return [
        _against("import on the bulk queues (articles/s)", rates[0], "≥ 200", 1000 / (sum(bare) / len(bare))),
        _against("meanwhile, an editor's POST to live, p50 (ms)", quantile(live, 0.5), "", quantile(bare, 0.5)),
        _against("meanwhile, an editor's POST to live, p99 (ms)", quantile(live, 0.99), "≤ 250", quantile(bare, 0.99)),
    ]


if __name__ == "__main__":
    sys.exit(main())
