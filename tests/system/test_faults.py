"""What happens when a part dies in the middle of talk. `scripts/torture` does the same at length, and by the hundred."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from unittest.mock import patch

import pytest
from tornado.httpclient import HTTPError

from chatserver import app as app_module
from chatserver.archive import database
from chatserver.errors import Unavailable
from chatserver.log.keys import pending_key
from chatserver.model.users import User
from chatserver.settings import Settings
from tests.conftest import World
from tests.helpers.browserless import Visitor, read
from tests.helpers.chats import running
from tests.helpers.server_process import ServerProcess
from tests.helpers.waiting import until

pytestmark = pytest.mark.gen_test(timeout=120)


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a MongoDB that is away: a few seconds less than a deployment has. Chats of this process only."""
    monkeypatch.setattr(database, "SELECT_MS", 1_500)
    monkeypatch.setattr(database, "ANSWER_MS", 3_000)


@dataclass
class Talk:
    """Somebody who posts without a break, and repeats what got no answer."""

    visitor: Visitor
    room: int
    acknowledged: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    _over: bool = False

    def __post_init__(self) -> None:
        self._task = asyncio.create_task(self._go_on())

    async def finish(self) -> None:
        self._over = True
        await self._task

    async def more(self, count: int = 20) -> None:
        """Returns when so many more messages have been acknowledged."""
        wanted = len(self.acknowledged) + count
        while len(self.acknowledged) < wanted:
            await asyncio.wait([self._task], timeout=0.01)
            if self._task.done():
                self._task.result()

    async def _go_on(self) -> None:
        number = 0
        while not self._over:
            number += 1
            self.acknowledged[f"c-{number}"] = await insist(self.visitor, self.room, f"c-{number}", self._refuse)

    def _refuse(self) -> None:
        self.refused += 1


async def insist(visitor: Visitor, room: int, client_id: str, refused: Callable[[], None] = lambda: None) -> str:
    """Posts until there is an answer that acknowledges it. Returns the id."""
    while True:
        try:
            response = await visitor.post(room, client_id, client_id)
        except (OSError, HTTPError):
            # The server went away before it answered.
            continue
        if response.code in {200, 201}:
            id: str = read(response)["id"]
            return id
        assert response.code in {503, 599}, response.body
        refused()
        await asyncio.sleep(0.05)


async def read_until(visitor: Visitor, room: int, wanted: dict[str, str], first: str = "0") -> list[str]:
    """Reads the room, coming back with the cursor as often as it takes. Returns the ids in the order they came in."""
    ids: list[str] = []
    names: dict[str, str] = {}
    cursor = first
    while any(names.get(name) != id for name, id in wanted.items()):
        try:
            stream = await visitor.stream(room, last=cursor)
            while any(names.get(name) != id for name, id in wanted.items()):
                message = await stream.message()
                names[message["client_id"]] = message["id"]
                ids.append(message["id"])
                cursor = message["id"]
        except (OSError, EOFError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.05)
    return ids


def in_order(ids: list[str]) -> list[str]:
    return sorted(set(ids), key=lambda id: tuple(map(int, id.split("-"))))


