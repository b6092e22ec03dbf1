"""All readers come at the same instant: each gets its stream and what it missed, few are opened at a time, and nobody
else waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from tornado.netutil import bind_sockets

from chatserver.app import Chat
from chatserver.live.opening import Opening, StreamOpener
from chatserver.model.rooms import Room
from chatserver.serving import LISTEN_BACKLOG, drain, make_server
from chatserver.settings import Settings
from chatserver.web.http_server import ChatServer
from chatserver.web.transport import doorway
from chatserver.web.transport.accepting import PAUSE_SECONDS
from chatserver.web.transport.doorway import Doorway
from tests.helpers.browserless import Block, Stream, Visitor
from tests.helpers.waiting import until

pytestmark = pytest.mark.gen_test

READERS = 3_000
BEHIND = 50
PATIENCE_SECONDS = 60.0


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, max_streams_per_user=READERS + 100)


@pytest.fixture
def base_url(server: ChatServer) -> str:
    (listener,) = bind_sockets(0, "127.0.0.1", backlog=LISTEN_BACKLOG)
    server.add_socket(listener)
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


class Openings:
    """Sees the streams that are being opened, and lets them go on while the gate is open."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0
        self.in_all = 0
        self.gate = asyncio.Event()

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        self.now += 1
        self.in_all += 1
        self.most = max(self.most, self.now)
        try:
            await self.gate.wait()
            yield
        finally:
            self.now -= 1


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> Openings:
    openings, opens = Openings(), StreamOpener.open

    async def seen(streams: StreamOpener, room: Room, asked: Sequence[str]) -> Opening:
        async with openings.one():
            return await opens(streams, room, asked)

    monkeypatch.setattr(StreamOpener, "open", seen)
    return openings


async def ask(stream: Stream, ada: Visitor, room: int) -> Stream:
    await stream.ask(ada, f"/chat/stream?room={room}&after=0", {})
    return stream


def asking(streams: Sequence[Stream], ada: Visitor, room: int) -> list[asyncio.Task[Stream]]:
    return [asyncio.create_task(ask(stream, ada, room)) for stream in streams]


