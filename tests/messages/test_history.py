"""History: a page shows each message as it stands at one moment, wherever what became of it has got to by then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import msgspec
import pytest
from tornado.ioloop import IOLoop

from chatserver.archive.backlog import Backlog
from chatserver.archive.database import Database
from chatserver.archive.events import Archive
from chatserver.errors import MessageNotFound, Unavailable
from chatserver.log.keys import log_key, pending_key
from chatserver.messages.history import History
from chatserver.model.changes import about
from chatserver.model.cursor import BEGINNING, Cursor
from chatserver.model.event_kinds import apply_changes
from chatserver.model.events import Draft, Event, Message, Reaction
from chatserver.model.rooms import Room
from chatserver.settings import Settings
from tests.conftest import World
from tests.helpers.changes_made import delete, edit, react
from tests.helpers.parts import Parts, draft, make_parts

pytestmark = pytest.mark.gen_test


@pytest.fixture
def parts(io_loop: IOLoop, settings: Settings) -> Iterator[Parts]:
    parts = io_loop.run_sync(lambda: make_parts(settings))
    yield parts
    io_loop.run_sync(parts.close)


@pytest.fixture
def history(parts: Parts) -> History:
    return History(parts.archive, parts.backlog)


@pytest.fixture
def alone(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    """The same, where no archive answers."""
    monkeypatch.setattr("chatserver.archive.database.SELECT_MS", 50)
    nobody = Database("mongodb://127.0.0.1:1/harbour")
    archive = Archive(nobody)
    yield History(archive, Backlog(archive, parts.log))
    nobody.close()


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return count(9_500_000_000)


@pytest.fixture
def room(numbers: Iterator[int], world: World) -> Iterator[Room]:
    room = Room(next(numbers), "a room", "2026-11-24T09:00:00.000Z")
    yield room
    with world.redis_client() as redis:
        redis.delete(pending_key(room.id))


async def publish(parts: Parts, *drafts: Draft) -> list[Event]:
    return [(await parts.publisher.publish(each)).event for each in drafts]


async def append(parts: Parts, *drafts: Draft) -> list[Event]:
    """Into the log, and not into the archive yet."""
    events = [await parts.begin(each) for each in drafts]
    return [event for event in events if event is not None]


async def at_the_end(parts: Parts, room: Room) -> list[Message]:
    """How the messages of the room stand, by its log alone."""
    events = await parts.backlog.after(room.id, BEGINNING, 10_000)
    ids = {str(event.id): [event] for event in events if event.kind == "message"}
    for event in events:
        if event.kind in {"edited", "deleted", "reaction"}:
            ids[str(about(event))].append(event)
    return [apply_changes(event.message(), changes) for event, *changes in ids.values()]


Way = Callable[[Parts, Room, list[Event], list[Event]], Any]


async def nothing_happens(parts: Parts, room: Room, messages: list[Event], changes: list[Event]) -> None:
    pass


async def nothing_is_shown(parts: Parts, room: Room, messages: list[Event], changes: list[Event]) -> None:
    await parts.database.messages.delete_many({"_id.room": room.id})


async def an_old_state_is_shown(parts: Parts, room: Room, messages: list[Event], changes: list[Event]) -> None:
    """As it was before the last changes."""
    shown = parts.database.messages
    await shown.update_one({"_id.ms": messages[0].id.ms, "_id.room": room.id}, {"$set": {"content": "one", "applied": str(changes[0].id)}, "$unset": {"reactions": ""}})  # fmt: skip


@pytest.mark.parametrize("way", [nothing_happens, nothing_is_shown, an_old_state_is_shown])
async def test_what_is_on_its_way_is_in_the_page(parts: Parts, history: History, room: Room, way: Way) -> None:
    """Archived and not shown; appended and not archived; a change of either kind about a message of either kind."""
    messages = await publish(parts, draft(room.id, "a"), draft(room.id, "b"))
    changes = await publish(parts, edit(messages[0], "one"), react(messages[0], "👍", 8), edit(messages[0], "two"))
    await way(parts, room, messages, changes)
    messages += await append(parts, draft(room.id, "c"))
    later = await append(parts, react(messages[0], "🎉", 9), edit(messages[2], "three"), delete(messages[1]))
    page = await history.newest(room)
    assert page.messages == await at_the_end(parts, room)
    assert [message.content for message in page.messages] == ["two", "", "three"]
    assert [each.emoji for each in page.messages[0].reactions] == ["👍", "🎉"]
    assert (page.cursor, page.has_more) == (later[-1].id, False)
    assert [await history.find(room, message.id) for message in messages] == page.messages
    assert (await history.after(room, messages[0].id, 10)).messages == page.messages[1:]
    assert (await history.before(room, messages[2].id, 10)).messages == page.messages[:2]
    assert (await history.around(room, messages[1].id, 3)).messages == page.messages


async def test_a_page_shows_nothing_that_came_after_its_moment(
    parts: Parts, history: History, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though `messages` has it already when that is read: a stream from the page's cursor would say it again."""
    [message] = await publish(parts, draft(room.id, "a"))
    [given] = await publish(parts, react(message, "👍", 8))
    shown = parts.archive.shown

    async def later(*args: Any) -> Any:
        await publish(parts, react(message, "🎉", 8), react(message, "👍", 8, on=False), edit(message, "later"))
        return await shown(*args)

    monkeypatch.setattr(parts.archive, "shown", later)
    page = await history.newest(room)
    monkeypatch.undo()
    assert page.cursor == given.id
    assert page.messages == [apply_changes(message.message(), [given])]
    following = await parts.backlog.after(room.id, page.cursor, 10)
    assert [apply_changes(page.messages[0], following)] == (await history.newest(room)).messages


