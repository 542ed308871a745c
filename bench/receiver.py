"""A subscriber of the run's own: takes webhooks on 127.0.0.1 and notes when each one was there in full.

It is a process of its own (`python -m bench.receiver PORT`), so that the run's other threads do not hold it up, and
writes a line for each request: the monotonic clock's nanoseconds, which all processes of a machine share, and the
article's id.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path

from bench.program import Program
from bench.wire import free_port

_ANSWER = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
_LOOK_S = 0.05


async def _take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = next(
                (int(line.partition(":")[2]) for line in head.splitlines() if line.startswith("content-length:")), 0
            )
            body = await reader.readexactly(length)
            at = time.monotonic_ns()
            writer.write(_ANSWER)
            await writer.drain()
            sys.stdout.write(f"{at} {json.loads(body)['data']['id']}\n")
            sys.stdout.flush()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the sender closed its connection
    finally:
        writer.close()


async def _serve(port: int) -> None:
    server = await asyncio.start_server(_take, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


class Receiver(Program):
    """The receiving process, and what it has noted."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._heard: dict[str, list[float]] = {}
        self._news = threading.Condition()
        self._notes = folder / "webhooks.txt"
        super().__init__([sys.executable, "-m", "bench.receiver", str(self.port)], self._notes, os.environ)
        self._ended = threading.Event()
        self._reader = threading.Thread(target=self._read, name="webhooks", daemon=True)
        self._reader.start()

    @property
    def url(self) -> str:
        """Where webhooks are to be posted."""
        return f"http://127.0.0.1:{self.port}/"

    def is_ready(self) -> bool:
        """Whether it takes connections."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """End the process and the thread that reads what it notes."""
        self._ended.set()
        super().stop()
        self._reader.join(5)

    def wait_for(self, article_id: str, timeout_s: float) -> float | None:
        """When the first webhook of an article was there, by time.monotonic(); None if none came in time."""
        with self._news:
            if not self._news.wait_for(lambda: article_id in self._heard, timeout_s):
                return None
            return self._heard[article_id][0]

    def wait_for_all(self, article_ids: set[str], timeout_s: float) -> dict[str, float]:
        """When the first webhook of each article was there; without those of which none came in time."""
        with self._news:
            self._news.wait_for(lambda: article_ids <= self._heard.keys(), timeout_s)
            return {one: self._heard[one][0] for one in article_ids if one in self._heard}

    def repeated(self) -> int:
        """How many webhooks came more than once for an article. A run only publishes, so each should come once."""
        with self._news:
            return sum(len(times) - 1 for times in self._heard.values())

    def _read(self) -> None:
        rest = ""
        with self._notes.open(encoding="utf-8") as notes:
            while not self._ended.is_set():
                rest += notes.read()
                lines, _, rest = rest.rpartition("\n")
                if not lines:
                    self._ended.wait(_LOOK_S)
                    continue
                with self._news:
                    for line in lines.splitlines():
                        at, _, article_id = line.partition(" ")
                        if at.isdigit():
                            self._heard.setdefault(article_id, []).append(int(at) / 1e9)
                    self._news.notify_all()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
