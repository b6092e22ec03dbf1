"""`here=`: a stream follows many rooms, and its reader looks at few. Who follows a room only is not there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from chatserver.app import Chat
from tests.helpers.browserless import Stream, Visitor, read

pytestmark = pytest.mark.gen_test(timeout=60)


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatserver.app.GRACE_SECONDS", 1.0)


@pytest.fixture
def rooms(io_loop: IOLoop, ada: Visitor) -> list[int]:
    return [io_loop.run_sync(ada.make_room) for _ in range(3)]


@pytest.fixture
def grace(io_loop: IOLoop, visit: Callable[..., Visitor]) -> Visitor:
    visitor = visit()
    io_loop.run_sync(visitor.sign_up)
    return visitor


async def present(visitor: Visitor, room: int) -> list[int]:
    return [user["id"] for user in read(await visitor.get(f"/rooms/{room}/presence"))["users"]]


async def becomes(visitor: Visitor, room: int, expected: list[int]) -> None:
    async with asyncio.timeout(20):
        while await present(visitor, room) != expected:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def types(visitor: Visitor, room: int) -> None:
    assert (await visitor.fetch("POST", f"/rooms/{room}/typing", body=b"")).code == 204


async def test_who_shows_a_room_is_there_and_nowhere_else(ada: Visitor, grace: Visitor, rooms: list[int]) -> None:
    await (await grace.stream(*rooms, here=[rooms[1]])).block()
    await becomes(ada, rooms[1], [grace.id])
    for room in (rooms[0], rooms[2]):
        assert await present(ada, room) == []


async def test_only_those_who_show_a_room_hear_who_types_and_comes_there(
    ada: Visitor, grace: Visitor, rooms: list[int]
) -> None:
    there = await grace.stream(*rooms, here=rooms[:1])
    beside = await grace.stream(*rooms, here=rooms[1:])
    nowhere, alone = await grace.stream(*rooms), await grace.stream(rooms[0], here=())
    for stream in (there, beside, nowhere, alone):
        await stream.block()
    assert (await there.signal("presence"))["user_id"] == grace.id
    await becomes(ada, rooms[2], [grace.id])
    await types(ada, rooms[0])
    watcher = await ada.stream(rooms[0])
    assert (await there.signal("typing"))["user_id"] == ada.id
    assert (await watcher.signal("presence"))["user_id"] == ada.id
    assert (await there.signal("presence"))["user_id"] == ada.id
    said = await ada.say(rooms[0], "what is said reaches all")
    for stream in (there, beside, nowhere, alone):
        assert await stream.message() == said
    for stream in (beside, nowhere, alone):
        of_room = [block for block in stream.passed if block.event in {"typing", "presence"}]
        assert not any(f'"room_id":{rooms[0]}' in (block.data or "") for block in of_room), of_room


async def test_one_room_without_a_word_is_shown_and_with_an_empty_one_is_not(
    ada: Visitor, grace: Visitor, rooms: list[int]
) -> None:
    await (await ada.stream(rooms[0])).block()
    await (await grace.stream(rooms[0], here=())).block()
    await (await grace.stream(rooms[1], here=[rooms[1]])).block()
    await becomes(ada, rooms[1], [grace.id])
    assert await present(ada, rooms[0]) == [ada.id]


async def test_who_turns_to_another_room_is_in_both_for_a_moment_and_then_in_that_one(
    ada: Visitor, grace: Visitor, rooms: list[int]
) -> None:
    watcher = await ada.stream(rooms[0])
    assert (await watcher.signal("presence"))["user_id"] == ada.id
    first = await grace.stream(*rooms, here=rooms[:1])
    assert (await watcher.signal("presence"))["user_id"] == grace.id
    await (await grace.stream(*rooms, here=rooms[1:2])).block()
    first.close()
    gone = await watcher.signal("presence")
    assert (gone["user_id"], gone["here"]) == (grace.id, False)
    assert await present(ada, rooms[0]) == [ada.id]
    assert await present(ada, rooms[1]) == [grace.id]


async def test_who_opens_the_same_again_was_never_gone(ada: Visitor, grace: Visitor, rooms: list[int]) -> None:
    watcher = await ada.stream(rooms[0])
    await watcher.signal("presence")
    stream = await grace.stream(*rooms, here=rooms[:1])
    assert (await watcher.signal("presence"))["here"]
    for shown in ([rooms[0], rooms[1]], [rooms[0]], [rooms[1]], [rooms[0]]):
        stream.close()
        stream = await grace.stream(*rooms, here=shown)
        await stream.block()
    await becomes(ada, rooms[1], [])  # a grace has passed
    assert (await ada.say(rooms[0], "and nobody went")) == await watcher.message()
    assert [block for block in watcher.passed if block.event == "presence" and f":{grace.id}," in (block.data or "")][
        1:
    ] == []


async def test_streams_of_the_same_rooms_are_sent_the_same_whatever_they_show(
    ada: Visitor, rooms: list[int], chat: Chat
) -> None:
    streams = [await ada.stream(*rooms, here=[room]) for room in rooms] + [await ada.stream(*rooms)]
    for stream in streams:
        await stream.block()
    assert len(chat.hub._many) == 1


async def test_of_a_room_that_was_closed_nobody_is_a_viewer(ada: Visitor, rooms: list[int], chat: Chat) -> None:
    assert (await ada.fetch("DELETE", f"/rooms/{rooms[0]}")).code == 204
    stream: Stream = await ada.stream(*rooms, here=rooms[:2])
    await stream.block()
    await becomes(ada, rooms[1], [ada.id])
    assert list(chat.services.open_streams._viewers._rooms) == [rooms[1]]


async def test_nothing_is_left_of_streams_that_were_closed(ada: Visitor, rooms: list[int], chat: Chat) -> None:
    streams = [await ada.stream(*rooms, here=rooms) for _ in range(3)] + [await ada.stream(rooms[0])]
    for stream in streams:
        await stream.block()
        stream.close()
    async with asyncio.timeout(10):
        while chat.services.open_streams._viewers._rooms:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


MALFORMED: list[Callable[[Sequence[int]], list[Any]]] = [
    lambda _: ["x"],
    lambda _: ["0"],
    lambda _: ["-1"],
    lambda rooms: [f" {rooms[0]}"],
    lambda rooms: ["", rooms[0]],
    lambda rooms: [rooms[0], ""],
    lambda _: ["", ""],
    lambda _: ["9" * 30],
    lambda _: ["1.5"],
    lambda _: ["١"],
    lambda rooms: [rooms[2]],
    lambda rooms: [rooms[0], rooms[2]],
    lambda rooms: [rooms[0]] * 3,
    lambda rooms: [f"{rooms[0]},{rooms[1]}"],
]


@pytest.mark.parametrize("make", MALFORMED)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_is_no_room_of_the_stream_is_refused(
    ada: Visitor, rooms: list[int], chat: Chat, make: Callable[[Sequence[int]], list[Any]], method: str
) -> None:
    query = "&".join(
        [*(f"room={room}" for room in rooms[:2]), *(f"here={each}".replace(" ", "%20") for each in make(rooms))]
    )
    response = await ada.fetch(method, f"/chat/stream?{query}".replace("١", "%D9%A1"))
    assert response.code == 400
    if method == "GET":
        assert read(response) == {"error": "here names rooms of the stream"}
    assert len(chat.services.open_streams) == 0
