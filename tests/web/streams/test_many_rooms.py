"""GET /chat/stream?room=…&room=…: many rooms on one stream, each as exact as if it were alone."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from chatserver.app import Chat
from chatserver.log.own_news import OwnNews
from tests.conftest import World
from tests.helpers.browserless import Stream, Visitor, read
from tests.helpers.ways_to_ask import starts

pytestmark = pytest.mark.gen_test

Messages = list[dict[str, Any]]


@pytest.fixture
def rooms(io_loop: Any, ada: Visitor) -> list[int]:
    """Rooms of Ada's."""
    return [io_loop.run_sync(ada.make_room) for _ in range(4)]


async def close(visitor: Visitor, room: int) -> None:
    assert (await visitor.fetch("DELETE", f"/rooms/{room}")).code == 204


async def by_room(stream: Stream, count: int) -> dict[int, Messages]:
    found = defaultdict(list)
    for message in await stream.messages(count):
        found[message["room_id"]].append(message)
    return found


def places(cursor: str) -> dict[int, str]:
    """What this server's name of the places says. To other clients it is opaque."""
    return {int(room): place for room, place in (part.split(".") for part in cursor.split("_"))}


def resets(blocks: list[Any]) -> list[int]:
    return [json.loads(block.data)["room_id"] for block in blocks if block.event == "reset"]


# Where it starts


async def test_the_first_bytes_name_the_places_in_all_rooms(ada: Visitor, rooms: list[int]) -> None:
    said = await ada.say(rooms[1], "before")
    stream = await ada.stream(*rooms)
    assert stream.status == 200
    assert stream.headers["content-type"].split(";")[0] == "text/event-stream"
    first = await stream.block()
    assert (first.event, first.data) == ("cursor", None)
    assert (first.retry or "").isdigit()
    assert places(first.id or "") == {room: said["id"] if room == rooms[1] else "0-0" for room in rooms}
    assert list(places(first.id or "")) == rooms


async def test_messages_of_all_rooms_come_and_of_no_other(ada: Visitor, rooms: list[int]) -> None:
    stream = await ada.stream(*rooms[:3])
    await stream.block()
    for number in range(3):
        for room in [*rooms[1:], rooms[0]]:
            said = await ada.say(room, str(number))
            if room != rooms[3]:
                assert await stream.message() == said
    assert await stream.is_quiet()


async def test_after_zero_is_the_beginning_of_each(ada: Visitor, rooms: list[int]) -> None:
    said = {room: [await ada.say(room, f"{room} {number}") for number in range(3)] for room in rooms}
    for beginning in ("0", "0-0"):
        assert await by_room(await ada.stream(*rooms, after=beginning), 12) == said


async def test_the_id_of_any_event_is_where_it_goes_on(ada: Visitor, rooms: list[int]) -> None:
    said = {room: [await ada.say(room, f"{room} {number}") for number in range(4)] for room in rooms}
    whole = await ada.stream(*rooms, after="0")
    cursors = []
    for _ in range(16):
        await whole.message()
        cursors.append(whole.cursor)
    for number, cursor in enumerate(cursors):
        last, after = starts(cursor)
        stream = await ada.stream(*rooms, **(last if number % 2 else after))
        rest = await by_room(stream, 15 - number)
        for room, place in places(cursor).items():
            assert rest[room] == [message for message in said[room] if message["id"] not in seen(said[room], place)]
        stream.close()
    assert await whole.is_quiet()


def seen(messages: Messages, place: str) -> list[str]:
    ids = [message["id"] for message in messages]
    return [] if place == "0-0" else ids[: ids.index(place) + 1]


async def test_a_room_that_the_cursor_does_not_name_starts_now(ada: Visitor, rooms: list[int]) -> None:
    said = [await ada.say(rooms[0], str(number)) for number in range(3)]
    elsewhere = await ada.say(rooms[1], "before")
    stream = await ada.stream(rooms[0], rooms[1], last=f"{rooms[0]}.{said[0]['id']}_{rooms[2]}.1-0")
    assert places((await stream.block()).id or "") == {rooms[0]: said[0]["id"], rooms[1]: elsewhere["id"]}
    assert await stream.messages(2) == said[1:]
    assert await stream.is_quiet()


async def test_of_two_cursors_the_later_one_counts_in_each_room(ada: Visitor, rooms: list[int]) -> None:
    a, b = rooms[:2]
    said = {room: [await ada.say(room, str(number)) for number in range(3)] for room in (a, b)}
    last = f"{a}.{said[a][0]['id']}_{b}.{said[b][1]['id']}"
    after = f"{a}.{said[a][1]['id']}_{b}.{said[b][0]['id']}"
    assert await by_room(await ada.stream(a, b, last=last, after=after), 2) == {a: said[a][2:], b: said[b][2:]}
    assert await by_room(await ada.stream(a, b, last=last, after="0"), 3) == {a: said[a][1:], b: said[b][2:]}
    half = f"{a}.{said[a][1]['id']}"
    assert await by_room(await ada.stream(a, b, last=half, after="0"), 4) == {a: said[a][2:], b: said[b]}


