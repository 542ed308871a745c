"""A newsroom's journey through the containers, as `tests/compose/run.sh` makes it. Needs Python and Docker alone.

The containers have a project name, ports and volumes of their own, and are gone afterwards.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIMIT_S = 1800
BUILT = ("ingest-api", "recommend-api", "publish-api", "flower", "web")
OURS = (
    *(f"{service}-{part}" for service in ("ingest", "recommend", "publish") for part in ("api", "worker", "sweeper")),
    "publish-deliver",
    "flower",
    "web",
)
ASIDE = threading.Event()  # never set: waiting for it is a pause between two looks


class Failed(Exception):
    """Something is not as it should be; the text says what."""


def check(holds: object, what: str) -> None:
    """Raise Failed unless it holds."""
    if not holds:
        raise Failed(what)


def wait_for(condition: Callable[[], object], what: str, within_s: float, every_s: float = 0.2) -> Any:
    """Look until the condition holds and give back what it found; raise Failed when it does not in time."""
    ends = time.monotonic() + within_s
    while True:
        found = condition()
        if found:
            return found
        check(time.monotonic() < ends, f"not within {within_s:.0f} s: {what}")
        ASIDE.wait(every_s)


def say(text: str) -> None:
    """Tell whoever runs the test how far it is."""
    print(f"[{time.monotonic() - BEGAN:6.1f} s] {text}", flush=True)


BEGAN = time.monotonic()


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Answer:
    """What a server answered. headers: by lower-case name."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body as JSON values."""
        return json.loads(self.content)


