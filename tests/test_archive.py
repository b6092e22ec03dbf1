"""The archive: what is in it once stays, and is shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from chatserver.archive import Archive
from chatserver.cursor import Cursor
from chatserver.database import Database
from chatserver.events import Body, Event, draft_message
from chatserver.settings import Settings

pytestmark = pytest.mark.gen_test

ROOM = 8_000_000_001


@pytest.fixture
def database(io_loop: IOLoop, settings: Settings) -> Iterator[Database]:
    database = Database(settings.mongodb_uri)
    io_loop.run_sync(database.prepare)
    io_loop.run_sync(lambda: _forget(database))
    yield database
    database.close()


async def _forget(database: Database) -> None:
    for collection in (database.events, database.messages):
        await collection.delete_many({"_id.room": ROOM})


def event(ms: int, prev: int, client_id: str) -> Event:
    draft = draft_message(Body(ROOM, 7, "ada", f"this is {client_id}", "2026-11-23T09:41:00.000Z", client_id))
    return Event(ROOM, Cursor(ms, 0), Cursor(prev, 0), "message", 7, client_id, draft.payload)


async def shown(database: Database) -> list[int]:
    return [document["_id"]["ms"] async for document in database.messages.find({"_id.room": ROOM}).sort("_id")]


async def test_a_repeat_under_another_id_is_answered_with_the_first(database: Database) -> None:
    archive = Archive(database)
    first, repeat = event(10, 0, "a"), event(20, 10, "a")
    assert await archive.commit(first) == first
    assert await archive.commit(repeat) == first
    assert [each.kind for each in await archive.after(ROOM, Cursor(0, 0), 10)] == ["message", "void"]
    assert await shown(database) == [10]


async def test_the_first_is_shown_even_if_whoever_archived_it_died_before_that(database: Database) -> None:
    archive = Archive(database)
    await archive.commit(event(10, 0, "a"))
    await database.messages.delete_many({"_id.room": ROOM})
    await archive.commit(event(20, 10, "a"))
    assert await shown(database) == [10]
