"""Those who read: one room each, on one process or the other, gone and back with their cursor, slow or asleep."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass
from typing import Any, Literal

from torturing.client import Block, Door, EventStream, Person, request
from torturing.journal import Journal
from torturing.waiting import until

IDLE_SECONDS = 28.0
"""Heartbeats come every 20 s or so: after a longer silence the stream is taken for dead."""

PASSING = frozenset({"presence", "read", "rooms", "typing"})
"""Signals that no log has: they come and are gone, and move no cursor."""

Style = Literal["now", "beginning", "page"]
Id = tuple[int, int]


def place(id: str) -> Id:
    """An id's place in the order of its room. (Clients need not know this; a judge must.)"""
    ms, _, seq = id.partition("-")
    return int(ms), int(seq or 0)


@dataclass(frozen=True)
class Seen:
    """A message as it came. `how`: "stream 7 via chat-a", or "page …". `after`: the reader's cursor until then."""

    at: float
    id: str
    prev: str
    user: int
    client_id: str
    how: str
    after: str

    @property
    def name(self) -> tuple[int, str]:
        return self.user, self.client_id

    @property
    def streamed(self) -> bool:
        return self.how.startswith("stream")


@dataclass(frozen=True)
class Reset:
    at: float
    asked: str
    given: str
    how: str


class Reader:
    def __init__(
        self, number: int, room: int, person: Person, journal: Journal, doors: list[Door], seed: int, style: Style
    ) -> None:
        self.number = number
        self.room = room
        self.style = style
        self.start: Id | None = None
        """From here on it has to get everything."""
        self.cursor = ""
        self.seen: list[Seen] = []
        self.resets: list[Reset] = []
        self.complaints: list[str] = []
        self.connections = 0
        self.resumes = 0
        self.calm = False
        """It stays, and reads as fast as it can."""
        self._person = person
        self._journal = journal
        self._doors = doors
        self._random = random.Random(f"reader {number} {seed}")
        self._owed: str | None = None  # after a reset: pages are to be loaded back to this id

    async def run(self) -> None:
        while True:
            life = self._random.choice([0.2, 2.0, 8.0, 8.0, 20.0, 60.0]) * self._random.random()
            try:
                async with asyncio.timeout(None if self.calm else life):
                    await self._read_once()
            except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
                pass
            await self._pause(self._random.choice([0.0, 0.1, 0.1, 1.0, 5.0, 20.0]))

    async def _read_once(self) -> None:
        door = self._random.choice(self._doors)
        if not self.cursor and self.style == "beginning":
            self.cursor, self.start = "0", (0, 0)
        if not self.cursor and self.style == "page":
            await self._load(door, None)
        if self._owed is not None:
            await self._catch_up(door)
        stream = await self._open(door)
        how = f"stream {self.connections} via {door.name}"
        try:
            if stream.status != 200:
                # A chat itself always answers 200: EventSource would give up for good.
                if stream.status == 503 or not door.may_answer(stream.status):
                    self._journal.odd(f"reader {self.number}: GET /chat/stream via {door.name}: {stream.status}")
                await asyncio.sleep(0.5)
                return
            while True:
                if not self.calm and self._random.random() < 0.01:
                    await self._pause(self._random.choice([0.5, 3.0, 15.0]))  # reads nothing meanwhile
                async with asyncio.timeout(IDLE_SECONDS):
                    block = await stream.block()
                await self._take(block, how, door)
        finally:
            stream.close()

    async def _open(self, door: Door) -> EventStream:
        path, headers = f"/chat/stream?room={self.room}", dict(self._person.headers)
        if self.cursor and self._random.random() < 0.3:
            path += f"&after={self.cursor}"
        elif self.cursor:
            headers["Last-Event-ID"] = self.cursor
        self.connections += 1
        self.resumes += bool(self.cursor)
        version = "1.1" if self._random.random() < 0.8 else "1.0"
        return await EventStream.open(door.port, path, headers, version=version, small=self._random.random() < 0.3)

    async def _take(self, block: Block, how: str, door: Door) -> None:
        if block.event == "reset":
            asked, self.cursor = self.cursor, block.id
            self.resets.append(Reset(self._journal.now(), asked, block.id, how))
            self._owed = min(self._owed or asked, asked, key=place)
            await self._catch_up(door)
        elif block.event in PASSING:
            if block.id:
                self._complain(f"{how}: a passing signal with an id {block}")
        elif block.data:
            message = json.loads(block.data)
            if block.event or message["id"] != block.id or message["room_id"] != self.room:
                self._complain(f"{how}: a strange block {block}")
            if self.cursor and place(block.id) <= place(self.cursor):
                self._complain(f"{how}: {block.id} came behind {self.cursor}")
            self._note(message, how)
            self.cursor = block.id
        elif block.id:
            if self.cursor and place(self.cursor) != place(block.id):
                self._complain(f"{how}: moved from {self.cursor} to {block.id} without a reset")
            if self.start is None:
                self.start = place(block.id)
            self.cursor = block.id

    async def _catch_up(self, door: Door) -> None:
        await self._load(door, self._owed)
        self._owed = None

    async def _load(self, door: Door, since: str | None) -> None:
        """What a page shows: the newest messages, and older ones until it meets what was seen before. Insists."""
        before, newest = "", since is None
        while True:
            path = f"/rooms/{self.room}/messages?limit=200" + (f"&before={before}" if before else "")
            try:
                async with asyncio.timeout(15):
                    answer = await request(door.port, "GET", path, headers=self._person.headers, seconds=15)
            except (OSError, EOFError, TimeoutError):
                answer = None
            if answer is None or answer.status != 200:
                if answer is not None and not door.may_answer(answer.status):
                    self._journal.odd(f"reader {self.number}: GET {path}: {answer.status} {answer.body[:200]!r}")
                await asyncio.sleep(0.2)
                door = self._random.choice(self._doors)
                continue
            page = answer.json()
            for message in page["messages"]:
                self._note(message, f"page via {door.name}")
            if newest:  # the first page of all: the stream starts where it ends
                ms, seq = place(page["messages"][0]["id"]) if page["messages"] else place(page["cursor"])
                self.start = (ms, seq - 1) if page["messages"] else (ms, seq)
                self.cursor = page["cursor"]
                return
            if not page["has_more"] or place(page["messages"][0]["id"]) <= place(since or "0"):
                return
            before = page["messages"][0]["id"]

    def _note(self, message: dict[str, Any], how: str) -> None:
        seen = Seen(
            self._journal.now(),
            message["id"],
            message["prev"],
            message["user_id"],
            message["client_id"],
            how,
            self.cursor,
        )
        if not message["content"].startswith(f"{seen.client_id} "):
            self._complain(f"{how}: {seen.id} has another message's content")
        self.seen.append(seen)

    def _complain(self, text: str) -> None:
        self.complaints.append(f"{self._journal.now():.3f} reader {self.number}, room {self.room}, {text}")

    async def _pause(self, seconds: float) -> None:
        await until(lambda: self.calm, seconds * self._random.random())
        if self.calm:
            await asyncio.sleep(0.1)
