"""Who is in a room, as pages see it: by name at the asking, and by signals from then on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port

from chatserver.app import Chat
from chatserver.serving import make_server
from chatserver.settings import Settings
from chatserver.support.background import Background
from tests.conftest import World
from tests.helpers.browserless import Stream, Visitor, read
from tests.helpers.chats import running
from tests.helpers.server_process import ServerProcess

pytestmark = pytest.mark.gen_test(timeout=60)

GRACE, LEASE = 1.0, 1.5
"""Seconds, instead of ten each."""


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatserver.app.GRACE_SECONDS", GRACE)
    monkeypatch.setattr("chatserver.app.LEASE_SECONDS", LEASE)


Start = Callable[[], Awaitable[tuple[Chat, str]]]
People = Callable[..., Awaitable[Visitor]]
Elsewhere = Callable[[Visitor, str], Visitor]


@pytest.fixture
def start_chat(io_loop: IOLoop, settings: Settings) -> Iterator[Start]:
    """Starts further processes' worth of parts. Returns each with its address."""
    stack = AsyncExitStack()

    async def start() -> tuple[Chat, str]:
        chat = await stack.enter_async_context(running(settings))
        listener, port = bind_unused_port()
        server = make_server(chat.application)
        server.add_socket(listener)
        stack.push_async_callback(server.close_all_connections)
        stack.callback(server.stop)
        return chat, f"http://127.0.0.1:{port}"

    yield start
    io_loop.run_sync(stack.aclose)


@pytest.fixture
def people(visit: Callable[..., Visitor]) -> People:
    async def make(address: str | None = None) -> Visitor:
        visitor = visit(address)
        await visitor.sign_up()
        return visitor

    return make


@pytest.fixture
def elsewhere(visit: Callable[..., Visitor]) -> Elsewhere:
    """The same person at another process."""

    def make(visitor: Visitor, address: str) -> Visitor:
        other = visit(address)
        other.cookies, other.token, other.id, other.name = visitor.cookies, visitor.token, visitor.id, visitor.name
        return other

    return make


async def present(visitor: Visitor, room: int) -> list[int]:
    response = await visitor.get(f"/rooms/{room}/presence")
    assert response.code == 200, response.body
    return [user["id"] for user in read(response)["users"]]


async def watch(visitor: Visitor, room: int) -> Stream:
    """A stream that has seen its own user arrive."""
    stream = await visitor.stream(room)
    assert await news(stream) == (visitor.id, True)
    return stream


async def arrive(visitor: Visitor, room: int, watcher: Stream) -> Stream:
    stream = await visitor.stream(room)
    assert await news(watcher) == (visitor.id, True)
    return stream


async def news(stream: Stream) -> tuple[int, bool]:
    data = await stream.signal("presence")
    assert set(data) == {"room_id", "user_id", "user_name", "here"}
    return data["user_id"], data["here"]


async def test_who_opens_a_stream_is_here_at_once_and_gone_some_time_after_the_last_one_closes(
    ada: Visitor, room: int, people: People
) -> None:
    grace = await people()
    assert await present(ada, room) == []
    watcher = await watch(ada, room)
    hers = await arrive(grace, room, watcher)
    names = {ada.id: ada.name, grace.id: grace.name}
    assert await present(grace, room) == sorted(names, key=lambda id: names[id])
    users = read(await ada.get(f"/rooms/{room}/presence"))["users"]
    assert {user["id"]: user["name"] for user in users} == names
    hers.close()
    assert await news(watcher) == (grace.id, False)
    assert await present(ada, room) == [ada.id]


async def test_a_second_stream_of_the_same_user_is_no_news_nor_is_its_end(
    ada: Visitor, room: int, people: People
) -> None:
    grace, joan = await people(), await people()
    watcher = await watch(ada, room)
    await arrive(grace, room, watcher)
    second = await grace.stream(room)
    await second.block()
    second.close()
    hers = await arrive(joan, room, watcher)
    hers.close()
    assert await news(watcher) == (joan.id, False), "she left after Grace's second stream ended"
    assert await present(ada, room) == sorted_by_name(ada, grace)


