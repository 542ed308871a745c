"""gunicorn's worker with its own refusals as problem details: a request that never reaches the application.

A line or header that is too long, framing that is none: gunicorn answers these itself, with HTML, and has no setting
for another form.
"""

from __future__ import annotations

import json
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import ThreadWorker

_PROBLEMS = {
    400: ("bad-request", "The request cannot be read"),
    403: ("forbidden", "This request is not let in"),
    414: ("uri-too-long", "The address is too long"),
    417: ("expectation-failed", "What the header Expect asks for is not possible here"),
    431: ("headers-too-large", "The headers are too large"),
    501: ("not-implemented", "This way of sending a body is not known here"),
}
_DETAILS = {
    414: "The address with its query may have about 4,000 signs; send less in it.",
    431: "A header may have about 8,000 signs, and a request 100 headers; send fewer or shorter ones.",
}


def write_problem(sock: Any, status_int: int, reason: str, mesg: str) -> None:
    """What gunicorn's `write_error` does, as application/problem+json (RFC 9457)."""
    code, title = _PROBLEMS.get(status_int, ("internal-error", "Something went wrong on our side"))
    known = status_int in _PROBLEMS
    body = {
        "type": f"urn:rotative:problem:{code}",
        "title": title,
        "status": status_int,
        "detail": _DETAILS.get(status_int) or (mesg[:300] if known and mesg else title),
        "code": code,
    }
    content = json.dumps(body).encode("ascii")
    head = (
        f"HTTP/1.1 {status_int} {reason}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
        f"Content-Language: en\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    util.write_nonblock(sock, head.encode("latin-1") + content)


class ProblemWorker(ThreadWorker):
    """A worker of threads; in Compose by `--worker-class shared.web_worker.ProblemWorker`."""

    def init_process(self) -> None:
        """Begin to serve."""
        util.write_error = write_problem
        super().init_process()
