"""`rotative import`: an archive from its file to the last sentence."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from rotative.client import Client, Failure
from rotative.importing.items import BadArchive
from rotative.importing.pictures import Pictures
from rotative.importing.progress import Progress
from rotative.importing.reading import Meter
from rotative.importing.runner import Mark, Report, ReportFile, run
from rotative.importing.start import check_wishes, items_of, read_mapping
from rotative.words import counted
from shared.settings import Env


@dataclass(frozen=True)
class Wish:
    """What is to be brought in, and how. See the options of the command."""

    kind: str
    file: Path
    mapping: Path | None = None
    language: str | None = None
    pages: bool = False
    pictures: bool = True
    dry_run: bool = False
    again: bool = False
    report_file: Path | None = None


def bring_in(client: Client, wish: Wish, say: Callable[[str], object]) -> str | None:
    """Bring an archive in; a sentence when not all of it was taken. Raises Failure, BadArchive and SettingError."""
    file = wish.file
    sections = read_mapping(wish.mapping) if wish.mapping else {}
    if sections or wish.language:
        check_wishes(client, sections, wish.language)
    mark = Mark(file.with_name(f"{file.name}.progress"), _what(wish, sections))
    if wish.again:
        mark.file.unlink(missing_ok=True)
    done_before = 0 if wish.dry_run else mark.read().read
    if done_before:
        say(f"Going on after {counted(done_before, 'item')}; --again begins at the start.")
    name = f"{file.name}.dry-run.report.jsonl" if wish.dry_run else f"{file.name}.report.jsonl"
    not_taken = ReportFile(wish.report_file or file.with_name(name), goes_on=done_before > 0)
    meter = Meter()
    fetches = wish.pictures and wish.kind == "wxr" and not wish.dry_run
    items = items_of(wish.kind, file, sections, language=wish.language, pages=wish.pages, pictures=fetches, meter=meter)
    env = Env(os.environ)
    allow = env.networks("ROTATIVE_WEBHOOK_ALLOW")
    env.finish()
    try:
        with (
            Pictures(client, allow) if fetches else nullcontext() as pictures,
            Progress(meter, file.stat().st_size, before=done_before) as bar,
        ):
            report = run(
                client,
                items,
                mark=None if wish.dry_run else mark,
                dry_run=wish.dry_run,
                tell=bar.show,
                pause=time.sleep,
                leave_out=not_taken.add,
                pictures=pictures,
            )
    except (Failure, BadArchive, KeyboardInterrupt) as error:
        if not wish.dry_run and (done := mark.read().read):
            say(f"Stopped after {counted(done, 'item')}, which are safe; the same command goes on from there.")
        if isinstance(error, KeyboardInterrupt):
            return "Interrupted."
        raise
    _say_what_was(report, wish, not_taken.path, say)
    if report.refused:
        return f"{counted(report.refused, 'item')} not taken; {not_taken.path} says which and why."
    return None


def _what(wish: Wish, sections: Mapping[str, str]) -> str:
    """What tells this import from another of the same file: one that was interrupted goes on only as it began."""
    held = wish.file.stat()
    how = [wish.kind, sorted(sections.items()), wish.language, wish.pages, wish.pictures]
    return f"{held.st_size} {held.st_mtime_ns} {hashlib.sha256(json.dumps(how).encode()).hexdigest()[:16]}"


def _say_what_was(report: Report, wish: Wish, path: Path, say: Callable[[str], object]) -> None:
    would = "would be " if wish.dry_run else ""
    say(f"{counted(report.read, 'item')} read: {report.added} {would}added, {report.known} there already.")
    if report.warned:
        say(f"  {counted(report.warned, 'article')} taken with warnings: {path} says of each what is left out.")
    for category, count in report.unmapped.most_common():
        say(f"  no section for {category}: {counted(count, 'item')}")
    if report.unmapped:
        say('  Map them with --map, one a line: "Category" = "section"; "*" stands for all others.')
    if report.pictures or report.lost_pictures:
        say(f"  {counted(report.pictures, 'picture')} fetched.")
    if report.lost_pictures:
        say(f"  {counted(report.lost_pictures, 'picture')} could not be fetched; {path} says which and why.")
