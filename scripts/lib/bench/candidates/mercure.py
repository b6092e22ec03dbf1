"""Mercure, in Go: a hub of its own protocol over event streams. Measured where its program is on PATH."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
from pathlib import Path
from urllib.parse import urlencode

from bench import words
from bench.candidates.base import Missing, Peer

KEY = "a key for a benchmark on loopback, and for nothing else"
PATH = "/.well-known/mercure"
CONFIG = """
{{
    admin off
    auto_https off
}}
http://127.0.0.1:{port} {{
    mercure {{
        publisher_jwt "{key}"
        anonymous
        transport local
    }}
}}
"""


class Mercure(Peer):
    name = "Mercure"

    def stream(self, room: int, after: str | None = None) -> bytes:
        headers = {"Accept": "text/event-stream"} | ({} if after is None else {"Last-Event-ID": after})
        return words.http_head("GET", f"{PATH}?topic=room-{room}", headers)

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
        config.write_text(CONFIG.format(port=port, key=KEY))
        return ["run", "--config", str(config)]


def _token() -> str:
    """A JSON Web Token that may publish everything."""
    parts = [{"alg": "HS256", "typ": "JWT"}, {"mercure": {"publish": ["*"]}}]
    text = b".".join(_base64(json.dumps(part).encode()) for part in parts)
    return b".".join([text, _base64(hmac.new(KEY.encode(), text, hashlib.sha256).digest())]).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
