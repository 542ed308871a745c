"""Dead letters and dead deliveries: list, show, retry, discard."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from rotative.cli.base import main, one_line, table, talks

if TYPE_CHECKING:
    from rotative.client import Client


@main.group()
def dead() -> None:
    """Dead letters and dead deliveries: work that failed for good, with its error and payload."""


@dead.command("list")
@talks
def list_dead(client: Client) -> None:
    """List what is dead in all services, and deliveries that failed or of which nobody knows whether they arrived."""
    rows = [
        (
            f"{service}/{letter['id']}",
            letter["kind"],
            letter["reference"],
            letter["attempts"],
            one_line(letter["error"]),
        )
        for service, letter in client.dead()
    ]
    if not rows:
        click.echo("No dead letters.")
    else:
        click.echo(table(("id", "kind", "about", "attempts", "error"), rows))


@dead.command("show")
@click.argument("letter")
@talks
def show_dead(client: Client, letter: str) -> None:
    """Show one dead letter or delivery (as the list names it) with its payload or attempts."""
    service, number = _letter(letter)
    click.echo(json.dumps(client.ask("GET", client.dead_path(service, number)), ensure_ascii=False, indent=2))


@dead.command("retry")
@click.argument("letters", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that there are.")
@talks
def retry_dead(client: Client, letters: Sequence[str], every: bool) -> None:
    """Do dead letters (SERVICE/ID) again, or send deliveries (delivery/ID) again, with all their tries."""
    from rotative.client import Failure

    refused = 0
    for service, number in _chosen(client, letters, every):
        try:
            client.ask("POST", f"{client.dead_path(service, number)}/retry")
        except Failure as failure:
            # One that may not be tried again keeps no other from it; that nobody answers does.
            if failure.status not in {404, 409}:
                raise
            refused += 1
            click.echo(f"{service}/{number} is left: {failure}", err=True)
        else:
            click.echo(f"{service}/{number} will be tried again.")
    if refused and not every:
        raise click.exceptions.Exit(1)


@dead.command("discard")
@click.argument("letters", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that there are.")
@talks
def discard_dead(client: Client, letters: Sequence[str], every: bool) -> None:
    """Give up dead letters (SERVICE/ID) and deliveries (delivery/ID)."""
    for service, number in _chosen(client, letters, every):
        client.ask("DELETE", client.dead_path(service, number))
        click.echo(f"{service}/{number} is discarded.")


def _chosen(client: Client, letters: Sequence[str], every: bool) -> list[tuple[str, str]]:
    if every == bool(letters):
        raise click.UsageError("Name dead letters as SERVICE/ID, or say --all.")
    return [(service, str(one["id"])) for service, one in client.dead()] if every else [_letter(one) for one in letters]


def _letter(name: str) -> tuple[str, str]:
    from rotative.client import DELIVERY
    from rotative.parts import SERVICES

    service, _, number = name.partition("/")
    if service not in (*SERVICES, DELIVERY) or not number.replace("-", "").isalnum():
        raise click.UsageError(f"{name!r} should be SERVICE/ID or delivery/ID, as `rotative dead list` shows it.")
    return service, number
