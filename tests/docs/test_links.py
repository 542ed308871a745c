"""What the pages name exists: links, files, commands, settings, make targets, routes, metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from rotative.cli import main
from rotative.openapi import describe_all
from rotative.parts import settings_of
from services.publish.settings import Smtp
from shared import routing
from tests.docs.pages import PAGES, ROOT, anchors, blocks, prose, table_rows

OPERATIONS = ROOT / "docs" / "operations.md"
# What the pages name and only a running system, a new service or a reader's own machine has.
NOT_OURS = (
    "./var",
    "var/",
    "logs/",
    "media/",
    "site/",
    "gone/",
    "snapshots/",
    "services/wordcount/",
    "static/brand.css",
)
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w.-]+(/[\w.-]+)+/?|[\w-]+\.(py|md|toml|yml|sh)")


def ids(pages: list[Path]) -> list[str]:
    return [page.relative_to(ROOT).as_posix() for page in pages]


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in (match["target"] for match in _LINK.finditer(prose(page))):
        if target.startswith(("http:", "https:")):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{target} is not there"
        assert file.is_relative_to(ROOT), f"{target} leaves the repository"
        if anchor:
            assert anchor in anchors(file), f"{target}: no such heading among {sorted(anchors(file))}"


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_every_file_that_is_named_exists(page: Path) -> None:
    for code in _CODE.findall(prose(page)):
        if not _PATH.fullmatch(code) or code.startswith(NOT_OURS):
            continue
        places = (ROOT / code, page.parent / code, *(ROOT / "services").glob(f"*/{code}"), *ROOT.glob(f"*/{code}"))
        written_here = any(block.before == f"`{code}`" for block in blocks(page))
        assert written_here or any(place.exists() for place in places), f"{code} is not there"


def test_every_command_that_is_named_exists_and_every_command_is_named() -> None:
    known = set(commands(main, "rotative"))
    named = set()
    for page in PAGES:
        texts = [*_CODE.findall(prose(page)), *(block.text for block in blocks(page, "sh"))]
        for line in (line.strip() for text in texts for line in text.splitlines()):
            if line.startswith("rotative ") and not line.startswith("rotative -"):
                words = [word for word in line.split() if re.fullmatch("[a-z]+", word)]
                names = [" ".join(words[:length]) for length in (3, 2)]
                found = next((name for name in names if name in known), None)
                assert found, f"{line} in {page.name} is no command"
                named.add(found)
    assert named >= {name for name in known if name.count(" ") == 2 or name == "rotative up"}
    listed = {row[0].strip("`") for row in table_rows(OPERATIONS, "command")}
    groups = {name.rpartition(" ")[0] for name in known}
    assert listed == known - groups


def commands(command: click.Command, name: str) -> Iterator[str]:
    if isinstance(command, click.Group):
        for inner, one in command.commands.items():
            yield f"{name} {inner}"
            yield from commands(one, f"{name} {inner}")


def test_the_table_of_settings_is_whole_and_every_setting_named_exists() -> None:
    files = [ROOT / "shared" / "settings.py", ROOT / "rotative" / "client.py"]
    files += sorted((ROOT / "services").glob("*/settings.py"))
    read = {name for file in files for name in re.findall(r"ROTATIVE_[A-Z_]*[A-Z](?![A-Z_{])", file.read_text())}
    databases = {f"ROTATIVE_{service.upper()}_DATABASE_URL" for service in routing.SERVICES}
    listed = {row[0].strip("`") for row in table_rows(OPERATIONS, "setting")}

    assert listed == read | databases
    for page in PAGES:
        named = set(re.findall(r"ROTATIVE_[A-Z_]+", page.read_text("utf-8")))
        assert named <= listed | {"ROTATIVE_WORDCOUNT_DATABASE_URL"}, page.name


def test_the_defaults_in_the_table_are_those_of_the_code(tmp_path: Path) -> None:
    listed = {row[0].strip("`"): row[1].strip("`") for row in table_rows(OPERATIONS, "setting")}
    from_nothing = {"ROTATIVE_DATA_DIR": str(tmp_path)}
    publish, recommend = settings_of("publish", from_nothing), settings_of("recommend", from_nothing)
    rules = recommend.rules  # type: ignore[attr-defined]

    assert {
        "ROTATIVE_PORT": publish.port,
        "ROTATIVE_RATE_LIMIT": publish.rate_limit,
        "ROTATIVE_RETENTION_DAYS": publish.retention_days,
        "ROTATIVE_WEBHOOK_TIMEOUT_S": publish.webhook_timeout_s,  # type: ignore[attr-defined]
        "ROTATIVE_SMTP_CONNECTIONS": Smtp.connections,
        "ROTATIVE_SMTP_PER_SECOND": Smtp.per_second,
        "ROTATIVE_RELATED_SIZE": rules.size,
        "ROTATIVE_RELATED_FLOOR": rules.floor,
        "ROTATIVE_RELATED_STORY_CAP": rules.story_cap,
        "ROTATIVE_RELATED_DECAY_DAYS": rules.decay_days,
        "ROTATIVE_RELATED_DECAY_FLOOR": rules.decay_floor,
        "ROTATIVE_RELATED_SECTION_FACTOR": rules.section_factor,
    } == {name: float(value) for name, value in listed.items() if re.fullmatch(r"[\d.]+", value)}
    assert listed["ROTATIVE_LOG_LEVEL"] == publish.log_level
    for service in ("ingest", "recommend", "publish"):
        assert settings_of(service, from_nothing).database_url == f"sqlite:///{tmp_path / service}.db"
        assert listed[f"ROTATIVE_{service.upper()}_DATABASE_URL"] == f"{service}.db` in the data folder"


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        texts = [*_CODE.findall(prose(page)), *(block.text.strip() for block in blocks(page, "sh"))]
        named = {text.split()[1] for text in texts if re.match(r"make [a-z-]+$", text)}
        assert named <= targets, page.name


def test_every_route_that_is_named_exists() -> None:
    described = {re.sub(r"\{\w+\}", "{}", path) for path in describe_all()["paths"]}
    for page in PAGES:
        if page.name == "fourth-service.md":
            continue
        texts = [*_CODE.findall(prose(page)), *(block.text for block in blocks(page, "sh"))]
        for path in (path for text in texts for path in re.findall(r"/v1/(?:[\w/-]|\{\w+\}|\$\w+)+", text)):
            shape = re.sub(r"\{\w+\}|\$\w+", "{}", path)
            known = shape in described or any(one.startswith(f"{shape}/") for one in described)
            example = any(re.fullmatch(one.replace("{}", r"[^/]+"), shape) for one in described)
            assert known or example, f"{path} in {page.name}"
