"""The fourth service of docs/fourth-service.md, built from that page alone and run as it says.

Its files are the page's code blocks, its processes the page's commands, on a real Valkey; beside it runs a real
ingest. Nothing of the repository changes but a copy of it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from services.ingest.app import create_app
from services.ingest.settings import IngestSettings
from shared.migrate import upgrade
from tests.conftest import wait_for
from tests.e2e.conftest import free_port

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "fourth-service.md").read_text("utf-8")
PROGRAMS = Path(sys.executable).parent
KEY = "the-first-key-of-the-tests"

_FILE = re.compile(r"^`(?P<name>[\w./]+)`\n(?P<blocks>(?:\n```\w+\n.*?\n```\n)+)", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"```(?P<language>\w+)\n(?P<text>.*?\n)```\n", re.DOTALL)


def blocks_of_files() -> dict[str, list[tuple[str, str]]]:
    """The page's code blocks by the file whose name stands before them: (language, text) each."""
    return {
        found["name"]: [(block["language"], block["text"]) for block in _BLOCK.finditer(found["blocks"])]
        for found in _FILE.finditer(PAGE)
    }


def commands(program: str) -> list[list[str]]:
    """The page's shell commands that run this program, as lists of words."""
    lines = [block["text"].strip() for block in _BLOCK.finditer(PAGE) if block["language"] == "sh"]
    found = [shlex.split(line) for line in lines if shlex.split(line)[0].rpartition("/")[2] == program]
    assert found, f"the page has no command that runs {program}"
    return found


def command(program: str, *words: str) -> list[str]:
    """The page's one command that runs this program with these words in it."""
    found = [one for one in commands(program) if all(word in one for word in words)]
    assert len(found) == 1, found
    return found[0]


def patched(text: str, diff: str) -> str:
    """The text with one hunk of a diff applied, whose old lines must stand in it exactly once."""
    lines = [(line[:1], line[1:]) for line in diff.splitlines()]
    old = "".join(f"{line}\n" for sign, line in lines if sign in " -")
    new = "".join(f"{line}\n" for sign, line in lines if sign in " +")
    assert text.count(old) == 1, f"the page's lines are not those of the file:\n{old}"
    return text.replace(old, new)


