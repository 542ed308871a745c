"""`python -m bench`: starts the system on a fresh folder, measures it empty and with an archive, says what it found."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import articles, newsroom, report
from bench.articles import BadFile, Supply
from bench.baseline import Baseline
from bench.measure import Bench, NotInTime
from bench.program import DidNotStart
from bench.receiver import Receiver
from bench.report import Level, Results
from bench.system import System
from bench.wire import Refused

RESULTS = Path(__file__).with_name("results")
REST_PATIENCE_S = 30.0


def main() -> int:
    """Run it. 0: measured, also where a target is missed; 1: something did not work; 2: asked for wrongly."""
    asked = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    asked.add_argument("--articles", type=Path, metavar="FILE", help="real news in JSON Lines, packed or not")
    asked.add_argument("--archive", type=int, metavar="N", help="articles at the second level (10,000); 0: none")
    asked.add_argument("--count", type=int, metavar="N", help="articles one at a time, for each figure (200)")
    asked.add_argument("--load", type=int, metavar="N", help="articles with four clients (1,000)")
    asked.add_argument("--fast", action="store_true", help="a tenth of everything: to try it, not to quote it")
    given = asked.parse_args()
    share = 10 if given.fast else 1
    archive = 10_000 // share if given.archive is None else given.archive
    count, load = given.count or 200 // share, given.load or 1000 // share
    try:
        supply = articles.from_file(given.articles, newsroom.section_keys()) if given.articles else articles.generated()
    except BadFile as bad:
        print(bad, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _stop)  # what was started is ended, as with Ctrl-C
    results = Results(machine=_machine(), source=supply.source)
    try:
        _run(results, supply, archive=archive, count=count, load=load)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 1
    except (DidNotStart, NotInTime, Refused, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if results.levels:
            _tell(results)
    return 0


def _run(results: Results, supply: Supply, *, archive: int, count: int, load: int) -> None:
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="rotative-bench-") as made:
        folder = Path(made)
        variables = newsroom.environment_for(supply.languages, folder / "newsroom")
        with (
            System(folder, variables) as system,
            Receiver(folder) as receiver,
            Baseline(folder / "baseline") as baseline,
        ):
            bench = Bench(system, receiver, baseline, supply, say)
            system.wait_until_at_rest(REST_PATIENCE_S)
            bench.subscribe()
            posted = 0
            for articles_there in (0, archive) if archive else (0,):
                if articles_there > posted:
                    say(f"filling up to {articles_there:,} articles")
                    results.fill = bench.load(articles_there - posted, notify=False)
                    posted += results.fill.count
                    system.wait_until_at_rest(REST_PATIENCE_S)
                say(f"with {posted:,} articles: one at a time")
                memory = system.pss_mb()
                one_at_a_time = bench.one_at_a_time(count)
                say(f"with {posted:,} articles: four clients")
                under_load = bench.load(load, notify=True)
                results.levels.append(
                    Level(articles=posted, pss_mb=memory, one_at_a_time=one_at_a_time, load=under_load)
                )
                results.repeated_webhooks = receiver.repeated()
                posted += one_at_a_time.posted + under_load.count
            say("stopping")


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _machine() -> dict[str, str | int]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "processors": os.cpu_count() or 0,
        "load_before": f"{os.getloadavg()[0]:.2f}",
    }


def _tell(results: Results) -> None:
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}.json"
    file.write_text(json.dumps(report.to_json(results), ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(f"\n{results.source}; {results.machine['system']}, {results.machine['processors']} processors")
    print(f"\n{report.table(results)}\n\n{report.processes(results)}\n\n{file}")


if __name__ == "__main__":
    sys.exit(main())
