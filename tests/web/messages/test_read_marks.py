"""What is unread, and up to where somebody has read: the same for all tabs, devices, processes and restarts."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock, patch

import pymongo
import pytest
from tornado.testing import bind_unused_port

from chatserver.accounts import accounts
from chatserver.app import Chat
from chatserver.archive.branch_bases import LEAP_MS
from chatserver.log.keys import log_key
from chatserver.rooms import unread as unread_module
from chatserver.serving import make_server
from chatserver.settings import Settings
from tests.conftest import World
from tests.helpers.browserless import Visitor, read
from tests.helpers.chats import running
from tests.helpers.html_page import Element, read_page

pytestmark = [pytest.mark.gen_test(timeout=60), pytest.mark.one_chat]

Message = dict[str, Any]


@asynccontextmanager
async def another_process(settings: Settings) -> AsyncIterator[str]:
    """A further process' worth of parts, and its address."""
    async with running(settings) as chat:
        listener, port = bind_unused_port()
        server = make_server(chat.application)
        server.add_socket(listener)
        yield f"http://127.0.0.1:{port}"
        server.stop()
        await server.close_all_connections()


async def somebody(visit: Callable[..., Visitor]) -> Visitor:
    visitor = visit()
    await visitor.sign_up()
    return visitor


def elsewhere(visit: Callable[..., Visitor], visitor: Visitor, address: str) -> Visitor:
    other = visit(address)
    other.cookies, other.token, other.id, other.name = visitor.cookies, visitor.token, visitor.id, visitor.name
    return other


async def mark(visitor: Visitor, room: int | str, id: object) -> int:
    return (await visitor.fetch("PUT", f"/rooms/{room}/read", json_body={"id": id})).code


async def row(visitor: Visitor, room: int) -> dict[str, Any]:
    response = await visitor.get("/rooms")
    assert response.code == 200, response.body
    (found,) = [each for each in read(response)["rooms"] if each["id"] == room]
    assert set(found) == {"id", "name", "created_at", "unread", "mentions", "last_read", "last_id"}
    return dict(found)


async def counts(visitor: Visitor, room: int) -> tuple[int, int]:
    found = await row(visitor, room)
    return found["unread"], found["mentions"]


def mention(settings: Settings, room: int, message: Message, *users: int) -> None:
    """As the archive shows it."""
    ms, seq = map(int, message["id"].split("-"))
    with pymongo.MongoClient[dict[str, object]](settings.mongodb_uri) as client:
        messages = client.get_default_database("harbour").messages
        changed = messages.update_one({"_id": {"room": room, "ms": ms, "seq": seq}}, {"$set": {"mentions": users}})
    assert changed.matched_count == 1


async def test_what_others_wrote_since_one_signed_up_is_unread(
    ada: Visitor, room: int, visit: Callable[..., Visitor]
) -> None:
    early = await ada.say(room, "before Grace")
    grace = await somebody(visit)
    empty = await ada.make_room()
    assert await row(grace, empty) | {"id": 0, "name": "", "created_at": "", "last_read": ""} == {
        "id": 0, "name": "", "created_at": "", "unread": 0, "mentions": 0, "last_read": "", "last_id": "0-0",
    }  # fmt: skip
    assert (await row(grace, room))["last_id"] == early["id"]
    assert (await row(grace, room))["last_read"] == early["id"]
    assert await counts(grace, room) == (0, 0)
    await ada.say(room, "hello Grace")
    await grace.say(room, "hello Ada")
    assert [await counts(each, room) for each in (ada, grace)] == [(1, 0), (1, 0)]


@pytest.mark.parametrize("hours", [-5, 5])
async def test_a_clock_that_is_wrong_hides_nothing_and_makes_nothing_unread(
    ada: Visitor, room: int, visit: Callable[..., Visitor], settings: Settings, hours: int
) -> None:
    """That of the machine on which somebody signs up."""
    quiet = await ada.make_room()
    await ada.say(room, "before")
    with patch.object(accounts, "timestamp", lambda: (datetime.now(UTC) + timedelta(hours=hours)).isoformat()):
        grace = await somebody(visit)
    assert [await counts(grace, each) for each in (room, quiet)] == [(0, 0), (0, 0)]
    for each in (room, quiet, await ada.make_room()):
        said = await ada.say(each, "after")
        assert await counts(grace, each) == (1, 0)
        async with another_process(settings) as there:
            assert await counts(elsewhere(visit, grace, there), each) == (1, 0)
        assert await mark(grace, each, said["id"]) == 204
        assert await counts(grace, each) == (0, 0)


