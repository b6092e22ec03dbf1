"""A process that is about to end sends every stream away in peace: those that were here, those that are being opened,
and those that are still asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from tornado.testing import bind_unused_port

from chatserver.app import Chat
from chatserver.live.opening import Opening, StreamOpener
from chatserver.model.rooms import Room
from chatserver.rooms.rooms import Rooms
from chatserver.serving import drain
from chatserver.web.http_server import ChatServer
from tests.helpers.browserless import Block, Stream, Visitor
from tests.helpers.waiting import until

pytestmark = pytest.mark.gen_test

DRAIN_SECONDS = 2.0


@pytest.fixture
def base_url(server: ChatServer) -> str:
    listener, port = bind_unused_port()
    server.add_socket(listener)
    return f"http://127.0.0.1:{port}"


class Gate:
    """Whoever comes here waits until they are let through."""

    def __init__(self) -> None:
        self.waiting = 0
        self.open = asyncio.Event()

    async def wait(self) -> None:
        self.waiting += 1
        await self.open.wait()


def before_the_rooms_are_known(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    find_open = Rooms.find_open

    async def held(rooms: Rooms, room_ids: Sequence[int]) -> list[Room]:
        await gate.wait()
        return await find_open(rooms, room_ids)

    monkeypatch.setattr(Rooms, "find_open", held)


def before_the_place_is_known(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    opens = StreamOpener.open

    async def held(streams: StreamOpener, room: Room, asked: Sequence[str]) -> Opening:
        await gate.wait()
        return await opens(streams, room, asked)

    monkeypatch.setattr(StreamOpener, "open", held)


@pytest.mark.parametrize("held", [before_the_rooms_are_known, before_the_place_is_known])
async def test_streams_that_are_being_opened_are_sent_away_in_peace(
    ada: Visitor,
    room: int,
    chat: Chat,
    server: ChatServer,
    monkeypatch: pytest.MonkeyPatch,
    held: Callable[[Gate, pytest.MonkeyPatch], None],
) -> None:
    gate = Gate()
    held(gate, monkeypatch)
    opening = [asyncio.create_task(ada.stream(room, after="0")) for _ in range(20)]
    await until(lambda: gate.waiting == 20)
    draining = asyncio.create_task(drain(chat, server, DRAIN_SECONDS))
    await until(lambda: chat.services.health.draining)
    gate.open.set()
    farewells = [await is_sent_away(await opened) for opened in opening]
    await draining
    assert len(set(farewells)) > 5, "they would all come back at once"


async def is_sent_away(stream: Stream) -> str:
    """Whatever was said before: at the end there is a time to come back, and the last chunk behind it."""
    assert stream.status == 200
    *before, farewell = await stream.rest()
    assert farewell == Block(retry=farewell.retry)
    assert all(block.event == "cursor" for block in before)
    assert stream.ended
    return farewell.retry or ""


async def test_streams_that_are_asked_for_while_others_are_ended_are_sent_away_in_peace(
    ada: Visitor, room: int, chat: Chat, server: ChatServer
) -> None:
    """On connections that were open before, since no others are accepted any more."""
    readers = [await ada.stream(room) for _ in range(4)]
    waiting = [await ada.connected() for _ in range(10)]
    draining = asyncio.create_task(drain(chat, server, DRAIN_SECONDS))
    await until(lambda: chat.services.health.draining)
    for stream in waiting:
        await stream.ask(ada, f"/chat/stream?room={room}", {})
        await is_sent_away(stream)
    for reader in readers:
        assert (await reader.rest())[-1].retry
    await draining


async def test_no_stream_outlives_the_drain(ada: Visitor, room: int, chat: Chat, server: ChatServer) -> None:
    streams = [await ada.stream(room) for _ in range(5)]
    await drain(chat, server, DRAIN_SECONDS)
    for stream in streams:
        assert (await stream.rest())[-1].retry
    assert len(chat.services.open_streams) == 0
