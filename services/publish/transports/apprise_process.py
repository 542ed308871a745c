"""The process that speaks for Apprise, so that whatever a service of its does is bounded from outside.

It reads one JSON object a line, and answers with one. Every connection of it is checked when it is made, on the very
address, also after a redirect or another look-up; redirects are not followed, no more is read of an answer than anybody
needs, no program is started, and no socket but TCP's is used. Its parent bounds its time by ending it.

{"url", "allow": [networks], "title", "body"} sends; with "check" instead of a title it only looks whether it could.
The answer: {"fault"} of a URL that cannot be used, else {"taken", "status", "refused", "sent"}; sent: whether all of it
may have arrived.
"""

from __future__ import annotations

import importlib
import io
import ipaddress
import json
import logging
import resource
import select
import smtplib
import socket
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from shared.outgoing import Network, Refused, is_allowed, is_inside

ANSWER_BYTES = 64_000
# Of memory, as the system counts it: Apprise and its services take a tenth of that.
MOST_BYTES = 1 << 30
# For a connection, and between two pieces of an answer.
TIMEOUT_S = 10.0
# It ends when nothing was asked of it for so long.
IDLE_S = 90.0
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Those of Apprise's services that speak HTTP in the clear to any host that their URL names.
PLAIN = frozenset({"json", "xml", "form"})
_PROGRAMS = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "pty.spawn"}
)


