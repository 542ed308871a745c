"""Settings: read once from the environment, at the edge; a wrong one is named with what it should be."""

from __future__ import annotations

import difflib
import hashlib
import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from shared.outgoing import Network


class SettingError(Exception):
    """A setting is wrong. str(error) names the variable, its value and what it should be, one fault a line."""


class Env:
    """Reads `ROTATIVE_*` variables and collects every fault, so that all are named at once."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._faults: list[str] = []
        self.asked: set[str] = set()

    def text(self, name: str, default: str = "") -> str:
        """The variable's text without white space around it; the default when unset or empty."""
        self.asked.add(name)
        return self._variables.get(name, "").strip() or default

    def path(self, name: str, default: Path) -> Path:
        """The variable as a path, `~` resolved."""
        value = self.text(name)
        return Path(value).expanduser() if value else default

    def optional_path(self, name: str) -> Path | None:
        """The variable as a path, or None when unset."""
        value = self.text(name)
        return Path(value).expanduser() if value else None

    def integer(self, name: str, default: int, *, at_least: int, at_most: int) -> int:
        """The variable as a whole number within bounds (both included)."""
        return int(self._number(name, default, at_least, at_most, whole=True))

    def number(self, name: str, default: float, *, at_least: float, at_most: float) -> float:
        """The variable as a number within bounds (both included)."""
        return self._number(name, default, at_least, at_most, whole=False)

    def _number(self, name: str, default: float, at_least: float, at_most: float, *, whole: bool) -> float:
        value = self.text(name)
        if not value:
            return default
        try:
            number = int(value) if whole else float(value)
        except ValueError:
            number = None
        if number is None or not at_least <= number <= at_most:
            kind = "a whole number" if whole else "a number"
            self.fault(name, f"should be {kind} from {at_least} to {at_most}, not {value!r}")
            return default
        return number

    def flag(self, name: str, default: bool) -> bool:
        """The variable as yes or no: 1, true, yes, on or 0, false, no, off."""
        value = self.text(name).lower()
        if value in {"1", "true", "yes", "on"}:
            return True
        if value in {"0", "false", "no", "off"}:
            return False
        if value:
            self.fault(name, f"should be yes or no, not {value!r}")
        return default

    def networks(self, name: str) -> tuple[Network, ...]:
        """The variable as networks with commas or blanks between them."""
        found: list[Network] = []
        for text in self.text(name).replace(",", " ").split():
            try:
                found.append(ipaddress.ip_network(text, strict=False))
            except ValueError:
                self.fault(name, f"should be networks like 10.0.0.0/8 or 127.0.0.1/32, not {text!r}")
        return tuple(found)

    def fault(self, name: str, sentence: str) -> None:
        """Record that a variable is wrong."""
        self._faults.append(f"{name} {sentence}")

    def finish(self) -> None:
        """Raise SettingError if any variable read so far is wrong."""
        if self._faults:
            raise SettingError("\n".join(self._faults))


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """What every service needs to know. Secrets are in files or variables and never shown by repr.

    data_dir: the folder of databases, site and keys when embedded. database_url: SQLAlchemy's. redis_url: kombu's.
    media_store: the folder of pictures as they were uploaded, written by ingest and read by publish (see media.py).
    rate_limit: requests a second that one key may make, 0 for any number.
    trusted_proxies: networks whose word on who asks is taken, besides private ones (see pace.py).
    retention_days: how long done work is remembered. failpoints_dir: tests only (see failpoints.py).
    """

    service: str
    data_dir: Path
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    media_store: Path
    newsroom_file: Path | None = None
    base_url: str | None = None
    port: int = 8000
    rate_limit: float = 1000
    trusted_proxies: tuple[Network, ...] = ()
    retention_days: float = 7
    log_level: str = "INFO"
    failpoints_dir: Path | None = None
    admin_key: str = field(default="", repr=False)
    secret_key: bytes = field(default=b"", repr=False)

    @classmethod
    def from_env(cls, variables: Mapping[str, str], service: str) -> Self:
        """Read every setting. Raises SettingError naming all that are wrong."""
        env = Env(variables)
        values = cls.read(env, service)
        env.finish()
        return cls(**values)  # type: ignore[arg-type]

    @classmethod
    def read(cls, env: Env, service: str) -> dict[str, object]:
        """The constructor's arguments. A service's own settings extend this."""
        data_dir = env.path("ROTATIVE_DATA_DIR", Path("var")).absolute()
        upper = service.upper()
        level = env.text("ROTATIVE_LOG_LEVEL", "INFO").upper()
        if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            env.fault("ROTATIVE_LOG_LEVEL", f"should be DEBUG, INFO, WARNING or ERROR, not {level!r}")
        base_url = env.text("ROTATIVE_BASE_URL") or None
        if base_url and not base_url.startswith(("http://", "https://")):
            env.fault("ROTATIVE_BASE_URL", f"should begin with http:// or https://, not {base_url!r}")
        database_url = env.text(f"ROTATIVE_{upper}_DATABASE_URL", f"sqlite:///{data_dir / f'{service}.db'}")
        if not database_url.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
            env.fault(
                f"ROTATIVE_{upper}_DATABASE_URL",
                "should begin with sqlite:/// or postgresql+psycopg:// (value not shown: it may hold a password)",
            )
        redis_url = env.text("ROTATIVE_REDIS_URL", f"redis+socket://{data_dir / 'redis.sock'}")
        if not redis_url.startswith(("redis://", "rediss://", "redis+socket://")):
            env.fault(
                "ROTATIVE_REDIS_URL", "should begin with redis://, rediss:// or redis+socket:// (value not shown)"
            )
        return {
            "service": service,
            "data_dir": data_dir,
            "database_url": database_url.replace("postgresql://", "postgresql+psycopg://", 1),
            "redis_url": redis_url,
            "media_store": env.path("ROTATIVE_MEDIA_STORE", data_dir / "media").absolute(),
            "newsroom_file": env.optional_path("ROTATIVE_NEWSROOM"),
            "base_url": base_url.rstrip("/") if base_url else None,
            "port": env.integer("ROTATIVE_PORT", 8000, at_least=1, at_most=65535),
            "rate_limit": env.number("ROTATIVE_RATE_LIMIT", 1000, at_least=0, at_most=1_000_000),
            "trusted_proxies": env.networks("ROTATIVE_TRUSTED_PROXIES"),
            "retention_days": env.number("ROTATIVE_RETENTION_DAYS", 7, at_least=0.001, at_most=3650),
            "log_level": level,
            "failpoints_dir": env.optional_path("ROTATIVE_FAILPOINTS_DIR"),
            "admin_key": _secret(env, "ROTATIVE_ADMIN_KEY", data_dir / "admin.key"),
            "secret_key": _secret(env, "ROTATIVE_SECRET_KEY", data_dir / "secret.key").encode(),
        }

    def derived_secret(self, purpose: str) -> bytes:
        """32 bytes that only this newsroom can make, one value for each purpose. Needs the secret key."""
        if not self.secret_key:
            raise SettingError("ROTATIVE_SECRET_KEY should be set, or the file secret.key be in ROTATIVE_DATA_DIR")
        return hashlib.blake2b(purpose.encode(), key=self.secret_key[:64], digest_size=32).digest()


def unknown_settings(variables: Mapping[str, str], known: Collection[str]) -> list[str]:
    """A sentence for each ROTATIVE_ variable that nothing reads, with the one that may have been meant."""
    found = []
    for name in sorted(variables):
        if name.startswith("ROTATIVE_") and name not in known:
            near = difflib.get_close_matches(name, sorted(known), 1, 0.8)
            found.append(f"{name} is no setting of Rotative" + (f"; did you mean {near[0]}?" if near else "."))
    return found


def _secret(env: Env, name: str, file: Path) -> str:
    value = env.text(name)
    if not value and file.is_file():
        value = file.read_text("ascii").strip()
    if value and len(value) < 16:
        env.fault(name, "should have at least 16 characters (its value is not shown)")
    return value
