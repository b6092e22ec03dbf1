"""MessageProjector: `messages` has of each message what the events say, however late, often and in whatever order it is done.

The parts of two processes, at real servers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from typing import Any

import pytest
from redis import Redis
from tornado.ioloop import IOLoop

from chatserver.admin.audit import Audit
from chatserver.admin.rebuild import MessagesRebuild
from chatserver.archive.event_documents import event_document, event_key, read_event
from chatserver.log.keys import PARTITIONS, log_key, pending_key
from chatserver.model.cursor import BEGINNING, Cursor
from chatserver.model.event_id import EventId
from chatserver.model.event_kinds import without_text
from chatserver.model.events import Draft, Event, Message
from chatserver.settings import Settings
from tests.conftest import World
from tests.helpers.changes_made import delete, edit, react
from tests.helpers.parts import Parts, draft, make_parts
from tests.helpers.waiting import until

pytestmark = pytest.mark.gen_test


@pytest.fixture
def parts(io_loop: IOLoop, settings: Settings) -> Iterator[Parts]:
    parts = io_loop.run_sync(lambda: make_parts(settings))
    yield parts
    io_loop.run_sync(parts.close)


@pytest.fixture
def other(io_loop: IOLoop, settings: Settings) -> Iterator[Parts]:
    """Another process."""
    parts = io_loop.run_sync(lambda: make_parts(settings))
    yield parts
    io_loop.run_sync(parts.close)


@pytest.fixture
def redis(world: World) -> Iterator[Redis]:
    with world.redis_client() as client:
        yield client


@pytest.fixture(scope="module")
def rooms() -> Iterator[int]:
    return count(9_000_000_000, PARTITIONS)


@pytest.fixture
def room(rooms: Iterator[int], redis: Redis) -> Iterator[int]:
    room = next(rooms)
    redis.delete(pending_key(room))
    yield room
    redis.delete(pending_key(room))


async def publish(parts: Parts, *drafts: Draft) -> list[Event]:
    return [(await parts.publisher.publish(each)).event for each in drafts]


async def shown(parts: Parts, room: int) -> list[dict[str, Any]]:
    found: AsyncIterator[dict[str, Any]] = parts.database.messages.find({"_id.room": room}).sort("_id")
    return [document async for document in found]


async def problems(parts: Parts, room: int) -> list[str]:
    return [problem async for problem in Audit(parts.database).problems(room)]


async def current_state(parts: Parts, message: Event) -> Message:
    return (await parts.archive.shown(message.room_id, [message.id]))[message.id].message


async def test_an_acknowledged_change_is_shown(parts: Parts, room: int) -> None:
    [message] = await publish(parts, draft(room, "a"))
    assert "applied" not in (await shown(parts, room))[0]
    [edited] = await publish(parts, edit(message, "now this"))
    [document] = await shown(parts, room)
    assert (document["content"], document["applied"]) == ("now this", str(edited.id))
    assert document["edited_at"] == "2026-11-24T10:00:00.000Z"
    [reacted] = await publish(parts, react(message, "👍", 8))
    [document] = await shown(parts, room)
    assert (document["reactions"], document["applied"]) == ([{"emoji": "👍", "user_ids": [8]}], str(reacted.id))
    await publish(parts, delete(message))
    [document] = await shown(parts, room)
    assert (document["content"], document["deleted"]) == ("", True)
    assert not {"reactions", "edited_at"} & document.keys()
    assert await problems(parts, room) == []


async def test_changes_are_shown_in_any_order_and_as_often_as_wished(parts: Parts, other: Parts, room: int) -> None:
    [message] = await publish(parts, draft(room, "a"))
    changes = await publish(
        parts, edit(message, "one"), react(message, "👍", 8), edit(message, "two"), react(message, "👍", 9)
    )
    expected = await shown(parts, room)
    for order in (changes, changes[::-1], [changes[2], changes[0], *changes]):
        await parts.database.messages.delete_many({"_id.room": room})
        for each in order:
            await asyncio.gather(*(process.commits.project(each) for process in (parts, other, parts)))
        await parts.commits.project(message)
        assert await shown(parts, room) == expected


async def test_what_is_shown_late_does_not_take_back_what_came_after(parts: Parts, room: int) -> None:
    """An old document, as whoever read it before it was changed would write it."""
    [message] = await publish(parts, draft(room, "a"))
    [before] = await shown(parts, room)
    first, second = await publish(parts, edit(message, "one"), edit(message, "two"))
    await parts.database.messages.replace_one({"_id": before["_id"]}, before)
    await parts.commits.project(first)
    assert (await current_state(parts, message)).content == "two"
    await parts.commits.project(second)
    assert (await current_state(parts, message)).content == "two"


async def test_who_is_overtaken_does_not_take_back_what_the_other_showed(
    parts: Parts, other: Parts, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process has read what it will write; then the other shows a later change."""
    [message] = await publish(parts, draft(room, "a"))
    changes = parts.archive.changes

    async def overtaken(*args: Any, **options: Any) -> Any:
        found = await changes(*args, **options)
        monkeypatch.undo()
        await publish(other, edit(message, "two"))
        return found

    monkeypatch.setattr(parts.archive, "changes", overtaken)
    await publish(parts, edit(message, "one"))
    assert (await current_state(parts, message)).content == "two"
    assert await problems(parts, room) == []


