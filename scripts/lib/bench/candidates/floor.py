"""The floor: a loop in C that does nothing but `send`."""

from __future__ import annotations

from pathlib import Path

from bench.candidates.base import Peer


class Floor(Peer):
    name = "C floor"

    def _program(self) -> Path:
        return self._tools.floor

    def _arguments(self, folder: Path, port: int) -> list[str]:
        return [str(port)]
