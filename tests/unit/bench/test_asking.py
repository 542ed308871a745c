import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.asking import NotAnswered, ask


class Pages(BaseHTTPRequestHandler):
    """Answers with a page of 3,000 bytes; counts."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_GET(self) -> None:
        Pages.asked += 1
        self.send_response(200 if self.path != "/away" else 404)
        self.send_header("Content-Length", "3000")
        self.end_headers()
        self.wfile.write(b"x" * 3000)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def port():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


def test_every_answer_is_counted_once_and_whole(port):
    Pages.asked = 0

    found = ask(port, 0.3, ["/a", "/b"], connections=3)

    assert found.bytes_per_answer > 3000
    assert 0 < found.answers <= Pages.asked <= found.answers + 3, "but for those still on their way"


def test_an_answer_that_is_no_page_ends_the_measurement(port):
    with pytest.raises(NotAnswered, match="404"):
        ask(port, 0.3, ["/away"], connections=1)
