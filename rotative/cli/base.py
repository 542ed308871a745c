"""What the commands share: the group, how they talk to a system, how they fail, how they show what they got."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

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


def one_line(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {part}" for name, part in value.items() if part is not None)
    text = " ".join(str(value or "").split())
    return text if len(text) <= 240 else f"{text[:239]}…"