@dataclass
class Client:
    """Asks one port of this machine, over one connection that it keeps. Raises OSError when it cannot."""

    port: int
    headers: Mapping[str, str] = field(default_factory=dict)
    _connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send a request, with a body as JSON if there is one. Header names are written with _ for -."""
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        # A connection that was kept may have been closed meanwhile: a GET is asked again, anything else begins anew.
        if method != "GET":
            self._close()
        try:
            response, read = self._send(method, path, content, sent)
        except ConnectionError:
            if method != "GET":
                raise
            response, read = self._send(method, path, content, sent)
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, read)

    def _send(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            self._connection.request(method, path, content, dict(headers))
            response = self._connection.getresponse()
            return response, response.read()
        except (http.client.HTTPException, OSError) as error:
            self._close()
            raise ConnectionError(str(error)) from error

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def get(self, path: str, **headers: str) -> Answer:
        """GET."""
        return self.ask("GET", path, **headers)


@dataclass
class Containers:
    """The Compose project of this run."""

    folder: Path
    name: str = field(default_factory=lambda: f"rotative-test-{uuid.uuid4().hex[:8]}")
    port: int = field(default_factory=free_port)
    flower_port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        """Write the settings and the override file of this run."""
        subprocess.run(["sh", str(ROOT / "docker" / "make-env.sh"), str(self.env_file)], check=True)
        with self.env_file.open("a") as file:
            file.write(
                f"ROTATIVE_PORT={self.port}\nFLOWER_PORT={self.flower_port}\n"
                f"ROTATIVE_BASE_URL=http://127.0.0.1:{self.port}\n"
                "ROTATIVE_WEBHOOK_ALLOW=10.0.0.0/8 172.16.0.0/12 192.168.0.0/16\n"
            )
        self.notes = self.folder / "notes"
        self.notes.mkdir(mode=0o777)
        self.notes.chmod(0o777)
        services: dict[str, Any] = {name: {"build": {"network": "host"}} for name in BUILT}
        services["receiver"] = {
            "image": "rotative-publish",
            "command": ["python", "/receiver.py", "/notes/deliveries"],
            "volumes": [f"{ROOT}/tests/compose/receiver.py:/receiver.py:ro", f"{self.notes}:/notes"],
            "depends_on": ["publish-api"],
            "init": True,
        }
        (self.folder / "override.json").write_text(json.dumps({"services": services}))

    @property
    def env_file(self) -> Path:
        """The settings of this run."""
        return self.folder / "env"

    def setting(self, name: str) -> str:
        """One of them."""
        found = re.search(rf"^{name}=(.*)$", self.env_file.read_text(), re.MULTILINE)
        check(found, f"{name} is in no line of the settings")
        return found.group(1) if found else ""

    def compose(
        self, *arguments: str, env_file: Path | None = None, within_s: float = 900
    ) -> subprocess.CompletedProcess[str]:
        """Run Compose on this project, with no setting but those of this run."""
        extra = os.environ.get("COMPOSE_TEST_OVERRIDE", "")
        files = [str(ROOT / "docker-compose.yml"), str(self.folder / "override.json"), *([extra] if extra else [])]
        ours = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
        command = [*shlex.split(os.environ.get("COMPOSE_COMMAND", "docker compose"))]
        command += ["--env-file", str(env_file or self.env_file), "--project-name", self.name]
        command += [word for file in files for word in ("--file", file)]
        environment = {name: value for name, value in os.environ.items() if name not in ours}
        return subprocess.run(
            [*command, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=within_s,
        )

    def must(self, *arguments: str, within_s: float = 900) -> str:
        """The same; raises Failed with what it said when it fails."""
        done = self.compose(*arguments, within_s=within_s)
        check(done.returncode == 0, f"compose {' '.join(arguments)} failed:\n{done.stdout[-6000:]}")
        return done.stdout

    def states(self) -> dict[str, str]:
        """Each container's name, and "healthy", "starting", "unhealthy", or its state where it has no health check."""
        form = "{{.Name}} {{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}"
        ids = docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={self.name}").split()
        lines = docker("inspect", "--format", form, *ids).splitlines() if ids else []
        return dict(line.strip("/").split(" ") for line in lines)

    def wait_until_healthy(self, least: int) -> None:
        """Wait until at least so many containers are there and every one is healthy."""
        states: dict[str, str] = {}

        def healthy() -> bool:
            nonlocal states
            states = self.states()
            return len(states) >= least and all(state in {"healthy", "running"} for state in states.values())

        try:
            wait_for(healthy, "every container healthy", 180, every_s=1)
        except Failed as error:
            raise Failed(f"{error}; they are {states}") from None

    def remove(self) -> None:
        """Remove containers, networks and volumes of this run."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5", within_s=180)

    def web(self, *, key: bool = True) -> Client:
        """A client of the site and the API, with the first key or as a reader."""
        return Client(self.port, {"Authorization": f"Bearer {self.setting('ROTATIVE_ADMIN_KEY')}"} if key else {})

    def flower(self, *, password: bool = True) -> Client:
        """A client of Flower, with its password or without."""
        words = base64.b64encode(f"newsroom:{self.setting('FLOWER_PASSWORD')}".encode()).decode()
        return Client(self.flower_port, {"Authorization": f"Basic {words}"} if password else {})


def docker(*arguments: str) -> str:
    """What Docker says."""
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True, timeout=60).stdout


def article(number: int) -> dict[str, Any]:
    """An article like no other."""
    sections = ("politique", "economie", "societe", "culture", "sport")
    place = ("Marseille", "Tunis", "Alger", "Beyrouth", "Naples", "Barcelone", "Tanger")[number % 7]
    return {
        "headline": f"{place} : le chantier du port numéro {number} commence {uuid.uuid4().hex[:8]}",
        "standfirst": f"Les travaux du bassin {number} durent trois semaines.",
        "body": {"format": "text", "text": f"Le chantier de {place} ouvre lundi.\n\nLe bassin {number} reste fermé."},
        "language": "fr",
        "section": sections[number % len(sections)],
        "bylines": ["Nadia Benali"],
        "status": "live",
    }


def post(client: Client, sent: Mapping[str, Any]) -> Any:
    """Post an article that must be accepted; the article as the API answers."""
    answer = client.ask("POST", "/v1/articles", sent)
    check(answer.status == 201, f"a post was answered {answer.status}: {answer.text[:500]}")
    return answer.json


def a_missing_secret_is_named(containers: Containers) -> None:
    """Compose refuses to start without a secret, in a sentence that names it."""
    for name in ("ROTATIVE_ADMIN_KEY", "REDIS_PASSWORD", "PUBLISH_DB_PASSWORD"):
        lines = containers.env_file.read_text().splitlines()
        lacking = containers.folder / "lacking"
        lacking.write_text("\n".join(line for line in lines if not line.startswith(f"{name}=")) + "\n")
        done = containers.compose("config", env_file=lacking)
        check(done.returncode != 0, f"Compose starts without {name}")
        check(f"{name} is missing" in done.stdout, f"Compose does not name {name}: {done.stdout[-500:]}")


def nobody_is_root(containers: Containers) -> None:
    """Every process of ours runs as a user without rights."""
    for name in OURS:
        uid = containers.must("exec", "-T", name, "id", "-u").strip().splitlines()[-1]
        check(uid not in {"0", ""}, f"{name} runs as user {uid}")


def an_article_goes_live_and_is_killed(containers: Containers) -> None:
    """One article from its post to its tombstone, as editors and readers see it through nginx."""
    desk, reader = containers.web(), containers.web(key=False)
    check(reader.ask("POST", "/v1/articles", article(0)).status == 401, "a post without a key is not refused")
    made = post(desk, article(1))
    path = made["path"]

    page = wait_for(lambda: _page(reader, path, made["headline"]), "the page of the first article", 30)
    for name, value in {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "public, max-age=0, s-maxage=1, stale-while-revalidate=1, stale-if-error=86400",
        "x-content-type-options": "nosniff",
        "referrer-policy": "strict-origin-when-cross-origin",
        "vary": "Accept-Encoding",
    }.items():
        check(page.headers.get(name) == value, f"{name} of a page is {page.headers.get(name)!r}")
    direct = containers.must("exec", "-T", "publish-api", "python", "-c", _HEADERS.format(path=path))
    check(
        page.headers["content-security-policy"] in direct,
        f"nginx's security policy is not publish's: {page.headers['content-security-policy']} and {direct}",
    )
    packed = reader.get(path, Accept_Encoding="gzip")
    check(packed.headers.get("content-encoding") == "gzip", "the page does not come compressed")
    for asked, wanted in {f"{path}/": path, "/sport": "/sport/"}.items():
        answer = wait_for(partial(_with_status, reader, asked, 301), f"{asked} to lead on", 30)
        check(answer.headers["location"] == wanted, f"{asked} leads to {answer.headers['location']}")
    wait_for(lambda: made["url"] in reader.get("/feed.xml").text, "the article in the feed", 30)
    wait_for(lambda: made["path"] in reader.get("/").text, "the article on the front page", 30)
    wait_for(lambda: desk.get(f"/v1/articles/{made['id']}").json["live_at"], "live_at on the article", 30)

    for asked, status, kind in (
        ("/no/such-page", 404, "text/html; charset=utf-8"),
        ("/v1/nothing", 404, "application/problem+json"),
        ("/v1/related/nothing", 404, "application/problem+json"),
        ("/openapi.json", 200, "application/json"),
        ("/docs", 200, "text/html; charset=utf-8"),
        ("/readyz", 200, "text/plain; charset=utf-8"),
        ("/metrics", 401, "application/problem+json"),
        ("/robots.txt", 200, "text/plain; charset=utf-8"),
    ):
        answer = reader.get(asked)
        found = (answer.status, answer.headers.get("content-type"))
        check(found == (status, kind), f"{asked} is answered {found}")
    for service in ("ingest", "recommend", "publish"):
        check(desk.get(f"/v1/{service}/status").json["service"] == service, f"/v1/{service}/status is another's")
    large = desk.ask("POST", "/v1/articles", {"headline": "x" * 10_000_000})
    check((large.status, large.json["code"]) == (413, "too-large"), f"10 MB are answered {large.status}")

    killed = desk.ask("POST", f"/v1/articles/{made['id']}/kill", {"reason": "Un essai."})
    check(killed.status == 200, f"the kill was answered {killed.status}: {killed.text[:500]}")
    gone = wait_for(lambda: _with_status(reader, path, 410), "410 after the kill", 30)
    check(gone.headers["content-type"] == "text/html; charset=utf-8", "the tombstone is no page")
    check(made["headline"] not in gone.text and len(gone.content) > 300, "the tombstone is not the newsroom's")
    check(reader.get(f"{path}/").status == 410, "the tombstone does not stand at the address with a slash")
    wait_for(lambda: made["url"] not in reader.get("/feed.xml").text, "the killed article out of the feed", 30)


_HEADERS = (
    "import urllib.request; "
    "print(urllib.request.urlopen('http://127.0.0.1:8000{path}').headers['Content-Security-Policy'])"
)


def _page(reader: Client, path: str, headline: str) -> Answer | None:
    answer = reader.get(path)
    return answer if answer.status == 200 and headline.rpartition(" ")[2] in answer.text else None


def _with_status(reader: Client, path: str, status: int) -> Answer | None:
    answer = reader.get(path)
    return answer if answer.status == status else None


def the_site_stands_when_the_rest_is_down(containers: Containers) -> None:
    """Without a service, a database or Redis, readers are served, and editors told that they must try again."""
    desk, reader = containers.web(), containers.web(key=False)
    made, other = post(desk, article(2)), post(desk, article(3))
    killed = desk.ask("POST", f"/v1/articles/{other['id']}/kill", {"reason": "Un essai."})
    check(killed.status == 200, f"the kill was answered {killed.status}: {killed.text[:500]}")
    wait_for(partial(_page, reader, made["path"], made["headline"]), "a page", 30)
    wait_for(partial(_with_status, reader, other["path"], 410), "a tombstone", 30)

    down = ("ingest-api", "recommend-api", "publish-api", "redis", "postgres")
    containers.must("stop", *down)

    for path, status in {made["path"]: 200, other["path"]: 410, "/": 200, "/feed.xml": 200, "/no/page": 404}.items():
        answer = reader.get(path)
        check(answer.status == status, f"{path} is answered {answer.status} without the services")
    for path in ("/v1/articles", "/v1/related/nothing", "/v1/subscriptions"):
        answer = desk.get(path)
        check(answer.status == 503, f"{path} is answered {answer.status} without its service")
        check(answer.json["code"] == "unavailable", f"{path} is answered {answer.text}")
    containers.must("up", "-d")
    containers.wait_until_healthy(least=15)


def publishing_is_fast(containers: Containers, count: int = 60) -> None:
    """Say how long it takes from a post to its page, one at a time."""
    desk, reader = containers.web(), containers.web(key=False)
    took_ms = []
    for number in range(count):
        began = time.perf_counter()
        made = post(desk, article(number))
        wait_for(partial(_page, reader, made["path"], made["headline"]), "a page", 30, every_s=0.002)
        took_ms.append((time.perf_counter() - began) * 1000)
    cuts = statistics.quantiles(took_ms, n=100)
    say(f"from post to page: p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms, slowest {max(took_ms):.0f} ms")


def workers_scale(containers: Containers) -> None:
    """Three publish workers share the work."""
    containers.must("up", "-d", "--no-recreate", "--scale", "publish-worker=3")
    containers.wait_until_healthy(least=17)
    flower = containers.flower()

    def three() -> bool:
        workers: dict[str, Any] = flower.get("/api/workers?refresh=1").json
        return sum(name.startswith("publish@") for name in workers) == 3

    wait_for(three, "three publish workers in Flower", 60, every_s=1)


def flower_shows_the_tasks(containers: Containers) -> None:
    """Behind a password, Flower shows every service's tasks by name with a short line of arguments."""
    check(containers.flower(password=False).get("/").status == 401, "Flower opens without its password")
    flower = containers.flower()

    def all_three() -> dict[str, Any] | None:
        tasks: dict[str, Any] = flower.get("/api/tasks?limit=1000").json
        names = {(task["name"] or "").partition(".")[0] for task in tasks.values()}
        return tasks if names >= {"ingest", "recommend", "publish"} else None

    tasks = wait_for(all_three, "tasks of all three services in Flower", 60, every_s=1)
    for task in tasks.values():
        arguments = f"{task['args'] or ''}{task['kwargs'] or ''}"
        check(len(arguments) <= 200, f"{task['name']} has long arguments in Flower: {arguments[:300]}")
        check("Le bassin" not in arguments, f"{task['name']} shows a body in Flower: {arguments[:300]}")
    shown = Counter(task["name"] for task in tasks.values() if task["name"])
    example = next(task for task in tasks.values() if task["name"] == "publish.on_article_published")
    say(f"Flower: {', '.join(sorted(shown))}; for example {example['name']}({example['args']})")
    ended = flower.ask("POST", "/api/worker/shutdown/publish@nobody")
    check(ended.status in {403, 404, 405}, f"Flower lets workers be stopped: {ended.status}")


