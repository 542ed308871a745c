"""API keys: create, list, revoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rotative.cli.base import fail, main, table, talks

if TYPE_CHECKING:
    from rotative.client import Client


@main.group()
def key() -> None:
    """API keys: who may do what."""


@key.command("create")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(["reporter", "editor", "chief", "operator"]))
@click.option("--expires", "expires_at", metavar="TIME", help="When it ends: 2027-06-30T00:00:00+02:00.")
@talks
def create_key(client: Client, name: str, role: str, expires_at: str | None) -> None:
    """Make an API key and show it, this once, on standard output."""
    wanted = {"name": name, "role": role, **({"expires_at": expires_at} if expires_at else {})}
    made = client.ask("POST", "/v1/keys", body=wanted)
    click.echo(f"The key of {made['name']} ({made['role']}), which is never shown again:", err=True)
    click.echo(made["key"])


@key.command("list")
@talks
def list_keys(client: Client) -> None:
    """List all API keys, revoked ones too."""
    rows = [
        (
            one["id"],
            one["name"],
            one["role"],
            _moment(one["last_used_at"]),
            "revoked" if one["revoked_at"] else f"until {_moment(one['expires_at'])}" if one["expires_at"] else "valid",
        )
        for one in client.ask("GET", "/v1/keys")["items"]
    ]
    click.echo(table(("id", "name", "role", "last used", "state"), rows) if rows else "No keys but the first one.")


@key.command("revoke")
@click.argument("which")
@talks
def revoke_key(client: Client, which: str) -> None:
    """End an API key, named by its id or by its name."""
    found = [one for one in client.ask("GET", "/v1/keys")["items"] if which in (one["id"], one["name"])]
    valid = [one for one in found if not one["revoked_at"]]
    if not found:
        fail(f"There is no key {which}; `rotative key list` shows all.")
    for one in valid:
        client.ask("POST", f"/v1/keys/{one['id']}/revoke")
    click.echo(f"{found[0]['name']} opens nothing any more.")


def _moment(text: str | None) -> str:
    return text[:16].replace("T", " ") if text else "never"
