"""The table beside the promises, and what a status report says is still to do."""

from __future__ import annotations

import json

from bench import figures, report
from bench.measure import Load, OneAtATime
from bench.report import Level, Results
from bench.system import is_moving, owed_in, pss_of


def results(*, live_ms: float = 10.0, later_live_ms: float = 11.0) -> Results:
    def level(articles: int, live: float) -> Level:
        one = OneAtATime(
            posted=3,
            baseline_ms=figures.spread([2.0]),
            baseline_cpu_ms=1.0,
            accepted_ms=figures.spread([4.0]),
            live_ms=figures.spread([live]),
            webhook_ms=figures.spread([30.0]),
            related_ms=figures.spread([20.0]),
            cpu_ms={"web": 5.0, "worker": 20.0},
            idle_ms_per_s=3.0,
        )
        load = Load(
            count=10,
            accepted_per_s=200.0,
            live_per_s=90.0,
            quiet_per_s=80.0,
            accepted_ms=figures.spread([5.0]),
            webhook_ms=None,
            cpu_ms={"worker": 12.0},
            refused=0,
            not_live=0,
            not_told=0,
        )
        return Level(articles=articles, pss_mb={"web": 100.0}, one_at_a_time=one, load=load)

    return Results(
        machine={"system": "Linux", "processors": 2},
        source="generated",
        levels=[level(0, live_ms), level(10_000, later_live_ms)],
    )


def line_of(text: str, what: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(what))


def test_a_missed_target_says_so_and_figures_are_multiples_of_the_baseline():
    text = report.table(results(live_ms=24.0))

    assert "MISSED" in line_of(text, "POST to live, p50 [0]")
    assert "12.0" in line_of(text, "POST to live, p50 [0]")
    assert "kept" in line_of(text, "POST to live, p50 [10,000]")


def test_a_rate_below_its_target_is_missed():
    assert line_of(report.table(results()), "articles live a second, 4 clients [0]").endswith("MISSED")


def test_growth_compares_the_two_levels():
    grown = line_of(report.table(results(live_ms=10.0, later_live_ms=13.0)), "POST to live, growth")

    assert "1.30 ×" in grown
    assert grown.endswith("MISSED")


def test_each_process_is_named_with_its_share():
    assert "CPU an article, one at a time [0], ms: worker 20, web 5" in report.processes(results())


def test_results_are_plain_json():
    read = json.loads(json.dumps(report.to_json(results())))

    assert read["levels"][1]["one_at_a_time"]["live_ms"]["p50"] == 11.0


def test_jobs_that_are_ready_or_leased_are_owed_and_dead_ones_are_not():
    status = {"jobs": {"normal": {"ready": 2, "dead": 5}, "bulk": {"leased": 1}}}

    assert owed_in(status) == 3


def test_an_unreceived_event_and_a_waiting_message_are_on_their_way():
    rest = {"oldest_unreceived_s": None, "queues": {"normal": 0, "bulk": None}}

    assert not is_moving(rest)
    assert is_moving({**rest, "oldest_unreceived_s": 0.0})
    assert is_moving({**rest, "queues": {"normal": 1}})


def test_memory_is_read_in_megabytes():
    assert pss_of("Rss:  9000 kB\nPss:  2000 kB\nPss_Anon: 7 kB\n") == 2.048
    assert pss_of("") == 0.0