@dataclass
class Load:
    """Posts articles in threads, and kills some, until told to stop; what is not answered is asked again."""

    containers: Containers
    accepted: dict[str, Any] = field(default_factory=dict)
    killed: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    unanswered: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def running(self, clients: int = 4) -> Iterator[None]:
        """Post with so many clients at once; every post is answered when this ends."""
        threads = [threading.Thread(target=self._post, args=(number,), daemon=True) for number in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join(120)
        check(not any(thread.is_alive() for thread in threads), "a post was never answered")

    def _post(self, client: int) -> None:
        desk = self.containers.web()
        number = client * 100_000
        while not self.stop.wait(0.03):
            number += 1
            sent, key = article(number), uuid.uuid4().hex
            made = self._until_answered(desk, "/v1/articles", sent, key)
            if made is None:
                continue
            self.accepted[made["id"]] = made
            if number % 10 == 0:
                self._until_answered(desk, f"/v1/articles/{made['id']}/kill", {"reason": "Un essai."}, uuid.uuid4().hex)
                self.killed.add(made["id"])

    def _until_answered(self, desk: Client, path: str, sent: object, key: str) -> Any:
        ends = time.monotonic() + 300
        while time.monotonic() < ends:
            try:
                answer = desk.ask("POST", path, sent, Idempotency_Key=key)
            except ConnectionError:
                self.unanswered += 1
            else:
                if answer.status in {200, 201}:
                    return answer.json
                if answer.status < 500:
                    self.faults.append(f"POST {path} was answered {answer.status}: {answer.text[:300]}")
                    return None
                self.unanswered += 1
            ASIDE.wait(0.25)
        self.faults.append(f"POST {path} was not answered")
        return None


def nothing_is_lost_when_all_is_stopped(containers: Containers) -> None:
    """Everything is stopped and removed in the middle of a load and started again; every article answered is there."""
    desk, reader = containers.web(), containers.web(key=False)
    subscription = desk.ask("POST", "/v1/subscriptions", {"channel": "webhook", "url": "http://receiver:9000/hook"})
    check(subscription.status == 201, f"the subscription was answered {subscription.status}: {subscription.text[:500]}")
    load = Load(containers)
    with load.running():
        wait_for(lambda: len(load.accepted) >= 150, "150 articles accepted", 60)
        before = len(load.accepted)
        containers.must("down", "--remove-orphans")
        check(not containers.states(), "down leaves containers")
        say(f"down with {before} articles accepted; up again")
        containers.must("up", "-d")
        containers.wait_until_healthy(least=15)
        enough = len(load.accepted) + 100
        wait_for(lambda: len(load.accepted) >= enough, "another 100 articles accepted", 120)
    check(not load.faults, f"the load met faults: {load.faults[:3]}")

    def missing() -> list[str]:
        return [made["path"] for made in load.accepted.values() if not _is_right(reader, made, load.killed)]

    wait_for(lambda: not missing(), "every accepted article live, every killed one gone", 120, every_s=1)
    kept = [made for made in load.accepted.values() if made["id"] not in load.killed]
    newest = max(kept, key=lambda made: made["id"])
    wait_for(lambda: newest["url"] in reader.get("/feed.xml").text, "the newest article in the feed", 60)

    def told() -> dict[str, set[str]]:
        by_article: dict[str, set[str]] = {}
        for line in (containers.notes / "deliveries").read_text().splitlines():
            note = json.loads(line)
            if note["type"] == "article.published":
                by_article.setdefault(note["article"], set()).add(note["id"])
        return by_article

    wait_for(lambda: all(made["id"] in told() for made in kept), "every article announced", 180, every_s=1)
    twice = [one for one, ids in told().items() if len(ids) > 1]
    check(not twice, f"announced twice: {twice[:3]}")
    dead = {name: desk.get(f"/v1/{name}/dead").json["items"] for name in ("ingest", "recommend", "publish")}
    check(not any(dead.values()), f"there are dead letters: {json.dumps(dead)[:1000]}")
    say(
        f"{len(load.accepted)} articles accepted, {len(load.killed)} of them killed, {load.unanswered} requests not "
        "answered and asked again: none lost, none announced twice"
    )


def _is_right(reader: Client, made: Mapping[str, Any], killed: set[str]) -> bool:
    if made["id"] in killed:
        return reader.get(made["path"]).status == 410
    return _page(reader, made["path"], made["headline"]) is not None


def make(containers: Containers) -> None:
    """The whole journey."""
    a_missing_secret_is_named(containers)
    say("a missing secret is named")
    containers.must("build")
    say("the images are built")
    containers.must("up", "-d")
    containers.wait_until_healthy(least=15)
    say("every container is healthy")
    nobody_is_root(containers)
    an_article_goes_live_and_is_killed(containers)
    say("an article went live through nginx, and its kill is 410")
    the_site_stands_when_the_rest_is_down(containers)
    say("the site stood while the services, Redis and the database were down")
    publishing_is_fast(containers)
    workers_scale(containers)
    say("three publish workers run")
    flower_shows_the_tasks(containers)
    nothing_is_lost_when_all_is_stopped(containers)


def main() -> int:
    """0 when all is as it should be; else 1, with what is not, and the last lines of the logs."""

    def too_long(*_: object) -> None:
        raise Failed(f"the test took longer than {LIMIT_S} s")

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LIMIT_S)
    with tempfile.TemporaryDirectory(prefix="rotative-compose-") as folder:
        containers = Containers(Path(folder))
        try:
            make(containers)
        except (Failed, OSError, subprocess.SubprocessError) as error:
            say(f"failed: {error}")
            print(containers.compose("logs", "--no-color", "--tail", "30").stdout[-20000:])
            return 1
        finally:
            signal.alarm(0)
            containers.remove()
    say("all is as it should be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
