"""Whatever people do at once, through two processes: who follows the room's stream, with breaks, ends with what a fresh page
shows, which is what `messages` has, which is what the events say.

What is random here is drawn from a seed; which of two requests comes first is up to the machine.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import quote

import pytest
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port

from chatserver.admin.audit import Audit
from chatserver.admin.rebuild import MessagesRebuild
from chatserver.archive.database import Database
from chatserver.archive.event_documents import read_shown
from chatserver.serving import make_server
from chatserver.settings import Settings
from tests.conftest import World
from tests.helpers.browserless import Block, Stream, Visitor, read
from tests.helpers.chats import running

pytestmark = pytest.mark.gen_test(timeout=120)

EMOJI = "👍🎉😀"
State = dict[str, dict[str, Any]]


@pytest.fixture
def other_url(io_loop: IOLoop, settings: Settings) -> Iterator[str]:
    """Where a second chat listens, at the same stores."""
    stack = AsyncExitStack()
    chat = io_loop.run_sync(lambda: stack.enter_async_context(running(settings)))
    listener, port = bind_unused_port()
    server: HTTPServer = make_server(chat.application)
    server.add_socket(listener)
    yield f"http://127.0.0.1:{port}"
    server.stop()
    io_loop.run_sync(server.close_all_connections)
    io_loop.run_sync(stack.aclose)


class Reader:
    """A client of the contract, which keeps what it knows of the room. Shares no code with the server."""

    def __init__(self, visitor: Visitor, addresses: list[str], room: int, dice: random.Random) -> None:
        self._visitor, self._addresses, self._room, self._dice = visitor, addresses, room, dice
        self._messages: State = {}
        self._cursor = ""
        self.resumed = 0

    async def load(self) -> None:
        page = await self._visitor.page(self._room, limit=200)
        self._messages = {name(message): message for message in page["messages"]}
        self._cursor = page["cursor"]

    async def follow(self, last: str) -> None:
        """Until a message with this text has come."""
        while not any(message["content"] == last for message in self._messages.values()):
            self._visitor.address = self._dice.choice(self._addresses)
            stream = await self._visitor.stream(self._room, last=self._cursor)
            self.resumed += 1
            for _ in range(self._dice.randint(1, 25)):
                await self._take(stream)
                if any(message["content"] == last for message in self._messages.values()):
                    break
            stream.close()

    async def _take(self, stream: Stream) -> None:
        block = await stream.event()
        assert block.id is not None
        self._cursor = block.id
        if block.event == "reset":
            await self.load()
        else:
            self._apply(block)

    def _apply(self, block: Block) -> None:
        event = json.loads(block.data or "")
        if block.event is None:
            known = self._messages.get(name(event))
            if known is None or known["id"] != event["id"]:
                self._messages[name(event)] = event
            return
        message = next((each for each in self._messages.values() if each["id"] == event["message_id"]), None)
        if message is None or message.get("deleted"):
            return
        if block.event == "edited":
            message |= {"content": event["content"], "edited_at": event["edited_at"]}
        elif block.event == "deleted":
            kept = ("id", "prev", "room_id", "user_id", "user_name", "created_at", "client_id")
            tombstone = {field: message[field] for field in kept} | {"content": "", "deleted": True}
            message.clear()
            message.update(tombstone)
        else:
            assert block.event == "reaction"
            reactions = message.setdefault("reactions", [])
            mine = next((each for each in reactions if each["emoji"] == event["emoji"]), None)
            if event["on"] and mine is None:
                reactions.append({"emoji": event["emoji"], "user_ids": [event["user_id"]]})
            elif event["on"] and mine is not None and event["user_id"] not in mine["user_ids"]:
                mine["user_ids"].append(event["user_id"])
            elif not event["on"] and mine is not None and event["user_id"] in mine["user_ids"]:
                mine["user_ids"].remove(event["user_id"])
                reactions[:] = [each for each in reactions if each["user_ids"]]
            if not reactions:
                del message["reactions"]

    def state(self) -> list[dict[str, Any]]:
        return sorted(self._messages.values(), key=lambda message: place(message["id"]))


class Walker:
    """Somebody who does one thing after the other, and repeats what got no answer."""

    def __init__(self, visitor: Visitor, addresses: list[str], room: int, dice: random.Random) -> None:
        self._visitor, self._addresses, self._room, self._dice = visitor, addresses, room, dice
        self._said = 0

    async def walk(self, steps: int) -> None:
        for _ in range(steps):
            known = (await self._insist("GET", f"/rooms/{self._room}/messages?limit=20", None, {200}))["messages"]
            deed = self._dice.choice(["say", "reply", "edit", "edit", "delete", "react", "react", "react"])
            mine = [message for message in known if message["user_id"] == self._visitor.id]
            if deed == "say" or not mine:
                await self._say()
            elif deed == "reply":
                await self._say(self._dice.choice(known)["id"])
            elif deed == "react":
                emoji, on = quote(self._dice.choice(EMOJI)), self._dice.random() < 0.6
                path = f"{self._path(self._dice.choice(known))}/reactions/{emoji}"
                await self._insist("PUT" if on else "DELETE", path, None, {204, 409})
            elif deed == "edit":
                content = f"{self._visitor.id} edits {self._dice.random()}"
                await self._insist("PATCH", self._path(self._dice.choice(mine)), {"content": content}, {200, 409})
            else:
                await self._insist("DELETE", self._path(self._dice.choice(mine)), None, {204})

    async def _say(self, reply_to: str | None = None) -> None:
        self._said += 1
        body = {"room_id": self._room, "content": f"number {self._said}", "client_id": f"c-{self._said}"}
        await self._insist("POST", "/messages", body | {"reply_to": reply_to}, {200, 201, 422})

    def _path(self, message: dict[str, Any]) -> str:
        return f"/rooms/{self._room}/messages/{message['id']}"

    async def _insist(self, method: str, path: str, body: Any, expected: set[int]) -> Any:
        while True:
            self._visitor.address = self._dice.choice(self._addresses)
            response = await self._visitor.fetch(method, path, json_body=body)
            if response.code in expected:
                return read(response) if response.body else None
            # A message that was lost before it was archived may have been seen under its first id.
            if response.code == 404 and method != "GET":
                return None
            assert response.code == 503, (method, path, response.code, response.body)
            await asyncio.sleep(0.02)


def name(message: dict[str, Any]) -> str:
    return f"{message['user_id']} {message['client_id']}"


def place(id: str) -> tuple[int, ...]:
    return tuple(map(int, id.split("-")))


def unordered(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages, less the order of their reactions."""
    return [
        message | {"reactions": {each["emoji"]: set(each["user_ids"]) for each in message.get("reactions", [])}}
        for message in messages
    ]