async def test_five_hundred_reconnects_are_no_news(ada: Visitor, room: int, people: People) -> None:
    crowd = await asyncio.gather(*(people() for _ in range(10)))
    watcher, witness = await watch(ada, room), await people()
    streams = [await arrive(visitor, room, watcher) for visitor in crowd]
    last = await arrive(witness, room, watcher)

    async def come_back(visitor: Visitor, stream: Stream) -> None:
        for _ in range(50):
            stream.close()
            stream = await visitor.stream(room)
            await stream.block()

    await asyncio.gather(*(come_back(visitor, stream) for visitor, stream in zip(crowd, streams, strict=True)))
    last.close()
    assert await news(watcher) == (witness.id, False), "everybody else came back before she left"
    assert len(await present(ada, room)) == 11


async def test_who_moves_to_another_process_is_no_news(
    ada: Visitor, room: int, people: People, start_chat: Start, elsewhere: Elsewhere
) -> None:
    _, there = await start_chat()
    grace, witness = await people(), await people()
    watcher = await watch(ada, room)
    hers, last = await arrive(grace, room, watcher), await arrive(witness, room, watcher)
    await (await elsewhere(grace, there).stream(room)).block()
    while len(await present(ada, room)) < 3:
        pass
    hers.close()
    last.close()
    assert await news(watcher) == (witness.id, False), "Grace left this process before her"
    assert await present(elsewhere(ada, there), room) == sorted_by_name(ada, grace)


async def test_who_was_only_at_a_process_that_died_is_gone_once(
    ada: Visitor, room: int, people: People, start_chat: Start, elsewhere: Elsewhere
) -> None:
    """Two live on, and both find what the dead one left. What an orderly end leaves is the same."""
    (dying, there), (_, third) = await start_chat(), await start_chat()
    grace, joan, witness = await people(), await people(), await people()
    watcher = await watch(ada, room)
    await arrive(elsewhere(grace, there), room, watcher)
    await arrive(elsewhere(joan, there), room, watcher)
    joans = elsewhere(joan, third)
    await (await joans.stream(room)).block()
    await dying.services.presence.stop()
    assert await news(watcher) == (grace.id, False)
    last = await arrive(witness, room, watcher)
    last.close()
    assert await news(watcher) == (witness.id, False), "neither was Grace gone twice, nor Joan at all"
    assert await present(ada, room) == sorted_by_name(ada, joan)


async def test_a_process_that_was_taken_for_dead_says_again_who_is_there(
    ada: Visitor, room: int, people: People, start_chat: Start, elsewhere: Elsewhere
) -> None:
    slow, there = await start_chat()
    grace = await people()
    watcher = await watch(ada, room)
    await arrive(elsewhere(grace, there), room, watcher)
    await slow.services.presence.stop()
    assert await news(watcher) == (grace.id, False)
    slow.services.presence.start(Background())
    assert await news(watcher) == (grace.id, True)
    assert await present(ada, room) == sorted_by_name(ada, grace)


async def test_redis_that_forgot_is_told_again_and_nobody_hears_of_it(
    ada: Visitor, room: int, people: People, world: World
) -> None:
    grace, witness = await people(), await people()
    watcher = await watch(ada, room)
    hers = await arrive(grace, room, watcher)
    with world.redis_client() as redis:
        redis.flushall()
    while await present(ada, room) != sorted_by_name(ada, grace):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    await arrive(witness, room, watcher)
    with world.redis_client() as redis:
        redis.flushall()
    hers.close()
    assert await news(watcher) == (grace.id, False), "who leaves while nobody remembers is gone nevertheless"


async def test_a_killed_process_leaves_nobody_behind(
    ada: Visitor, room: int, people: People, start_server: Callable[..., ServerProcess]
) -> None:
    """kill -9 of a real one, with the times of a deployment."""
    server = start_server()
    grace = await people(server.address)
    watcher = await watch(ada, room)
    await arrive(grace, room, watcher)
    server.kill()
    assert await news(watcher) == (grace.id, False)
    assert await present(ada, room) == [ada.id]


async def test_a_room_that_is_not_there_has_no_presence(ada: Visitor, visit: Callable[..., Visitor]) -> None:
    for path in ("/rooms/999999/presence", "/rooms/x/presence"):
        assert (await ada.get(path)).code == 404
    assert (await visit().get("/rooms/1/presence")).code == 401


def sorted_by_name(*visitors: Visitor) -> list[Any]:
    return [visitor.id for visitor in sorted(visitors, key=lambda visitor: visitor.name)]
