"""A room in which nobody spoke for so long that Redis has nothing of it any more: nobody notices."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from chatserver.archive.trimming import Trimming
from chatserver.log.commands import Keep
from chatserver.log.keys import due_key
from chatserver.settings import Settings
from tests.conftest import World
from tests.helpers.browserless import Visitor, read

pytestmark = pytest.mark.gen_test(timeout=60)


FallSilent = Callable[[int], Awaitable[None]]


@pytest.fixture
def fall_silent(settings: Settings, world: World) -> FallSilent:
    """Lets a room be silent for longer than Redis keeps anything."""

    async def forget(room: int) -> None:
        trimming = Trimming(settings.redis_url, Keep(ms=0, at_least_ms=0))
        with world.redis_client() as redis:
            async with asyncio.timeout(30):
                while redis.keys(f"*:room:{room}:log"):
                    redis.zadd(due_key(room), {str(room): 0})
                    await trimming.trim()
                    await asyncio.sleep(0.02)
            assert [key for key in redis.keys(f"*:room:{room}:*") if not key.endswith((b":base", b":present"))] == []
        await trimming.close()

    return forget


async def test_who_is_there_goes_on_and_who_comes_finds_all(
    ada: Visitor, room: int, visit: Callable[..., Visitor], fall_silent: FallSilent
) -> None:
    grace = visit()
    await grace.sign_up()
    there = await grace.stream(room)
    said = [await ada.say(room, f"{number}") for number in range(3)]
    assert await there.messages(3) == said
    await fall_silent(room)
    page = read(await grace.get(f"/rooms/{room}/messages"))
    assert [message["id"] for message in page["messages"]] == [message["id"] for message in said]
    assert page["cursor"] == said[-1]["id"]
    row = next(row for row in read(await grace.get("/rooms"))["rooms"] if row["id"] == room)
    assert (row["last_id"], row["unread"]) == (said[-1]["id"], 3)
    assert (await grace.fetch("PUT", f"/rooms/{room}/read", json_body={"id": said[-1]["id"]})).code == 204
    back, late, now = (
        await grace.stream(room, last=said[0]["id"]),
        await grace.stream(room, after="0"),
        await grace.stream(room),
    )
    assert await back.messages(2) == said[1:]
    assert await late.messages(3) == said
    again = await ada.say(room, "after a long time")
    assert again["prev"] == said[-1]["id"]
    for stream in (there, back, late, now):
        assert await stream.message() == again


async def test_what_was_said_can_be_repeated_changed_and_deleted(
    ada: Visitor, room: int, fall_silent: FallSilent
) -> None:
    first = await ada.say(room, "first", client_id="once")
    second = await ada.say(room, "second")
    await fall_silent(room)
    response = await ada.fetch(
        "POST", "/messages", json_body={"room_id": room, "content": "first", "client_id": "once"}
    )
    assert (response.code, read(response)["id"]) == (200, first["id"])
    stream = await ada.stream(room, last=second["id"])
    path = f"/rooms/{room}/messages/{first['id']}"
    assert (await ada.fetch("PATCH", path, json_body={"content": "changed"})).code == 200
    edited = await stream.event()
    await fall_silent(room)
    assert (await ada.fetch("DELETE", path)).code == 204
    deleted = await stream.event()
    assert [edited.event, deleted.event] == ["edited", "deleted"]
    assert [json.loads(edited.data or "")["prev"], json.loads(deleted.data or "")["prev"]] == [second["id"], edited.id]
    page = read(await ada.get(f"/rooms/{room}/messages"))
    assert [message["content"] for message in page["messages"]] == ["", "second"]


async def test_a_room_is_closed_after_a_long_time(ada: Visitor, room: int, fall_silent: FallSilent) -> None:
    said = await ada.say(room, "once")
    stream = await ada.stream(room, last=said["id"])
    await fall_silent(room)
    assert (await ada.fetch("DELETE", f"/rooms/{room}")).code == 204
    assert (await stream.rest())[-1].data == "[DONE]"
    await fall_silent(room)
    assert (await ada.get(f"/chat/stream?room={room}")).code == 204
    assert (await ada.fetch("DELETE", f"/rooms/{room}")).code == 404
    assert (await ada.fetch("POST", "/messages", json_body={"room_id": room, "content": "late"})).code == 404
