"""Mercure, in Go: a hub of its own protocol over event streams. Measured where its program (version 1) is on PATH."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlencode

from bench import words
from bench.candidates.base import Missing, Peer

KEY = "a key for a benchmark on loopback, and for nothing else"
PATH = "/.well-known/mercure"
ISSUER = "https://bench.invalid"
HUB = f"{ISSUER}{PATH}"
CENTURY_END = 4102444800
"""Seconds since 1970: until then the token holds."""

# A reader who waits for longer than `dispatch_timeout` is sent away, which at 400 messages a second some would be.
CONFIG = """
{{
    admin off
    auto_https off
}}
http://127.0.0.1:{port} {{
    mercure {{
        issuer {issuer} {{
            publisher {{
                jwt "{key}" HS256
            }}
        }}
        resource_identifier {hub}
        anonymous
        dispatch_timeout 1m
        transport local
    }}
}}
"""


class Mercure(Peer):
    name = "Mercure"

    def stream(self, room: int, after: str | None = None) -> bytes:
        headers = {"Accept": "text/event-stream"} | ({} if after is None else {"Last-Event-ID": after})
        return words.http_head("GET", f"{PATH}?match=room-{room}", headers)

    def stream_of(self, rooms: Iterable[int]) -> bytes:
        wanted = "&".join(f"match=room-{room}" for room in rooms)
        return words.http_head("GET", f"{PATH}?{wanted}", {"Accept": "text/event-stream"})

    def post(self, room: int, frame_bytes: int = words.FRAME_BYTES) -> bytes:
        body = urlencode({"topic": f"room-{room}", "data": words.payload(frame_bytes)}).encode()
        headers = {"Authorization": f"Bearer {_token()}", "Content-Type": "application/x-www-form-urlencoded"}
        return words.http_post(PATH, headers, body)

    def _program(self) -> Path:
        found = shutil.which("mercure")
        if found is None:
            raise Missing("mercure is not on PATH")
        return Path(found)

    def _arguments(self, folder: Path, port: int) -> list[str]:
        config = folder / "Caddyfile"
        config.write_text(CONFIG.format(port=port, key=KEY, issuer=ISSUER, hub=HUB))
        return ["run", "--config", str(config)]


def _token() -> str:
    """A JSON Web Token (RFC 9068) that may publish everything."""
    right = {"type": "https://mercure.rocks/authorization-detail", "actions": ["publish"], "topics": [{"match": "*"}]}
    claims = {"iss": ISSUER, "aud": HUB, "exp": CENTURY_END, "authorization_details": [right]}
    text = b".".join(_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "at+jwt"}, claims))
    return b".".join([text, _base64(hmac.new(KEY.encode(), text, hashlib.sha256).digest())]).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