async def test_what_is_changed_is_archived_first(parts: Parts, other: Parts, room: int) -> None:
    """Somebody sees a message and reacts before who wrote it has archived it: it must keep the id that they know."""
    message = await parts.begin(draft(room, "a"))
    assert message is not None
    assert await other.publisher.ensure_archived(EventId(room, message.id)) == message
    assert await parts.archive.after(room, BEGINNING, 10) == [message]
    assert await other.publisher.ensure_archived(EventId(room, message.id)) == message
    assert await other.publisher.ensure_archived(EventId(room, Cursor(7, 0))) is None


async def test_many_react_to_one_message_through_two_processes(parts: Parts, other: Parts, room: int) -> None:
    [message] = await publish(parts, draft(room, "a"))
    everybody = range(100, 160)
    await asyncio.gather(
        *(publish((parts, other)[user_id % 2], react(message, "👍", user_id)) for user_id in everybody),
        *(publish((other, parts)[user_id % 2], react(message, "🎉", user_id)) for user_id in everybody),
    )
    message_now = await current_state(parts, message)
    assert {each.emoji: set(each.user_ids) for each in message_now.reactions} == {
        "👍": set(everybody), "🎉": set(everybody),
    }  # fmt: skip
    assert await problems(parts, room) == []


async def test_a_change_of_somebody_who_died_is_archived_and_shown_by_the_sweep(
    parts: Parts, other: Parts, room: int
) -> None:
    """Between append and archive, and between archive and `messages`."""
    [message] = await publish(parts, draft(room, "a"))
    await parts.begin(edit(message, "one"))
    archived = await parts.begin(react(message, "👍", 8))
    assert archived is not None
    await parts.commits.commit(archived)
    await parts.database.messages.delete_many({"_id.room": room})
    for _ in range(2):
        await other.sweep.sweep()
    assert [place for place in await parts.log.pending() if place.room_id == room] == []
    message_now = await current_state(parts, message)
    assert (message_now.content, message_now.reactions[0].user_ids) == ("one", (8,))
    assert await problems(parts, room) == []


async def test_what_others_appended_is_shown_when_it_is_archived_in_passing(parts: Parts, room: int) -> None:
    [message] = await publish(parts, draft(room, "a"))
    await parts.begin(edit(message, "one"))
    await parts.begin(draft(room, "b"))
    await publish(parts, draft(room, "c"))
    assert [document["content"] for document in await shown(parts, room)] == ["one", "this is b", "this is c"]


async def test_a_change_of_what_was_never_there_shows_nothing(parts: Parts, room: int) -> None:
    [message] = await publish(parts, draft(room, "a"))
    nothing = Event(room, Cursor(7, 0), BEGINNING, "message", 7, "x", message.payload)
    [change] = await publish(parts, react(nothing, "👍", 8))
    await publish(parts, react(change, "👍", 8))
    assert len(await shown(parts, room)) == 1
    assert len(await problems(parts, room)) == 2


# What was deleted


async def texts(parts: Parts, room: int, redis: Redis) -> str:
    """All that both stores have of a room."""
    events = [document async for document in parts.database.events.find({"_id.room": room})]
    return f"{events} {await shown(parts, room)} {redis.xrange(log_key(room))}"


async def test_the_text_of_a_deleted_message_is_nowhere_any_more(parts: Parts, room: int, redis: Redis) -> None:
    first, message = await publish(parts, draft(room, "first"), draft(room, "secret"))
    await publish(parts, edit(message, "a secret too"), draft(room, "between"), react(message, "👍", 8))
    before = await parts.backlog.after(room, BEGINNING, 100)
    assert "secret too" in await texts(parts, room, redis)
    [deleted] = await publish(parts, delete(message))
    # The client id is the message's name, not its text.
    assert "secret" not in (await texts(parts, room, redis)).replace('client_id":"secret"', "").replace(
        "'client_id': 'secret'", ""
    ).replace("'secret'", "")
    blank = [without_text(event) if event.id in {message.id, before[2].id} else event for event in before]
    assert await parts.archive.after(room, BEGINNING, 100) == [*blank, deleted]
    assert await parts.backlog.after(room, BEGINNING, 100) == [*blank, deleted], "past the holes in the stream"
    for cursor in (first.id, message.id, before[2].id):
        following = [event for event in [*blank, deleted] if event.id > cursor]
        assert await parts.backlog.after(room, cursor, 100) == following
        assert await parts.backlog.has(room, cursor)
    assert await parts.backlog.before(room, before[4].id, 2) == blank[2:4]
    assert (await publish(parts, draft(room, "after")))[0].prev == deleted.id
    assert await problems(parts, room) == []


