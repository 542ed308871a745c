"""Pages served a second: by publish itself and by nginx, beside a bare server, and what limits them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from bench.asking import Asked, ask
from bench.baseline import Baseline
from bench.told import Told
from bench.wire import Connection, free_port

# DESIGN.md section 10.
NGINX_PER_S = 22_000
ROOT = Path(__file__).parents[1]


def serve(told: Told, folder: Path, variables: Mapping[str, str], paths: Sequence[str], seconds: float) -> None:
    """Ask for these pages of the site in this folder. variables: of the environment in which publish finds it."""
    print("\nServed", flush=True)
    with Baseline(folder / "baseline") as bare:
        name = bare._connection.post("/bare", {"body": {"text": "x" * 20_000}})["path"]
        base = ask(bare._port, seconds, [name], connections=4).per_s
        told.tell("pages/s of a bare server", f"{base:,.0f}", per_s=base)
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"]
    command += ["--threads", "4", "--no-control-socket", "services.publish.app:create_app()"]
    with Running(command, {**os.environ, **variables}, port) as server:
        found, each_us = server.asked(paths, seconds, connections=4)
        _tell(told, "pages/s of publish itself", found, each_us, f"{found.per_s / base:.2f} × bare")
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx is None:
        print("  nginx is not installed: not measured", flush=True)
        return
    port = free_port()
    command = [nginx, "-e", "/dev/null", "-c", str(_nginx(folder, port)), "-g", "daemon off;"]
    with Running(command, dict(os.environ), port) as server:
        found, each_us = server.asked(paths, seconds, connections=32)
        _tell(told, "pages/s of nginx", found, each_us, f"{found.per_s / base:.1f} × bare", f"≥ {NGINX_PER_S:,}")
        if (wrk := shutil.which("wrk")) is not None:
            by_wrk = _asked_by_wrk(wrk, port, paths[0], seconds)
            told.tell("pages/s of nginx, as wrk asks for one page", f"{by_wrk:,.0f}", per_s=by_wrk)


def _tell(told: Told, what: str, found: Asked, each_us: float, beside: str, promised: str = "") -> None:
    how = f"{each_us:.0f} µs of CPU each; asking took {found.busy:.0%} of a core"
    told.tell(
        what,
        f"{found.per_s:,.0f} ({beside}; {how})",
        promised,
        per_s=found.per_s,
        cpu_us_each=each_us,
        asking_busy=found.busy,
        bytes_each=found.bytes_per_answer,
        per_s_of_all_processors=(os.cpu_count() or 1) * 1e6 / each_us if each_us else 0.0,
    )


class Running:
    """A web server, from when it answers until the block ends."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], port: int) -> None:
        self.command, self.environment, self.port = command, environment, port

    def __enter__(self) -> Running:
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(self.command, env=self.environment, cwd=ROOT, stdout=quiet, stderr=quiet)
        deadline = time.monotonic() + 30
        while True:
            try:
                Connection(self.port).get("/robots.txt")
                return self
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)

    def asked(self, paths: Sequence[str], seconds: float, *, connections: int) -> tuple[Asked, float]:
        """What it answers, and the microseconds of processor time that it takes for each answer."""
        before = self._cpu_s()
        found = ask(self.port, seconds, paths, connections)
        return found, (self._cpu_s() - before) / (found.per_s * seconds) * 1e6

    def _cpu_s(self) -> float:
        """Processor seconds of the server and its children."""
        own = psutil.Process(self.process.pid)
        times = [one.cpu_times() for one in (own, *own.children(recursive=True))]
        return float(sum(one.user + one.system for one in times))


def _nginx(folder: Path, port: int) -> Path:
    own = Path(shutil.copytree(ROOT / "docker" / "nginx", folder / "nginx"))
    (own / "redirects.map").touch()
    (own / "resolver.conf").write_text("resolver 127.0.0.1;\n")
    conf = own / "nginx.conf"
    text = conf.read_text("utf-8").replace("listen 8080;", f"listen 127.0.0.1:{port};")
    if os.geteuid() == 0:
        text = f"user root;\n{text}"  # nobody may not look into the folder
    conf.write_text(text.replace("/tmp/", f"{own}/").replace("/srv/site", str(folder)), "utf-8")
    return conf


def _asked_by_wrk(wrk: str, port: int, path: str, seconds: float) -> float:
    """The same by wrk, and of one page, as in DESIGN.md's comparison."""
    url = f"http://127.0.0.1:{port}{path}"
    command = [wrk, "-t", "1", "-c", "32", "-d", f"{max(1, int(seconds))}s", "-H", "Accept-Encoding: gzip", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("Requests/sec")))