async def test_a_log_that_is_ahead_of_every_clock_has_its_own_beginning(
    ada: Visitor, room: int, visit: Callable[..., Visitor], world: World
) -> None:
    quiet = await ada.make_room()
    early = await ada.say(room, "before")
    with world.redis_client() as redis:
        redis.execute_command("XSETID", log_key(room), f"{place(early['id'])[0] + 86_400_000}-0")
    await ada.say(room, "before, and tomorrow")
    grace = await somebody(visit)
    assert [await counts(grace, each) for each in (room, quiet)] == [(0, 0), (0, 0)]
    for each in (room, quiet):
        await ada.say(each, "after")
        assert await counts(grace, each) == (1, 0)


async def test_who_signs_up_while_redis_is_away_begins_there_too(
    ada: Visitor, room: int, visit: Callable[..., Visitor], world: World
) -> None:
    await ada.say(room, "before")
    world.redis.kill()
    try:
        grace = await somebody(visit)
        assert await counts(grace, room) == (0, 0)
    finally:
        world.redis.start()
    await ada.say(room, "after")
    assert await counts(grace, room) == (1, 0)


async def test_accounts_of_before_begin_at_the_moment_of_their_sign_up(
    ada: Visitor, room: int, visit: Callable[..., Visitor], settings: Settings
) -> None:
    await ada.say(room, "long ago")
    await asyncio.sleep(2 * LEAP_MS / 1000)  # by which the first id of a log is ahead of the clock
    grace = await somebody(visit)
    with pymongo.MongoClient[dict[str, object]](settings.mongodb_uri) as client:
        client.get_default_database("harbour").users.update_one({"_id": grace.id}, {"$unset": {"begins": ""}})
    assert await counts(grace, room) == (0, 0)
    await ada.say(room, "since")
    assert await counts(grace, room) == (1, 0)


async def test_a_mark_only_moves_forward(ada: Visitor, room: int, visit: Callable[..., Visitor]) -> None:
    grace = await somebody(visit)
    said = [await ada.say(room, str(number)) for number in range(5)]
    for upto, left in ((2, 2), (0, 2), (2, 2), (4, 0), (3, 0)):
        assert await mark(grace, room, said[upto]["id"]) == 204
        assert await counts(grace, room) == (left, 0)
    assert (await row(grace, room))["last_read"] == said[4]["id"]
    assert await mark(grace, room, "0-0") == 204
    assert await counts(ada, room) == (0, 0)


async def test_of_many_marks_at_once_over_two_processes_the_furthest_stays(
    ada: Visitor, room: int, visit: Callable[..., Visitor], settings: Settings
) -> None:
    grace = await somebody(visit)
    said = [await ada.say(room, str(number)) for number in range(12)]
    async with another_process(settings) as there:
        devices = [grace, elsewhere(visit, grace, there)]
        for until in range(4, 13, 2):
            ids = [message["id"] for message in said[:until]] * 3
            random.shuffle(ids)
            codes = await asyncio.gather(*(mark(devices[n % 2], room, id) for n, id in enumerate(ids)))
            assert set(codes) == {204}
            for device in devices:
                assert (await row(device, room))["last_read"] == said[until - 1]["id"]
                assert await counts(device, room) == (12 - until, 0)


