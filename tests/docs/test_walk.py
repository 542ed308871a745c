"""The pages' commands, pasted one after the other into a running system, do what the pages say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.publish.transports.webhook import shown_secret, signature
from tests.conftest import wait_for
from tests.docs.pages import ROOT, blocks
from tests.e2e.conftest import COMMAND, System

OPERATIONS = ROOT / "docs" / "operations.md"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """An empty system, ready; its folder is ./var of the folder in which commands are pasted."""
    made = System(tmp_path / "var", "--no-flower")
    try:
        yield made.wait_until_ready()
    finally:
        made.interrupt()


def paste(system: System, script: str) -> str:
    """Run shell lines beside the system; what they printed. An HTTP error ends them."""
    careful = 'set -eu\ncurl() { command curl --fail-with-body "$@"; }\n'
    script = script.replace("http://127.0.0.1:8000", system.url)
    path = f"{Path(COMMAND).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", careful + script],
        cwd=system.data_dir.parent,
        env={**system.environment, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shows(url: str, text: str) -> bool:
    """Whether a page is there and has this text."""
    answer = httpx.get(url, timeout=20)
    return answer.status_code == 200 and text in answer.text


def test_the_curl_of_the_readme_puts_an_article_on_the_site(system: System) -> None:
    (curl,) = [block.text for block in blocks(ROOT / "README.md", "sh") if block.text.startswith("curl")]

    article = json.loads(paste(system, curl))

    assert article["status"] == "live"
    wait_for(lambda: shows(article["url"], "Le marché couvert rouvre samedi"), "the article's page")
    wait_for(lambda: shows(f"{system.url}/", article["path"]), "the front page")


def test_the_walk_through_the_api_works_from_top_to_bottom(system: System) -> None:
    walk = [block.text for block in blocks(ROOT / "docs" / "api.md", "sh")]
    before = next(number for number, block in enumerate(walk) if "/v1/related/" in block)

    said = paste(system, "\n".join([*walk[:before], 'printf "\\n%s" "$ID"']))
    said, _, article_id = said.rpartition("\n")
    related = f"{system.url}/v1/related/{article_id}"
    wait_for(lambda: httpx.get(related, timeout=20).status_code == 200, "the related set", 60)
    said += paste(system, "\n".join([walk[0], f"ID={article_id}", *walk[before:]]))

    assert '"text": "The article was accepted' in said
    assert '"headline": "La halle du port rouvre dimanche"' in said
    assert '"note": "Les étals sont quarante, et non trente."' in said
    assert '"status": "killed"' in said
    assert re.search(r'"channel": ?"webhook"', said)


def test_the_fields_of_an_article_in_the_walk_are_those_that_the_api_takes() -> None:
    described = json.loads((ROOT / "shared" / "openapi.json").read_text("utf-8"))
    rows = (ROOT / "docs" / "api.md").read_text("utf-8").partition("| field | |\n|---|---|\n")[2].partition("\n\n")[0]
    named = {name for row in rows.splitlines() for name in re.findall(r"`(\w+)`", row.split(" | ")[0])}

    assert named == set(described["components"]["schemas"]["ArticleBody"]["properties"])


def test_the_receiver_of_the_page_believes_the_newsroom_and_nobody_else() -> None:
    (block,) = [one for one in blocks(OPERATIONS, "python") if one.before == "`receiver.py`"]
    receiver: dict[str, object] = {}
    exec(block.text, receiver)
    is_genuine = receiver["is_genuine"]
    assert callable(is_genuine)
    secret, body = bytes(range(32)), '{"headline": "Le pont rouvre à midi"}'
    headers = {"webhook-id": "0199", "webhook-timestamp": "1000"}
    headers["webhook-signature"] = f"v1,{'A' * 43}= {signature(secret, '0199', 1000, body.encode())}"

    assert is_genuine(shown_secret(secret), headers, body.encode(), now=1010)
    assert not is_genuine(shown_secret(secret), headers, body.encode() + b" ", now=1010)
    assert not is_genuine(shown_secret(bytes(32)), headers, body.encode(), now=1010)
    assert not is_genuine(shown_secret(secret), headers, body.encode(), now=2000)


def test_a_backup_made_as_the_page_says_is_restored_as_the_page_says(system: System, tmp_path: Path) -> None:
    if shutil.which("sqlite3") is None:
        pytest.skip("needs the program sqlite3")
    (curl,) = [block.text for block in blocks(ROOT / "README.md", "sh") if block.text.startswith("curl")]
    (backup,) = [block.text for block in blocks(OPERATIONS, "sh") if ".backup" in block.text]
    (restore,) = [block.text for block in blocks(OPERATIONS, "sh") if "ingest/replay" in block.text]
    article = json.loads(paste(system, curl))
    wait_for(lambda: shows(f"{system.url}/", article["path"]), "the article on the front page")

    paste(system, backup)
    system.interrupt()
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(tmp_path / "backup", elsewhere / "var")
    again = System(elsewhere / "var", "--no-flower")
    try:
        again.wait_until_ready()
        paste(again, restore.replace("rotative verify", ""))

        wait_for(lambda: shows(f"{again.url}{article['path']}", article["headline"]), "the article's page")
        wait_for(lambda: again.run("verify").returncode == 0, "the site and the database to agree", 60)
    finally:
        again.interrupt()
