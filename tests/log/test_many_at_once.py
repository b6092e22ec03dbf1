"""What many write at the same time goes out together, and each is told what became of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Any

import msgspec
import pytest
from tornado.ioloop import IOLoop

from chatserver.archive.events import ClientId, with_client_ids
from chatserver.log.batch import Batch
from chatserver.log.commands import Append
from chatserver.log.keys import PARTITIONS, log_key
from chatserver.model.cursor import BEGINNING
from chatserver.model.events import Body, Draft, draft_message
from chatserver.settings import Settings
from tests.helpers.parts import Parts, draft, make_parts

pytestmark = pytest.mark.gen_test


@pytest.fixture
def parts(io_loop: IOLoop, settings: Settings) -> Iterator[Parts]:
    parts = io_loop.run_sync(lambda: make_parts(settings))
    yield parts
    io_loop.run_sync(parts.close)


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return count(3_000_000_000_000, 4 * PARTITIONS)


@pytest.fixture
def rooms(numbers: Iterator[int]) -> list[int]:
    """Three, two of which are in one partition."""
    first = next(numbers)
    return [first, first + PARTITIONS, first + 1]


def said_by(user_id: int, room: int, name: str) -> Draft:
    return draft_message(Body(room, user_id, f"user {user_id}", f"{name} in {room}", "2026-11-23T09:41:00.000Z", name))


async def test_each_goes_into_the_log_of_its_own_room(parts: Parts, rooms: list[int]) -> None:
    first = [draft(room, "first") for room in rooms]
    for each in first:
        await parts.publisher.publish(each)
    said = [draft(room, f"c-{number}") for number in range(8) for room in rooms]
    published = await asyncio.gather(*(parts.publisher.publish(each) for each in said))
    for room in rooms:
        mine = [(each.client_id, each.payload) for each in (*first, *said) if each.room_id == room]
        assert [(event.client_id, event.payload) for event in await parts.log.after(room, BEGINNING, 50)] == mine
        assert [(event.client_id, event.payload) for event in await parts.archive.after(room, BEGINNING, 50)] == mine
    assert [each.event.payload for each in published] == [each.payload for each in said]


async def test_when_all_is_archived_no_room_has_anything_pending(parts: Parts, rooms: list[int]) -> None:
    await asyncio.gather(
        *(parts.publisher.publish(draft(room, f"c-{number}")) for number in range(8) for room in rooms)
    )
    await parts.log.flush_marks()
    assert [place for place in await parts.log.pending() if place.room_id in rooms] == []


def test_the_keys_of_a_room_are_sent_once_and_each_call_says_where_they_are(rooms: list[int]) -> None:
    appends = [Append(draft(room, f"c-{number}"), None, None, None, True) for number in range(3) for room in rooms]

    def words(append: Append) -> dict[str, Any]:
        return {"client": append.draft.client_id, "room": append.room_id}

    seen = []
    for keys, (asked, limit) in Batch(appends).calls(words, 7):
        assert (len(keys), len(set(keys)), limit) == (len(keys), len(keys), 7)
        for call in msgspec.msgpack.decode(asked):
            assert keys[call["keys"] - 1] == log_key(call["room"]), "Lua counts from 1"
            seen.append((call["room"], call["client"]))
    assert sorted(seen) == sorted((append.room_id, append.draft.client_id) for append in appends)


async def test_a_name_is_looked_up_for_its_own_user_and_room(parts: Parts, rooms: list[int]) -> None:
    """The same client ids in several rooms, of several users; and some that nobody used."""
    said = [
        said_by(user, room, name)
        for room in rooms
        for user in (7, 8)
        for name in ("a", "b")
        if (user, name) != (8, "b")
    ]
    await asyncio.gather(*(parts.publisher.publish(each) for each in said))
    asked = [ClientId(room, user, name) for room in rooms for user in (7, 8, 9) for name in ("a", "b", "c")]
    found = await asyncio.gather(*(parts.archive.find_by_client_id(*each) for each in asked))
    assert {name: event.payload for name, event in zip(asked, found, strict=True) if event is not None} == {
        ClientId(each.room_id, each.user_id, each.client_id): each.payload for each in said
    }


async def test_no_event_is_read_to_learn_that_a_name_is_new(parts: Parts, rooms: list[int]) -> None:
    """However much was said in the room: it is seen from the index."""
    await asyncio.gather(*(parts.publisher.publish(draft(rooms[0], f"c-{number}")) for number in range(50)))
    for users in ((7,), (7, 8)):
        query = with_client_ids(ClientId(rooms[0], user, f"new-{number}") for user in users for number in range(20))
        asked = {"explain": {"find": "events", "filter": query}, "verbosity": "executionStats"}
        done = (await parts.database.events.database.command(asked))["executionStats"]
        assert (done["nReturned"], done["totalDocsExamined"]) == (0, 0)
        assert done["totalKeysExamined"] <= 2 * 20 * len(users)