async def test_a_stream_of_one_room_takes_its_own_part(ada: Visitor, rooms: list[int]) -> None:
    said = [await ada.say(rooms[0], str(number)) for number in range(3)]
    cursor = f"{rooms[1]}.7-7_{rooms[0]}.{said[0]['id']}"
    for start in starts(cursor):
        stream = await ada.stream(rooms[0], **start)
        assert (await stream.block()).id == said[0]["id"]
        assert await stream.messages(2) == said[1:]
    assert (await (await ada.stream(rooms[0], last=f"{rooms[1]}.7-7")).block()).id == said[2]["id"]
    assert (await (await ada.stream(rooms[0], last=f"{rooms[0]}.7-7")).event()).event == "reset"
    assert (await (await ada.stream(rooms[0], last=f"{rooms[0]}.")).event()).event == "reset"


async def test_a_room_that_stands_twice_counts_once(ada: Visitor, rooms: list[int]) -> None:
    alone = await ada.stream(rooms[0], rooms[0], f"0{rooms[0]}")
    said = await ada.say(rooms[0], "once")
    assert (await alone.block()).id == "0-0"
    assert await alone.message() == said
    assert alone.cursor == said["id"]
    both = await ada.stream(rooms[1], rooms[0], rooms[1])
    assert list(places((await both.block()).id or "")) == [rooms[1], rooms[0]]
    said = await ada.say(rooms[1], "once")
    assert await both.message() == said
    assert await both.is_quiet()


async def test_fifty_rooms_are_followed_and_no_more(ada: Visitor) -> None:
    rooms = await asyncio.gather(*(ada.make_room() for _ in range(50)))
    said = await asyncio.gather(*(ada.say(room, "hello") for room in rooms))
    stream = await ada.stream(*rooms, after="0")
    assert {room: message for room, (message,) in (await by_room(stream, 50)).items()} == dict(
        zip(rooms, said, strict=True)
    )
    assert len(stream.cursor) < 4096
    again = await ada.stream(*rooms, *rooms, last=stream.cursor)
    assert (await again.block()).id == stream.cursor
    query = "&".join(f"room={room}" for room in [*rooms, 10**15])
    response = await ada.get(f"/chat/stream?{query}")
    assert (response.code, set(read(response))) == (400, {"error"})


async def answer(visitor: Visitor, *rooms: object) -> HTTPResponse:
    return await visitor.get("/chat/stream?" + "&".join(f"room={room}" for room in rooms))


@pytest.mark.parametrize("bad", ["", "0", "-1", "x", "1.5", "%201", "%D9%A3", "9" * 30])
async def test_each_of_the_rooms_is_a_number(ada: Visitor, rooms: list[int], bad: str) -> None:
    for asked in [(rooms[0], bad), (bad, rooms[0]), (rooms[0], bad, rooms[1])]:
        response = await answer(ada, *asked)
        assert (response.code, read(response)) == (400, {"error": "room required"})


async def test_an_unknown_room_among_others_is_not_found(ada: Visitor, rooms: list[int]) -> None:
    response = await answer(ada, rooms[0], 10**15)
    assert (response.code, read(response)) == (404, {"error": "room not found"})
    await close(ada, rooms[0])
    assert (await answer(ada, rooms[0], 10**15)).code == 404


async def test_signed_out_nobody_reads_many(visit: Callable[..., Visitor], rooms: list[int]) -> None:
    assert (await answer(visit(), *rooms)).code == 401


async def test_head_answers_the_headers_of_many(ada: Visitor, rooms: list[int], chat: Chat) -> None:
    response = await ada.fetch("HEAD", f"/chat/stream?room={rooms[0]}&room={rooms[1]}&after=0")
    assert response.code == 200
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert not {"Content-Length", "Etag"} & set(response.headers)
    assert chat.hub._many == {}


# Resets


