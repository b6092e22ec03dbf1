"""Streams as they are usually written in Python: a queue for each reader."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import ClassVar

from bench import words
from bench.candidates.base import Missing, Peer


class PythonPeer(Peer):
    module: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]

    def _program(self) -> Path:
        missing = [package for package in self.packages if importlib.util.find_spec(package) is None]
        if missing:
            raise Missing(f"{', '.join(missing)} could not be installed")
        return Path(sys.executable)

    def _arguments(self, folder: Path, port: int) -> list[str]:
        return ["-m", f"bench.peers.{self.module}", str(port)]


class TornadoQueues(PythonPeer):
    name = "Tornado, queues"
    module = "tornado_queues"
    packages = ("tornado",)


class SseStarlette(PythonPeer):
    name = "sse-starlette"
    module = "sse_starlette_app"
    packages = ("sse_starlette", "starlette", "uvicorn", "uvloop", "httptools")


class TornadoEcho(PythonPeer):
    """Parses each post's JSON and sends it back: what posting costs where nothing is kept."""

    name = "Tornado, echo"
    module = "tornado_echo"
    packages = ("tornado",)

    def post(self, room: int, frame_bytes: int = words.FRAME_BYTES) -> bytes:
        return words.http_post(f"/pub/{room}", {"Content-Type": "application/json"}, words.body(frame_bytes))