async def test_a_page_is_full_however_much_became_of_its_messages(parts: Parts, history: History, room: Room) -> None:
    messages = await publish(parts, *(draft(room.id, name) for name in "abc"))
    prev = messages[-1].id
    reactions = []
    for user_id in range(1_500):
        change = react(messages[user_id % 2], "👍", user_id)
        placed = Event(room.id, Cursor(prev.ms, prev.seq + 1), prev, *msgspec.structs.astuple(change)[1:])
        reactions.append(placed)
        prev = placed.id
    await asyncio.gather(*map(parts.commits.commit, reactions))
    page = await history.newest(room, 2)
    assert [message.client_id for message in page.messages] == ["b", "c"]
    assert page.messages[0].reactions == (Reaction("👍", tuple(range(1, 1_500, 2))),)
    assert (page.cursor, page.has_more) == (prev, True)
    assert [message.client_id for message in (await history.before(room, messages[1].id, 2)).messages] == ["a"]


async def test_what_many_messages_lack_is_in_the_page_too(parts: Parts, history: History, room: Room) -> None:
    """They are not asked for one by one then."""
    messages = await publish(parts, *(draft(room.id, f"m-{number}") for number in range(12)))
    await publish(parts, *(edit(message, "shown") for message in messages[:10]))
    before = [document async for document in parts.database.messages.find({"_id.room": room.id})]
    await publish(parts, *(edit(message, "not shown") for message in messages[::3]))
    for document in before:
        await parts.database.messages.replace_one({"_id": document["_id"]}, document)
    await append(parts, edit(messages[4], "not archived"))
    page = await history.newest(room)
    assert page.messages == await at_the_end(parts, room)
    assert sum(message.content == "not shown" for message in page.messages) == 4


async def test_pages_around_a_message_say_what_is_on_either_side(parts: Parts, history: History, room: Room) -> None:
    said = await publish(parts, *(draft(room.id, f"m-{number}") for number in range(9)))
    [change] = await publish(parts, edit(said[4], "edited"))

    async def around(at: int, limit: int) -> tuple[list[int], Cursor, bool, bool]:
        page = await history.around(room, said[at].id, limit)
        places = {str(each.id): number for number, each in enumerate(said)}
        return [places[message.id] for message in page.messages], page.cursor, page.has_more, page.has_newer

    assert await around(4, 5) == ([2, 3, 4, 5, 6], said[6].id, True, True)
    assert await around(4, 4) == ([2, 3, 4, 5], said[5].id, True, True)
    assert await around(4, 1) == ([4], said[4].id, True, True)
    assert await around(0, 5) == ([0, 1, 2], said[2].id, False, True)
    assert await around(8, 5) == ([6, 7, 8], change.id, True, False)
    assert await around(4, 50) == ([*range(9)], change.id, False, False)
    assert (await history.around(room, said[4].id, 1)).messages[0].content == "edited"
    with pytest.raises(MessageNotFound):
        await history.around(room, change.id, 5)


async def test_a_stream_from_any_pages_cursor_goes_on_behind_the_page(
    parts: Parts, history: History, room: Room
) -> None:
    said = await publish(parts, *(draft(room.id, f"m-{number}") for number in range(6)))
    await publish(parts, edit(said[1], "edited"), delete(said[5]), draft(room.id, "last"))
    expected = await at_the_end(parts, room)
    pages = [
        await history.newest(room, 3),
        await history.before(room, said[3].id, 2),
        await history.after(room, said[1].id, 2),
        await history.after(room, said[3].id, 5),
        await history.around(room, said[2].id, 3),
        await history.before(room, said[0].id, 5),
    ]
    for page in pages:
        following = await parts.backlog.after(room.id, page.cursor, 100)
        newer = [event.message() for event in following if event.kind == "message"]
        wanted = expected[-len(newer) - len(page.messages) :]
        assert [message.id for message in [*page.messages, *newer]] == [message.id for message in wanted]


async def test_the_stream_alone_has_pages_while_it_reaches_back(
    parts: Parts, history: History, alone: History, room: Room, world: World
) -> None:
    said = await publish(parts, *(draft(room.id, f"m-{number}") for number in range(6)))
    await publish(parts, edit(said[1], "edited"), react(said[4], "👍", 8))
    await append(parts, draft(room.id, "not archived"))

    async def each(of: History, limit: int) -> list[Any]:
        return [
            await of.newest(room, limit),
            await of.before(room, said[5].id, limit),
            await of.after(room, said[2].id, limit),
            await of.around(room, said[4].id, limit),
            await of.find(room, said[4].id),
        ]

    assert await each(alone, 3) == await each(history, 3)
    assert await alone.newest(room) == await history.newest(room)
    with pytest.raises(MessageNotFound):
        await alone.find(room, Cursor(7, 0))
    with world.redis_client() as redis:
        redis.xdel(log_key(room.id), str(said[1].id))
    assert (await alone.newest(room, 3)).messages == (await history.newest(room, 3)).messages
    assert (await alone.after(room, said[1].id, 3)).messages == (await history.after(room, said[1].id, 3)).messages
    for beyond in (
        alone.newest(room, 50),
        alone.before(room, said[3].id, 2),
        alone.after(room, said[0].id, 5),
        alone.around(room, said[1].id, 2),
        alone.find(room, said[1].id),
    ):
        with pytest.raises(Unavailable):
            await beyond
