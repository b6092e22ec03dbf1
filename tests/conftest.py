"""The world that tests live in: one real mongod and one real redis-server for the whole run, on free ports, without
persistence in Redis. Tests hardly clean up after each other; each makes its own people and rooms."""

from __future__ import annotations

import asyncio
import faulthandler
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pymongo
import pytest
import uvloop
from redis import Redis
from tornado.ioloop import IOLoop

from chatserver.app import Chat
from chatserver.archive.database import DEFAULT_NAME
from chatserver.settings import Settings
from desk import embedded
from desk.embedded import Mongod, RedisServer
from tests.helpers.browserless import Visitor
from tests.helpers.chats import listening, running
from tests.helpers.server_process import ServerProcess

ROOT = Path(__file__).resolve().parent.parent

Entered = TypeVar("Entered")


LONGEST_FIRST = ("tests/journeys/", "tests/scripts/", "tests/system/", "tests/log/", "tests/archive/")
"""Folders whose tests are given away first, so that no lane is left alone with them at the end. The journeys of a lane
share a browser and a chat, which end when something else comes."""

CLOSE_SECONDS = 30.0
STDERR = 2

NEED_SERVERS = frozenset({"world", "chromium"})
"""Fixtures. Who starts servers without them is marked `servers`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="only the tests that need no server and no browser")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=turn_of)
    if config.getoption("quick"):
        left_out = [item for item in items if needs_servers(item)]
        items[:] = [item for item in items if not needs_servers(item)]
        config.hook.pytest_deselected(items=left_out)


def turn_of(item: pytest.Item) -> int:
    folders = [item.nodeid.startswith(folder) for folder in LONGEST_FIRST]
    return folders.index(True) if any(folders) else len(folders)


def needs_servers(item: pytest.Item) -> bool:
    fixtures = NEED_SERVERS.intersection(getattr(item, "fixturenames", ()))
    return bool(fixtures) or item.get_closest_marker("servers") is not None


@dataclass(frozen=True)
class World:
    mongod: Mongod
    redis: RedisServer

    def redis_client(self) -> Redis:
        return Redis(port=self.redis.port, protocol=2)

    def environment(self, port: int) -> dict[str, str]:
        """What a server process needs to be told."""
        return {
            "PORT": str(port),
            "MONGODB_URI": self.mongod.uri,
            "REDIS_URL": self.redis.url,
            "COOKIE_SECRET": "a secret for tests only",
            "DRAIN_SECONDS": "2",
            "RATE_LIMITS": "off",
            "MAX_STREAMS_PER_USER": "1000",
            "MAX_STREAMS": "5000",  # what a machine leaves room for, so that no server has to say so
        }


@pytest.fixture(scope="session", autouse=True)
def outer_loop() -> Iterator[None]:
    """All loops are of the kind that the server runs on. This one is what asyncio would make for this thread by itself,
    when Tornado asks for one, and never close."""
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """The programs are kept below `var/` like those of scripts/server; the data goes with the run."""
    folder = Path(tempfile.mkdtemp(prefix="harbour-tests-"))
    (ROOT / "var" / "programs").mkdir(parents=True, exist_ok=True)
    (folder / "programs").symlink_to(ROOT / "var" / "programs")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        mongod = stack.enter_context(embedded.mongod(folder))
        redis_server = stack.enter_context(embedded.redis_server(folder, persistent=False))
        yield World(mongod, redis_server)


@pytest.fixture(scope="session")
def mongo(world: World) -> Iterator[pymongo.MongoClient[dict[str, Any]]]:
    with pymongo.MongoClient[dict[str, Any]](world.mongod.uri) as client:
        yield client


@pytest.fixture
def settings(world: World) -> Settings:
    return Settings.from_environ(world.environment(0))


def close(loop: IOLoop) -> None:
    """Closes a loop, or ends the process: what a test left open that failed would let uvloop wait for ever."""
    faulthandler.dump_traceback_later(CLOSE_SECONDS, exit=True, file=STDERR)
    loop.close(all_fds=True)
    faulthandler.cancel_dump_traceback_later()


def shares_a_chat(request: pytest.FixtureRequest) -> bool:
    """Whether the test is content with the chat of its module: marked `one_chat`, and nothing is patched for it."""
    return request.node.get_closest_marker("one_chat") is not None and "monkeypatch" not in request.fixturenames


@pytest.fixture(scope="module")
def loop_of_module() -> Iterator[IOLoop]:
    loop = IOLoop()
    yield loop
    close(loop)


@pytest.fixture(scope="module")
def chat_of_module(loop_of_module: IOLoop, world: World) -> Iterator[Chat]:
    yield from entered(loop_of_module, running(Settings.from_environ(world.environment(0))))


@pytest.fixture(scope="module")
def address_of_module(loop_of_module: IOLoop, chat_of_module: Chat) -> Iterator[str]:
    yield from entered(loop_of_module, listening(chat_of_module.application))


@pytest.fixture
def io_loop(request: pytest.FixtureRequest) -> Iterator[IOLoop]:
    """The test's event loop: that of the chat which it has."""
    if shares_a_chat(request):
        loop = request.getfixturevalue("loop_of_module")
        loop.make_current()  # a test without a loop of ours may have left another one, or none
        yield loop
        return
    loop = IOLoop()
    yield loop
    close(loop)


