"""The sweep: what a dead process began is finished, and Redis keeps only what it must."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from redis import Redis
from tornado.ioloop import IOLoop

from chatserver.archive.event_documents import event_document
from chatserver.errors import Unavailable
from chatserver.log.commands import MAX_PENDING
from chatserver.log.keys import PARTITIONS, log_key, pending_key
from chatserver.model.cursor import BEGINNING
from chatserver.model.event_id import EventId
from chatserver.settings import Settings
from tests.conftest import World
from tests.helpers.changes_made import edit
from tests.helpers.parts import Parts, draft, make_parts

pytestmark = pytest.mark.gen_test


@pytest.fixture
def parts(io_loop: IOLoop, settings: Settings) -> Iterator[Parts]:
    parts = io_loop.run_sync(lambda: make_parts(settings))
    yield parts
    io_loop.run_sync(parts.close)


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    """Of rooms in one partition."""
    return count(7_000_000_000, PARTITIONS)


@pytest.fixture
def new_room(world: World, numbers: Iterator[int]) -> Iterator[Callable[[], int]]:
    """Rooms that no other test has; nothing is pending when the test begins and ends."""

    def forget_pending() -> None:
        with world.redis_client() as redis:
            for partition in range(PARTITIONS):
                redis.delete(pending_key(partition))

    forget_pending()
    yield lambda: next(numbers)
    forget_pending()


@pytest.fixture
def redis(world: World) -> Iterator[Redis]:
    with world.redis_client() as client:
        yield client


async def test_what_a_dead_process_began_is_archived(parts: Parts, new_room: Callable[[], int], redis: Redis) -> None:
    room = new_room()
    begun = [await parts.begin(draft(room, f"c-{number}")) for number in range(3)]
    assert redis.zcard(pending_key(room)) == 3
    assert await parts.sweep.sweep() == 0, "whoever appended them may be at it still"
    assert await parts.sweep.sweep() == 3
    assert await parts.archive.after(room, BEGINNING, 10) == begun
    assert redis.zcard(pending_key(room)) == 0
    repeated = await parts.publisher.publish(draft(room, "c-1"))
    assert (repeated.event, repeated.repeated) == (begun[1], True)


async def test_two_sweeps_and_the_poster_at_once_archive_it_once(parts: Parts, new_room: Callable[[], int]) -> None:
    room = new_room()
    begun = await parts.begin(draft(room, "c"))
    assert begun is not None
    for _ in range(2):
        await parts.publisher.archive_pending(EventId(room, begun.id))
    published = await parts.publisher.publish(draft(room, "c"))
    assert published.event == begun
    assert await parts.archive.after(room, BEGINNING, 10) == [begun]


async def test_a_mark_without_an_entry_goes_away(parts: Parts, new_room: Callable[[], int], redis: Redis) -> None:
    room = new_room()
    await parts.begin(draft(room, "c"))
    redis.delete(log_key(room))
    assert [await parts.sweep.sweep() for _ in range(2)] == [0, 1]
    assert redis.zcard(pending_key(room)) == 0
    assert await parts.archive.after(room, BEGINNING, 10) == []


async def test_what_a_dead_process_archived_is_projected_even_if_the_log_was_trimmed(
    parts: Parts, new_room: Callable[[], int], redis: Redis
) -> None:
    room = new_room()
    message = (await parts.publisher.publish(draft(room, "c"))).event
    edited = await parts.begin(edit(message, "now this"))
    assert edited is not None
    await parts.database.events.insert_one(event_document(edited))  # here it died
    redis.xtrim(log_key(room), maxlen=0, approximate=False)
    assert [await parts.sweep.sweep() for _ in range(2)] == [0, 1]
    [projected] = [document async for document in parts.database.messages.find({"_id.room": room})]
    assert (projected["content"], projected["applied"]) == ("now this", str(edited.id))
    assert redis.zcard(pending_key(room)) == 0


async def test_when_too_much_is_pending_a_post_is_refused_and_a_repeat_is_not(
    parts: Parts, new_room: Callable[[], int], redis: Redis
) -> None:
    room = new_room()
    first = await parts.publisher.publish(draft(room, "first"))
    redis.zadd(pending_key(room), {f"{room} 1-{number}": 1 for number in range(MAX_PENDING)})
    with pytest.raises(Unavailable) as refused:
        await parts.publisher.publish(draft(room, "one too many"))
    assert refused.value.retry_after
    assert (await parts.publisher.publish(draft(room, "first"))).event == first.event
    assert redis.xlen(log_key(room)) == 1
