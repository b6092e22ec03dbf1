"""Who is typing: a signal to the room, now and then."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chatserver.app import Chat
from tests.helpers.browserless import Visitor

pytestmark = pytest.mark.gen_test


async def types(visitor: Visitor, room: int | str) -> int:
    return (await visitor.fetch("POST", f"/rooms/{room}/typing", body=b"")).code


async def test_the_room_sees_who_is_typing(ada: Visitor, room: int, visit: Callable[..., Visitor]) -> None:
    grace = visit()
    await grace.sign_up()
    streams = [await ada.stream(room), await grace.stream(room)]
    for stream in streams:
        await stream.block()
    assert await types(grace, room) == 204
    for stream in streams:
        assert await stream.signal("typing") == {"room_id": room, "user_id": grace.id, "user_name": grace.name}


async def test_who_types_on_is_passed_on_now_and_then(
    ada: Visitor, room: int, visit: Callable[..., Visitor], chat: Chat
) -> None:
    grace = visit()
    await grace.sign_up()
    stream = await ada.stream(room)
    await stream.block()
    for _ in range(20):
        assert await types(ada, room) == 204
    assert await types(grace, room) == 204
    typists = [(await stream.signal("typing"))["user_id"] for _ in range(2)]
    assert typists == [ada.id, grace.id]
    chat.services.typists._lately.clear()  # the pause is over
    assert await types(ada, room) == 204
    assert (await stream.signal("typing"))["user_id"] == ada.id


async def test_a_signal_is_for_those_who_look_and_is_never_replayed(ada: Visitor, room: int) -> None:
    there = await ada.stream(room)
    await there.block()
    assert await types(ada, room) == 204
    await there.signal("typing")
    assert there.cursor == "0-0"
    said = await ada.say(room, "hello")
    for late in (await ada.stream(room, after="0"), await ada.stream(room, last="0-0")):
        assert await late.message() == said
        assert [block.event for block in late.passed if block.event == "typing"] == []


async def test_nobody_types_in_a_room_that_is_not_there(ada: Visitor, visit: Callable[..., Visitor]) -> None:
    assert [await types(ada, room) for room in ("999999", "x")] == [404, 404]
    assert await types(visit(), 1) == 401
    assert (await ada.fetch("POST", "/rooms/1/typing", body=b"", token=False)).code == 403