@pytest.fixture
def chat(request: pytest.FixtureRequest, io_loop: IOLoop, settings: Settings) -> Iterator[Chat]:
    """A chat of this process, on the test's event loop."""
    if shares_a_chat(request):
        yield request.getfixturevalue("chat_of_module")
        return
    yield from entered(io_loop, running(settings))


@pytest.fixture
def base_url(request: pytest.FixtureRequest, io_loop: IOLoop, chat: Chat) -> Iterator[str]:
    """Where that chat listens."""
    if shares_a_chat(request):
        yield request.getfixturevalue("address_of_module")
        return
    yield from entered(io_loop, listening(chat.application))


def entered(loop: IOLoop, manager: AbstractAsyncContextManager[Entered]) -> Iterator[Entered]:
    """A fixture of what an asynchronous context manager gives."""
    stack = AsyncExitStack()
    yield loop.run_sync(lambda: stack.enter_async_context(manager))
    loop.run_sync(stack.aclose)


@pytest.fixture
def patient_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody gives up a reader whose socket takes nothing: on a busy machine a test may hold it back for longer than
    the chat has patience."""
    monkeypatch.setattr("chatserver.live.hub.STUCK_SECONDS", 600.0)


@pytest.fixture
def visit(
    io_loop: IOLoop, base_url: str, mongo: pymongo.MongoClient[dict[str, Any]]
) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors: `visit()` is somebody new who is signed out, at this chat or another address. Afterwards their
    rooms are in no list any more: with hundreds of rooms each page of a later test would be slow."""
    visitors: list[Visitor] = []

    def make(address: str | None = None) -> Visitor:
        visitors.append(Visitor(address or base_url))
        return visitors[-1]

    yield make
    for visitor in visitors:
        io_loop.run_sync(visitor.leave)
    made = [room for visitor in visitors for room in visitor.rooms]
    mongo.get_default_database(DEFAULT_NAME)["rooms"].delete_many({"_id": {"$in": made}})


@pytest.fixture
def ada(io_loop: IOLoop, visit: Callable[..., Visitor]) -> Visitor:
    """Somebody who is signed in."""
    visitor = visit()
    io_loop.run_sync(visitor.sign_up)
    return visitor


@pytest.fixture
def room(io_loop: IOLoop, ada: Visitor, mongo: pymongo.MongoClient[dict[str, Any]]) -> Iterator[int]:
    """A room of Ada's, which is in no list any more afterwards."""
    room_id = io_loop.run_sync(ada.make_room)
    yield room_id
    mongo.get_default_database(DEFAULT_NAME)["rooms"].delete_one({"_id": room_id})


@pytest.fixture
def start_server(world: World) -> Iterator[Callable[..., ServerProcess]]:
    """Starts server processes as a deployment would: `start_server()` returns one that answers."""
    with ExitStack() as stack:

        def start(**environment: str) -> ServerProcess:
            port = int(environment.pop("PORT", "0")) or embedded.free_port()
            server = ServerProcess(port, world.environment(port) | environment)
            stack.callback(server.stop)
            server.start()
            return server

        yield start
