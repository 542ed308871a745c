"""Sends an archive's items in batches on the bulk queues, remembers how far it came, and reports what was not taken."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from rotative.client import Client, Failure
from rotative.importing.items import Item

BATCH_ITEMS = 100
BATCH_BYTES = 4_000_000
# A verdict like these may be another one when the same is sent again.
_TRANSIENT = (429, 500, 502, 503, 504)
_TRIES = 5


@dataclass
class Report:
    """What became of an archive's items. refused: (name, reason) of those that were not taken."""

    read: int = 0
    added: int = 0
    known: int = 0
    warned: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    unmapped: Counter[str] = field(default_factory=Counter)


def run(
    client: Client,
    items: Iterator[Item],
    *,
    progress: Path | None,
    dry_run: bool,
    tell: Callable[[Report], object],
    pause: Callable[[float], object],
) -> Report:
    """Send every item after those that `progress` says are done. tell: called after each batch.

    Sending again adds nothing: each item has an origin that the API knows again. Raises Failure when the system
    cannot be asked, with everything before it done and remembered.
    """
    report = Report()
    done = _done(progress)
    report.read = sum(1 for _ in islice(items, done))
    for batch in _batches(items):
        sent = [item for item in batch if item.article is not None]
        report.refused += [(item.name, item.reason) for item in batch if item.article is None]
        report.unmapped.update(
            item.category for item in batch if item.article is None and item.reason.startswith("fits no section")
        )
        for item, verdict in zip(sent, _verdicts(client, sent, dry_run, pause), strict=True):
            _count(report, item, verdict)
        report.read += len(batch)
        if progress is not None and not dry_run:
            progress.write_text(f"{report.read}\n", "ascii")
        tell(report)
    return report


def _done(progress: Path | None) -> int:
    try:
        return int(progress.read_text("ascii")) if progress is not None else 0
    except (OSError, ValueError):
        return 0


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    size = 0
    for item in items:
        length = len(str(item.article))
        if batch and (len(batch) == BATCH_ITEMS or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += length
    if batch:
        yield batch


def _verdicts(
    client: Client, items: list[Item], dry_run: bool, pause: Callable[[float], object]
) -> list[dict[str, Any]]:
    verdicts = client.post_batch([item.article or {} for item in items], dry_run=dry_run) if items else []
    for tried in range(_TRIES):
        again = [
            (number, _mended(items[number], verdict))
            for number, verdict in enumerate(verdicts)
            if _mended(items[number], verdict) is not None
        ]
        if not again:
            break
        if any(verdicts[number]["status"] in _TRANSIENT for number, _ in again):
            pause(2.0**tried)
        newer = client.post_batch([article or {} for _, article in again], dry_run=dry_run)
        for (number, _), verdict in zip(again, newer, strict=True):
            verdicts[number] = verdict
    return verdicts


def _mended(item: Item, verdict: dict[str, Any]) -> dict[str, Any] | None:
    """The article as it may be taken at another try: with another slug or old address than one that is taken."""
    article = dict(item.article or {})
    if verdict["status"] in _TRANSIENT:
        return article
    pointers = {one["pointer"] for one in verdict.get("problem", {}).get("errors", [])}
    taken = verdict["status"] == 409
    bad_path = verdict["status"] == 422 and pointers and all(one.startswith("/old_paths") for one in pointers)
    if taken and "/slug" in pointers and "slug" in article:
        del article["slug"]
        return article
    if (taken or bad_path) and any(one.startswith("/old_paths") for one in pointers) and "old_paths" in article:
        del article["old_paths"]
        return article
    return None


def _count(report: Report, item: Item, verdict: dict[str, Any]) -> None:
    if verdict["status"] == 201:
        report.added += 1
        report.warned += bool(verdict.get("warnings"))
    elif verdict["status"] == 200:
        report.known += 1
    else:
        problem = verdict.get("problem", {})
        faults = [f"{one['pointer']}: {one['detail']}" for one in problem.get("errors", [])]
        report.refused.append((item.name, "; ".join(faults) or str(problem.get("detail", verdict["status"]))))


def write_report(path: Path, report: Report) -> None:
    """Every item that was not taken, one JSON object a line."""
    with path.open("w", encoding="utf-8") as file:
        for name, reason in report.refused:
            file.write(json.dumps({"item": name, "reason": reason}, ensure_ascii=False) + "\n")


__all__ = ["Failure", "Report", "run", "write_report"]
