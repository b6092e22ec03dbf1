"""What a case works with: the candidates that are here, and the tools."""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.candidates import PEERS, Candidate, Chat, Missing, Stores
from bench.cores import Cores
from bench.tools import Tools
from common.paths import VAR

VERSIONS = {
    "Redis": ("redis-server", "--version"),
    "nginx": ("nginx", "-v"),
    "Caddy, with Mercure": ("mercure", "version"),
    "Centrifugo": ("centrifugo", "version"),
}
"""What programs are asked for their versions with."""


class Bench:
    """`hurry`: what all durations are multiplied with. `missing`: who is left out, and why. `before`: another checkout
    of the chat, which does all of the chat's work too."""

    def __init__(self, tools: Tools, stores: Stores, machine: Cores, hurry: float, before: Path | None = None) -> None:
        self.tools = tools
        self.stores = stores
        self.machine = machine
        self.missing: dict[str, str] = {}
        folder = VAR / "bench"
        self.chat = Chat(folder, stores, machine)
        self.before = None if before is None else Chat(folder, stores, machine, before, number=1)
        self._candidates: dict[str, Candidate] = {self.chat.name: self.chat}
        self._hurry = hurry
        for peer in PEERS:
            try:
                self._candidates[peer.name] = peer(folder, tools, machine)
            except Missing as reason:
                self.missing[peer.name] = str(reason)

    @contextlib.contextmanager
    def as_before(self) -> Iterator[None]:
        """The other checkout stands in for the chat."""
        assert self.before is not None
        now, self.chat = self.chat, self.before
        self._candidates[now.name] = self.before
        try:
            yield
        finally:
            self.chat = self._candidates[now.name] = now

    def has(self, name: str) -> bool:
        return name in self._candidates

    def candidate(self, name: str) -> Candidate:
        return self._candidates[name]

    def seconds(self, wanted: float) -> float:
        """A duration, as long as this run has time for."""
        return max(1.0, wanted * self._hurry)


@contextlib.contextmanager
def bench(hurry: float, before: Path | None = None) -> Iterator[Bench]:
    """Raises ToolError, MissingProgram, StartError."""
    folder = VAR / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    machine = Cores.of_this_machine()
    tools = Tools(folder, machine)
    try:
        with Stores(VAR, folder, machine).running() as stores:
            yield Bench(tools, stores, machine, hurry, before)
    finally:
        for requests in folder.glob("requests-*"):
            requests.unlink()


def machine() -> dict[str, str]:
    """Where this was measured."""
    cpu = Path("/proc/cpuinfo").read_text().partition("model name")[2].partition("\n")[0].strip("\t :")
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 2**20
    return {
        "cpu": cpu or platform.machine(),
        "cores": str(len(Cores.of_this_machine().everywhere())),
        "memory": f"{memory:.0f} GB",
        "kernel": platform.release(),
        "python": sys.version.split()[0],
    }


def versions() -> dict[str, str]:
    """Of who took part, as far as they are here."""
    found = {}
    for name, command in VERSIONS.items():
        with contextlib.suppress(OSError):
            said = subprocess.run(command, capture_output=True, text=True)
            number = re.search(r"\d+\.\d+\.\d+\S*", said.stdout + said.stderr)
            found[name] = number[0] if number else "of unknown version"
    for package in ("tornado", "uvloop", "motor", "pymongo", "redis", "uvicorn", "sse-starlette"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[f"{package} (Python)"] = importlib.metadata.version(package)
    return found
