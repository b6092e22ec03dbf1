"""Commits and bases: what gets into the archive follows what is there, and stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import cast

import pytest
from tornado.ioloop import IOLoop

from chatserver.archive.branch_bases import LEAP_MS
from chatserver.archive.commits import Refused
from chatserver.log import commands
from chatserver.log.commands import Appended, Base, BaseWanted, OtherBranch, Unsure
from chatserver.log.keys import base_key, branch_key, client_ids_key, log_key
from chatserver.model.cursor import BEGINNING, Cursor
from chatserver.model.events import Event
from chatserver.settings import Settings
from tests.conftest import World
from tests.helpers.parts import Parts, draft, make_parts, parts_of
from tests.helpers.promotion import promote

pytestmark = pytest.mark.gen_test


@pytest.fixture
def parts(io_loop: IOLoop, settings: Settings) -> Iterator[Parts]:
    parts = io_loop.run_sync(lambda: make_parts(settings))
    yield parts
    io_loop.run_sync(parts.close)


@pytest.fixture(scope="module")
def rooms() -> Iterator[int]:
    return count(8_000_000_000)


@pytest.fixture
def room(rooms: Iterator[int]) -> int:
    return next(rooms)


@pytest.fixture
def event(room: int) -> Callable[[int, int, str], Event]:
    """`event(20, 10, "c")` is what was posted as "c", with the id 20-0, behind 10-0."""

    def made(ms: int, prev: int, name: str) -> Event:
        body = draft(room, name)
        return Event(room, Cursor(ms, 0), Cursor(prev, 0), "message", body.user_id, name, body.payload)

    return made


Make = Callable[[int, int, str], Event]


async def archived(parts: Parts, room: int) -> list[tuple[int, str]]:
    return [(each.id.ms, each.client_id or each.kind) for each in await parts.archive.after(room, BEGINNING, 100)]


async def shown(parts: Parts, room: int) -> list[int]:
    return [each["_id"]["ms"] async for each in parts.database.messages.find({"_id.room": room}).sort("_id")]


async def test_an_event_is_archived_once_however_often_it_is_handed_in(parts: Parts, room: int, event: Make) -> None:
    first = event(10, 0, "a")
    assert [await parts.commits.commit(first) for _ in range(3)] == [first] * 3
    assert await archived(parts, room) == [(10, "a")]


async def test_a_repeat_under_another_id_is_answered_with_the_first(parts: Parts, room: int, event: Make) -> None:
    first, repeat = event(10, 0, "a"), event(20, 10, "a")
    assert await parts.commits.commit(first) == first
    assert await parts.commits.commit(repeat) == first
    assert await parts.commits.commit(event(30, 20, "b")) == event(30, 20, "b")
    assert await archived(parts, room) == [(10, "a"), (20, "void"), (30, "b")]
    assert await shown(parts, room) == [10, 30]


async def test_the_first_is_shown_even_if_whoever_archived_it_died_before_that(
    parts: Parts, room: int, event: Make
) -> None:
    await parts.commits.commit(event(10, 0, "a"))
    await parts.database.messages.delete_many({"_id.room": room})
    await parts.commits.commit(event(20, 10, "a"))
    assert await shown(parts, room) == [10]


async def test_an_event_waits_for_the_one_it_follows(parts: Parts, room: int) -> None:
    """Others appended what is in front of it, and did not archive it yet: then it is archived with it."""
    begun = [await parts.begin(draft(room, name)) for name in "abc"]
    assert begun[2] is not None
    assert await parts.commits.commit(begun[2]) == begun[2]
    assert [name for _, name in await archived(parts, room)] == ["a", "b", "c"]


async def test_what_has_waited_for_long_is_not_pending_once_it_is_archived_in_passing(
    parts: Parts, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.archive.commits.LONG_MS", -10_000)
    begun = [await parts.begin(draft(room, name)) for name in "abc"]
    assert begun[2] is not None
    await parts.commits.commit(begun[2])
    await parts.log.flush_marks()
    pending = [place for place in await parts.log.pending() if place.room_id == room]
    assert [place.id for place in pending] == [begun[2].id]


async def test_an_event_that_follows_what_nobody_has_is_refused(parts: Parts, room: int, event: Make) -> None:
    await parts.commits.commit(event(10, 0, "a"))
    with pytest.raises(Refused):
        await parts.commits.commit(event(30, 20, "c"))
    assert await archived(parts, room) == [(10, "a")]


async def test_of_two_events_behind_the_same_one_the_second_is_refused_for_ever(
    parts: Parts, room: int, event: Make
) -> None:
    await parts.commits.commit(event(10, 0, "a"))
    await parts.commits.commit(event(30, 10, "c"))
    for _ in range(2):
        with pytest.raises(Refused):
            await parts.commits.commit(event(20, 10, "b"))
    await parts.commits.commit(event(40, 30, "d"))
    assert await archived(parts, room) == [(10, "a"), (30, "c"), (40, "d")]


async def test_what_follows_a_refused_event_is_refused_with_it(parts: Parts, room: int, event: Make) -> None:
    await parts.commits.commit(event(10, 0, "a"))
    await parts.commits.commit(event(30, 10, "c"))
    with pytest.raises(Refused):
        await parts.commits.commit(event(50, 20, "e"))


# BranchBases


async def wanted(parts: Parts, room: int) -> BaseWanted:
    outcome = await parts.log.append(draft(room, "asks"), None)
    assert isinstance(outcome, BaseWanted)
    return outcome


async def made(parts: Parts, room: int) -> Base:
    base = await parts.bases.make(room, await wanted(parts, room))
    assert base is not None
    return base


async def test_behind_a_base_nothing_lost_can_follow(parts: Parts, room: int, event: Make) -> None:
    await parts.commits.commit(event(10, 0, "a"))
    base = await made(parts, room)
    assert base.prev == Cursor(10, 0)
    with pytest.raises(Refused):
        await parts.commits.commit(event(20, 10, "lost"))
    assert await archived(parts, room) == [(10, "a")]


async def test_all_who_ask_for_one_branch_get_the_same_base(parts: Parts, settings: Settings, room: int) -> None:
    async with parts_of(settings) as other:
        assert await made(parts, room) == await made(other, room) == await made(parts, room)


async def test_a_base_is_above_all_that_anybody_has_seen(parts: Parts, world: World, room: int) -> None:
    seen = await parts.publisher.publish(draft(room, "a"))
    await parts.begin(draft(room, "b"))
    with world.redis_client() as redis:
        redis.delete(log_key(room))
    base = await made(parts, room)
    assert base.prev == seen.event.id
    assert base.id.ms >= parts.log.seen(room).ms + LEAP_MS


async def test_a_branch_begins_where_its_base_was_kept_free(parts: Parts, room: int) -> None:
    base = await made(parts, room)
    begun = await parts.log.append(draft(room, "a"), base.id, base=base)
    assert isinstance(begun, Appended)
    assert (begun.event.id, begun.event.prev) == (base.id, base.prev)
    assert await parts.commits.commit(begun.event) == begun.event
    assert await archived(parts, room) == [(base.id.ms, "a")]


async def test_a_base_that_is_not_wanted_any_more_is_not_made(parts: Parts, room: int) -> None:
    late = await wanted(parts, room)
    published = [(await parts.publisher.publish(draft(room, name))).event for name in "ab"]
    assert await parts.bases.make(room, late) is None
    following = (await parts.publisher.publish(draft(room, "c"))).event
    assert following.prev == published[-1].id


async def test_a_promoted_server_gives_no_id_again_that_readers_may_know(parts: Parts, world: World, room: int) -> None:
    """It was promoted without the branch, but with the token under which the branch's base was made."""
    base = await made(parts, room)
    with world.redis_client() as redis:
        keys = base_key(room), branch_key(room)
        replicated = {key: redis.dump(key) for key in keys}
        lost = await parts.begin(draft(room, "lost"))
        redis.delete(log_key(room), client_ids_key(room), *keys)
        for key, dump in replicated.items():
            redis.restore(key, commands.BASE_MS, cast("bytes", dump))
        promote(redis)
    begun = await parts.begin(draft(room, "a"))
    assert lost is not None
    assert begun is not None
    assert lost.id == base.id < begun.id
    assert begun.prev == base.id


