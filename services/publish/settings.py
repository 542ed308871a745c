"""What publish needs to know beyond what every service does."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from shared.outgoing import Network
from shared.settings import Env, ServiceSettings


@dataclass(frozen=True, kw_only=True)
class PublishSettings(ServiceSettings):
    """site_folder: holds site/ (finished pages) and gone/ (tombstones). theme_dirs: the newsroom's own theme folders.

    webhook_allow: private networks that webhooks may reach. webhook_timeout_s: for one attempt.
    public_check: nobody is told before the public address shows the page as well. search_url: where recommend answers
    the search page's question; None where the gateway asks it. avif: whether pictures are made as AVIF too.
    """

    site_folder: Path
    theme_dirs: tuple[Path, ...] = ()
    webhook_allow: tuple[Network, ...] = ()
    webhook_timeout_s: float = 15.0
    public_check: bool = False
    search_url: str | None = None
    avif: bool = False

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
            "theme_dirs": (theme,) if theme is not None else (),
            "webhook_allow": _networks(env, "ROTATIVE_WEBHOOK_ALLOW"),
            "webhook_timeout_s": env.number("ROTATIVE_WEBHOOK_TIMEOUT_S", 15, at_least=0.1, at_most=30),
            "public_check": env.flag("ROTATIVE_PUBLIC_CHECK", False),
            "search_url": search or None,
            "avif": env.flag("ROTATIVE_AVIF", False),
        }


def _networks(env: Env, name: str) -> tuple[Network, ...]:
    found = []
    for text in env.text(name).replace(",", " ").split():
        try:
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            env.fault(name, f"should be networks like 10.0.0.0/8 or 127.0.0.1/32, not {text!r}")
    return tuple(found)
