"""A subscriber that notes every delivery, checks its signature, and now and then is late or answers 503."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import zlib
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

# The system under test gives up on an answer after this long (ROTATIVE_WEBHOOK_TIMEOUT_S); a late one takes longer.
PATIENCE_S = 2.0
LATE_S = 3.0
# One delivery in so many is answered 503 at first, and one is answered too late.
ONE_IN = 24


@dataclass(frozen=True)
class Arrival:
    """One request. at: time.monotonic() when it was there in full; answer: 204, 503, or 0 for an answer too late."""

    at: float
    subscription: str
    webhook_id: str
    type: str
    article_id: str
    change: int
    answer: int


class Receiver:
    """An HTTP server on a free port; each subscription posts to a path of its own: receiver.url("name")."""

    def __init__(self) -> None:
        self._arrivals: list[Arrival] = []
        self._seen: set[str] = set()
        self._faults: list[str] = []
        self._secrets: dict[str, str] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    raise ConnectionError("the sender was killed before all of it was sent")
                answer = receiver._take(self.path.strip("/"), dict(self.headers.items()), body)
                self.send_response(answer or 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def handle(self) -> None:
                with contextlib.suppress(OSError):  # the sender was killed
                    super().handle()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, name="receiver", daemon=True).start()

    def url(self, subscription: str) -> str:
        """Where a subscription of this name is to post."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{subscription}"

    def trust(self, subscription: str, secret: str) -> None:
        """The secret that the subscription's deliveries are signed with."""
        self._secrets[subscription] = secret

    def close(self) -> None:
        """Take no more."""
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def arrivals(self) -> list[Arrival]:
        """Every request so far, in the order of arrival."""
        with self._lock:
            return list(self._arrivals)

    @property
    def faults(self) -> list[str]:
        """What was wrong with requests: signatures and shapes."""
        with self._lock:
            return list(self._faults)

    def _take(self, subscription: str, headers: dict[str, str], body: bytes) -> int:
        at = time.monotonic()
        try:
            Webhook(self._secrets[subscription]).verify(body, headers)
            event: dict[str, Any] = json.loads(body)
            webhook_id = headers["webhook-id"]
            article_id, change = str(event["data"]["id"]), int(event["data"]["change"])
            assert event["id"] == webhook_id, "the event's id is not the webhook's"
        except (WebhookVerificationError, ValueError, KeyError, AssertionError) as error:
            with self._lock:
                self._faults.append(f"{type(error).__name__} {error}: {body[:200]!r}")
            return 400
        with self._lock:
            first = webhook_id not in self._seen
            self._seen.add(webhook_id)
            lot = zlib.crc32(webhook_id.encode()) % ONE_IN if first else ONE_IN
            answer = {0: 503, 1: 0}.get(lot, 204)
            self._arrivals.append(Arrival(at, subscription, webhook_id, event["type"], article_id, change, answer))
        if answer == 0:
            self._ended.wait(LATE_S)
        return answer
