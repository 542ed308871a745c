"""Related sets: explain, rebuild."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rotative.cli.base import main, talks

if TYPE_CHECKING:
    from rotative.client import Client


@main.group()
def related() -> None:
    """Look at related sets, and look after them."""


@related.command()
@click.argument("article_id", metavar="ID")
@talks
def explain(client: Client, article_id: str) -> None:
    """Say why an article's related set is what it is, and what was left out and why."""
    found = client.ask("GET", f"/v1/related/{article_id}")
    click.echo(found["headline"])
    if found["note"]:
        click.echo(f"     {found['note']}")
    for place, entry in enumerate(found["entries"], 1):
        click.echo(f"{place:>3}  {entry['headline']}\n     {entry['why']} ({entry['score']:.2f})")
    if not found["entries"]:
        click.echo("     nothing")
    for one in found["left_out"]:
        click.echo(f"  -  {one['headline'] or one['article_id']}\n     {one['why']}")


@related.command("rebuild")
@talks
def rebuild_related(client: Client) -> None:
    """Make the index and every related set anew from the database; only sets that differ are told."""
    client.ask("POST", "/v1/recommend/rebuild")
    click.echo("Asked for; `rotative status` shows what is left to do.")