@dataclass
class Newsroom:
    """A data folder, and processes that run there from one of two trees. said: the folder of their output."""

    variables: dict[str, str]
    said: Path
    port: int

    @contextmanager
    def running(self, tree: Path, name: str, words: list[str]) -> Iterator[None]:
        """Run a command of the virtual environment in this tree while the block runs."""
        log = self.said / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                self._here(words), cwd=tree, env=self._environment(tree), stdout=output, stderr=subprocess.STDOUT
            )
        try:
            yield
            assert process.poll() is None, f"{name} ended:\n{log.read_text()}"
        finally:
            process.terminate()
            try:
                process.wait(20)
            finally:
                process.kill()

    def run(self, tree: Path, words: list[str]) -> str:
        """Run a command to its end; what it printed."""
        done = subprocess.run(
            self._here(words),
            cwd=tree,
            env=self._environment(tree),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    @staticmethod
    def _here(words: list[str]) -> list[str]:
        return [str(PROGRAMS / words[0].rpartition("/")[2]), *words[1:]]

    def _environment(self, tree: Path) -> dict[str, str]:
        # The tree first, so that its packages are imported and not those that are installed.
        return {**os.environ, **self.variables, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}

    def ask(self, method: str, url: str, **options: Any) -> httpx.Response:
        """A request with the first key; its answer, which has to be a good one."""
        headers = {"Authorization": f"Bearer {KEY}", **options.pop("headers", {})}
        answer = httpx.request(method, url, headers=headers, timeout=20, **options)
        assert answer.is_success, answer.text
        return answer

    @property
    def ingest(self) -> str:
        """Where ingest answers."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def ingest_at_work(self, tree: Path) -> Iterator[None]:
        """ingest's three processes."""
        queues = "ingest.urgent,ingest.normal,ingest.bulk"
        bind = f"127.0.0.1:{self.port}"
        with ExitStack() as stack:
            for name, words in {
                "ingest-api": ["gunicorn", "--bind", bind, "services.ingest.app:create_app()"],
                "ingest-worker": [
                    *("celery", "-A", "services.ingest.worker", "worker", "--queues", queues, "--concurrency", "1"),
                    *("--without-gossip", "--without-mingle"),
                ],
                "ingest-sweeper": ["python", "-m", "services.ingest.sweeper"],
            }.items():
                stack.enter_context(self.running(tree, name, words))
            wait_for(lambda: answers(f"{self.ingest}/readyz"), "ingest to be ready", 60)
            yield

    def post(self, headline: str, text: str) -> dict[str, Any]:
        """Have an article accepted that is live from then on."""
        return dict(self.ask("POST", f"{self.ingest}/v1/articles", json=article(headline, text)).json())

    def post_without_the_new_service(self, headline: str, text: str) -> None:
        """Have an article accepted by ingest as it is in the repository."""
        away = {**self.variables, "ROTATIVE_REDIS_URL": "redis://127.0.0.1:1/0"}
        app = create_app(IngestSettings.from_env(away, "ingest"))
        try:
            headers = {"Authorization": f"Bearer {KEY}"}
            answer = app.test_client().post("/v1/articles", json=article(headline, text), headers=headers)
            assert answer.status_code == 201, answer.text
        finally:
            app.extensions["rotative"].close()


def article(headline: str, text: str) -> dict[str, Any]:
    """A French article as the API takes it."""
    body = {"format": "text", "text": text}
    return {"headline": headline, "body": body, "language": "fr", "section": "societe", "status": "live"}


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's packages and wiring tests with the page's files in it."""
    copy = tmp_path_factory.mktemp("tree")
    leave_out = shutil.ignore_patterns("__pycache__")
    for folder in ("shared", "services", "rotative", "tests/wiring"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=leave_out)
    for one in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy(ROOT / one, copy / one)
    for name, blocks in blocks_of_files().items():
        file = copy / name
        if blocks[0][0] == "diff":
            text = file.read_text("utf-8")
            for language, diff in blocks:
                assert language == "diff", name
                text = patched(text, diff)
            file.write_text(text, "utf-8")
        else:
            assert not file.exists(), f"{name} exists; the page may only add files"
            assert len(blocks) == 1, name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(blocks[0][1], "utf-8")
    return copy


@pytest.fixture
def newsroom(tmp_path: Path, redis_url: str) -> Iterator[Newsroom]:
    """ingest's empty database in a folder of its own, and where its processes find everything."""
    valkey = redis.Redis(unix_socket_path=redis_url.removeprefix("redis+socket://"))
    valkey.flushall()
    data = tmp_path / "data"
    data.mkdir()
    upgrade(f"sqlite:///{data / 'ingest.db'}", "ingest")
    variables = {
        "ROTATIVE_DATA_DIR": str(data),
        "ROTATIVE_REDIS_URL": redis_url,
        "ROTATIVE_ADMIN_KEY": KEY,
        "ROTATIVE_SECRET_KEY": "a-secret-of-the-tests-only",
    }
    yield Newsroom(variables, tmp_path, free_port())
    valkey.flushall()
    valkey.close()


def test_the_page_changes_no_file_but_the_routing() -> None:
    changed = {name for name, blocks in blocks_of_files().items() if blocks[0][0] == "diff"}
    new = {name for name in blocks_of_files() if name not in changed}

    assert changed == {"shared/routing.py"}
    assert all(name.startswith(("services/wordcount/", "tests/unit/wordcount/")) for name in new)
    assert {f"services/wordcount/{name}" for name in ("app.py", "worker.py", "service.py", "tasks.py")} <= new


def test_its_files_pass_lint_its_own_test_and_the_tests_of_the_wiring(tree: Path, newsroom: Newsroom) -> None:
    ours = ["services/wordcount", "tests/unit/wordcount", "shared/routing.py"]
    newsroom.run(tree, ["ruff", "check", "--no-cache", *ours])
    newsroom.run(tree, ["ruff", "format", "--no-cache", "--check", *ours])

    tests = ["tests/unit/wordcount", "tests/wiring/test_imports.py", "tests/wiring/test_tasks.py"]
    said = newsroom.run(tree, ["python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests])

    assert "passed" in said


def test_it_counts_what_waited_for_it_what_is_new_and_what_was_there_before(tree: Path, newsroom: Newsroom) -> None:
    newsroom.post_without_the_new_service("Le pont ferme", "La mairie ferme le pont.")
    port = free_port()
    api = [word.replace("127.0.0.1:8003", f"127.0.0.1:{port}") for word in command("gunicorn")]
    wordcount = f"http://127.0.0.1:{port}"
    (count_it,) = [one for one in commands("curl") if "POST" not in one]
    address = next(word for word in count_it if word.startswith("http")).replace("http://127.0.0.1:8003", wordcount)

    def count() -> dict[str, Any]:
        return dict(newsroom.ask("GET", address).json())

    def is_counted(articles: int, words: int) -> None:
        wanted = {"language": "fr", "articles": articles, "words": words}
        try:
            wait_for(lambda: count() == wanted, f"{wanted}", 60)
        except AssertionError as late:
            logs = "\n".join(f"{log.name}\n{log.read_text()[-3000:]}" for log in sorted(newsroom.said.glob("*.log")))
            raise AssertionError(f"{count()} and {late}\n{logs}") from None

    with ExitStack() as stack:
        stack.enter_context(newsroom.ingest_at_work(tree))
        # This one is accepted before the new service has even a database.
        first = newsroom.post("Le pont rouvre", "Les tramways y passent de nouveau.")

        newsroom.run(tree, command("python", "services.wordcount.migrate"))
        for name, words in {
            "wordcount-worker": command("celery"),
            "wordcount-sweeper": command("python", "services.wordcount.sweeper"),
            "wordcount-api": api,
        }.items():
            stack.enter_context(newsroom.running(tree, name, words))
        wait_for(lambda: answers(f"{wordcount}/readyz"), "wordcount to be ready", 60)
        is_counted(1, 9)

        second = newsroom.post("Le marché du port", "Trente étals.")
        is_counted(2, 15)

        changed = f"{newsroom.ingest}/v1/articles/{first['id']}"
        newsroom.ask("PATCH", changed, json={"standfirst": "Dès lundi."}, headers={"If-Match": '"1"'})
        is_counted(2, 17)

        newsroom.ask("POST", f"{newsroom.ingest}/v1/articles/{second['id']}/kill")
        is_counted(1, 11)

        (replay,) = [one for one in commands("curl") if "POST" in one]
        said_again = next(word for word in replay if word.startswith("http"))
        newsroom.ask("POST", said_again.replace("http://127.0.0.1:8000", newsroom.ingest))
        is_counted(2, 19)

        status = newsroom.ask("GET", f"{wordcount}/v1/wordcount/status").json()
        assert (status["service"], status["redis"], status["dead"]) == ("wordcount", True, 0)
        assert newsroom.ask("GET", f"{wordcount}/v1/wordcount/dead").json() == {"items": []}