@pytest.fixture
def all_are_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine everything takes long, and here nobody gives up for it."""
    monkeypatch.setattr("tests.helpers.browserless.WAIT_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(doorway, "SILENT_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(doorway, "WAIT_SECONDS", PATIENCE_SECONDS)


@pytest.mark.usefixtures("all_are_patient", "patient_streams")
async def test_all_connect_first_and_each_gets_what_it_missed(
    ada: Visitor, room: int, server: ChatServer, openings: Openings
) -> None:
    said = [await ada.say(room, f"message {number}") for number in range(BEHIND)]
    streams = [Stream() for _ in range(READERS)]
    try:
        await asyncio.gather(*(stream.connect(ada) for stream in streams))
        await until(lambda: server.doorway.silent == READERS)
        readers = asking(streams, ada, room)
        await until(lambda: openings.now == doorway.MAX_OPENING and server.doorway.silent == 0)
        assert len(server._connections) < 2 * doorway.MAX_OPENING, "the others are more than sockets"
        # Nobody else waits for them: neither on a connection that was there before, nor on a new one.
        said.append(await ada.say(room, "beside the storm"))
        assert (await Visitor(ada.address).get("/readyz")).code == 200
        openings.gate.set()
        for reader in readers:
            assert await (await reader).messages(len(said)) == said
        assert openings.most == doorway.MAX_OPENING
        last = await ada.say(room, "live")
        for stream in streams:
            assert await stream.message() == last
    finally:
        for stream in streams:
            stream.close()


async def test_whoever_gets_no_stream_makes_room_for_the_next(
    ada: Visitor, visit: Callable[..., Visitor], room: int, openings: Openings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorway, "MAX_OPENING", 1)
    openings.gate.set()
    half = await ada.connected()
    half.send(f"GET /chat/stream?room={room} HTTP/1.1\r\nHost: x\r\n".encode())
    gone = await ada.connected()
    gone.send(b"GET /chat/stream?room=")
    gone.abort()
    assert (await visit().stream(room)).status == 401
    assert (await ada.stream(room + 1_000_000)).status == 404
    assert (await ada.stream("x")).status == 400
    stream = await ada.stream(room)
    await stream.block()
    said = await ada.say(room, "heard")
    assert await stream.message() == said
    # The one that took so long to ask is a reader like any other.
    await half.ask(ada, "/", {})
    assert half.status == 400
    assert openings.most == 1


async def test_readers_who_wait_for_the_stores_are_not_waited_for(
    ada: Visitor, visit: Callable[..., Visitor], room: int, server: ChatServer, openings: Openings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(doorway, "MAX_OPENING", 2)
    monkeypatch.setattr(doorway, "MAX_WAITING", 3)
    streams = [await ada.connected() for _ in range(5)]
    opened = asking(streams, ada, room)
    await until(lambda: openings.now == 2 and server.doorway.waiting == 3)
    too_many = await ada.connected()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await ask(too_many, ada, room)
    assert (await visit().get("/readyz")).code == 200
    assert (await visit().get("/sign-in")).code == 200
    await ada.say(room, "posted meanwhile")
    openings.gate.set()
    for stream in await asyncio.gather(*opened):
        assert (await stream.message())["content"] == "posted meanwhile"
    assert openings.most == 2


async def test_no_reader_waits_for_ever(
    ada: Visitor, room: int, chat: Chat, openings: Openings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorway, "MAX_OPENING", 1)
    monkeypatch.setattr(doorway, "WAIT_SECONDS", 0.2)
    server = make_server(chat.application)
    (listener,) = bind_sockets(0, "127.0.0.1")
    server.add_socket(listener)
    visitor = Visitor(f"http://127.0.0.1:{listener.getsockname()[1]}")
    visitor.cookies = ada.cookies
    opened = asking([await visitor.connected()], ada, room)
    await until(lambda: openings.now == 1)
    opened += asking([await visitor.connected() for _ in range(3)], ada, room)
    for waiting in opened[1:]:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await waiting
    assert server.doorway.waiting == 0
    openings.gate.set()
    await (await opened[0]).block()
    await (await visitor.stream(room)).block()
    await visitor.leave()
    server.stop()
    await server.close_all_connections()


async def test_who_hangs_up_while_waiting_takes_no_time_of_others(
    ada: Visitor, room: int, server: ChatServer, openings: Openings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorway, "MAX_OPENING", 1)
    streams = [await ada.connected() for _ in range(12)]
    opened = asking(streams, ada, room)
    await until(lambda: openings.now == 1 and server.doorway.waiting == 11)
    for stream, task in zip(streams[1:11], opened[1:11], strict=True):
        task.cancel()
        await stream.hang_up()
    openings.gate.set()
    await (await opened[0]).block()
    await (await opened[11]).block()
    assert openings.in_all == 2


async def test_readers_who_still_wait_are_sent_away_in_peace(
    ada: Visitor, room: int, chat: Chat, server: ChatServer, openings: Openings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorway, "MAX_OPENING", 1)
    opened = asking([await ada.connected() for _ in range(5)], ada, room)
    await until(lambda: openings.now == 1 and server.doorway.waiting == 4)
    draining = asyncio.create_task(drain(chat, server, PATIENCE_SECONDS))
    await until(lambda: chat.services.health.draining)
    openings.gate.set()
    for stream in await asyncio.gather(*opened):
        *_, farewell = await stream.rest()
        assert farewell == Block(retry=farewell.retry)
        assert stream.ended
    await draining


async def test_who_has_just_come_is_not_closed_for_another(
    ada: Visitor, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many at once wait in the system's queue, and nothing spins meanwhile."""
    monkeypatch.setattr(doorway, "MAX_SILENT", 20)
    monkeypatch.setattr(doorway, "GRACE_SECONDS", 3600.0)
    asked, has_room = 0, Doorway.has_room

    def counted(self: Doorway) -> bool:
        nonlocal asked
        asked += 1
        return has_room(self)

    monkeypatch.setattr(Doorway, "has_room", counted)
    streams = [await ada.connected() for _ in range(50)]
    await until(lambda: asked > 22)
    before, began = asked, time.monotonic()
    await asyncio.sleep(PAUSE_SECONDS * 3)
    assert asked - before <= (time.monotonic() - began) / PAUSE_SECONDS + 1
    assert server.doorway.silent == 20
    for stream in streams:
        await stream.ask(ada, "/healthz", {})
        assert stream.status == 200


async def test_silent_ones_hold_nobody_up(ada: Visitor, server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorway, "MAX_SILENT", 20)
    monkeypatch.setattr(doorway, "GRACE_SECONDS", 0.1)
    streams = [await ada.connected() for _ in range(100)]
    assert (await Visitor(ada.address).get("/healthz")).code == 200
    assert server.doorway.silent <= 20
    for stream in streams[:79]:
        await stream.closed()
