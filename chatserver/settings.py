"""The settings: one table of environment variables. A bad value stops the start, by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from chatserver.support.origin import Origin
from chatserver.support.redis_trust import with_trust


class SettingsError(Exception):
    """A variable is missing or bad. The text begins with its name and never shows its value: it may be secret."""


@dataclass(frozen=True)
class Settings:
    port: int
    host: str
    mongodb_uri: str
    redis_url: str
    cookie_secret: str
    origin: Origin | None
    web_concurrency: int
    drain_seconds: float
    max_streams: int
    max_streams_per_user: int
    rate_limits: bool
    trusted_proxies: int

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Reads the table below. Raises SettingsError."""
        read = {variable.name.lower(): variable.read(environ) for variable in TABLE}
        read["redis_url"] = with_trust(read["redis_url"], on_heroku=bool(environ.get("DYNO")))
        return cls(**read)


class Variable(NamedTuple):
    """`default` None: required. `parse` raises ValueError with the rule that the value breaks."""

    name: str
    default: str | None
    parse: Callable[[str], Any]
    help: str

    def read(self, environ: Mapping[str, str]) -> Any:
        text = environ.get(self.name, "") or self.default
        if text is None:
            raise SettingsError(f"{self.name} is missing: {self.help}")
        try:
            return self.parse(text)
        except ValueError as error:
            raise SettingsError(f"{self.name} is not right: {error}") from None


def _whole(smallest: int, largest: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and smallest <= int(text) <= largest):
            raise ValueError(f"it is a whole number from {smallest} to {largest}")
        return int(text)

    return parse


def _switch(text: str) -> bool:
    if text not in {"on", "off"}:
        raise ValueError("it is on or off")
    return text == "on"


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 600:
        raise ValueError("it is a number of seconds from 0 to 600")
    return seconds


def _address(*schemes: str) -> Callable[[str], str]:
    """Rejects addresses that a driver would misread: its error would quote the value, and with it a part of the
    password."""

    def parse(text: str) -> str:
        expected = " or ".join(f"{scheme}://" for scheme in schemes)
        try:
            parts = urlsplit(text)
        except ValueError:
            raise ValueError(f"it is an address that begins with {expected}") from None
        if parts.scheme not in schemes or not (parts.netloc or (parts.scheme == "unix" and parts.path)):
            raise ValueError(f"it is an address that begins with {expected}")
        if parts.scheme != "unix" and ("@" in parts.path or not _has_plain_ports(parts)):
            raise ValueError("a port is a number; in a password, / ? # @ : are written as %2F %3F %23 %40 %3A")
        return text

    return parse


def _has_plain_ports(parts: SplitResult) -> bool:
    hosts = parts.netloc.rpartition("@")[2].split(",")  # a replica set is an address with several hosts
    ports = (re.sub(r"^\[[^]]*\]", "", host).partition(":")[1:] for host in hosts)
    return all(not colon or port.isdecimal() for colon, port in ports)


def _secret(text: str) -> str:
    if len(text) < 16:
        raise ValueError("it has at least 16 characters; `openssl rand -hex 32` makes one")
    return text


def _origin(text: str) -> Origin | None:
    try:
        return Origin.parse(text.removesuffix("/")) if text else None
    except ValueError:
        raise ValueError(
            "it is https:// or http:// and a host, like https://chat.example.org, and nothing behind it"
        ) from None


TABLE = (
    Variable("PORT", "8000", _whole(0, 65535), "where to listen; 0 takes any free port"),
    Variable("HOST", "127.0.0.1", str, "the address to listen on; 0.0.0.0 is all of them"),
    Variable(
        "MONGODB_URI",
        None,
        _address("mongodb", "mongodb+srv"),
        "the address of a MongoDB replica set, mongodb://… (scripts/server starts its own)",
    ),
    Variable(
        "REDIS_URL",
        None,
        _address("redis", "rediss", "unix"),
        "the address of a Redis server, redis://… or rediss://… (scripts/server starts its own)",
    ),
    Variable("COOKIE_SECRET", None, _secret, "signs the sessions; `openssl rand -hex 32` makes one"),
    Variable(
        "ORIGIN",
        "",
        _origin,
        "the address of this site, https://chat.example.org: no other host is answered, and plain HTTP is sent there",
    ),
    Variable("WEB_CONCURRENCY", "1", _whole(1, 64), "server processes on the port"),
    Variable("DRAIN_SECONDS", "25", _seconds, "time to end streams and finish requests after SIGTERM"),
    Variable("MAX_STREAMS", "15000", _whole(1, 1_000_000), "streams that one process holds open"),
    Variable("MAX_STREAMS_PER_USER", "50", _whole(1, 1_000_000), "how many of them may be one user's"),
    Variable("RATE_LIMITS", "on", _switch, "off for benchmarks and load tests on a machine of one's own"),
    Variable("TRUSTED_PROXIES", "0", _whole(0, 10), "how many proxies of one's own stand in front"),
)
