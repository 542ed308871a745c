"""Sends an archive's items in batches on the bulk queues, remembers how far it came, and reports what was not taken."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from rotative.client import Client
from rotative.importing.items import BadArchive, Item, PictureElsewhere

BATCH_ITEMS = 100
BATCH_BYTES = 4_000_000
# Categories without a section that are counted by name.
_UNMAPPED_MOST = 1000
# A verdict like these may be another one when the same is sent again.
_TRANSIENT = (429, 500, 502, 503, 504)
_TRIES = 5


@dataclass
class Report:
    """What became of an archive's items: how many were read, added, there already, warned of and refused.

    unmapped: categories without a section, with the number of their items. pictures, lost_pictures: fetched, and not.
    """

    read: int = 0
    added: int = 0
    known: int = 0
    warned: int = 0
    refused: int = 0
    pictures: int = 0
    lost_pictures: int = 0
    unmapped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Mark:
    """Where an import is remembered: how many items are done, and what became of them.

    file: beside the archive. of: what is brought in and how, so that another archive, or the same one read otherwise,
    starts anew.
    """

    file: Path
    of: str

    def read(self) -> Report:
        """What is done."""
        try:
            held = json.loads(self.file.read_text("utf-8"))
            if held.pop("of") != self.of:
                return Report()
            return Report(**{**held, "unmapped": Counter(held["unmapped"])})
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return Report()

    def write(self, report: Report) -> None:
        """That so much is."""
        beside = self.file.with_name(f"{self.file.name}.new")
        beside.write_text(json.dumps({"of": self.of, **vars(report)}), "utf-8")
        beside.replace(self.file)


class PictureTaker(Protocol):
    """See pictures.Pictures."""

    def ask_for(self, items: list[Item]) -> None:
        """Begin to fetch."""

    def put_into(self, items: list[Item], missing: Callable[[Item, PictureElsewhere, str], object]) -> int:
        """Have the articles show what was fetched."""


def run(
    client: Client,
    items: Iterator[Item],
    *,
    mark: Mark | None,
    dry_run: bool,
    tell: Callable[[Report], object],
    pause: Callable[[float], object],
    leave_out: Callable[[dict[str, str]], object],
    pictures: PictureTaker | None = None,
) -> Report:
    """Send every item after those that `mark` says are done; the report counts those too.

    tell: called after each batch.
    leave_out: told at once of each item and picture that was not taken, or not wholly. Sending again adds nothing: each
    item has an origin that the API knows again. Raises Failure when the system cannot be asked, with everything before
    it done and remembered; once every item is done, nothing is remembered, and all are sent again next time.
    """
    report = mark.read() if mark is not None else Report()
    report.read = sum(1 for _ in islice(items, report.read))

    def lost(item: Item, picture: PictureElsewhere, reason: str) -> None:
        report.lost_pictures += 1
        leave_out({"item": item.name, "picture": picture.url, "reason": f"its picture was not taken: {reason}"})

    batches = _batches(items)
    batch, broken = _next(batches)
    if batch and pictures is not None:
        pictures.ask_for(batch)
    while batch:
        following, broken = _next(batches)
        sent = [item for item in batch if item.article is not None]
        if pictures is not None:
            report.pictures += pictures.put_into(sent, lost)
            pictures.ask_for(following or [])
        for item in batch:
            if item.article is None:
                _refuse(report, item, item.reason, leave_out)
        for item, verdict in zip(sent, _verdicts(client, sent, dry_run, pause), strict=True):
            _count(report, item, verdict, leave_out)
        report.read += len(batch)
        if mark is not None and not dry_run:
            mark.write(report)
        tell(report)
        batch = following
    if broken is not None:
        raise broken
    if mark is not None and not dry_run:
        mark.file.unlink(missing_ok=True)
    return report


def _next(batches: Iterator[list[Item]]) -> tuple[list[Item] | None, BaseException | None]:
    """The next batch, read while the last one is to be sent; or why there is none: that one is sent all the same."""
    try:
        return next(batches, None), None
    except (BadArchive, KeyboardInterrupt) as error:
        return None, error


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    size = 0
    try:
        for item in items:
            length = 500 if item.article is None else len(str(item.article.get("body"))) + 1000
            if batch and (len(batch) == BATCH_ITEMS or size + length > BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(item)
            size += length
    except BadArchive:
        # What was whole before it counts.
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _verdicts(
    client: Client, items: list[Item], dry_run: bool, pause: Callable[[float], object]
) -> list[dict[str, Any]]:
    verdicts = client.post_batch([item.article or {} for item in items], dry_run=dry_run) if items else []
    for tried in range(_TRIES):
        again = [
            (number, mended)
            for number, verdict in enumerate(verdicts)
            if (mended := _mended(items[number], verdict)) is not None
        ]
        if not again:
            break
        if any(verdicts[number]["status"] in _TRANSIENT for number, _ in again):
            pause(2.0**tried)
        newer = client.post_batch([article for _, article in again], dry_run=dry_run)
        for (number, _), verdict in zip(again, newer, strict=True):
            verdicts[number] = verdict
    return verdicts


def _mended(item: Item, verdict: dict[str, Any]) -> dict[str, Any] | None:
    """The article as it may be taken at another try: with another slug or old address than one that is taken."""
    if verdict["status"] < 400:
        return None
    article = item.article or {}
    if verdict["status"] in _TRANSIENT:
        return article
    pointers = {one["pointer"] for one in verdict.get("problem", {}).get("errors", [])}
    taken = verdict["status"] == 409
    bad_path = verdict["status"] == 422 and pointers and all(one.startswith("/old_paths") for one in pointers)
    if taken and "/slug" in pointers and "slug" in article:
        del article["slug"]
        return article
    if (taken or bad_path) and any(one.startswith("/old_paths") for one in pointers) and "old_paths" in article:
        kept = [one for number, one in enumerate(article["old_paths"]) if f"/old_paths/{number}" not in pointers]
        article["old_paths"] = kept if len(kept) < len(article["old_paths"]) else []
        return article
    return None


def _count(report: Report, item: Item, verdict: dict[str, Any], leave_out: Callable[[dict[str, str]], object]) -> None:
    if verdict["status"] == 201:
        report.added += 1
        if notes := [*item.shortened, *(str(one["detail"]) for one in verdict.get("warnings", ()))]:
            report.warned += 1
            leave_out({"item": item.name, "warning": "; ".join(notes)})
    elif verdict["status"] == 200:
        report.known += 1
    else:
        problem = verdict.get("problem", {})
        faults = [f"{one['pointer']}: {one['detail']}" for one in problem.get("errors", [])]
        _refuse(report, item, "; ".join(faults) or str(problem.get("detail", verdict["status"])), leave_out)


def _refuse(report: Report, item: Item, reason: str, leave_out: Callable[[dict[str, str]], object]) -> None:
    report.refused += 1
    if reason.startswith("fits no section") and (
        item.category in report.unmapped or len(report.unmapped) < _UNMAPPED_MOST
    ):
        report.unmapped[item.category] += 1
    leave_out({"item": item.name, "reason": reason})


class ReportFile:
    """What was not taken, or not wholly, one JSON object a line as it comes. The file is made with its first line.

    goes_on: keep what an interrupted import has written.
    """

    def __init__(self, path: Path, *, goes_on: bool) -> None:
        self.path = path
        if not goes_on:
            path.unlink(missing_ok=True)

    def add(self, line: dict[str, str]) -> None:
        """Write a line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
