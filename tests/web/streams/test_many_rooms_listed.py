"""The list of thousands of rooms: what is the same for everybody is read once, and in few words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any
from unittest.mock import AsyncMock, patch

import pymongo
import pytest

from chatserver.app import Chat
from chatserver.archive.database import DEFAULT_NAME
from chatserver.rooms.rooms import LIST
from tests.helpers.browserless import Visitor, read

pytestmark = pytest.mark.gen_test(timeout=120)

MANY = 2_000
FIRST = 10_000_000


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def many(numbers: Iterator[int], mongo: pymongo.MongoClient[dict[str, Any]], chat: Chat) -> Iterator[list[int]]:
    rooms = mongo.get_default_database(DEFAULT_NAME)["rooms"]
    first = FIRST + MANY * next(numbers)
    ids = list(range(first, first + MANY))
    at = "2026-11-25T10:00:00.000Z"
    rooms.insert_many(
        {"_id": id, "name": f"many {id}", "key": f"many {id}", "made_by": 1, "created_at": at} for id in ids
    )
    chat.services.rooms._list.forget(LIST)
    yield ids
    rooms.delete_many({"_id": {"$in": ids}})


async def test_a_list_of_thousands_asks_each_store_in_few_words(
    ada: Visitor, room: int, chat: Chat, many: list[int], visit: Callable[..., Visitor]
) -> None:
    grace = visit()
    await grace.sign_up()
    said = [await ada.say(id, "hello") for id in (room, many[3], many[-1])]
    archive = chat.services.room_list._backlog._archive
    with patch.object(archive, "tips", AsyncMock(wraps=archive.tips)) as asked:
        for _ in range(3):
            rows = {row["id"]: row for row in read(await grace.get("/rooms"))["rooms"]}
            assert set(many) < set(rows)
            assert [rows[each["room_id"]]["last_id"] for each in said] == [each["id"] for each in said]
            assert rows[many[0]]["last_id"] == "0-0"
        assert asked.await_count <= 1, "what is quiet is not asked about again"
        new = await ada.say(many[0], "no longer quiet")
        rows = {row["id"]: row for row in read(await grace.get("/rooms"))["rooms"]}
        assert (rows[many[0]]["last_id"], rows[many[0]]["unread"]) == (new["id"], 1)


async def test_the_tips_of_many_logs_come_in_a_few_runs(ada: Visitor, room: int, chat: Chat, many: list[int]) -> None:
    log = chat.services.room_list._backlog._log
    said = await ada.say(many[7], "hello")
    runs = 0
    execute = type(log._reader.pipeline()).execute

    async def counted(pipeline: Any, *options: Any) -> Any:
        nonlocal runs
        runs += len(pipeline.command_stack)
        return await execute(pipeline, *options)

    with patch.object(type(log._reader.pipeline()), "execute", counted):
        tips = await log.tips(many)
    assert {id: str(tip) for id, tip in tips.items()} == {many[7]: said["id"]}
    assert runs <= 32