async def test_a_server_that_was_promoted_twice_has_another_past(parts: Parts, world: World, room: int) -> None:
    """In between it was a replica of one that did not have the tail, and it has the same run id all the time."""
    kept = (await parts.publisher.publish(draft(room, "kept"))).event
    lost = await parts.begin(draft(room, "lost"))
    assert lost is not None
    with world.redis_client() as redis:
        redis.xdel(log_key(room), str(lost.id))
        promote(redis)
    begun = await parts.begin(draft(room, "a"))
    assert begun is not None
    assert begun.prev == kept.id


async def test_a_base_whose_branch_was_lost_becomes_a_void(parts: Parts, world: World, room: int) -> None:
    lost = await made(parts, room)
    assert isinstance(await parts.log.append(draft(room, "a"), lost.id, base=lost), Appended)
    with world.redis_client() as redis:
        redis.flushall()
    again = (await parts.publisher.publish(draft(room, "a"))).event
    assert again.prev == lost.id
    assert await archived(parts, room) == [(lost.id.ms, "void"), (again.id.ms, "a")]


async def test_while_nobody_can_ask_the_archive_a_repeat_is_not_taken_for_new(
    parts: Parts, world: World, room: int
) -> None:
    await parts.publisher.publish(draft(room, "a"))
    with world.redis_client() as redis:
        redis.flushall()
    await parts.publisher.publish(draft(room, "b"))
    branch = await parts.log.append(draft(room, "a"), None)
    assert isinstance(branch, OtherBranch)
    assert isinstance(await parts.log.append(draft(room, "a"), branch.id, looked_up=False), Unsure)
    assert isinstance(await parts.log.append(draft(room, "b"), branch.id, looked_up=False), Appended)
