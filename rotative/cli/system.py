"""The system itself: up, migrate, status, verify, rebuild."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rotative.cli.base import data_option, fail, main, outline, talks

if TYPE_CHECKING:
    from rotative.client import Client


@main.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8000,
    envvar="ROTATIVE_PORT",
    show_default=True,
    help="Where the site answers.",
)
@data_option
@click.option("--flower/--no-flower", "with_flower", default=True, help="Run Flower, which shows the tasks.")
@click.option("--demo", is_flag=True, help="Post the demo newspaper if there is no article yet.")
def up(port: int, data_dir: Path, with_flower: bool, demo: bool) -> None:
    """Run the whole system on this machine until Ctrl-C."""
    from rotative.up import CannotStart
    from rotative.up import up as run

    try:
        run(port=port, data_dir=data_dir, with_flower=with_flower, demo=demo)
    except CannotStart as reason:
        fail(str(reason), reason.code)


@main.command()
@data_option
def migrate(data_dir: Path) -> None:
    """Bring every service's database to the newest schema."""
    from rotative.migrate import Failed, migrate_all
    from shared.settings import SettingError

    os.environ["ROTATIVE_DATA_DIR"] = str(data_dir.expanduser().absolute())
    try:
        services = migrate_all()
    except SettingError as error:
        fail(str(error), 2)
    except Failed as error:
        fail(str(error))
    else:
        click.echo(f"The databases of {', '.join(services)} have the newest schema.")


@main.command()
@talks
def status(client: Client) -> None:
    """Show queues, work waiting, dead letters and what each service says of itself."""
    from rotative.parts import SERVICES

    for service in SERVICES:
        click.echo(service)
        for line in outline(client.ask("GET", f"/v1/{service}/status"), depth=1):
            click.echo(line)


@main.command()
@talks
def verify(client: Client) -> None:
    """Compare store, database and feeds; list every difference (exit code 1 when there is one)."""
    if not client.wait_until_built(timeout_s=30):
        click.echo("Pages are being built at this moment; what waits to be built is listed as a difference.", err=True)
    differences = client.ask("POST", "/v1/publish/verify", timeout_s=600)["items"]
    for difference in differences:
        click.echo(f"{difference['path']}: {difference['problem']}, {difference['detail']}")
    if differences:
        fail(f"{len(differences)} differences. `rotative rebuild` mends them.")
    click.echo("Store, database and feeds agree.")


@main.command()
@click.option("--path", help="Only this page, by its path on the site: /politique/un-article")
@click.option("--no-wait", is_flag=True, help="Only ask for it; the system goes on by itself")
@talks
def rebuild(client: Client, path: str | None, no_wait: bool) -> None:
    """Build pages again, all or one; what would not change is not written."""
    client.ask("POST", "/v1/publish/rebuild", body={"path": path} if path else {})
    if path or no_wait:
        click.echo("Asked for; `rotative status` shows what is left to do.")
        return
    with click.progressbar(length=1, label="Pages", show_pos=True, file=sys.stderr) as bar:
        for done, pages in client.rebuilding():
            bar.length = max(1, pages)
            bar.update(done - bar.pos)
    if dead := client.ask("GET", "/v1/publish/status")["dead"]:
        fail(f"Built, but publish has {dead} dead letters: `rotative dead list` says what could not be built, and why.")
    click.echo("Every page has been built again.")
