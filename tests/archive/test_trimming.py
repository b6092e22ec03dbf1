"""Redis does not grow: everything that the chat writes there has an end, and what was said is served from the archive."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import count, pairwise

import pytest
from redis import Redis
from tornado.ioloop import IOLoop

from chatserver.archive.branch_bases import LogEnded
from chatserver.log.commands import Keep
from chatserver.log.keys import PARTITIONS, client_ids_key, due_key, log_key, pending_key, read_id
from chatserver.model.cursor import BEGINNING
from chatserver.model.events import Event, draft_closing
from chatserver.settings import Settings
from chatserver.support.background import Background
from tests.conftest import World
from tests.helpers.changes_made import delete, edit
from tests.helpers.parts import Parts, draft, make_parts
from tests.helpers.redis_answers import as_bytes
from tests.helpers.waiting import until

pytestmark = pytest.mark.gen_test(timeout=60)

Make = Callable[[Keep], Awaitable[Parts]]


@pytest.fixture
def make(io_loop: IOLoop, settings: Settings) -> Iterator[Make]:
    """The parts of a process that keeps so much."""
    made: list[Parts] = []

    async def make_with(keep: Keep) -> Parts:
        made.append(await make_parts(settings, keep))
        return made[-1]

    yield make_with
    for parts in made:
        io_loop.run_sync(parts.close)


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    """Of rooms in one partition."""
    return count(12_000_000_000, PARTITIONS)


@pytest.fixture
def room(redis: Redis, numbers: Iterator[int]) -> Iterator[int]:
    """One that no other test has; nothing is pending when the test begins and ends."""
    room = next(numbers)
    redis.delete(pending_key(room))
    yield room
    redis.delete(pending_key(room))


@pytest.fixture
def redis(world: World) -> Iterator[Redis]:
    with world.redis_client() as client:
        yield client


class Sweeping:
    """A process that sweeps by itself for as long as this lasts."""

    def __init__(self, parts: Parts) -> None:
        self._sweep = parts.sweep

    async def __aenter__(self) -> None:
        self._sweep.start(Background())

    async def __aexit__(self, *_: object) -> None:
        await self._sweep.stop()


@pytest.fixture(autouse=True)
def sweeps_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatserver.archive.sweep.SWEEP_SECONDS", 0.05)


def keys_of(redis: Redis, room: int) -> list[bytes]:
    """All that Redis has of a room."""
    keys = sorted(map(as_bytes, redis.keys(f"*:room:{room}:*")))
    return keys + ([b"due"] if redis.zscore(due_key(room), str(room)) is not None else [])


def expires(redis: Redis, key: bytes) -> bool:
    return redis.pttl(key) >= 0


async def say(parts: Parts, room: int, *names: str) -> list[Event]:
    return [(await parts.publisher.publish(draft(room, name))).event for name in names]


async def all_of(parts: Parts, room: int) -> list[Event]:
    return await parts.backlog.after(room, BEGINNING, 2_000)


async def test_old_entries_go_even_where_little_happens(make: Make, room: int, redis: Redis) -> None:
    """Time passes: a generation goes, the next one does, and a third follows both."""
    keep = Keep(ms=700, at_least_ms=0)
    poster, sweeper = await make(keep), await make(keep)
    said: list[Event] = []
    async with Sweeping(sweeper):
        await until(lambda: sweeper.trimming._cursor is None)  # from now on it does only what was noted
        for generation in ("first", "second"):
            said += await say(poster, room, *(f"{generation} {number}" for number in range(3)))
            await until(lambda: not keys_of(redis, room))
            assert await all_of(poster, room) == said
    reader, third = await make(keep), await make(keep)
    said += await say(third, room, "third")
    assert await all_of(reader, room) == said
    assert [event.prev for event in said] == [BEGINNING, *(event.id for event in said[:-1])]
    assert [event.id for event in said] == sorted({event.id for event in said})


async def test_what_went_is_known_when_it_is_repeated(make: Make, room: int, redis: Redis) -> None:
    """By who still believes in the branch that is gone, too."""
    keep = Keep(ms=100, at_least_ms=0)
    poster, other = await make(keep), await make(keep)
    (first,) = await say(poster, room, "once")
    await poster.log.flush_marks()
    async with Sweeping(other):
        await until(lambda: not keys_of(redis, room))
    for parts in (poster, other, await make(keep)):
        repeated = await parts.publisher.publish(draft(room, "once"))
        assert (repeated.event, repeated.repeated) == (first, True)
    assert await all_of(other, room) == [first]


async def test_what_is_young_stays_with_all_that_belongs_to_it(make: Make, room: int, redis: Redis) -> None:
    parts = await make(Keep(ms=600_000, at_least_ms=0))
    said = await say(parts, room, "one", "two")
    await parts.log.flush_marks()
    before = keys_of(redis, room)
    async with Sweeping(parts):
        await asyncio.sleep(0.5)
    assert keys_of(redis, room) == before
    assert redis.xlen(log_key(room)) == redis.hlen(client_ids_key(room)) == len(said)


async def test_a_log_is_trimmed_to_what_is_kept_and_still_read_from_its_beginning(
    make: Make, room: int, redis: Redis
) -> None:
    parts = await make(Keep(entries=50, at_least_ms=0))
    said = await say(parts, room, *(f"c-{number}" for number in range(230)))
    await parts.log.flush_marks()
    async with Sweeping(await make(Keep(entries=50, at_least_ms=0))):
        await until(lambda: redis.xlen(log_key(room)) < 100)
    assert await all_of(parts, room) == said
    assert redis.hlen(client_ids_key(room)) == redis.xlen(log_key(room)) >= 50
    assert (await say(parts, room, "later"))[0].prev == said[-1].id


async def test_what_is_more_than_is_kept_goes_when_it_is_no_longer_young(make: Make, room: int, redis: Redis) -> None:
    parts = await make(Keep(entries=50, at_least_ms=1_500))
    async with Sweeping(parts):
        await say(parts, room, *(f"c-{number}" for number in range(100)))
        await until(lambda: redis.xlen(log_key(room)) == 50)


async def test_what_is_not_archived_is_never_trimmed_and_goes_when_it_is(make: Make, room: int, redis: Redis) -> None:
    parts = await make(Keep(ms=50, at_least_ms=0))
    begun = await parts.begin(draft(room, "not archived"))
    await asyncio.sleep(0.3)
    for _ in range(3):
        await parts.trimming.trim()
    assert begun is not None
    assert await parts.log.find(room, begun.id) == begun
    async with Sweeping(parts):
        await until(lambda: not keys_of(redis, room))
    assert await all_of(parts, room) == [begun]


async def test_of_a_closed_room_nothing_stays_and_nothing_follows_its_end(make: Make, room: int, redis: Redis) -> None:
    parts, other = await make(Keep(at_least_ms=200)), await make(Keep(at_least_ms=200))
    said = await say(parts, room, "last words")
    closing = await parts.publisher.publish(draft_closing(room, 7))
    await parts.log.flush_marks()
    async with Sweeping(other):
        await until(lambda: not keys_of(redis, room))
    for each in (parts, other, await make(Keep())):
        with pytest.raises(LogEnded):
            await say(each, room, "too late")
    assert await all_of(other, room) == [*said, closing.event]
    assert [key for key in keys_of(redis, room) if not expires(redis, key)] == []


async def test_the_client_ids_of_what_was_deleted_go_though_the_room_goes_on(
    make: Make, room: int, redis: Redis
) -> None:
    """Those of its edits, too."""
    parts = await make(Keep(ms=1_000, at_least_ms=0))
    (message,) = await say(parts, room, "a")
    changes = [edit(message, f"again {number}") for number in range(3)] + [delete(message)]
    old = {message.id} | {(await parts.publisher.publish(change)).event.id for change in changes}
    await parts.log.remove_redacted(room, sorted(old)[1:3])  # as it is done with what was edited
    await parts.log.flush_marks()
    async with Sweeping(parts), asyncio.timeout(30):
        for number in count():
            await say(parts, room, f"goes on {number}")
            if not {read_id(as_bytes(id)) for id in redis.hvals(client_ids_key(room))} & old:
                break
            await asyncio.sleep(0.05)


async def test_very_many_forgotten_client_ids_are_found_in_the_end(make: Make, room: int, redis: Redis) -> None:
    parts = await make(Keep(entries=50, at_least_ms=0))
    await say(parts, room, *(f"c-{number}" for number in range(100)))
    redis.hset(client_ids_key(room), mapping={f"7:stale-{number}": "1-0" for number in range(5_000)})
    await parts.log.flush_marks()
    async with Sweeping(parts):
        await until(lambda: redis.hlen(client_ids_key(room)) < 50 * 2)
    assert redis.xlen(log_key(room)) == 50


async def test_logs_of_an_older_release_are_found(make: Make, room: int, redis: Redis) -> None:
    keep = Keep(ms=100, at_least_ms=0)
    parts = await make(keep)
    said = await say(parts, room, "a")
    await parts.log.flush_marks()
    redis.zrem(due_key(room), str(room))
    async with Sweeping(await make(keep)):
        await until(lambda: not keys_of(redis, room))
    assert await all_of(parts, room) == said


async def test_one_sweep_has_a_bound_and_the_next_one_of_any_process_goes_on(
    make: Make, numbers: Iterator[int], redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.archive.trimming.ROUNDS", 2)
    keep = Keep(ms=50, at_least_ms=0)
    parts, other = await make(keep), await make(keep)
    rooms = [next(numbers) for _ in range(30)]
    for each in rooms:
        await say(parts, each, "a")
    await parts.log.flush_marks()
    await asyncio.sleep(0.3)
    left = [30]
    for process in (parts, other) * 10:
        await process.trimming.trim()
        left.append(sum(bool(keys_of(redis, each)) for each in rooms))
    assert left[-1] == 0
    assert max(before - after for before, after in pairwise(left)) <= 8