class Watch:
    """What the services do: each connection is allowed or refused, and what came of the message is known."""

    def __init__(self) -> None:
        self.allow: tuple[Network, ...] = ()
        self.begin(())

    def begin(self, allow: Sequence[Network]) -> None:
        """Forget what was."""
        self.allow = tuple(allow)
        self.plain = self.sent = False
        self.refused = ""
        self.status: int | None = None

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Look at what Python is about to do. Raises Refused. Source: docs.python.org/3/library/audit_events.html."""
        if event == "socket.connect":
            self._look_at(arguments[0], arguments[1])
        elif event in {"socket.sendto", "socket.sendmsg"}:
            self._refuse("it wants to send what is no TCP")
        elif event in _PROGRAMS:
            self._refuse("it wants to start a program")

    def _look_at(self, made: socket.socket, address: Any) -> None:
        if made.family not in {socket.AF_INET, socket.AF_INET6} or made.type != socket.SOCK_STREAM:
            self._refuse("it wants to connect by other means than TCP")
        try:
            found = ipaddress.ip_address(str(address[0]).partition("%")[0])
        except ValueError:
            self._refuse("it wants to connect to a name that was not looked up")
        if not (is_inside if self.plain else is_allowed)(found, self.allow):
            self._refuse(f"{found} is not in a network that may be reached{' without TLS' if self.plain else ''}")

    def _refuse(self, why: str) -> None:
        self.refused = why
        raise Refused(why)


watch = Watch()


def bound_http() -> None:
    """Have whatever asks by `requests` send through an adapter of ours."""
    requests: Any = importlib.import_module("requests")
    http_errors: Any = importlib.import_module("urllib3.exceptions")

    class Bounded(requests.adapters.HTTPAdapter):
        """Follows nothing, waits and reads no longer than it should, and asks no proxy."""

        def send(self, request: Any, **options: Any) -> Any:
            """One request. Raises requests.ConnectionError."""
            watch.plain = urlsplit(request.url).scheme != "https"
            watch.sent = True
            bounds = {"stream": True, "timeout": TIMEOUT_S, "proxies": {}}
            try:
                answer = super().send(request, **{**options, **bounds})
            except (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError):
                watch.sent = False
                raise
            except requests.exceptions.ConnectionError as error:
                cause = getattr(error.args[0] if error.args else None, "reason", None)
                watch.sent = not isinstance(cause, http_errors.NewConnectionError | http_errors.SSLError)
                raise
            watch.status = answer.status_code
            if answer.status_code in REDIRECTS:
                answer.close()
                raise requests.exceptions.ConnectionError("it leads elsewhere, and redirects are not followed")
            try:
                first = answer.raw.read(ANSWER_BYTES, decode_content=True)
            except (http_errors.HTTPError, OSError):
                # With its status the service has answered, whatever becomes of the text that explains it.
                first = b""
            finally:
                answer.raw.close()
            answer.raw = io.BytesIO(first)
            return answer

    requests.sessions.HTTPAdapter = Bounded


class Mail(smtplib.SMTP):
    """Notes when a message was handed over."""

    def data(self, msg: Any) -> Any:
        """See smtplib."""
        watch.sent = True
        return super().data(msg)


class MailByTls(smtplib.SMTP_SSL):
    """The same, by TLS from the first byte."""

    def data(self, msg: Any) -> Any:
        """See smtplib."""
        watch.sent = True
        return super().data(msg)


def target_of(library: Any, url: str, allow: Sequence[Network]) -> tuple[Any, str]:
    """The service that a URL names, or None, and what is wrong with the URL."""
    scheme = url.partition("://")[0].lower()
    known = importlib.import_module("apprise.manager_plugins").NotificationManager()
    if "://" not in url:
        return None, "An Apprise URL begins with its service: mailto://, slack://, ntfy://."
    if scheme in known and not _speaks(known[scheme]):
        return None, f"{scheme}:// speaks neither HTTP nor mail: what it does here cannot be bounded."
    quiet = library.AppriseAsset(plugin_paths=[], storage_mode=library.PersistentStoreMode.MEMORY)
    target = library.Apprise.instantiate(url, asset=quiet, suppress_exceptions=True)
    if target is None:
        return None, "Apprise knows no such service, or this URL lacks something that the service needs."
    if not _speaks(type(target)):
        return None, f"{scheme}:// speaks neither HTTP nor mail: what it does here cannot be bounded."
    return target, _fault_of_host(scheme, str(getattr(target, "smtp_host", "") or target.host or ""), allow)


def _speaks(service: type) -> bool:
    """Whether a service asks by `requests` or `smtplib`, which are bounded."""
    home = service.__module__
    folder = home.rpartition(".")[0] if home.count(".") > 2 else home
    modules = [one for name, one in list(sys.modules.items()) if name == home or name.startswith(f"{folder}.")]
    return any(hasattr(one, "requests") or hasattr(one, "smtplib") for one in modules)


def _fault_of_host(scheme: str, host: str, allow: Sequence[Network]) -> str:
    """What is wrong with where it leads; "" when nothing is, or when what stands there is no host."""
    try:
        found = [ipaddress.ip_address(host.strip("[]"))]
    except ValueError:
        if "." not in host and host.lower() != "localhost":
            return ""
        try:
            found = [ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in socket.getaddrinfo(host, None)]
        except (OSError, UnicodeError):
            return ""
    if not any(is_allowed(one, allow) for one in found):
        return "The URL leads to a private network, which ROTATIVE_WEBHOOK_ALLOW does not name."
    if scheme in PLAIN and not any(is_inside(one, allow) for one in found):
        return f"The URL should begin with {scheme}s://: {scheme}:// is for networks that ROTATIVE_WEBHOOK_ALLOW names."
    return ""


def answer(library: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """What came of what was asked; see the module."""
    allow = [ipaddress.ip_network(one) for one in asked["allow"]]
    watch.begin(allow)
    target, fault = target_of(library, asked["url"], allow)
    if "check" in asked or target is None:
        return {"fault": fault}
    sender = library.Apprise()
    sender.add(target)
    taken = bool(sender.notify(title=asked["title"], body=asked["body"]))
    return {"fault": "", "taken": taken, "status": watch.status, "refused": watch.refused, "sent": watch.sent}


def main() -> None:
    """Answer until there is nothing more to answer."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    bound_http()
    smtplib.SMTP, smtplib.SMTP_SSL = Mail, MailByTls  # type: ignore[misc]
    library: Any = importlib.import_module("apprise")
    # It would log URLs, with the passwords in them.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    known = importlib.import_module("apprise.manager_plugins").NotificationManager()
    known.load_modules()
    sys.addaudithook(watch.audit)
    while select.select([sys.stdin], [], [], IDLE_S)[0]:
        line = sys.stdin.readline()
        if not line:
            return
        sys.stdout.write(json.dumps(answer(library, json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
