"""What the environment says, read once, frozen, with all its faults at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from calfeed.errors import Location, Problem, SettingsError

Network = IPv4Network | IPv6Network
T = TypeVar("T")

DEFAULT_DATABASE = "sqlite:///calfeed.db"
_DATABASES = ("sqlite", "postgresql")
_PORTS = range(1, 65536)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting of the environment; what is a secret is left out of ``repr``."""

    events: Path = Path("events.toml")
    database_url: str = field(default=DEFAULT_DATABASE, repr=False)
    base_url: str | None = None
    admin_token: str | None = field(default=None, repr=False)
    allow_private_webhooks: tuple[Network, ...] = ()
    heartbeat_url: str | None = field(default=None, repr=False)
    trusted_proxies: int = 0
    log: Literal["text", "json"] = "text"
    port: int = 8000
    workers: int = 1

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Raises SettingsError with every fault: the name, what is wrong, the legal values."""
        reader = _Reader(environ)
        settings = cls(
            events=Path(reader.text("CALFEED_EVENTS") or "events.toml"),
            database_url=reader.parsed(reader.first("CALFEED_DATABASE_URL", "DATABASE_URL"), _database_url)
            or DEFAULT_DATABASE,
            base_url=reader.parsed("CALFEED_BASE_URL", base_url),
            admin_token=reader.text("CALFEED_ADMIN_TOKEN") or None,
            allow_private_webhooks=reader.parsed("CALFEED_ALLOW_PRIVATE_WEBHOOKS", _networks) or (),
            heartbeat_url=reader.parsed("CALFEED_HEARTBEAT_URL", http_url),
            trusted_proxies=reader.parsed("CALFEED_TRUSTED_PROXIES", _whole(range(10))) or 0,
            log=reader.parsed("CALFEED_LOG", _log) or "text",
            port=reader.parsed("PORT", _whole(_PORTS)) or 8000,
            workers=reader.parsed("WEB_CONCURRENCY", _whole(range(1, 257))) or 1,
        )
        if reader.problems:
            raise SettingsError(reader.problems)
        return settings


def secret(reference: str | None, environ: Mapping[str, str]) -> str | None:
    """What ``env:NAME`` or ``file:PATH`` stands for (a literal for itself); None when unset, empty or unreadable."""
    if reference is None:
        return None
    kind, _, rest = reference.partition(":")
    if kind == "env":
        return _from_env(rest, environ) or None
    if kind == "file":
        return _from_file(Path(rest)) or None
    return reference


def _from_env(name: str, environ: Mapping[str, str]) -> str:
    if environ.get(name):
        return environ[name].strip()
    path = environ.get(f"{name}_FILE")
    return _from_file(Path(path)) if path else ""


def _from_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


@dataclass
class _Reader:
    environ: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def first(self, *names: str) -> str:
        """The first of these names that is set, plainly or by its ``_FILE``; else the first."""
        return next((n for n in names if self.environ.get(n) or self.environ.get(f"{n}_FILE")), names[0])

    def text(self, name: str) -> str:
        plain, path = self.environ.get(name, ""), self.environ.get(f"{name}_FILE", "")
        if plain and path:
            self._fault(name, f"is set, and so is {name}_FILE", "unset one of the two")
        if plain or not path:
            return plain.strip()
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as fault:
            self._fault(f"{name}_FILE", f"cannot be read: {_reason(fault)}", "name a readable text file")
            return ""

    def parsed(self, name: str, parse: Callable[[str], T]) -> T | None:
        text = self.text(name)
        if not text:
            return None
        try:
            return parse(text)
        except ValueError as fault:
            self._fault(name, str(fault), "")
            return None

    def _fault(self, name: str, message: str, hint: str) -> None:
        self.problems.append(Problem(Location("environment"), message, path=name, hint=hint))


def _reason(fault: Exception) -> str:
    return fault.strerror or "not readable" if isinstance(fault, OSError) else "not UTF-8 text"


def _database_url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if scheme == "postgres":  # what many hosts still hand out
        scheme = "postgresql"
    kind = scheme.split("+")[0]
    nowhere = _is_memory(rest) if kind == "sqlite" else _has_odd_port(rest)
    if not separator or kind not in _DATABASES or nowhere:
        raise ValueError("expected sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")
    return f"{scheme}://{rest}"


def _is_memory(rest: str) -> bool:
    """Without a path SQLite keeps nothing beyond the process."""
    return re.match("/.", rest) is None


def _has_odd_port(rest: str) -> bool:
    """A password may hold "/" and ":", so only what follows its "@" is looked at."""
    host = re.split("[/?]", rest.rpartition("@")[2])[0]
    return re.fullmatch(r"[^:\[]*(:\d*)?|\[[^\]]*\](:\d*)?", host) is None


def http_url(text: str) -> str:
    """The text, if it is an address of the web; raises ValueError without repeating it."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"[\s\x00-\x1f]", text):
        raise ValueError("expected an absolute http:// or https:// URL")
    return text


def base_url(text: str) -> str:
    """Where a page stands in public, without a last slash; raises ValueError without repeating it."""
    parts = urlsplit(http_url(text))
    if parts.query or parts.fragment or parts.username:
        raise ValueError(
            "expected an absolute URL without credentials, query or fragment, such as https://calendar.example.org"
        )
    return text.rstrip("/")


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(part, strict=False) for part in re.split(r"[,\s]+", text) if part)
    except ValueError as fault:
        raise ValueError(f"expected networks such as 127.0.0.0/8 or fd00::/8, separated by commas: {fault}") from None


def _log(text: str) -> Literal["text", "json"]:
    if text not in {"text", "json"}:
        raise ValueError(f"expected 'text' or 'json', got {text!r}")
    return "json" if text == "json" else "text"


def _whole(legal: range) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) not in legal:
            raise ValueError(f"expected a whole number from {legal.start} to {legal.stop - 1}, got {text!r}")
        return int(text)

    return parse
