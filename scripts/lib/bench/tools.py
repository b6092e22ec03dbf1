"""The programs in C: compiled on the spot, started with the load's core."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import cores
from bench.cores import Cores
from chatserver.support.child_processes import die_with_parent
from common import usage

SOURCES = Path(__file__).parent / "tools"
ANSWER_SECONDS = 90.0
"""Readers that are not served for so long are ended, and with them the measurement."""


AT_ONCE = 1_000
"""Streams that wait for their answer at a time."""

ALL_AT_ONCE = 0
"""A storm: all streams connect, and when all have, all ask."""


class ToolError(Exception):
    """One line: what went wrong with a tool, or with what it talked to."""


def compile_tool(name: str, folder: Path) -> Path:
    """The program of a source in `tools/`, compiled unless that was done since it last changed. Raises ToolError."""
    source, program = SOURCES / f"{name}.c", folder / name
    if program.exists() and program.stat().st_mtime > source.stat().st_mtime:
        return program
    folder.mkdir(parents=True, exist_ok=True)
    command = [os.environ.get("CC", "cc"), "-O2", "-o", str(program), str(source)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise ToolError("a C compiler (cc) is needed; on Debian: apt-get install gcc libc6-dev") from None
    if done.returncode:
        raise ToolError(f"cc could not compile {source.name}: {done.stderr.strip().splitlines()[-1:]}")
    return program


class Tools:
    """Starts readers and posters on the load's core."""

    def __init__(self, folder: Path, machine: Cores) -> None:
        self._folder = folder
        self._machine = machine
        self._programs = {name: compile_tool(name, folder) for name in ("readers", "poster", "floor")}
        self._numbers = 0

    @property
    def floor(self) -> Path:
        return self._programs["floor"]

    def readers(
        self, port: int, count: int, requests: Sequence[bytes], *, at_once: int = AT_ONCE, owed: int = 0
    ) -> Readers:
        command = [self._programs["readers"], port, count, self._file(requests), at_once, owed]
        return Readers(self._start(command), count)

    def posts(
        self, port: int, requests: Sequence[bytes], *, rate: float, seconds: float, connections: int = 100
    ) -> Posts:
        """`rate` 0: as fast as they are answered. No two posts of a run have the same number."""
        self._numbers += 1
        first = self._numbers * 1_000_000
        return Posts(
            self._start([self._programs["poster"], port, connections, self._file(requests), rate, seconds, first])
        )

    def _start(self, command: Sequence[object]) -> subprocess.Popen[str]:
        with cores.on(self._machine.load):
            return subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=die_with_parent(),
            )

    def _file(self, requests: Sequence[bytes]) -> Path:
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix="requests-", delete=False) as file:
            file.write(b"\0".join([*requests, b""]))
        return Path(file.name)


class Posts:
    """A poster at work."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def finish(self) -> dict[str, Any]:
        """Returns when all is answered: posts, seconds, and ms as p50, p99, max. Raises ToolError if any failed."""
        out, error = self._process.communicate(timeout=600)
        if self._process.returncode:
            raise ToolError(f"posting failed: {error.strip()}")
        report: dict[str, Any] = json.loads(out)
        if report["bad"]:
            raise ToolError(f"{report['bad']} posts were refused: {error.strip()[:300]}")
        return report


class Readers:
    """Streams that are being read."""

    def __init__(self, process: subprocess.Popen[str], count: int) -> None:
        self.count = count
        self._process = process
        self._cpu_at_mark = 0.0

    @property
    def pid(self) -> int:
        return self._process.pid

    def connected(self) -> float:
        """Of a storm: returns when all are connected: how many seconds that took."""
        return float(self._hear("connected")["connected"])

    def ready(self) -> float:
        """Returns when all are open: how many seconds that took. Raises ToolError if one was refused."""
        answer = self._hear("ready")
        if answer["refused"] or answer["closed"]:
            raise ToolError(f"{answer['refused']} of {self.count} streams were refused, {answer['closed']} closed")
        return float(answer["ready"])

    def caught_up(self) -> float:
        """Returns when each has had what it is owed: how many seconds that took, from the first connection on."""
        return float(self._hear("caught_up")["caught_up"])

    def mark(self) -> None:
        self._say("mark")
        self._hear("marked")
        self._cpu_at_mark = usage.cpu_seconds([self.pid])

    def report(self) -> dict[str, Any]:
        """What came since the mark; times in ms. `busy`: how much of its core the load generator used."""
        cpu = usage.cpu_seconds([self.pid]) - self._cpu_at_mark
        self._say("report")
        answer = self._hear("messages")
        return answer | {"busy": cpu / answer["seconds"]}

    def wait_for(self, messages: int, seconds: float) -> dict[str, Any]:
        """The report, once so many messages came since the mark or time is up."""
        deadline = time.monotonic() + seconds
        while (report := self.report())["messages"] < messages and time.monotonic() < deadline:
            time.sleep(0.05)
        return report

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def _hear(self, key: str) -> dict[str, Any]:
        """The next line about this; what else is said meanwhile is let go."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        patience = threading.Timer(ANSWER_SECONDS, self._process.kill)
        patience.start()
        try:
            for line in self._process.stdout:
                answer: dict[str, Any] = json.loads(line)
                if key in answer:
                    return answer
        finally:
            patience.cancel()
        raise ToolError(f"the readers never said '{key}': {self._process.stderr.read().strip()}")
