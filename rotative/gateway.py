"""One port for everything: hands each request to the service that owns its path (DESIGN section 4's table)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.test import EnvironBuilder

import shared
from rotative.parts import SERVICES, create_app_of, settings_of
from shared import logs

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

DOCS = Path(shared.__file__).with_name("docs.html")  # rotative/openapi.py writes it

# The first word after /v1/ says whose it is; whatever is not here, pages included, is publish's.
OWNERS: dict[str, str] = {
    "articles": "ingest",
    "media": "ingest",
    "keys": "ingest",
    "ingest": "ingest",
    "related": "recommend",
    "similar": "recommend",
    "search": "recommend",
    "recommend": "recommend",
}


def owner_of(path: str) -> str:
    """The service that answers a path: "ingest", "recommend" or "publish"."""
    if not path.startswith("/v1/"):
        return "publish"
    return OWNERS.get(path[4:].partition("/")[0], "publish")


class Gateway:
    """A WSGI application made of the three services'. apps: one for each service name. on_close: what close() calls.

    /readyz and /metrics are answered by all three: the first that cannot serve speaks for the process.
    """

    def __init__(self, apps: Mapping[str, WSGIApplication], on_close: Sequence[Callable[[], None]] = ()) -> None:
        self._apps = dict(apps)
        self._on_close = tuple(on_close)

    def close(self) -> None:
        """Send what the services have still to send, and close their connections."""
        for close in self._on_close:
            close()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if path == "/docs":
            return self._docs(start_response)
        if path == "/readyz":
            return self._readiness(environ, start_response)
        if path == "/metrics":
            return self._metrics(environ, start_response)
        return self._apps[owner_of(path)](environ, start_response)

    @staticmethod
    def _docs(start_response: StartResponse) -> Iterable[bytes]:
        policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", policy)])
        return [DOCS.read_bytes()]

    def _readiness(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answers = self._ask_all(environ)
        status, headers, body = answers[-1]
        start_response(status, headers)
        return [body]

    def _metrics(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answers = self._ask_all(environ)
        status, headers, body = answers[-1]
        if status.startswith("200"):
            body = join_metrics([text.decode() for _, _, text in answers]).encode()
            headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        start_response(status, headers)
        return [body]

    def _ask_all(self, environ: WSGIEnvironment) -> list[tuple[str, list[tuple[str, str]], bytes]]:
        """Each service's answer, up to the first that is not 200."""
        answers: list[tuple[str, list[tuple[str, str]], bytes]] = []
        for app in self._apps.values():
            answers.append(_ask(app, dict(environ)))
            if not answers[-1][0].startswith("200"):
                break
        return answers


def join_metrics(texts: Iterable[str]) -> str:
    """Prometheus texts as one: each metric's HELP and TYPE once, the samples of all beneath, as its format asks."""
    families: dict[str, list[str]] = {}
    for text in texts:
        family: list[str] = []
        for line in text.splitlines():
            if line.startswith("# HELP "):
                family = families.setdefault(line.split(" ", 3)[2], [line])
            elif line and not (line.startswith("#") and line in family):
                family.append(line)
    return "".join(f"{line}\n" for lines in families.values() for line in lines)


def _ask(app: WSGIApplication, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    heard: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
        heard.append((status, headers))
        return lambda _data: None

    body = app(environ, start)
    try:
        content = b"".join(body)
    finally:
        if close := getattr(body, "close", None):
            close()
    status, headers = heard[-1]
    return status, headers, content


def _search_in(app: WSGIApplication) -> Callable[[Mapping[str, str], str], Mapping[str, Any]]:
    """A search that asks this app's /v1/search. It raises OSError for any answer but 200."""

    def search(query: Mapping[str, str], address: str) -> Mapping[str, Any]:
        environ = EnvironBuilder("/v1/search", query_string=dict(query)).get_environ()
        status, _, content = _ask(app, {**environ, "REMOTE_ADDR": address or "127.0.0.1"})
        if not status.startswith("200"):
            raise OSError(f"search answered {status}")
        found: Mapping[str, Any] = json.loads(content)
        return found

    return search


def create_gateway() -> Gateway:
    """The gateway over the three real services, each with its settings from the environment."""
    settings = {service: settings_of(service) for service in SERVICES}
    apps = {service: create_app_of(service, settings[service]) for service in SERVICES}
    # The search page asks recommend within this process: no connection, and no thread that waits for another.
    apps["publish"].extensions.setdefault("search", _search_in(apps["recommend"]))
    logs.set_up("web", settings["publish"].log_level)
    return Gateway(apps, [app.extensions["rotative"].close for app in apps.values()])