@pytest.mark.parametrize(("seed", "flushes"), [(1, 0), (2, 0), (3, 4)])
async def test_all_ways_to_know_a_room_end_in_one_state(
    seed: int,
    flushes: int,
    ada: Visitor,
    room: int,
    visit: Callable[..., Visitor],
    base_url: str,
    other_url: str,
    settings: Settings,
    world: World,
) -> None:
    dice = random.Random(seed)
    addresses = [base_url, other_url]
    people = [ada, *(visit() for _ in range(4))]
    for visitor in people[1:]:
        await visitor.sign_up()
    walkers = [Walker(visitor, addresses, room, random.Random(dice.random())) for visitor in people[:3]]
    readers = [Reader(visitor, addresses, room, random.Random(dice.random())) for visitor in people[3:]]
    await walkers[0].walk(5)
    for reader in readers:
        await reader.load()
    following = [asyncio.create_task(reader.follow("the last word")) for reader in readers]

    async def flush() -> None:
        with world.redis_client() as redis:
            for _ in range(flushes):
                await asyncio.sleep(0.15)
                redis.flushall()

    await asyncio.gather(*(walker.walk(40) for walker in walkers), flush())
    await ada.say(room, "the last word")
    await asyncio.gather(*following)
    page = (await ada.page(room, limit=200))["messages"]
    alike = unordered if flushes else list  # what was lost may have been seen, in another order
    for reader in readers:
        assert alike(reader.state()) == alike(page)
        assert reader.resumed > 3
    assert {"edited_at", "deleted", "reactions", "reply_to"} <= {key for message in page for key in message}

    database = Database(settings.mongodb_uri)

    async def shown() -> list[dict[str, Any]]:
        found = database.messages.find({"_id.room": room}).sort("_id")
        return [as_json(document) async for document in found]

    assert await shown() == page
    assert [problem async for problem in Audit(database).problems(room)] == []
    await database.messages.delete_many({"_id.room": room})
    for _ in range(2):
        await MessagesRebuild(database).rebuild(room)
        assert await shown() == page
    database.close()


def as_json(document: dict[str, Any]) -> dict[str, Any]:
    """A document of `messages`, as the contract has a message."""
    id = document["_id"]
    rest = {field: value for field, value in document.items() if field not in {"_id", "applied", "words"}}
    assert read_shown(document).message.id == f"{id['ms']}-{id['seq']}"
    return {"id": f"{id['ms']}-{id['seq']}", "room_id": id["room"]} | rest
