"""What a run found: a table for people, beside what DESIGN.md promises, and JSON for comparing runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from bench.figures import Spread, ratio
from bench.measure import Load, OneAtATime

# DESIGN.md section 10, embedded. p50 and p99 in milliseconds.
LIVE_P50_MS, LIVE_P99_MS = 20.0, 70.0
LIVE_GROWTH = 1.2
LIVE_PER_S = 100.0
CPU_ONE_MS, CPU_LOAD_MS = 40.0, 15.0
WEBHOOK_P50_MS = 50.0
MEMORY_AT_REST_MB, MEMORY_AFTER_MB = 250.0, 300.0


@dataclass(kw_only=True)
class Level:
    """What was measured with so many articles there. pss_mb: by kind of process, before the measurements."""

    articles: int
    pss_mb: Mapping[str, float]
    one_at_a_time: OneAtATime
    load: Load


@dataclass(kw_only=True)
class Results:
    """All of a run. machine, source: what was measured on and with."""

    machine: Mapping[str, str | int]
    source: str
    levels: list[Level] = field(default_factory=list)
    fill: Load | None = None
    repeated_webhooks: int = 0


@dataclass(frozen=True)
class Row:
    """A line of the table. at_most: whether the target is an upper bound; target None where nothing is promised."""

    what: str
    measured: float
    unit: str
    target: float | None = None
    at_most: bool = True
    base: float | None = None

    @property
    def kept(self) -> bool | None:
        """Whether the promise is kept; None where there is none."""
        if self.target is None:
            return None
        return self.measured <= self.target if self.at_most else self.measured >= self.target


def rows(results: Results) -> list[Row]:
    """The table's lines."""
    found: list[Row] = []
    for level in results.levels:
        found += _level_rows(level)
    if len(results.levels) > 1:
        first, last = results.levels[0], results.levels[-1]
        base = _growth(first.one_at_a_time.baseline_ms, last.one_at_a_time.baseline_ms)
        grown = _growth(first.one_at_a_time.live_ms, last.one_at_a_time.live_ms)
        found.append(Row("POST to live, growth of p50", grown, "×", LIVE_GROWTH, base=base))
    if results.fill is not None:
        found.append(Row(f"filled with {results.fill.count:,} articles", results.fill.live_per_s, "/s"))
        found.append(Row("  CPU of all processes an article", results.fill.cpu_total_ms, "ms"))
    found.append(Row("webhooks that came twice", results.repeated_webhooks, "", 0.0))
    return found


def _growth(first: Spread, last: Spread) -> float:
    return ratio(last.p50, first.p50) or 0.0


def _level_rows(level: Level) -> list[Row]:
    one, load = level.one_at_a_time, level.load
    base = one.baseline_ms
    at = f" [{level.articles:,}]"
    memory = MEMORY_AFTER_MB if level.articles else MEMORY_AT_REST_MB
    found = [
        Row(f"baseline: bare POST, fsync, GET, p50{at}", base.p50, "ms", base=base.p50),
        Row(f"baseline: its CPU{at}", one.baseline_cpu_ms, "ms", base=one.baseline_cpu_ms),
        Row(f"POST answered, p50{at}", one.accepted_ms.p50, "ms", base=base.p50),
        Row(f"POST to live, p50{at}", one.live_ms.p50, "ms", LIVE_P50_MS, base=base.p50),
        Row(f"POST to live, p95{at}", one.live_ms.p95, "ms", base=base.p95),
        Row(f"POST to live, p99{at}", one.live_ms.p99, "ms", LIVE_P99_MS, base=base.p99),
        Row(f"POST to webhook received, p50{at}", one.webhook_ms.p50, "ms", WEBHOOK_P50_MS, base=base.p50),
        Row(f"POST to webhook received, p99{at}", one.webhook_ms.p99, "ms", base=base.p99),
        Row(f"POST to related set stored, p50{at}", one.related_ms.p50, "ms", base=base.p50),
        Row(f"POST to related set stored, p99{at}", one.related_ms.p99, "ms", base=base.p99),
        Row(f"CPU an article, one at a time{at}", one.cpu_total_ms, "ms", CPU_ONE_MS, base=one.baseline_cpu_ms),
        Row(f"CPU at rest{at}", one.idle_ms_per_s, "ms/s"),
        Row(f"articles live a second, 4 clients{at}", load.live_per_s, "/s", LIVE_PER_S, at_most=False),
        Row(f"  until all is built{at}", load.quiet_per_s, "/s"),
        Row(f"CPU an article, under load{at}", load.cpu_total_ms, "ms", CPU_LOAD_MS, base=one.baseline_cpu_ms),
        Row(f"accepted, but not live or not told{at}", load.not_live + load.not_told, "", 0.0),
    ]
    if level.pss_mb:
        found.append(Row(f"memory, PSS{at}", sum(level.pss_mb.values()), "MB", memory))
    return found


def table(results: Results) -> str:
    """The table as text; "–" where there is nothing to say. [n]: with n articles there when the measuring began."""
    lines = [("what", "measured", "target", "× baseline", "")]
    for row in rows(results):
        sign = "≤" if row.at_most else "≥"
        target = "–" if row.target is None else f"{sign} {_number(row.target)} {row.unit}".rstrip()
        times = ratio(row.measured, row.base) if row.base else None
        lines.append(
            (
                row.what,
                f"{_number(row.measured)} {row.unit}".rstrip(),
                target,
                "–" if times is None else f"{times:.1f}",
                {None: "", True: "kept", False: "MISSED"}[row.kept],
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    return "\n".join(
        "  ".join(
            text.ljust(width) if column in {0, 4} else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def processes(results: Results) -> str:
    """Where CPU and memory go, by kind of process: a line for each figure."""
    lines: list[str] = []
    for level in results.levels:
        at = f"[{level.articles:,}]"
        lines += [
            f"memory {at}, MB: {_shares(level.pss_mb)}",
            f"CPU an article, one at a time {at}, ms: {_shares(level.one_at_a_time.cpu_ms)}",
            f"CPU an article, under load {at}, ms: {_shares(level.load.cpu_ms)}",
        ]
    return "\n".join(lines)


def _shares(by_name: Mapping[str, float]) -> str:
    ordered = sorted(by_name.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {_number(value)}" for name, value in ordered if value >= 0.05)


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 3 else f"{value:.2f}"


def to_json(value: object) -> Any:
    """Results as JSON values."""
    if isinstance(value, Spread):
        return value.to_json()
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: to_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): to_json(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_json(item) for item in value]
    return round(value, 3) if isinstance(value, float) else value
