"""A bare HTTP client: one connection that stays open, so that what is measured is the server and not the client."""

from __future__ import annotations

import http.client
import json
import socket
import time
from dataclasses import dataclass
from typing import Any

# Below the servers' keep-alive: a connection left alone for longer is opened anew.
IDLE_S = 1.5


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is none."""
        return json.loads(self.body)


class Refused(Exception):
    """An answer that should have been a success was not; the text says what was asked and answered."""


class Connection:
    """One connection to 127.0.0.1. Not for use by several threads at once.

    key: an API key; without it requests are anonymous.
    """

    def __init__(self, port: int, key: str = "") -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http: http.client.HTTPConnection | None = None
        self._used_at = 0.0

    def get(self, path: str) -> Answer:
        """GET this path, whatever it answers; once more when the connection turns out to be closed. Raises OSError."""
        try:
            return self._send("GET", path, None)
        except (http.client.HTTPException, OSError):
            return self._send("GET", path, None)

    def get_json(self, path: str) -> Any:
        """The JSON at this path. Raises Refused."""
        return _expect(self.get(path), f"GET {path}").json()

    def post(self, path: str, body: Any) -> Any:
        """POST JSON and give back the answer's; None when it is empty. Raises Refused, OSError."""
        answer = _expect(self._send("POST", path, json.dumps(body).encode()), f"POST {path}")
        return answer.json() if answer.body else None

    def post_lines(self, path: str, lines: bytes) -> Answer:
        """POST NDJSON and give back the answer. Raises Refused, OSError."""
        return _expect(self._send("POST", path, lines, "application/x-ndjson"), f"POST {path}")

    def delete(self, path: str) -> None:
        """DELETE this path. Raises Refused, OSError."""
        _expect(self._send("DELETE", path, None), f"DELETE {path}")

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def _send(self, method: str, path: str, body: bytes | None, media_type: str = "application/json") -> Answer:
        if time.monotonic() - self._used_at > IDLE_S:
            self.close()
        if self._http is None:
            self._http = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {**self._headers, "Content-Type": media_type} if body is not None else self._headers
        try:
            self._http.request(method, path, body, headers)
            reply = self._http.getresponse()
            content = reply.read()
        except (http.client.HTTPException, OSError):
            self.close()
            raise
        self._used_at = time.monotonic()
        return Answer(reply.status, content)


def _expect(answer: Answer, asked: str) -> Answer:
    if not 200 <= answer.status < 300:
        text = answer.body[:500].decode("utf-8", "replace")
        raise Refused(f"{asked} was answered with {answer.status}: {text}")
    return answer


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