async def test_what_is_newest_of_a_log_may_be_what_was_deleted(parts: Parts, room: int, redis: Redis) -> None:
    """All entries are gone from the stream, and it goes on behind them as if they were there."""
    [message] = await publish(parts, draft(room, "a"))
    [deleted] = await publish(parts, delete(message))
    redis.xdel(log_key(room), str(deleted.id))
    assert redis.xlen(log_key(room)) == 0
    [following] = await publish(parts, draft(room, "b"))
    assert following.prev == deleted.id
    assert [event.id for event in await parts.backlog.after(room, BEGINNING, 10)] == [message.id, deleted.id, following.id]  # fmt: skip


async def test_a_repeat_of_a_deleted_message_gets_the_tombstone(parts: Parts, other: Parts, room: int) -> None:
    [message] = await publish(parts, draft(room, "a"))
    await publish(parts, delete(message))
    for process in (parts, other):
        repeat = await process.publisher.publish(draft(room, "a"))
        assert (repeat.event, repeat.repeated) == (without_text(message), True)
    assert len(await parts.archive.after(room, BEGINNING, 10)) == 2


async def test_an_edit_that_came_after_the_deletion_keeps_no_text_either(parts: Parts, room: int, redis: Redis) -> None:
    [message] = await publish(parts, draft(room, "a"))
    await publish(parts, delete(message), edit(message, "back again"))
    assert "back again" not in await texts(parts, room, redis)
    assert (await current_state(parts, message)).deleted


async def test_a_deletion_that_was_cut_off_is_finished_by_the_sweep(
    parts: Parts, other: Parts, room: int, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the archive had it and the stream still had the text."""
    [message] = await publish(parts, draft(room, "a"))

    async def die(*_: Any) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(parts.log, "remove_redacted", die)
        with pytest.raises(OSError):  # noqa: PT011
            await publish(parts, delete(message))
    assert "this is a" in await texts(parts, room, redis)
    for _ in range(2):
        await other.sweep.sweep()
    assert "this is a" not in await texts(parts, room, redis)


# Made anew


Damage = Callable[[Any, dict[str, int]], Any]

DAMAGES: dict[str, Damage] = {
    "a change is not shown": lambda messages, key: messages.update_one({"_id": key}, {"$unset": {"reactions": ""}}),
    "an old text is shown": lambda messages, key: messages.update_one({"_id": key}, {"$set": {"content": "old"}}),
    "it claims a change that it lacks": lambda messages, key: messages.update_one({"_id": key}, {"$set": {"applied": "7-0"}}),
    "it is not shown": lambda messages, key: messages.delete_one({"_id": key}),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
async def test_wrong_messages_are_found_and_made_anew(name: str, parts: Parts, room: int) -> None:
    [message] = await publish(parts, draft(room, "a"))
    await publish(parts, edit(message, "one"), react(message, "👍", 8))
    right = await shown(parts, room)
    await DAMAGES[name](parts.database.messages, event_key(room, message.id))
    assert await problems(parts, room)
    for _ in range(2):
        assert await MessagesRebuild(parts.database).rebuild(room) == 1
        assert await shown(parts, room) == right
    assert await problems(parts, room) == []


async def test_text_that_a_deletion_left_in_the_archive_is_found_and_taken_out(parts: Parts, room: int) -> None:
    [message] = await publish(parts, draft(room, "a"))
    await publish(parts, delete(message))
    key = event_key(room, message.id)
    await parts.database.events.update_one({"_id": key}, {"$set": {"payload": message.payload.decode()}})
    assert any("its text is still archived" in problem for problem in await problems(parts, room))
    await MessagesRebuild(parts.database).rebuild(room)
    assert await problems(parts, room) == []
    left = await parts.database.events.find_one({"_id": key})
    assert left is not None
    assert read_event(left) == without_text(message)


async def test_making_anew_takes_nothing_back_that_is_shown_meanwhile(parts: Parts, other: Parts, room: int) -> None:
    messages = await publish(parts, *(draft(room, f"m-{number}") for number in range(5)))
    over = asyncio.Event()

    async def rebuild() -> None:
        while not over.is_set():
            await MessagesRebuild(other.database).rebuild(room)

    rebuilding = asyncio.create_task(rebuild())
    for number in range(20):
        await asyncio.gather(*(publish(parts, edit(message, f"edit {number}")) for message in messages))
        assert {document["content"] for document in await shown(parts, room)} == {f"edit {number}"}
    over.set()
    await rebuilding


async def test_what_was_archived_and_lost_its_mark_is_projected_when_the_log_begins_anew(
    parts: Parts, room: int, redis: Redis
) -> None:
    """A process died between the two, and Redis lost that anything was pending."""
    [message] = await publish(parts, draft(room, "a"))
    unprojected = [await parts.begin(draft(room, "b")), await parts.begin(edit(message, "now this"))]
    for event in unprojected:
        assert event is not None
        await parts.database.events.insert_one(event_document(event))
    redis.flushall()
    await publish(parts, draft(room, "c"))

    async def is_projected() -> bool:
        return [document["content"] for document in await shown(parts, room)] == ["now this", "this is b", "this is c"]

    await until(is_projected)
    assert await problems(parts, room) == []
