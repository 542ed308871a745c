"""What the machine itself can do: a bare POST that writes a file to the disk, and a GET of it, in one small server.

No database, no broker, no worker: nothing that makes a page out of a request can be faster on this machine with this
web server. Figures are shown as multiples of it.
"""

from __future__ import annotations

import os
import sys
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench.program import Program
from bench.wire import Connection, free_port

FOLDER_VARIABLE = "BENCH_BASELINE"


def create_app() -> Any:
    """The bare server. The folder that it writes to is in the environment."""
    from flask import Flask, request

    folder = Path(os.environ[FOLDER_VARIABLE])
    app = Flask(__name__)

    @app.post("/bare")
    def write() -> tuple[dict[str, str], int]:
        article = request.get_json()
        name = uuid4().hex
        with (folder / name).open("w", encoding="utf-8") as file:
            file.write(article["body"]["text"])
            file.flush()
            os.fsync(file.fileno())
        return {"path": f"/bare/{name}"}, HTTPStatus.CREATED

    @app.get("/bare/<name>")
    def read(name: str) -> bytes:
        return (folder / name).read_bytes()

    return app


class Baseline(Program):
    """The bare server, as a process of its own."""

    def __init__(self, folder: Path) -> None:
        files = folder / "files"
        files.mkdir(parents=True, exist_ok=True)
        self._port = free_port()
        bind = f"127.0.0.1:{self._port}"
        options = ["--bind", bind, "--worker-class", "gthread", "--threads", "4", "--no-control-socket"]
        super().__init__(
            [sys.executable, "-m", "gunicorn", *options, "bench.baseline:create_app()"],
            folder / "said.txt",
            {**os.environ, FOLDER_VARIABLE: str(files)},
        )
        self._connection = Connection(self._port)

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            return self._connection.get("/bare/").status == HTTPStatus.NOT_FOUND
        except OSError:
            return False

    def round_ms(self, article: dict[str, Any]) -> float:
        """Milliseconds from a POST of this article until a GET has its text back. Raises wire.Refused."""
        began = time.perf_counter()
        path = self._connection.post("/bare", article)["path"]
        self._connection.get(path)
        return (time.perf_counter() - began) * 1000
