"""`rotative`: the commands. Each says what went wrong in a sentence; its exit code tells scripts the same.

0: done. 1: not, or not all of it. 2: used wrongly, or a setting is wrong.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from rotative.client import Client, Journey

P = ParamSpec("P")
R = TypeVar("R")

data_option = click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path),
    envvar="ROTATIVE_DATA_DIR",
    default=Path("var"),
    show_default=True,
    metavar="DIR",
    help="The embedded system's folder (also ROTATIVE_DATA_DIR).",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rotative")
def main() -> None:
    """Rotative, a publishing engine that a newsroom can run itself.

    `up` and `migrate` work on this machine. All other commands talk to a running system: by default to the one that
    `rotative up` runs here; ROTATIVE_URL and ROTATIVE_KEY name another.
    """


def fail(sentence: str, code: int = 1) -> None:
    """Say what went wrong on standard error and end the program."""
    click.echo(sentence, err=True)
    sys.exit(code)


def talks(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command its --data option and, as its first argument, a Client; failures become sentences."""

    @data_option
    @functools.wraps(command)
    def run(data_dir: Path, *args: Any, **kwargs: Any) -> R:
        from rotative.client import Client, Failure, find_key, find_url

        try:
            with Client(find_url(data_dir), find_key(data_dir)) as client:
                return command(client, *args, **kwargs)
        except Failure as failure:
            fail(str(failure))
            raise

    return run


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
    """Post articles from Markdown (.md, with front matter) and JSON files, and follow each until it is live."""
    from rotative.client import Failure
    from rotative.files import BadFile, read_articles

    posted = failed = 0
    for path in files:
        try:
            articles = read_articles(path)
        except BadFile as bad:
            failed += 1
            click.echo(f"{path}: {bad}", err=True)
            continue
        for number, article in enumerate(articles, 1):
            name = str(path) if len(articles) == 1 else f"{path} [{number}]"
            try:
                reply, accepted_ms = client.post(article)
                went_well = _follow(client, name, reply, accepted_ms, timeout_s)
            except Failure as failure:
                if failure.status == 0:
                    raise
                went_well = False
                click.echo(f"{name}: {failure}", err=True)
            posted += went_well
            failed += not went_well
    if failed:
        fail(f"{failed} of {posted + failed} failed.")


def _follow(client: Client, name: str, reply: dict[str, Any], accepted_ms: float, timeout_s: float) -> bool:
    for warning in reply.get("warnings") or []:
        click.echo(f"{name}: {warning.get('detail', warning) if isinstance(warning, dict) else warning}", err=True)
    if reply["status"] != "live":
        click.echo(f"{name}: {reply['status']}, not on the site ({reply['id']})")
        return True
    journey = client.follow(reply, accepted_ms, timeout_s=timeout_s)
    click.echo(describe(name, journey))
    if journey.live_ms is None:
        click.echo(
            f"{name}: not live after {timeout_s:g} s; `rotative status` and `rotative dead list` may say why.", err=True
        )
    return journey.live_ms is not None


def describe(name: str, journey: Journey) -> str:
    """An article's journey on two lines: its address, and how long each step took."""
    live = "" if journey.live_ms is None else f", live after {journey.live_ms:.0f} ms"
    steps = "".join(f"\n    {step.replace('_', ' '):<18}{at_ms:7.0f} ms" for step, at_ms in journey.steps)
    return f"{name}: {journey.article['url']}\n  answered after {journey.accepted_ms:.0f} ms{live}{steps}"


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
            _one_line(letter["error"]),
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
    for service, number in _chosen(client, letters, every):
        client.ask("POST", f"{client.dead_path(service, number)}/retry")
        click.echo(f"{service}/{number} will be tried again.")


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
@click.option("--again", is_flag=True, help="Begin at the start, not where the last import of this file ended.")
@click.option(
    "--report",
    "report_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write what was not taken; FILE.report.jsonl beside the archive by default.",
)
@talks
def import_archive(
    client: Client,
    kind: str,
    file: Path,
    mapping: Path | None,
    language: str | None,
    pages: bool,
    dry_run: bool,
    again: bool,
    report_file: Path | None,
) -> None:
    """Bring an archive in, behind today's news, told to nobody. Importing it again adds nothing.

    KIND is wxr (a WordPress export), ninjs or jsonl. An import that was interrupted goes on where it ended.
    """
    from rotative.importing.items import BadArchive
    from rotative.importing.runner import Report, run, write_report
    from rotative.importing.start import Progress, items_of, read_mapping

    progress = file.with_name(f"{file.name}.progress")
    if again:
        progress.unlink(missing_ok=True)
    size = file.stat().st_size
    try:
        with Progress(size) as bar:

            def tell(report: Report) -> None:
                bar.show(report.read, report.added, len(report.refused))

            sections = read_mapping(mapping) if mapping else {}
            items = items_of(kind, file, sections, language=language, pages=pages)
            done = None if dry_run else progress
            report = run(client, items, progress=done, dry_run=dry_run, tell=tell, pause=time.sleep)
    except BadArchive as bad:
        fail(f"{file} {bad}")
        raise
    target = report_file or file.with_name(f"{file.name}.report.jsonl")
    if report.refused:
        write_report(target, report)
    would = "would be " if dry_run else ""
    click.echo(f"{report.read} items read: {report.added} {would}added, {report.known} were there already.")
    for category, count in report.unmapped.most_common():
        click.echo(f"  no section for {category}: {count} items")
    if report.refused:
        fail(f"{len(report.refused)} were not taken; {target} says which and why.")
    if not dry_run:
        progress.unlink(missing_ok=True)


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
    click.echo("Every page has been built again.")


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


def outline(value: Any, depth: int = 0) -> list[str]:
    """JSON as indented lines: names and values, lists of plain values on one line."""
    indent = "  " * depth
    lines: list[str] = []
    for name, part in value.items() if isinstance(value, dict) else enumerate(value, 1):
        if isinstance(part, dict | list) and part:
            lines += [f"{indent}{_words(name)}", *outline(part, depth + 1)]
        else:
            lines.append(f"{indent}{_words(name):<28} {_plain(part)}")
    return lines


def _words(name: Any) -> str:
    return str(name).replace("_", " ")


def _plain(value: Any) -> str:
    if value is None or value in ([], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as aligned columns; the last one is not padded."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in cells
    )


def _one_line(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {part}" for name, part in value.items() if part is not None)
    text = " ".join(str(value or "").split())
    return text if len(text) <= 100 else f"{text[:99]}…"
