"""What is kept of a reader: export, erase."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from rotative.cli.base import main, talks

if TYPE_CHECKING:
    from rotative.client import Client


@main.group()
def reader() -> None:
    """What is kept of a reader: to hand it out, or to erase it."""


@reader.command("export")
@click.argument("address")
@talks
def export_reader(client: Client, address: str) -> None:
    """Print all that is kept of a reader, known by a mail address or by a browser's push endpoint, as JSON."""
    kept = client.ask("POST", "/v1/publish/readers/export", body={"address": address})["kept"]
    click.echo(json.dumps(kept, ensure_ascii=False, indent=2))


@reader.command("erase")
@click.argument("address")
@talks
def erase_reader(client: Client, address: str) -> None:
    """Erase all that is kept of a reader: he gets no letter and no alert any more."""
    client.ask("POST", "/v1/publish/readers/erase", body={"address": address})
    click.echo("Erased.")
