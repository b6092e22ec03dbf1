"""Centrifugo, in Go: a server of channels with many transports, here its unidirectional event streams. Measured where
its program (version 6) is on PATH."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from bench import words
from bench.candidates.base import Missing, Peer

KEY = "a key for a benchmark on loopback, and for nothing else"


class Centrifugo(Peer):
    name = "Centrifugo"

    def stream(self, room: int, after: str | None = None) -> bytes:
        return self.stream_of([room])

    def stream_of(self, rooms: Iterable[int]) -> bytes:
        connect = quote(json.dumps({"subs": {f"room-{room}": {} for room in rooms}}))
        return words.http_head("GET", f"/connection/uni_sse?cf_connect={connect}", {"Accept": "text/event-stream"})

    def post(self, room: int, frame_bytes: int = words.FRAME_BYTES) -> bytes:
        body = b'{"channel":"room-%d","data":%b}' % (room, words.payload(frame_bytes))
        return words.http_post("/api/publish", {"X-API-Key": KEY, "Content-Type": "application/json"}, body)

    def _program(self) -> Path:
        found = shutil.which("centrifugo")
        if found is None:
            raise Missing("centrifugo is not on PATH")
        return Path(found)

    def _arguments(self, folder: Path, port: int) -> list[str]:
        config = folder / "config.json"
        settings = {
            "http_server": {"address": "127.0.0.1", "port": port},
            "http_api": {"key": KEY},
            "uni_sse": {"enabled": True},
            "client": {"insecure": True},
            "channel": {
                "without_namespace": {"allow_subscribe_for_client": True, "allow_subscribe_for_anonymous": True}
            },
        }
        config.write_text(json.dumps(settings))
        return ["--config", str(config)]
