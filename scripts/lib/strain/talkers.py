"""People who talk in a room as people do: they type, write, correct themselves, react, and take things back."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from common.event_ids import place
from common.http_client import Answer, Person, request

WORDS = ("harbour", "**tide**", "`anchor`", "ship", "https://example.org/log", "rope", "@writer", "fog", "🚢", "crane")
EMOJI = ("👍", "🎉", "❤️", "👀")
TYPING, EDITS, REACTIONS, DELETIONS = 0.05, 0.05, 0.1, 0.01
"""How many of the messages have one."""

AT_ONCE = 8
RECENT = 100
"""Messages among which one is chosen that is changed."""


class Talkers:
    """`said`: messages so far. `last`: the id of the newest of them."""

    def __init__(self, port: int, room: int, people: Sequence[Person], rate: float) -> None:
        self._port = port
        self._room = room
        self._people = people
        self._rate = rate
        self._recent: list[tuple[Person, str]] = []
        self.said = 0
        self.changes = 0
        self.last = "0-0"
        self.oddities: list[str] = []

    async def talk(self, count: int) -> None:
        """Says so many messages, at the rate or as fast as the chat answers, and what belongs to them."""
        left = iter(range(count))
        started = time.monotonic()

        async def one_after_the_other() -> None:
            for number in left:
                await asyncio.sleep(max(0.0, started + number / self._rate - time.monotonic()))
                await self._say()

        await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))

    async def history(self) -> list[dict[str, Any]]:
        """The newest messages, the oldest first."""
        answer = await self._ask(self._people[0], "GET", f"/rooms/{self._room}/messages?limit=200", None, {200})
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages

    async def _say(self) -> None:
        person = random.choice(self._people)
        room = f"/rooms/{self._room}"
        if random.random() < TYPING:
            await self._ask(person, "POST", f"{room}/typing", None, {204})
        body = {
            "room_id": self._room,
            "content": " ".join(random.choices(WORDS, k=random.randint(2, 30))),
            "client_id": secrets.token_hex(8),
        }
        answer = await self._ask(person, "POST", "/messages", body, {200, 201})
        if answer.status not in {200, 201}:
            return
        id = answer.json()["id"]
        self.said += 1
        self.last = max(self.last, id, key=place)
        self._recent = [*self._recent[-RECENT:], (person, id)]
        await self._change(room)

    async def _change(self, room: str) -> None:
        author, id = random.choice(self._recent)
        path = f"{room}/messages/{id}"
        if random.random() < EDITS:
            await self._ask(author, "PATCH", path, {"content": f"corrected: {random.choice(WORDS)}"}, {200, 409})
        elif random.random() < REACTIONS:
            who, emoji = random.choice(self._people), quote(random.choice(EMOJI))
            await self._ask(who, random.choice(("PUT", "PUT", "DELETE")), f"{path}/reactions/{emoji}", None, {204, 409})
        elif random.random() < DELETIONS:
            await self._ask(author, "DELETE", path, None, {204})
        else:
            return
        self.changes += 1

    async def _ask(self, person: Person, method: str, path: str, body: Any, right: set[int]) -> Answer:
        answer = await request(self._port, method, path, headers=person.headers, body=body)
        if answer.status not in right:
            self.oddities.append(f"{method} {path}: {answer.status} {answer.body[:80]!r}")
        return answer