async def test_what_is_read_on_one_device_the_others_are_told(
    ada: Visitor, room: int, visit: Callable[..., Visitor], settings: Settings
) -> None:
    grace = await somebody(visit)
    said = [await ada.say(room, str(number)) for number in range(4)]
    mention(settings, room, said[3], grace.id)
    other_room = await ada.make_room()
    async with another_process(settings) as there:
        tablet = elsewhere(visit, grace, there)
        streams = [await grace.stream(room), await tablet.stream(room)]
        others = [await ada.stream(room), await grace.stream(other_room)]
        for stream in streams + others:
            await stream.block()
        cursors = [stream.cursor for stream in streams]
        for upto, unread in ((0, 3), (0, None), (3, 0)):
            assert await mark(grace, room, said[upto]["id"]) == 204
            if unread is None:
                continue
            for stream in streams:
                told = await stream.signal("read")
                assert told == {"room_id": room, "id": said[upto]["id"], "unread": unread, "mentions": unread // 3}
        assert [stream.cursor for stream in streams] == cursors
        assert (await grace.fetch("POST", f"/rooms/{other_room}/typing", body=b"")).code == 204
        assert (await ada.fetch("POST", f"/rooms/{room}/typing", body=b"")).code == 204
        for stream in others:
            await stream.signal("typing")
            assert [block for block in stream.passed if block.event == "read"] == []
        for stream in streams:
            await stream.signal("typing")
            assert [block for block in stream.passed if block.event == "read"] == [], "the same mark was told twice"


@pytest.mark.parametrize("long", [3, 1_000])
async def test_counts_are_what_a_plain_recount_says(
    ada: Visitor, room: int, visit: Callable[..., Visitor], settings: Settings, long: int
) -> None:
    """A random walk of posts, mentions, deletions and marks of three people in two rooms; then a restart. Where there
    is much behind a mark only what is new is counted anew."""
    with patch.object(unread_module, "LONG_WALK_MESSAGES", long):
        await walk(ada, room, visit, settings)


async def walk(ada: Visitor, room: int, visit: Callable[..., Visitor], settings: Settings) -> None:
    people = [ada, await somebody(visit), await somebody(visit)]
    rooms = [room, await ada.make_room()]
    dice = random.Random(20261124)
    said: dict[int, list[dict[str, Any]]] = {each: [] for each in rooms}
    marks = {(who.id, each): "0-0" for who in people for each in rooms}

    def recount(who: Visitor, where: int) -> tuple[int, int]:
        behind = [
            each
            for each in said[where]
            if place(each["id"]) > place(marks[who.id, where]) and each["user_id"] != who.id and not each["gone"]
        ]
        return len(behind), sum(who.id in each["mentioned"] for each in behind)

    for step in range(80):
        who, where = dice.choice(people), dice.choice(rooms)
        own = [each for each in said[where] if each["user_id"] == who.id and not each["gone"]]
        action = dice.choice(["post", "post", "post", "delete", "read"])
        if action == "post" or not said[where]:
            mentioned = [each.id for each in people if dice.random() < 0.2]
            message = await who.say(where, f"step {step}")
            if mentioned:
                mention(settings, where, message, *mentioned)
            said[where].append(message | {"gone": False, "mentioned": mentioned})
        elif action == "delete" and own:
            gone = dice.choice(own)
            gone["gone"] = True
            assert (await who.fetch("DELETE", f"/rooms/{where}/messages/{gone['id']}")).code == 204
        elif action == "read":
            id = dice.choice(said[where])["id"]
            assert await mark(who, where, id) == 204
            marks[who.id, where] = max(marks[who.id, where], id, key=place)
        one = dice.choice(people)
        assert [await counts(one, each) for each in rooms] == [recount(one, each) for each in rooms], step
    async with another_process(settings) as restarted:
        for who in people:
            there = elsewhere(visit, who, restarted)
            assert [await counts(there, each) for each in rooms] == [recount(who, each) for each in rooms]


@pytest.mark.parametrize("kind", ["plain", "that mention her", "deleted"])
async def test_a_mark_costs_what_was_read_and_not_what_is_left(
    ada: Visitor, room: int, visit: Callable[..., Visitor], settings: Settings, kind: str
) -> None:
    grace = await somebody(visit)
    text = f"hello @{grace.name}" if kind == "that mention her" else "hello"
    said: list[str] = []
    costs = []
    with patch.object(unread_module, "SETTLED_SECONDS", -1.0):
        for more in (300, 900):
            for _ in range(more // 50):
                each = await asyncio.gather(*(ada.say(room, text) for _ in range(50)))
                said += sorted((message["id"] for message in each), key=place)
                if kind == "deleted":
                    await asyncio.gather(*(ada.delete(room, message["id"]) for message in each[:40]))
            for _ in range(2):  # walks the whole way once, and again to remember what became of it
                assert await mark(grace, room, said.pop(0)) == 204
            async with examined(settings) as told:
                for _ in range(20):
                    assert await mark(grace, room, said.pop(0)) == 204
                costs.append(told())
            left = (await row(grace, room))["unread"]
            assert left == len(said) if kind != "deleted" else 0 < left < len(said)
    assert costs[1] <= costs[0] * 1.2, costs
    assert costs[1] < 20 * 60, "of documents and keys"


@asynccontextmanager
async def examined(settings: Settings) -> AsyncIterator[Callable[[], int]]:
    """How many documents and keys of indexes all queries have looked at meanwhile."""
    with pymongo.MongoClient[dict[str, Any]](settings.mongodb_uri) as client:
        database = client.get_default_database("harbour")
        database.drop_collection("system.profile")
        database.command("profile", 2)
        try:
            yield lambda: sum(
                each.get("docsExamined", 0) + each.get("keysExamined", 0)
                for each in database["system.profile"].find({"ns": {"$in": ["harbour.events", "harbour.messages"]}})
            )
        finally:
            database.command("profile", 0)
            database.drop_collection("system.profile")


async def test_what_is_no_place_in_the_room_is_refused(ada: Visitor, room: int) -> None:
    said = await ada.say(room, "hello")
    ms, seq = place(said["id"])
    for id in ("", "x", "1", "1-2-3", "-1-0", f"{ms}-{seq + 1}", f"{ms + 1}-0", "9223372036854775807-0", "٣-0"):
        assert await mark(ada, room, id) == 422, id
    assert await mark(ada, room, said["id"]) == 204
    no_text: list[object] = [None, 5, []]
    assert [await mark(ada, room, id) for id in no_text] == [400] * 3
    assert (await ada.fetch("PUT", f"/rooms/{room}/read", body=b"")).code == 400
    assert [await mark(ada, where, said["id"]) for where in ("999999", "x")] == [404, 404]
    assert (await ada.fetch("PUT", f"/rooms/{room}/read", json_body={"id": said["id"]}, token=False)).code == 403


async def test_a_room_opens_at_the_first_unread_message(ada: Visitor, room: int, visit: Callable[..., Visitor]) -> None:
    grace = await somebody(visit)
    said = [await ada.say(room, str(number)) for number in range(70)]
    ids = [message["id"] for message in said]
    await mark(grace, room, ids[9])
    opened = await Opened.by(grace, room)
    assert (opened.room["data-last-read"], opened.room["data-first-unread"]) == (ids[9], ids[10])
    assert opened.messages["data-has-newer"] == "true"
    assert opened.messages["data-cursor"] == opened.ids[-1]
    assert opened.room["data-stream-cursor"] == ids[-1]
    assert opened.ids == ids[:35], "not all that is before it, and half a page from there"
    for upto, first_unread in ((19, ids[20]), (40, ids[41]), (69, "")):
        await mark(grace, room, ids[upto])
        opened = await Opened.by(grace, room)
        assert (opened.ids, opened.messages["data-has-newer"]) == (ids[20:], "false")
        assert (opened.room["data-last-read"], opened.room["data-first-unread"]) == (ids[upto], first_unread)
        assert opened.room["data-stream-cursor"] == opened.messages["data-cursor"] == ids[-1]


async def test_an_address_opens_the_room_around_a_message(
    ada: Visitor, room: int, visit: Callable[..., Visitor]
) -> None:
    grace = await somebody(visit)
    ids = [(await ada.say(room, str(number)))["id"] for number in range(90)]
    opened = await Opened.by(grace, room, f"?at={ids[45]}")
    assert opened.messages["data-has-newer"] == "true"
    assert opened.ids[len(opened.ids) // 2] == ids[45]
    for query in ("?at=end", "?at=", "?at=1-1", "?before=x"):
        opened = await Opened.by(grace, room, query)
        assert (opened.ids, opened.messages["data-has-newer"]) == (ids[40:], "false"), query
    opened = await Opened.by(grace, room, f"?after={ids[5]}")
    assert (opened.ids, opened.messages["data-has-newer"]) == (ids[6:56], "true")
    opened = await Opened.by(grace, room, f"?after={ids[69]}")
    assert (opened.ids, opened.messages["data-has-newer"]) == (ids[70:], "false")
    opened = await Opened.by(grace, room, f"?before={ids[55]}")
    assert (opened.ids, opened.messages["data-has-newer"]) == (ids[5:55], "true")


@dataclass
class Opened:
    """A room's page."""

    room: Element
    messages: Element
    ids: list[str]

    @classmethod
    async def by(cls, visitor: Visitor, room: int, query: str = "") -> Opened:
        page = read_page(await visitor.get(f"/chat/{room}{query}"))
        messages = page.one("ul", id="messages")
        ids = [item["data-id"] for item in page.within(messages, "li") if "data-id" in item.attributes]
        return cls(page.one("main", id="room"), messages, ids)


async def test_the_list_is_the_same_while_redis_is_away_and_when_it_forgot(
    ada: Visitor, room: int, visit: Callable[..., Visitor], world: World
) -> None:
    grace = await somebody(visit)
    said = await ada.say(room, "hello")
    quiet = await ada.make_room()
    before = [await row(grace, each) for each in (room, quiet)]
    assert [(each["unread"], each["last_id"]) for each in before] == [(1, said["id"]), (0, "0-0")]
    with world.redis_client() as redis:
        redis.flushall()
    assert [await row(grace, each) for each in (room, quiet)] == before
    world.redis.kill()
    try:
        assert [await row(grace, each) for each in (room, quiet)] == before
        assert (await Opened.by(grace, room)).ids == [said["id"]]
        assert await mark(grace, room, said["id"]) == 204
        assert await counts(grace, room) == (0, 0)
        assert (await grace.fetch("POST", f"/rooms/{room}/typing", body=b"")).code == 204
        assert (await grace.get(f"/rooms/{room}/presence")).code == 503
    finally:
        world.redis.start()


async def test_all_are_told_when_a_room_is_made_or_closed(
    ada: Visitor, room: int, visit: Callable[..., Visitor], settings: Settings
) -> None:
    async with another_process(settings) as there:
        streams = [await ada.stream(room), await elsewhere(visit, ada, there).stream(room)]
        for stream in streams:
            await stream.block()
        name = f"room {uuid.uuid4().hex}"
        made = await ada.make_room(name)
        rooms = [each["id"] for each in read(await ada.get("/rooms"))["rooms"]]
        in_front = [0, *rooms][rooms.index(made)]
        for stream in streams:
            told = await stream.signal("rooms")
            assert told.pop("made") | {"created_at": ""} == {"id": made, "name": name, "created_at": ""}
            assert (told.pop("after"), 0 < told.pop("within") < 60_000, told) == (in_front, True, {})
        assert (await ada.fetch("DELETE", f"/rooms/{made}")).code == 204
        for stream in streams:
            assert await stream.signal("rooms") == {"closed": made}


async def test_who_knows_another_list_of_rooms_than_there_is_is_told(ada: Visitor, room: int) -> None:
    rows = read(await ada.get("/rooms"))["rooms"]
    known = f"{len(rows)}.{sum(each['id'] for each in rows)}"
    stream = await ada.stream(room, query={"listed": known})
    await stream.block()
    assert stream.passed == []
    made = await ada.make_room()
    for listed in (known, "", "0.0", "x"):
        stream = await ada.stream(room, query={"listed": listed})
        assert 0 < (await stream.signal("rooms"))["within"] < 60_000
    assert (await ada.fetch("DELETE", f"/rooms/{made}")).code == 204
    stream = await ada.stream(room, query={"listed": known})
    await stream.block()
    assert stream.passed == []


async def test_the_longest_names_of_rooms_can_be_told(ada: Visitor, room: int) -> None:
    stream = await ada.stream(room)
    await stream.block()
    for character in ('"', "\\", "🎉", "é"):
        name = uuid.uuid4().hex + character * 48
        made = await ada.make_room(name)
        assert (await stream.signal("rooms"))["made"]["name"] == name
        assert (await ada.fetch("DELETE", f"/rooms/{made}")).code == 204
        await stream.signal("rooms")


async def test_the_more_listen_the_longer_they_take_to_follow_a_room(ada: Visitor, room: int, chat: Chat) -> None:
    """Nobody needs it at once, and all at once would need all of the machine."""
    stream = await ada.stream(room)
    await stream.block()
    with patch.object(chat.services.open_streams, "_streams", range(1_000)):
        made = await ada.make_room()
        assert (await stream.signal("rooms"))["within"] == 100_000
    await ada.fetch("DELETE", f"/rooms/{made}")


async def test_some_rows_of_the_list_can_be_asked_for(ada: Visitor, room: int, visit: Callable[..., Visitor]) -> None:
    grace = await somebody(visit)
    other = await ada.make_room()
    await ada.say(room, "hello")
    rows = read(await grace.get("/rooms"))["rooms"]
    answer = read(await grace.get(f"/rooms?id={room}&id={other}&id=999999"))["rooms"]
    assert answer == [each for each in rows if each["id"] in {room, other}]
    assert (answer[0]["unread"] + answer[1]["unread"], len(answer)) == (1, 2)
    for query in ("id=", "id=x", "id=-1", "id=" + "9" * 30, "&".join(["id=1"] * 51), "id=%D9%A3"):
        assert (await grace.get(f"/rooms?{query}")).code == 400, query


async def test_the_list_is_read_once_for_everybody(
    ada: Visitor, room: int, visit: Callable[..., Visitor], chat: Chat
) -> None:
    grace = await somebody(visit)
    await ada.get("/rooms")
    reading = Mock(wraps=chat.services.rooms._read_list)
    with patch.object(chat.services.rooms._list, "_ask", reading):
        await asyncio.gather(*(who.get(path) for who in (ada, grace) for path in ("/rooms", "/chat", "/search") * 5))
        assert reading.call_count == 0
        made = [await ada.make_room() for _ in range(2)]
        assert {each["id"] for each in read(await grace.get("/rooms"))["rooms"]} >= set(made)
        assert reading.call_count <= 4
    for each in made:
        await ada.fetch("DELETE", f"/rooms/{each}")


def place(id: str) -> tuple[int, ...]:
    return tuple(map(int, id.split("-")))
