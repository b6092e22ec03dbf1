"""Those who read: one room or many, on one process or the other, gone and back with their cursor, slow or asleep."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from typing import Any, Literal

from common.event_ids import place
from common.http_client import Block, EventStream, Person, request
from common.waiting import until
from torture.people.journal import Journal
from torture.people.said import CHANGES
from torture.people.track import Track
from torture.world.doors import Door

IDLE_SECONDS = 28.0
"""Heartbeats come every 20 s or so: after a longer silence the stream is taken for dead."""

LOST = "lost"
"""Stands in the name of many places for that of a room whose reset comes next."""

PASSING = frozenset({"typing", "presence", "read", "rooms"})
"""Signals: they are no part of the log, and move no cursor."""

Style = Literal["now", "beginning", "page"]


class Reader:
    """`tracks`: by room. Of one room the stream's ids are the room's own; of many each names the places in all."""

    def __init__(
        self,
        number: int,
        rooms: Sequence[int],
        person: Person,
        journal: Journal,
        doors: list[Door],
        seed: int,
        style: Style,
    ) -> None:
        self.number = number
        self.style = style
        self.tracks = {room: Track(room, journal) for room in rooms}
        self.id = ""
        """The last one that it got, with which it comes back."""
        self.complaints: list[str] = []
        self.connections = 0
        self.resumes = 0
        self.calm = False
        """It stays, and reads as fast as it can."""
        self._person = person
        self._journal = journal
        self._doors = doors
        self._random = random.Random(f"reader {number} {seed}")

    def __str__(self) -> str:
        return f"reader {self.number} ({self.style}, rooms {', '.join(map(str, self.tracks))})"

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
        if not self.id and self.style != "now":
            await self._arrive(door)
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
                self._take(block, how)
                await self._catch_up(door)
        finally:
            stream.close()

    async def _arrive(self, door: Door) -> None:
        """Finds out from where to read."""
        for track in self.tracks.values():
            if self.style == "page" and not track.cursor:
                await self._load(track, door, None)
            elif not track.cursor:
                track.cursor = "0-0"
                track.begin((0, 0))
        cursors = {room: track.cursor for room, track in self.tracks.items()}
        many = "_".join(f"{room}.{cursor}" for room, cursor in cursors.items())
        self.id = many if len(cursors) > 1 else next(iter(cursors.values()))

    async def _open(self, door: Door) -> EventStream:
        path = "/chat/stream?" + "&".join(f"room={room}" for room in self.tracks)
        headers = dict(self._person.headers)
        if self.id and self._random.random() < 0.3:
            path += f"&after={self.id}"
        elif self.id:
            headers["Last-Event-ID"] = self.id
        self.connections += 1
        self.resumes += bool(self.id)
        version = "1.1" if self._random.random() < 0.8 else "1.0"
        return await EventStream.open(door.port, path, headers, version=version, small=self._random.random() < 0.3)

    def _take(self, block: Block, how: str) -> None:
        try:
            places = self._places(block.id)
            if block.event in PASSING:
                if block.id:
                    self._complain(f"{how}: a signal moves the cursor: {block}")
            elif block.event == "reset":
                data = json.loads(block.data)
                self.tracks[data["room_id"]].reset(places[data["room_id"]], how)
            elif block.data:
                self._hear(block.event or "message", json.loads(block.data), places, how)
            elif block.id:
                asked = self._places(self.id)
                for room, cursor in places.items():
                    if cursor != LOST:
                        self.tracks[room].stand(asked.get(room, ""), cursor, how)
        except (KeyError, ValueError) as error:
            self._complain(f"{how}: a strange block {block}: {error!r}")
        if block.id:
            self.id = block.id

    def _hear(self, kind: str, data: dict[str, Any], places: dict[int, str], how: str) -> None:
        if kind not in {"message", *CHANGES} or places[data["room_id"]] != data["id"]:
            raise ValueError("this is no event with its own id")
        for room, track in self.tracks.items():
            # Others may have gone on past a void; never back.
            if room != data["room_id"] and places[room] != LOST and place(places[room]) < place(track.cursor):
                self._complain(f"{how}: {data['id']} of room {data['room_id']} moves room {room} back: {places}")
        self.tracks[data["room_id"]].hear(kind, data, how)

    def _places(self, id: str) -> dict[int, str]:
        if not id:
            return {}
        if len(self.tracks) == 1:
            return dict.fromkeys(self.tracks, id)
        parts = [part.partition(".") for part in id.split("_")]
        places = {int(room): cursor for room, _, cursor in parts}
        if list(places) != list(self.tracks):
            raise ValueError("this does not name the rooms that were asked for")
        return places

    async def _catch_up(self, door: Door) -> None:
        for track in self.tracks.values():
            if track.owed is not None:
                await self._load(track, door, track.owed)
                track.owed = None

    async def _load(self, track: Track, door: Door, since: str | None) -> None:
        """What a page shows: the newest messages, and older ones until it meets what was seen before. Insists."""
        before, newest = "", since is None
        while True:
            path = f"/rooms/{track.room}/messages?limit=200" + (f"&before={before}" if before else "")
            answer = await request(door.port, "GET", path, headers=self._person.headers)
            if answer.status != 200:
                if not door.may_answer(answer.status):
                    self._journal.odd(f"GET {path} via {door.name}: {answer.status}")
                await asyncio.sleep(0.2)
                door = self._random.choice(self._doors)
                continue
            page = answer.json()
            first = place(page["messages"][0]["id"]) if page["messages"] else place(page["cursor"])
            known = (first[0], first[1] - 1) if page["messages"] else first
            if newest:  # the first page of all: the stream starts where it ends
                track.begin(known, place(page["cursor"]))
            for message in page["messages"]:
                track.note("message", message, f"page via {door.name}")
            if newest:
                track.cursor = page["cursor"]
                return
            if not page["has_more"] or first <= place(since or "0"):
                track.fold.forget(known if page["has_more"] else (0, 0))
                return
            before = page["messages"][0]["id"]

    def _complain(self, text: str) -> None:
        self.complaints.append(f"{self._journal.now():.3f} {self}, {text}")

    async def _pause(self, seconds: float) -> None:
        await until(lambda: self.calm, seconds * self._random.random())
        if self.calm:
            await asyncio.sleep(0.1)
