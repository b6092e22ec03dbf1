"""Who is far behind costs a bounded number of bytes, however many there are and wherever they stand, and still gets all."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

import pytest

from chatserver.errors import Unavailable
from chatserver.live import log_page as page_module
from chatserver.live.fanout import Fanout
from chatserver.live.feed import Feed
from chatserver.live.frames import SLICE_BYTES
from chatserver.live.hub import Hub
from chatserver.live.log_page import PAGE_BYTES, PAGE_EVENTS, READS_AT_ONCE, Pages
from chatserver.live.ring import KEEP_BYTES, Ring
from chatserver.model.cursor import BEGINNING, Cursor
from chatserver.model.events import Event
from tests.helpers.browserless import WAIT_SECONDS
from tests.system.test_deleted_text import Log, Reader

LARGE = 1000
"""Repeats of some words in a message: about 22 KB."""

KEPT_BYTES = 3 * 1024 * 1024
FRAME_BYTES = 30_000


@pytest.mark.parametrize("rooms", [1, 2])
def test_readers_at_many_places_hold_a_slice_each_and_pages_have_a_bound_in_all(rooms: int) -> None:
    with patch.multiple(page_module, KEPT_BYTES=KEPT_BYTES):
        asyncio.run(stand_at_many_places(rooms))


async def stand_at_many_places(rooms: int) -> None:
    hub = Hub()
    logs = [Log(room_id, hub.pages) for room_id in range(7, 7 + rooms)]
    reads = 0
    most = 0

    async def counted(room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        nonlocal reads, most
        reads += 1
        most = max(most, reads)
        found = await logs[room_id - 7].page(room_id, cursor, limit)
        reads -= 1
        return found

    for log in logs:
        log.feed._read_page = counted
        hub.add(log.feed)
        for number in range(400):
            log.say(LARGE if number % 2 else 1)
            log.hear(1)
    readers = [Reader(hub, logs, 5 * place, chunked=bool(place % 2)) for place in range(60)]
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while any(not reader.subscription.unsent for reader in readers):  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert all(len(reader.subscription.unsent) <= SLICE_BYTES + FRAME_BYTES for reader in readers)
        kept = [page for log in logs for page in hub.pages._of(log.room_id)]
        assert len(kept) < len(readers), "this tries too little to tell"
        assert sum(page.weight for page in kept) <= KEPT_BYTES
        assert all(page.size <= PAGE_BYTES + FRAME_BYTES for page in kept)
        assert 1 < most <= READS_AT_ONCE
        async with asyncio.timeout(3 * WAIT_SECONDS):
            for reader in readers:
                source = reader.subscription.source
                assert isinstance(source, Fanout)
                while reader.subscription in source._catching_up:
                    reader.drain()
                    await asyncio.sleep(0)
                reader.drain()
                assert reader.check(logs)
        assert sum(page.weight for log in logs for page in hub.pages._of(log.room_id)) <= KEPT_BYTES
    finally:
        await hub.stop()
        for reader in readers:
            reader.leave()
    assert all(hub.pages._of(log.room_id) == [] for log in logs)


def test_the_slices_that_a_ring_keeps_have_a_bound() -> None:
    log = Log.__new__(Log)
    log.room_id, log.events = 7, []
    for _ in range(200):
        Log.say(log, 200)
    ring = Ring(BEGINNING)
    ring.push(log.events)
    for place in range(150):
        for chunked in (False, True):
            ring.between(Cursor(place, 0), ring.tip, chunked=chunked)
    assert sum(len(each.data) for each in ring._slices.values()) <= KEEP_BYTES


def test_large_events_are_read_few_at_a_time() -> None:
    async def case() -> list[int]:
        log, limits = Log(7, Pages()), list[int]()
        for _ in range(100):
            log.say(LARGE)

        async def page(room_id: int, cursor: Cursor, limit: int) -> list[Event]:
            limits.append(limit)
            return await log.page(room_id, cursor, limit)

        feed = Feed(7, Ring(log.events[-1].id), page, Pages())
        for place in (0, 20):
            await feed._read_behind(Cursor(place, 0))
        feed.close()
        return limits

    first, second = asyncio.run(case())
    assert first == PAGE_EVENTS
    assert second * 22_000 <= 2 * PAGE_BYTES


# What goes wrong


@pytest.mark.parametrize("error", [Unavailable("away"), ZeroDivisionError("a bug of ours")])
def test_where_the_log_can_not_be_read_readers_are_told_to_come_back(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def case() -> list[bytes]:
        async def fail(room_id: int, cursor: Cursor, limit: int) -> list[Event]:
            raise error

        hub = Hub()
        log = Log(7, hub.pages)
        log.feed = Feed(7, Ring(Cursor(5, 0)), fail, hub.pages)
        log.events = []
        readers = [Reader(hub, [log], 0, chunked=False) for _ in range(3)]
        async with asyncio.timeout(WAIT_SECONDS):
            while not all(reader.ended for reader in readers):
                for reader in readers:
                    reader.drain()
                await asyncio.sleep(0)
        for reader in readers:
            reader.leave()
        return [reader.received for reader in readers]

    received = asyncio.run(case())
    assert all(each.startswith(b"retry: ") and each.endswith(b"\n\n") for each in received)
    assert len(caplog.records) == (0 if isinstance(error, Unavailable) else 1)


def test_one_reader_that_fails_does_not_stop_those_who_wait_for_the_same_page(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def case() -> None:
        hub = Hub()
        log = Log(7, hub.pages)
        for _ in range(5):
            log.say(1)
        log.feed.ring = Ring(log.events[-1].id)
        log.feed.sent = log.feed.ring.tip
        readers = [Reader(hub, [log], 0, chunked=False) for _ in range(3)]

        with patch.object(
            type(readers[0].subscription), "take_page", side_effect=[ZeroDivisionError, None, None]
        ) as take:
            async with asyncio.timeout(WAIT_SECONDS):
                while take.call_count < 3:  # noqa: ASYNC110
                    await asyncio.sleep(0)
        assert [reader.subscription.closed for reader in readers] == [True, False, False]
        log.feed.close()
        for reader in readers:
            reader.leave()

    asyncio.run(case())
    assert "a reader of room 7 can't go on" in caplog.text
