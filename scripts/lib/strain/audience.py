"""A crowd from outside: its process, what it says while it listens, and what it says at the end."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable, Mapping
from typing import Any

from common.event_ids import place
from common.waiting import until
from strain.crews import run_module
from strain.crowd import Wish
from strain.findings import Findings
from strain.record import judge
from strain.stage import Stage
from strain.writer import Writer

IN_SECONDS = 120.0
PACE = 0.002
"""Seconds between two readers who come."""


class Audience:
    def __init__(self, stage: Stage, room: int, readers: int, *, upstream: int = 0, source: str = "127.0.0.1") -> None:
        self.readers = readers
        self._result = stage.folder / f"crowd-{id(self)}.json"
        cookie = stage.writer.headers["Cookie"]
        self._wish = Wish(stage.ports, room, cookie, readers, str(self._result), upstream, PACE, source)
        self.is_in = False
        self.open = 0
        self.at = "0"
        self.oddities: list[str] = []

    async def come(self) -> None:
        """Returns when all have a stream."""
        self._process = await run_module("strain.crowd", self._wish)
        self._listening = asyncio.create_task(self._listen())
        await self._await(lambda: self.is_in, IN_SECONDS, "came in")

    async def reach(self, id: str, seconds: float) -> bool:
        """Whether the first of them got to this event in time."""
        return await until(lambda: place(self.at) >= place(id), seconds)

    def stop(self) -> None:
        """SIGSTOP: the whole process stands still, and takes nothing from its sockets."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    async def go(self) -> dict[str, Any]:
        """Ends it. Returns what it received."""
        self._process.send_signal(signal.SIGTERM)
        await self._process.wait()
        await self._listening
        result: dict[str, Any] = json.loads(await asyncio.to_thread(self._result.read_text))
        return result

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            word = json.loads(line)
            self.is_in = self.is_in or word.get("all_in", False)
            self.open = word.get("open", self.open)
            self.at = word.get("at", self.at)
            if "oddity" in word:
                self.oddities.append(word["oddity"])

    async def _await(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        if not await until(condition, seconds):
            self.kill()
            raise TimeoutError(f"not all {self.readers} readers {what} within {seconds:.0f} s")


def note_what_is_wrong(findings: Findings, seen: Mapping[str, Any], audience: Audience, writer: Writer) -> None:
    """`seen`: what the audience received in all."""
    findings.wrong += judge(seen["events"], writer.acknowledged) + seen["mismatches"]
    findings.wrong += audience.oddities + writer.oddities
