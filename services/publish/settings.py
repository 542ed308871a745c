"""What publish needs to know beyond what every service does."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.outgoing import Network
from shared.settings import Env, ServiceSettings


@dataclass(frozen=True, kw_only=True)
class Smtp:
    """The relay that takes mail. tls: "starttls" when it is offered, "tls" from the first byte.

    connections: so many at once. per_second: so many messages at most.
    """

    host: str
    port: int
    tls: str
    user: str = ""
    password: str = field(default="", repr=False)
    connections: int = 2
    per_second: float = 10.0


@dataclass(frozen=True, kw_only=True)
class PublishSettings(ServiceSettings):
    """site_folder: holds site/ (finished pages) and gone/ (tombstones). theme_dir: the newsroom's own theme.

    webhook_allow: private networks that webhooks may reach. webhook_timeout_s: for one attempt.
    public_check: nobody is told before the public address shows the page as well. search_url: where recommend answers
    the search page's question; None where the gateway asks it. avif: whether pictures are made as AVIF too. smtp: None
    where no mail is sent. digest_hour: of the newsroom's day, when the daily letter is made. websub_hubs: told when
    feeds change, and named in them.
    """

    site_folder: Path
    theme_dir: Path | None = None
    webhook_allow: tuple[Network, ...] = ()
    webhook_timeout_s: float = 15.0
    public_check: bool = False
    search_url: str | None = None
    avif: bool = False
    smtp: Smtp | None = None
    digest_hour: time = time(7)
    websub_hubs: tuple[str, ...] = ()

    @classmethod
    def read(cls, env: Env, service: str) -> dict[str, object]:
        """The constructor's arguments."""
        values = super().read(env, service)
        store = env.text("ROTATIVE_SITE_STORE")
        if "://" in store:
            env.fault("ROTATIVE_SITE_STORE", f"should be a folder, not {store!r}")
            store = ""
        theme = env.optional_path("ROTATIVE_THEME")
        if theme is not None and not theme.is_dir():
            env.fault("ROTATIVE_THEME", f"should be a folder that exists, not {str(theme)!r}")
        search = env.text("ROTATIVE_SEARCH_URL").rstrip("/")
        if search and not search.startswith(("http://", "https://")):
            env.fault(
                "ROTATIVE_SEARCH_URL", f"should be an http address like http://recommend-api:8000, not {search!r}"
            )
        return {
            **values,
            "site_folder": Path(store).absolute() if store else values["data_dir"],
            "theme_dir": theme.absolute() if theme is not None else None,
            "webhook_allow": _networks(env, "ROTATIVE_WEBHOOK_ALLOW"),
            "webhook_timeout_s": env.number("ROTATIVE_WEBHOOK_TIMEOUT_S", 15, at_least=0.1, at_most=30),
            "public_check": env.flag("ROTATIVE_PUBLIC_CHECK", False),
            "smtp": _smtp(env),
            "digest_hour": _hour(env, "ROTATIVE_DIGEST_HOUR", "07:00"),
            "websub_hubs": _urls(env, "ROTATIVE_WEBSUB_HUBS"),
            "search_url": search or None,
            "avif": env.flag("ROTATIVE_AVIF", False),
        }


def _smtp(env: Env) -> Smtp | None:
    text = env.text("ROTATIVE_SMTP_URL")
    connections = env.integer("ROTATIVE_SMTP_CONNECTIONS", 2, at_least=1, at_most=20)
    per_second = env.number("ROTATIVE_SMTP_PER_SECOND", 10, at_least=0.01, at_most=1000)
    if not text:
        return None
    should = "should be smtp://HOST:PORT or smtps://HOST:PORT, with USER:PASSWORD@ before the host if need be"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in {"smtp", "smtps"} or not host or parts.path not in {"", "/"}:
        env.fault("ROTATIVE_SMTP_URL", f"{should} (value not shown: it may hold a password)")
        return None
    tls = "tls" if parts.scheme == "smtps" else "starttls"
    return Smtp(
        host=host,
        port=port or (465 if tls == "tls" else 587),
        tls=tls,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        connections=connections,
        per_second=per_second,
    )


def _hour(env: Env, name: str, default: str) -> time:
    text = env.text(name, default)
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 (an hour of the newsroom's day)
    except ValueError:
        env.fault(name, f"should be an hour like 07:00, not {text!r}")
        return time(7)


def _urls(env: Env, name: str) -> tuple[str, ...]:
    found = env.text(name).split()
    for url in found:
        if not url.startswith(("https://", "http://")):
            env.fault(name, f"should be URLs that begin with https://, not {url!r}")
    return tuple(found)


def _networks(env: Env, name: str) -> tuple[Network, ...]:
    found = []
    for text in env.text(name).replace(",", " ").split():
        try:
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            env.fault(name, f"should be networks like 10.0.0.0/8 or 127.0.0.1/32, not {text!r}")
    return tuple(found)