async def test_a_cursor_of_one_room_that_can_not_be_served_resets_that_room_alone(
    ada: Visitor, rooms: list[int]
) -> None:
    a, b, c = rooms[:3]
    said = {room: [await ada.say(room, f"{room} {number}") for number in range(2)] for room in (a, b, c)}
    for bad in ("7-7", "x", "", "9" * 25, said[a][0]["id"], "-", "1-"):
        cursor = f"{a}.{said[a][0]['id']}_{b}.{bad}_{c}.{said[c][0]['id']}"
        stream = await ada.stream(a, b, c, last=cursor)
        await stream.block()
        block = await stream.event()
        assert (block.event, json.loads(block.data or "")) == ("reset", {"room_id": b, "cursor": said[b][-1]["id"]})
        assert places(block.id or "") == {a: said[a][0]["id"], b: said[b][-1]["id"], c: said[c][0]["id"]}
        assert await by_room(stream, 2) == {a: said[a][1:], c: said[c][1:]}
        later = await ada.say(b, "later")
        assert await stream.message() == later
        said[b].append(later)
        stream.close()


async def test_who_is_cut_off_before_a_reset_was_told_is_told_again(ada: Visitor, rooms: list[int]) -> None:
    cursor, told = "_".join(f"{room}.7-7" for room in rooms), []
    for _ in rooms:
        stream = await ada.stream(*rooms, last=cursor)
        begun = await stream.block()
        again = await ada.stream(*rooms, last=begun.id)
        await again.block()
        block = await again.event()
        told += resets([block])
        cursor = again.cursor
    assert told == rooms
    assert (await (await ada.stream(*rooms, last=cursor)).block()).id == cursor
    said = await ada.say(rooms[0], "now")
    assert await (await ada.stream(*rooms, last=cursor)).message() == said


@pytest.mark.parametrize("garbage", ["x", "1", "{id}", "_", ".", "{room}", "{room}.1-0_", "{room}.1-0__{room}.1-0", "{room}.1-0_x", "x.1-0", "01.1-0", "-1.1-0", "null", "%00", "1" * 3000, "1.1-0_" * 500])  # fmt: skip
async def test_what_names_no_places_resets_all_rooms(ada: Visitor, rooms: list[int], garbage: str) -> None:
    said = [await ada.say(room, "before") for room in rooms[:2]]
    text = garbage.format(id=said[0]["id"], room=rooms[0])
    for start in starts(text):
        stream = await ada.stream(*rooms[:2], **start)
        assert stream.status == 200
        await stream.block()
        assert resets([await stream.event(), await stream.event()]) == rooms[:2]
        assert places(stream.cursor) == {message["room_id"]: message["id"] for message in said}
        stream.close()


async def test_bytes_that_are_no_text_reset_all_rooms_too(ada: Visitor, rooms: list[int]) -> None:
    for garbage in ("é", "\udcff", "٣.1-0", f"{rooms[0]}.١-٢"):
        header = garbage.encode("utf-8", "surrogateescape").decode("latin-1")
        stream = await ada.stream(*rooms[:2], last=header)
        await stream.block()
        assert (await stream.event()).event == "reset"


# Going on


