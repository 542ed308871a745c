"""A subscriber's server, in a container of the test: takes every delivery and notes it in a file, a JSON line each."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 to every POST once it is noted."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Note the delivery: its id, its event and its article."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        note = {"id": self.headers["webhook-id"], "type": body["type"], "article": body["subject"]}
        with Path(sys.argv[1]).open("a") as notes:
            notes.write(json.dumps(note) + "\n")
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


ThreadingHTTPServer(("0.0.0.0", 9000), Receiver).serve_forever()
