"""What publish needs to know beyond what every service does."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from services.publish.purging import Purge
from services.publish.site.s3 import Place
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
    """site_folder: holds site/ (finished pages) and gone/ (tombstones). site_bucket: holds them instead.
    purge: how a cache in front is told of what has changed. theme_dir: the newsroom's own theme.

    webhook_allow: private networks that webhooks may reach. webhook_timeout_s: for one attempt.
    public_check: nobody is told before the public address shows the page as well. search_url: where recommend answers
    the search page's question; None where the gateway asks it. avif: whether pictures are made as AVIF too. smtp: None
    where no mail is sent. digest_hour: of the newsroom's day, when the daily letter is made. websub_hubs: told when
    feeds change, and named in them.
    """

    site_folder: Path
    site_bucket: Place | None = None
    purge: Purge | None = None
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
        store, bucket = env.text("ROTATIVE_SITE_STORE"), None
        endpoint = env.text("ROTATIVE_SITE_ENDPOINT").rstrip("/")
        if "://" in store:
            store, bucket = "", _bucket(env, store, endpoint)
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
            "site_bucket": bucket,
            "purge": _purge(env),
            "theme_dir": theme.absolute() if theme is not None else None,
            "webhook_allow": env.networks("ROTATIVE_WEBHOOK_ALLOW"),
            "webhook_timeout_s": env.number("ROTATIVE_WEBHOOK_TIMEOUT_S", 15, at_least=0.1, at_most=30),
            "public_check": env.flag("ROTATIVE_PUBLIC_CHECK", False),
            "smtp": _smtp(env),
            "digest_hour": _hour(env, "ROTATIVE_DIGEST_HOUR", "07:00"),
            "websub_hubs": _urls(env, "ROTATIVE_WEBSUB_HUBS"),
            "search_url": search or None,
            "avif": env.flag("ROTATIVE_AVIF", False),
        }


def _bucket(env: Env, store: str, endpoint: str) -> Place | None:
    if endpoint and not endpoint.startswith(("http://", "https://")):
        env.fault("ROTATIVE_SITE_ENDPOINT", f"should be an address like https://s3.example.org, not {endpoint!r}")
    found = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9._-]+)*)/?", store)
    if found is None:
        env.fault("ROTATIVE_SITE_STORE", f"should be a folder, or s3://BUCKET/PREFIX, not {store!r}")
        return None
    if importlib.util.find_spec("obstore") is None:
        env.fault("ROTATIVE_SITE_STORE", "needs the extra for S3: pip install 'rotative[s3]'")
    return Place(found[1], found[2].strip("/"), endpoint)


def _purge(env: Env) -> Purge | None:
    url, form = env.text("ROTATIVE_PURGE_URL"), env.text("ROTATIVE_PURGE_AS", "each")
    header = env.text("ROTATIVE_PURGE_HEADER")
    if form not in {"each", "paths", "files"}:
        env.fault("ROTATIVE_PURGE_AS", f"should be each, paths or files, not {form!r}")
    if header and not re.fullmatch(r"[A-Za-z0-9-]+: *[\x21-\x7e][\x20-\x7e]*", header):
        env.fault("ROTATIVE_PURGE_HEADER", "should be NAME: VALUE (value not shown: it may be a secret)")
    if not url:
        return None
    if not url.startswith(("http://", "https://")):
        env.fault("ROTATIVE_PURGE_URL", f"should be an address like http://cache:6081{{path}}, not {url!r}")
    elif form == "each" and "{path}" not in url:
        env.fault("ROTATIVE_PURGE_URL", "should have {path} where each page's path is to stand")
    return Purge(url=url, form=form, header=header)


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
