"""/healthz and /readyz: what load balancers ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from tornado.testing import bind_unused_port

import chatserver
from chatserver.app import Chat
from chatserver.serving import make_server
from chatserver.settings import Settings
from chatserver.support.background import Background
from chatserver.web.health import Health
from desk import embedded
from desk.embedded import Mongod, RedisServer
from tests.conftest import ROOT, World
from tests.helpers.browserless import Visitor, read
from tests.helpers.chats import running
from tests.helpers.waiting import for_ever

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]

READY = {"redis": True, "mongodb": True, "draining": False}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[ExitStack]:
    """For servers of the test's own, in its own folder."""
    (tmp_path / "programs").symlink_to(ROOT / "var" / "programs")
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def own_redis(stack: ExitStack, tmp_path: Path) -> RedisServer:
    return stack.enter_context(embedded.redis_server(tmp_path, persistent=False))


@pytest.fixture
def own_mongod(stack: ExitStack, tmp_path: Path) -> Mongod:
    return stack.enter_context(embedded.mongod(tmp_path))


@asynccontextmanager
async def served(world: World, **environment: str) -> AsyncIterator[Visitor]:
    """A visitor of a chat that stands on other servers than the world's."""
    async with running(Settings.from_environ(world.environment(0) | environment)) as chat:
        listener, port = bind_unused_port()
        server = make_server(chat.application)
        server.add_socket(listener)
        visitor = Visitor(f"http://127.0.0.1:{port}")
        try:
            yield visitor
        finally:
            await visitor.leave()
            server.stop()
            await server.close_all_connections()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling(), "the chat did not stop by itself"


async def becomes(visitor: Visitor, status: int, parts: dict[str, bool]) -> None:
    """Returns when /readyz says so."""
    async with asyncio.timeout(30):
        while True:
            response = await visitor.get("/readyz")
            if (response.code, read(response)) == (status, parts):
                return
            await asyncio.sleep(0.05)


async def test_it_is_healthy_and_ready(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    response = await visitor.get("/healthz")
    assert (response.code, read(response)) == (200, {"ok": True, "version": chatserver.__version__})
    response = await visitor.get("/readyz")
    assert (response.code, read(response)) == (200, READY)
    for path in ("/healthz", "/readyz"):
        response = await visitor.fetch("HEAD", path)
        assert (response.code, response.body) == (200, b"")
    assert visitor.cookies == {}


async def test_it_is_not_ready_without_redis_and_ready_again_with_it(world: World, own_redis: RedisServer) -> None:
    async with served(world, REDIS_URL=own_redis.url) as visitor:
        await becomes(visitor, 200, READY)
        own_redis.kill()
        await becomes(visitor, 503, READY | {"redis": False})
        assert (await visitor.get("/healthz")).code == 200
        await asyncio.to_thread(own_redis.start)
        await becomes(visitor, 200, READY)


async def test_it_is_not_ready_while_redis_hangs(world: World, own_redis: RedisServer) -> None:
    async with served(world, REDIS_URL=own_redis.url) as visitor:
        await becomes(visitor, 200, READY)
        own_redis.pause()
        await becomes(visitor, 503, READY | {"redis": False})
        assert (await visitor.get("/healthz")).code == 200
        own_redis.resume()
        await becomes(visitor, 200, READY)


async def test_it_is_not_ready_without_mongodb_and_ready_again_with_it(world: World, own_mongod: Mongod) -> None:
    async with served(world, MONGODB_URI=own_mongod.uri) as visitor:
        await becomes(visitor, 200, READY)
        own_mongod.kill()
        await becomes(visitor, 503, READY | {"mongodb": False})
        assert (await visitor.get("/healthz")).code == 200
        await asyncio.to_thread(own_mongod.start)
        await becomes(visitor, 200, READY)


async def test_it_is_not_ready_while_it_drains(chat: Chat, ada: Visitor, room: int) -> None:
    """But what still arrives is answered, and told to go elsewhere next time."""
    chat.services.health.draining = True
    response = await ada.get("/readyz")
    assert (response.code, read(response)) == (503, READY | {"draining": True})
    assert (await ada.get("/healthz")).code == 200
    response = await ada.post(room, "last words")
    assert (response.code, response.headers["Connection"]) == (201, "close")
    for path in ("/rooms/0/messages", "/nothing"):
        assert (await ada.get(path)).headers["Connection"] == "close"


async def test_what_hangs_is_asked_once_however_many_want_to_know() -> None:
    asked = 0
    answer = asyncio.Event()

    async def ping() -> None:
        nonlocal asked
        asked += 1
        await answer.wait()

    health = Health({"redis": ping}, Background())
    questions = [asyncio.create_task(health.parts()) for _ in range(20)]
    await asyncio.sleep(0)
    answer.set()
    assert [await question for question in questions] == [{"redis": True}] * 20
    assert asked == 1
    await health.close()


async def test_nobody_waits_for_what_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatserver.web.health.PATIENCE_SECONDS", 0.05)
    health = Health({"redis": for_ever, "mongodb": partial(asyncio.sleep, 0)}, Background())
    async with asyncio.timeout(20):
        assert await health.parts() == {"redis": False, "mongodb": True}
    await health.close()
