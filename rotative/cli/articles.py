"""Articles: post, import, demo."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rotative.cli.base import fail, main, talks

if TYPE_CHECKING:
    from rotative.client import Client


@main.command()
@talks
def demo(client: Client) -> None:
    """Post a small newspaper in French, English and Arabic; doing it again adds nothing."""
    from rotative.demo import post_demo

    if failed := post_demo(client, say=click.echo):
        sys.exit(1 if failed else 0)


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--timeout", "timeout_s", type=click.FloatRange(0.1), default=30.0, show_default=True, metavar="SECONDS")
@talks
def post(client: Client, files: Sequence[Path], timeout_s: float) -> None:
    """Post articles and follow each until it is live: Markdown with front matter (.md), JSON and ninjs (.json).

    Of a folder, every such file.
    """
    from rotative.posting import post_files, summary

    went_well, failed = post_files(
        client, files, timeout_s=timeout_s, say=click.echo, warn=lambda text: click.echo(text, err=True)
    )
    if sentence := summary(went_well, failed):
        fail(sentence)


@main.command("import")
@click.argument("kind", type=click.Choice(["wxr", "ninjs", "jsonl"]))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--map",
    "mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="TOML",
    help='Categories to sections: lines like "Vie locale" = "societe"; "*" for all others.',
)
@click.option("--language", help="Of all articles of a WordPress export; the newsroom's first by default.")
@click.option("--pages", is_flag=True, help="WordPress: take pages as articles too.")
@click.option("--dry-run", is_flag=True, help="Check everything and keep nothing; lists categories without a section.")
@click.option("--again", is_flag=True, help="Begin at the start, not where an interrupted import of this file ended.")
@click.option(
    "--pictures/--no-pictures",
    default=True,
    help="WordPress: fetch the pictures that a post shows from their old addresses.",
)
@click.option(
    "--report",
    "report_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write what was not taken; FILE.report.jsonl beside the archive by default.",
)
@talks
def import_archive(client: Client, **wish: Any) -> None:
    """Bring an archive in, behind today's news, told to nobody. Importing it again adds only what was not taken before.

    KIND is wxr (a WordPress export), ninjs or jsonl. An import that was interrupted goes on where it ended.
    """
    from rotative.importing.command import Wish, bring_in
    from rotative.importing.items import BadArchive

    try:
        wrong = bring_in(client, Wish(**wish), click.echo)
    except BadArchive as bad:
        fail(f"{wish['file']} {bad}")
        raise
    if wrong:
        fail(wrong)
