"""Signals pass: they reach the streams that are live, carry no id, and are never told again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from chatserver.app import Chat
from chatserver.model.users import User
from tests.helpers.browserless import Block, Visitor

pytestmark = pytest.mark.gen_test

TYPING = b'event: typing\ndata: {"room_id": 1}\n\n'


@pytest.fixture
def rooms(io_loop: Any, ada: Visitor) -> list[int]:
    return [io_loop.run_sync(ada.make_room) for _ in range(3)]


async def is_live(chat: Chat, count: int) -> None:
    """So many streams have caught up."""
    async with asyncio.timeout(10):
        while sum(len(each._all_live()) for each in chat.hub._fanouts()) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_signal_reaches_all_live_streams_that_show_its_room_and_moves_no_cursor(
    ada: Visitor, rooms: list[int], chat: Chat
) -> None:
    alone, plain = await ada.stream(rooms[0]), await ada.stream(rooms[0], version="1.0")
    many, others = await ada.stream(*rooms, here=rooms[:2]), await ada.stream(*rooms, here=rooms[1:])
    await is_live(chat, 4)
    chat.services.open_streams.signal(rooms[0], TYPING)
    said = await ada.say(rooms[1], "and then")
    for stream in (alone, plain, many):
        cursor = (await stream.block()).id
        assert await stream.signal("typing") == {"room_id": 1}
        assert stream.cursor == cursor
    assert await others.message() == said
    assert await many.message() == said
    again = await ada.stream(*rooms, last=many.cursor)
    await again.block()
    assert await again.is_quiet()


async def test_an_announcement_reaches_every_stream_once(ada: Visitor, rooms: list[int], chat: Chat) -> None:
    streams = [await ada.stream(*asked) for asked in (rooms, rooms[:1], rooms[1:])]
    await is_live(chat, 3)
    chat.hub.broadcast(b"event: rooms\ndata: {}\n\n")
    said = await ada.say(rooms[0], "then")
    for stream in streams:
        assert await stream.signal("rooms") == {}
    assert await streams[0].message() == await streams[1].message() == said


async def test_a_whisper_reaches_the_users_own_streams_of_the_room(
    ada: Visitor, rooms: list[int], chat: Chat, visit: Callable[..., Visitor]
) -> None:
    grace = visit()
    await grace.sign_up()
    hers = [await grace.stream(rooms[0]), await grace.stream(*rooms)]
    elsewhere, not_hers = await grace.stream(*rooms[1:]), await ada.stream(*rooms)
    await is_live(chat, 4)
    chat.services.open_streams.send_to(grace.id, rooms[0], TYPING)
    chat.services.open_streams.send_to(10**9, rooms[0], TYPING)
    said = await ada.say(rooms[1], "to all")
    for stream in hers:
        assert await stream.signal("typing") == {"room_id": 1}
    for stream in (elsewhere, not_hers):
        assert await stream.message() == said


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.usefixtures("patient_streams")
async def test_who_is_catching_up_misses_it_and_no_frame_is_torn(
    ada: Visitor, rooms: list[int], chat: Chat, count: int
) -> None:
    """A signal goes between rounds while the socket is full: it is finished where it was begun, or not there at all."""
    slow = await ada.stream(*rooms[:count], after="0", here=rooms[:1])
    slow.shrink_buffers()
    signals = 0
    for start in range(0, 600, 50):
        await asyncio.gather(*(ada.say(rooms[n % count], f"{n} " + "x" * 1900) for n in range(start, start + 50)))
        for _ in range(20):
            chat.services.open_streams.signal(rooms[0], b"event: typing\ndata: %b\n\n" % (b"x" * 500))
            signals += 1
    for _ in range(600):
        await slow.event()
    seen = [block for block in slow.passed if block.event == "typing"]
    assert seen == [Block(event="typing", data="x" * 500)] * len(seen)
    assert len(seen) < signals


async def test_arrivals_and_departures_are_told_once_for_each_stream_with_what_it_shows(
    ada: Visitor, rooms: list[int], chat: Chat
) -> None:
    told: list[tuple[str, str, Sequence[int]]] = []

    def note(what: str) -> Callable[[User, Sequence[int]], None]:
        return lambda user, room_ids: told.append((what, user.name, tuple(room_ids)))

    chat.services.open_streams.on_opened(note("here"))
    chat.services.open_streams.on_closed(note("gone"))
    shown = rooms[1:]
    streams = [await ada.stream(*rooms, here=shown), await ada.stream(rooms[0]), await ada.stream(*rooms, after="0")]
    here = [("here", ada.name, tuple(shown)), ("here", ada.name, (rooms[0],)), ("here", ada.name, ())]
    assert told == here
    told.clear()
    streams[0].close()
    while not told:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert told == [("gone", ada.name, tuple(shown))]
    await chat.hub.drain(0)
    assert sorted(told) == sorted(("gone", name, room_ids) for _, name, room_ids in here)


@pytest.mark.usefixtures("patient_streams")
async def test_a_stream_that_was_never_live_departs_too(ada: Visitor, rooms: list[int], chat: Chat) -> None:
    told: list[Sequence[int]] = []
    chat.services.open_streams.on_closed(lambda _, room_ids: told.append(room_ids))
    stream = await ada.stream(*rooms, after="0", here=rooms)
    stream.shrink_buffers()
    for start in range(0, 800, 100):
        await asyncio.gather(*(ada.say(rooms[0], f"{n} " + "x" * 1900) for n in range(start, start + 100)))
    (subscription,) = chat.services.open_streams._streams
    assert subscription.unsent
    stream.close()
    subscription.close()
    subscription.close()
    assert told == [tuple(rooms)]
