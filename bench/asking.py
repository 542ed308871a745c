"""Asks a web server for pages as fast as one process can, over many kept connections, each waiting for its answer.

    python -m bench.asking PORT SECONDS CONNECTIONS PATH…

As a process of its own: asking in the measuring process would take the time of what it starts. It reads no more of an
answer than it must, some hundred thousand a second in one core; and it says what share of a core it has used itself,
so that it is plain whether it was the bottleneck.
"""

from __future__ import annotations

import itertools
import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

_READ = 1 << 18


@dataclass(frozen=True)
class Asked:
    """What was answered. busy: the share of one core that asking took itself."""

    answers: int
    per_s: float
    bytes_per_answer: float
    busy: float


class NotAnswered(Exception):
    """An answer was no page."""


def ask(port: int, seconds: float, paths: Sequence[str], connections: int = 32) -> Asked:
    """Ask in a process of its own. Raises NotAnswered."""
    command = [sys.executable, "-m", "bench.asking", str(port), str(seconds), str(connections), *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotAnswered(done.stderr.strip().rpartition("\n")[2])
    return Asked(**json.loads(done.stdout))


class _Connection:
    """One connection: asks for the next page when it has all of the last one."""

    def __init__(self, port: int, requests: Sequence[bytes], first: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests = itertools.cycle([*requests[first:], *requests[:first]])
        self._left = 0
        self._head = b""
        self.answers = 0
        self.bytes = 0

    def ask(self) -> None:
        """Send the next request; it fits into the socket's buffer."""
        self.socket.send(next(self._requests))

    def hear(self) -> None:
        """Read what has come; ask again when the answer is whole."""
        data = self.socket.recv(_READ)
        if not data:
            raise NotAnswered("the server has closed a connection")
        self.bytes += len(data)
        if self._left == 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._head[:end]
            at = head.find(b"Content-Length: ")
            if not head.startswith(b"HTTP/1.1 200 ") or at < 0:
                raise NotAnswered(f"the answer was {head[:60]!r}")
            length = int(head[at + 16 : (head.find(b"\r\n", at) + 1 or end + 1) - 1])
            self._left = length - (len(self._head) - end - 4)
            self._head = b""
        else:
            self._left -= len(data)
        if self._left == 0:
            self.answers += 1
            self.ask()


def _ask(port: int, seconds: float, connections: int, paths: Sequence[str]) -> Asked:
    requests = [
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n".encode("ascii") for path in paths
    ]
    made = [_Connection(port, requests, number * len(requests) // connections) for number in range(connections)]
    by_number = {one.socket.fileno(): one for one in made}
    poll = select.epoll()
    for number, one in by_number.items():
        poll.register(number, select.EPOLLIN)
        one.ask()
    began, cpu = time.perf_counter(), time.process_time()
    until = began + seconds
    while time.perf_counter() < until:
        for number, _ in poll.poll(1):
            by_number[number].hear()
    took = time.perf_counter() - began
    answers = sum(one.answers for one in made)
    size = sum(one.bytes for one in made) / max(1, answers)
    return Asked(answers, answers / took, size, (time.process_time() - cpu) / took)


if __name__ == "__main__":
    print(json.dumps(asdict(_ask(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))))