async def test_each_room_is_exact_while_all_talk_and_the_stream_breaks_at_random(
    ada: Visitor, rooms: list[int], chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.live.relay.KEEP_FRAMES", 5)
    chance = random.Random(7)
    said: list[dict[str, Any]] = []

    async def talk() -> None:
        for number in range(60):
            somewhere = [chance.choice(rooms) for _ in range(chance.randint(1, 6))]
            said.extend(await asyncio.gather(*(ada.say(room, f"{number}") for room in somewhere)))

    async def follow(asked: list[int]) -> dict[int, Messages]:
        found: dict[int, Messages] = defaultdict(list)
        cursor, stream = "", await ada.stream(*asked, after="0")
        while talking or sum(map(len, found.values())) < sum(message["room_id"] in asked for message in said):
            try:
                async with asyncio.timeout(0.3):
                    message = await stream.message()
            except TimeoutError:
                continue
            found[message["room_id"]].append(message)
            cursor = stream.cursor
            if chance.random() < 0.1:
                stream.close()
                chance.shuffle(asked)
                stream = await ada.stream(*asked, last=cursor, after=chance.choice(["0", cursor]))
        assert await stream.is_quiet()
        return found

    talking = True

    async def talk_to_the_end() -> None:
        nonlocal talking
        await talk()
        talking = False

    *followed, _ = await asyncio.gather(*(follow(list(rooms)) for _ in range(4)), talk_to_the_end())
    everything = {room: (await ada.page(room, limit=200))["messages"] for room in rooms}
    for found in followed:
        assert found == {room: messages for room, messages in everything.items() if messages}


@pytest.mark.usefixtures("patient_streams")
async def test_slow_readers_of_many_rooms_get_everything_whole(ada: Visitor, rooms: list[int]) -> None:
    slow = await ada.stream(*rooms, after="0")
    slow.shrink_buffers()
    plain = await ada.stream(*rooms, after="0", version="1.0")
    plain.shrink_buffers()
    quick = await ada.stream(*rooms, after="0")
    count = 1200
    for start in range(0, count, 100):
        posts = [ada.say(rooms[number % 4], f"{number} " + "x" * 1900) for number in range(start, start + 100)]
        await asyncio.gather(*posts)
    quickly = await by_room(quick, count)
    assert {room: len(messages) for room, messages in quickly.items()} == dict.fromkeys(rooms, count // 4)
    assert await by_room(slow, count) == quickly
    assert await by_room(plain, count) == quickly
    later = await ada.say(rooms[2], "later")
    assert await slow.message() == later


async def test_a_flush_of_redis_meanwhile_loses_nothing(ada: Visitor, rooms: list[int], world: World) -> None:
    said = {room: [await ada.say(room, f"before {number}") for number in range(3)] for room in rooms}
    stream = await ada.stream(*rooms, after="0")
    cursor = (await stream.block()).id
    with world.redis_client() as redis:
        for flush in range(2):
            redis.flushall()
            for room in rooms:
                said[room] += [await ada.say(room, f"after {flush} {number}") for number in range(2)]
    count = sum(map(len, said.values()))
    assert await by_room(stream, count) == said
    assert await by_room(await ada.stream(*rooms, last=cursor), count) == said
    later = await ada.say(rooms[3], "later")
    assert await stream.message() == later


async def test_a_room_that_many_follow_is_read_from_elsewhere_too(
    ada: Visitor, rooms: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another process appended comes by a wake-up."""
    stream = await ada.stream(*rooms)
    await stream.block()
    monkeypatch.setattr(OwnNews, "publish", lambda *_: None)
    for room in rooms:
        said = await ada.say(room, "hello")
        assert await stream.message() == said


# Ends


async def test_a_closed_room_leaves_the_stream_to_the_others(ada: Visitor, rooms: list[int]) -> None:
    a, b = rooms[:2]
    stream = await ada.stream(a, b, after="0")
    last_words = await ada.say(a, "last words")
    await close(ada, a)
    assert await stream.message() == last_words
    block = await stream.event()
    assert (block.event, json.loads(block.data or "")) == ("closed", {"room_id": a})
    cursor = block.id
    said = await ada.say(b, "we go on")
    assert await stream.message() == said
    again = await ada.stream(a, b, last=cursor)
    assert again.status == 200
    assert await again.block()
    told = await again.event()
    assert (told.event, json.loads(told.data or "")) == ("closed", {"room_id": a})
    assert places(told.id or "") == {b: "0-0"}
    assert await again.message() == said
    await close(ada, b)
    for each in (stream, again):
        *_, closed, done = await each.rest()
        assert (closed.event, json.loads(closed.data or "")) == ("closed", {"room_id": b})
        assert done.data == "[DONE]"
        assert each.ended
    assert (await answer(ada, a, b)).code == 204


@pytest.mark.usefixtures("patient_streams")
async def test_signing_out_ends_a_stream_of_many_rooms_and_what_waits_is_not_sent(
    ada: Visitor, rooms: list[int], chat: Chat
) -> None:
    live = await ada.stream(*rooms)
    await live.block()
    slow = await ada.stream(*rooms, after="0")
    slow.shrink_buffers()
    for start in range(0, 800, 100):
        await asyncio.gather(*(ada.say(rooms[n % 4], f"{n} " + "x" * 1900) for n in range(start, start + 100)))
    await live.messages(800)
    assert (await ada.fetch("POST", "/sign-out", json_body={})).code == 204
    assert [block.data for block in await live.rest()] == ["[DONE]"]
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await slow.messages(800)
    assert chat.hub._many == {}
    assert (await answer(ada, *rooms)).code == 401


async def test_drained_streams_of_many_rooms_are_told_when_to_come_back(
    ada: Visitor, rooms: list[int], chat: Chat
) -> None:
    streams = [await ada.stream(*rooms), await ada.stream(*rooms[:2], after="0"), await ada.stream(rooms[0])]
    said = await ada.say(rooms[0], "before")
    for stream in streams:
        assert await stream.message() == said
    await chat.hub.drain(0.05)
    for stream in streams:
        (farewell,) = await stream.rest()
        assert farewell.retry
        assert farewell.id is None
    later = await ada.say(rooms[1], "after")
    assert await (await ada.stream(*rooms, last=streams[0].cursor)).message() == later


async def test_a_reader_of_many_rooms_that_sends_is_closed(ada: Visitor, rooms: list[int], chat: Chat) -> None:
    stream = await ada.stream(*rooms)
    await stream.block()
    stream.send(b"x")
    await stream.closed()
    while chat.hub._many:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
