"""Who writes in the room, at a steady rate, and repeats what was not acknowledged as the page does."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time

from common.event_ids import place
from common.http_client import Answer, request
from strain.stage import Stage


class Writer:
    """`acknowledged`: ids by client id. `delays`: seconds from the first attempt to the acknowledgement."""

    def __init__(self, stage: Stage, room: int, rate: float) -> None:
        self._stage = stage
        self._room = room
        self._rate = rate
        self._under_way: set[asyncio.Task[None]] = set()
        self._writing: asyncio.Task[None] | None = None
        self.acknowledged: dict[str, str] = {}
        self.delays: list[float] = []
        self.repeats = 0
        self.oddities: list[str] = []

    def start(self) -> None:
        self._writing = asyncio.create_task(self._write())

    async def finish(self) -> str:
        """Stops, when all that was written is acknowledged. Returns the last id."""
        if self._writing is not None:
            self._writing.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)
        return max(self.acknowledged.values(), key=place)

    async def _write(self) -> None:
        number, due = 0, time.monotonic()
        while True:
            due += 1 / self._rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            number += 1
            task = asyncio.create_task(self._insist(f"m{number}"))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _post(self, body: dict[str, object]) -> Answer:
        """At a door that opens, as a balancer finds it."""
        for port in random.sample(self._stage.ports, len(self._stage.ports)):
            with contextlib.suppress(ConnectionRefusedError):
                return await request(port, "POST", "/messages", headers=self._stage.writer.headers, body=body)
        raise ConnectionRefusedError

    async def _insist(self, client_id: str) -> None:
        started = time.monotonic()
        content = f"{time.monotonic_ns()} {'x' * 60}"
        body = {"room_id": self._room, "content": content, "client_id": client_id}
        pause = 0.2
        while client_id not in self.acknowledged:
            try:
                answer = await self._post(body)
                if answer.status in {200, 201}:
                    self.acknowledged[client_id] = answer.json()["id"]
                    self.delays.append(time.monotonic() - started)
                    return
                if answer.status != 503:
                    self.oddities.append(f"POST: {answer.status} {answer.body[:80]!r}")
            except (OSError, EOFError, TimeoutError):
                pass
            self.repeats += 1
            await asyncio.sleep(pause * random.random())
            pause = min(2 * pause, 5.0)
