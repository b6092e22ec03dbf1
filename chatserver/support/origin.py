"""Origins of the web (RFC 6454): scheme, host and port, as browsers and `ORIGIN` name them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Origin:
    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Origin:
        """Parses `https://chat.example.org` or `http://[::1]:8000`. Raises ValueError for anything else: `null`,
        another scheme, a path, a user, several origins."""
        parts = urlsplit(text)
        plain = f"{parts.scheme}://{parts.netloc}".lower()
        if parts.scheme not in DEFAULT_PORTS or text.lower() != plain or not text.isascii():
            raise ValueError("no origin of the web")
        host, port = read_authority(parts.netloc, parts.scheme)
        return cls(parts.scheme, host, port)

    @property
    def is_https(self) -> bool:
        return self.scheme == "https"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """The `Host` header of a browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def read_authority(text: str, scheme: str) -> tuple[str, int]:
    """Returns host, in lower case and without brackets, and port of a `Host` header. The default is the scheme's port.

    Raises ValueError if the text can't be one.
    """
    parts = urlsplit(f"//{text}")
    is_plain = parts.netloc == text and text.isascii() and text.isprintable() and not set(" @,\\") & set(text)
    if not is_plain or not parts.hostname or text.endswith(":"):
        raise ValueError("no host")
    return parts.hostname, DEFAULT_PORTS[scheme] if parts.port is None else parts.port
