"""What the web server itself refuses, before the application sees it, is a problem as everything else."""

import json
import socket


def said(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while more := connection.recv(65536):
            answer += more
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, body


def test_gunicorns_own_refusals_are_problems(start):
    system = start().wait_until_ready()
    host = b"Host: news.example\r\n"
    for request, status in (
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + host + b"\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + host + b"X: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + host + b"X" * 3 + b" : y\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"POST /v1/articles HTTP/1.1\r\n" + host + b"Content-Length: minus\r\n\r\n", 400),
    ):
        got, headers, body = said(system.port, request)

        assert got == status, (request[:40], body[:200])
        assert headers["content-type"] == "application/problem+json"
        problem = json.loads(body)
        assert problem["status"] == status
        assert all(problem[member] for member in ("code", "title", "detail"))


def test_a_misspelt_setting_is_named_at_the_start(start):
    system = start(ROTATIVE_NEWSROM="x").wait_until_ready()

    assert any("did you mean ROTATIVE_NEWSROOM?" in line for line in system.said)
