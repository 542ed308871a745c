"""Stand-ins for what is outside: a receiver of webhooks on this machine that answers as it is told."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RESET: tuple[int, dict[str, str]] = (0, {"fault": "reset"})
SILENT: tuple[int, dict[str, str]] = (0, {"fault": "silence"})
HALF: tuple[int, dict[str, str]] = (200, {"Content-Length": "1000"})


@dataclass
class Received:
    """One request as it came in."""

    headers: dict[str, str]
    body: bytes
    path: str = ""


@dataclass
class Receiver:
    """What a receiver got, and how it answers: a status, and headers; None hangs up without an answer.

    RESET breaks the connection off; HALF answers 200 and hangs up in the middle of its body; SILENT says nothing until
    the receiver ends.

    page: what a GET of a path is answered with, None for 404. ended: set, silence ends.
    """

    url: str = ""
    got: list[Received] = field(default_factory=list)
    answer: Callable[[Received], tuple[int, dict[str, str]] | None] = lambda _: (204, {})
    page: Callable[[str], bytes | None] = lambda _: None
    ended: threading.Event = field(default_factory=threading.Event)

    def ids(self) -> list[str]:
        """The webhook-id of every request, in order."""
        return [one.headers["webhook-id"] for one in self.got]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver that listens on a free port of 127.0.0.1 while the block runs."""
    told = Receiver()
    ended = told.ended

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            one = Received({name.lower(): value for name, value in self.headers.items()}, body, self.path)
            told.got.append(one)
            answer = told.answer(one)
            if answer is None:
                self.close_connection = True
                return
            if answer == SILENT:
                ended.wait(60)
                self.close_connection = True
                return
            if answer == RESET:
                # To close with a linger time of nothing sends RST.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                return
            status, headers = answer
            self.send_response(status)
            if answer == HALF:
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"half")
                self.close_connection = True
                return
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            found = told.page(self.path)
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Length", str(len(found or b"")))
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