async def nothing_pending(world: World, room: int) -> None:
    with world.redis_client() as redis:
        while redis.zcard(pending_key(room)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_redis_comes_back_empty(ada: Visitor, room: int, world: World) -> None:
    """Posts go on, the open streams too, nothing acknowledged is missing, no id is used twice."""
    stream = await ada.stream(room, after="0")
    talk = Talk(ada, room)
    for _ in range(3):
        await talk.more()
        world.redis.kill()
        world.redis.start()
    await talk.more()
    await talk.finish()
    seen: dict[str, str] = {}
    ids: list[str] = []
    while any(seen.get(name) != id for name, id in talk.acknowledged.items()):
        message = await stream.message()
        seen[message["client_id"]] = message["id"]
        ids.append(message["id"])
    assert ids == in_order(ids)
    history = await read_until(ada, room, talk.acknowledged)
    assert set(talk.acknowledged.values()) == set(history)


async def test_while_mongodb_is_away_people_go_on_talking(ada: Visitor, room: int, world: World) -> None:
    """What is written is seen at once; it is acknowledged when MongoDB is back; then nothing is left to do."""
    stream = await ada.stream(room, after="0")
    before = await ada.say(room, "before", "before")
    assert await stream.message() == before
    world.mongod.kill()
    try:
        posts = [asyncio.create_task(ada.post(room, f"away {number}", f"c-{number}")) for number in range(10)]
        seen = {(await stream.message())["client_id"] for _ in range(10)}
        assert seen == {f"c-{number}" for number in range(10)}
        assert {(await post).code for post in posts} == {503}
        again = await ada.stream(room, last=before["id"])
        assert {message["client_id"] for message in await again.messages(10)} == seen
    finally:
        world.mongod.start()
    acknowledged = {f"c-{number}": await insist(ada, room, f"c-{number}") for number in range(10)}
    await nothing_pending(world, room)
    said = (await ada.page(room, limit=200))["messages"][1:]
    assert {message["client_id"]: message["id"] for message in said} == acknowledged
    assert len(said) == 10


async def test_what_nobody_repeats_is_archived_all_the_same(ada: Visitor, room: int, world: World) -> None:
    stream = await ada.stream(room, after="0")
    await ada.say(room, "before", "before")
    world.mongod.kill()
    try:
        assert (await ada.post(room, "said into the dark", "c")).code == 503
    finally:
        world.mongod.start()
    await nothing_pending(world, room)
    said = (await ada.page(room))["messages"]
    assert [message["client_id"] for message in said] == ["before", "c"]
    assert await stream.messages(2) == said


async def test_posts_go_on_when_both_are_back_and_nothing_is_left_to_archive(
    ada: Visitor, room: int, world: World
) -> None:
    """A log that lost everything takes no post before the archive is asked, so no write tells that MongoDB is back."""
    said = {name: await insist(ada, room, name) for name in ("before", "still-before")}
    world.mongod.kill()
    try:
        with world.redis_client() as redis:
            redis.flushall()
        assert (await ada.post(room, "refused", "refused")).code == 503
    finally:
        world.mongod.start()
    said["after"] = await insist(ada, room, "after")
    assert await read_until(ada, room, said) == list(said.values())


async def test_mongodb_hangs_and_goes_on(ada: Visitor, room: int, world: World) -> None:
    talk = Talk(ada, room)
    await talk.more()
    world.mongod.pause()
    try:
        reading = asyncio.create_task(ada.stream(room, after="0"))
        assert len(await (await reading).messages(20)) == 20
    finally:
        world.mongod.resume()
    await talk.more()
    await talk.finish()
    ids = await read_until(ada, room, talk.acknowledged)
    assert ids == in_order(ids)
    await nothing_pending(world, room)


async def test_who_is_told_to_go_leaves_to_others_what_an_archive_that_hangs_does_not_take(
    ada: Visitor, room: int, world: World, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    def writing() -> list[asyncio.Task[object]]:
        return [task for task in asyncio.all_tasks() if task.get_name() == "group commit"]

    with patch.object(app_module, "FINISH_SECONDS", 0.1):
        try:
            async with running(settings) as leaving:
                post = partial(leaving.services.messages.post, User(ada.id, ada.name), room, client_id=None)
                await post("early")
                await nothing_pending(world, room)
                world.mongod.pause()
                late = asyncio.create_task(post("late"))
                with world.redis_client() as redis:
                    await until(lambda: redis.zcard(pending_key(room)))
            assert writing(), "it was waited until the archive gave up"
            assert not late.done()
        finally:
            world.mongod.resume()
    with suppress(Unavailable):
        await late
    assert [record.name for record in caplog.records] == ["chatserver.app"]
    caplog.clear()
    await nothing_pending(world, room)
    assert [message["content"] for message in (await ada.page(room))["messages"]] == ["early", "late"]


async def test_who_is_told_to_go_goes_however_many_stand_in_the_line_for_mongodb(
    ada: Visitor, room: int, world: World, start_server: Callable[..., ServerProcess], visit: Callable[..., Visitor]
) -> None:
    """Those who asked are gone already; to answer them all the same would take minutes."""
    leaving = start_server(DRAIN_SECONDS="1")
    away = visit(leaving.address)
    await away.sign_up()
    await away.say(room, "before")
    cookies = "; ".join(f"{name}={value}" for name, value in away.cookies.items())
    try:
        world.mongod.pause()
        for number in range(240):
            _, writer = await asyncio.open_connection("127.0.0.1", leaving.port)
            path = f"/rooms/{room}/messages/1-{number}"
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {leaving.port}\r\nCookie: {cookies}\r\n\r\n".encode())
            writer.close()
        posting = [asyncio.create_task(away.post(room, "late", f"late-{number}")) for number in range(5)]
        await asyncio.wait(posting, timeout=1)
        leaving.send(signal.SIGTERM)
        await until(lambda: not leaving.runs)
        await asyncio.gather(*posting, return_exceptions=True)
    finally:
        world.mongod.resume()


async def test_redis_hangs_and_goes_on(ada: Visitor, room: int, world: World) -> None:
    talk = Talk(ada, room)
    await talk.more()
    world.redis.pause()
    try:
        while not talk.refused:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    finally:
        world.redis.resume()
    await talk.more()
    await talk.finish()
    ids = await read_until(ada, room, talk.acknowledged)
    assert ids == in_order(ids)
    assert set(ids) == set(talk.acknowledged.values())


async def test_a_process_is_killed_and_its_readers_and_posters_go_on_at_another(
    start_server: Callable[..., ServerProcess], visit: Callable[..., Visitor], world: World
) -> None:
    first, second = start_server(), start_server()
    ada = visit(first.address)
    await ada.sign_up()
    room = await ada.make_room()
    reader = visit(first.address)
    reader.cookies = dict(ada.cookies)
    stream = await reader.stream(room, after="0")
    talk = Talk(ada, room)
    await talk.more()
    seen = [message["id"] for message in await stream.messages(10)]
    first.kill()
    ada.address = reader.address = second.address
    await talk.more()
    await talk.finish()
    rest = {name: id for name, id in talk.acknowledged.items() if id not in seen}
    seen += await read_until(reader, room, rest, first=seen[-1])
    assert seen == in_order(seen)
    assert set(seen) == set(talk.acknowledged.values())
    await nothing_pending(world, room)
