"""Whoever joins a feed, wherever they stand and however slowly they read, gets what is behind their cursor: once, in
order, whole. Real sockets with little room; what happens when is made up."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatserver.live import feed as feed_module
from chatserver.live import frames as frames_module
from chatserver.live import pacer as pacer_module
from chatserver.live import ring as ring_module
from chatserver.live import sse
from chatserver.live.feed import Feed
from chatserver.live.log_page import Pages
from chatserver.live.ring import Ring
from chatserver.model.cursor import BEGINNING, Cursor
from chatserver.model.events import Event
from tests.helpers.browserless import WAIT_SECONDS
from tests.helpers.events_made import ROOM, chain, event
from tests.helpers.waiting import until

BUFFER = 4096
"""What a socket takes at the least; the frames are about half as long."""


VOID = 0
"""The size of an event that has no frame."""

Step = tuple[str, int, int]
"""What happens, to whom or how much, and how."""


class Log:
    """Everything that was said. The feed hears of it later."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def grow(self, size: int) -> None:
        made = event(len(self.events) + 1, len(self.events), "void" if size == VOID else "message")
        longer = made.payload.replace(b'"at ', b'"at ' + b"x" * size)
        self.events.append(msgspec.structs.replace(made, payload=longer))

    def after(self, cursor: Cursor) -> list[Event]:
        return [each for each in self.events if each.id > cursor]

    async def page(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        await asyncio.sleep(0)
        found = self.after(cursor)[:limit]
        await asyncio.sleep(0)
        return found


class Reader:
    def __init__(self, feed: Feed, cursor: Cursor, *, chunked: bool) -> None:
        ours, self._end = socket.socketpair()
        for end in (ours, self._end):
            end.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        self.cursor = cursor
        self.chunked = chunked
        self.received = b""
        self.ended = False
        feed.join(ours, cursor, chunked=chunked)

    def read(self, size: int) -> None:
        try:
            data = self._end.recv(size)
        except BlockingIOError:
            return
        self.received += data
        self.ended = not data

    async def read_to_the_end(self) -> bytes:
        """What it got in all, taken out of its chunks."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not self.ended:
                self.read(65536)
                await asyncio.sleep(0)
        return unchunked(self.received) if self.chunked else self.received

    def leave(self) -> None:
        self._end.close()


def unchunked(data: bytes) -> bytes:
    """Up to the last chunk, behind which there is nothing."""
    text = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            assert data == b"\r\n"
            return text
        text += data[:length]
        assert data[length : length + 2] == b"\r\n"
        data = data[length + 2 :]


said = st.tuples(st.just("said"), st.integers(1, 6), st.sampled_from([VOID, 10, 1500, 3000]))
heard = st.tuples(st.just("heard"), st.integers(1, 8), st.integers(0, 4))
joins = st.tuples(st.just("joins"), st.integers(0, 60), st.integers(0, 1))
reads = st.tuples(st.just("reads"), st.integers(0, 7), st.sampled_from([1, 100, 2000, 65536]))
turns = st.tuples(st.just("turns"), st.integers(1, 3), st.just(0))


@given(st.lists(st.one_of(said, said, heard, joins, reads, turns), max_size=60))
@settings(max_examples=300, deadline=None)
def test_every_reader_gets_what_is_behind_the_cursor_once_and_whole(steps: list[Step]) -> None:
    limits = patch.multiple(ring_module, KEEP_FRAMES=3), patch.multiple(frames_module, SLICE_BYTES=2500)
    with (
        limits[0],
        limits[1],
        patch.multiple(feed_module, PAGE_EVENTS=7),
        patch.multiple(pacer_module, MAX_REST_SECONDS=0.0005),
    ):
        asyncio.run(live_through(steps))


def test_those_who_come_to_the_same_place_one_after_another_read_the_log_once() -> None:
    assert asyncio.run(count_reads(forget=False)) == [0, 7, 14, 21]


def test_what_may_have_been_of_a_lost_branch_is_read_anew() -> None:
    assert asyncio.run(count_reads(forget=True)) == [0, 7, 14, 21, 0, 7, 14, 21]


async def count_reads(*, forget: bool) -> list[int]:
    """The places at which the log is read for two readers, of whom the second comes when the first has everything."""
    log, read = Log(), list[int]()
    for _ in range(25):
        log.grow(10)

    async def page(room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        read.append(len(log.events) - len(log.after(cursor)))
        return await log.page(room_id, cursor, limit)

    with patch.multiple(feed_module, PAGE_EVENTS=7):
        feed = Feed(ROOM, Ring(log.events[-1].id), page, Pages())
        for _ in range(2):
            reader = Reader(feed, BEGINNING, chunked=False)
            while len(reader.received) < len(b"".join(map(sse.frame, log.events))):
                reader.read(65536)
                await asyncio.sleep(0)
            reader.leave()
            if forget:
                feed.forget()
        feed.close()
    return read


async def live_through(steps: list[Step]) -> None:
    log = Log()
    feed = Feed(ROOM, Ring(BEGINNING), log.page, Pages())
    readers: list[Reader] = []
    try:
        await go(steps, log, feed, readers)
        feed.receive(log.events)
        feed.finish()
        for reader in readers:
            assert await reader.read_to_the_end() == b"".join(map(sse.frame, log.after(reader.cursor)))
        assert feed.subscriptions() == []
    finally:
        feed.close()
        for reader in readers:
            reader.leave()


async def go(steps: list[Step], log: Log, feed: Feed, readers: list[Reader]) -> None:
    for what, number, detail in steps:
        match what:
            case "said":
                for _ in range(number):
                    log.grow(detail)
            case "heard":  # with some of what was heard before
                known = feed.ring.tip.ms
                feed.receive(log.events[max(0, known - detail) : known + number])
            case "joins":  # also with what this feed has not heard of yet
                place = Cursor(number % (len(log.events) + 1), 0)
                readers.append(Reader(feed, place, chunked=bool(detail)))
            case "reads" if readers:
                readers[number % len(readers)].read(detail)
            case "turns":
                for _ in range(number):
                    await asyncio.sleep(0)


# What the log has lost, and will have again


@pytest.mark.parametrize("at_a_tick", [False, True])
def test_what_was_told_and_is_still_being_archived_is_passed_over_by_nobody(at_a_tick: bool) -> None:
    """Redis lost it, the archive does not have it yet: to read the log behind a reader's cursor finds nothing."""
    asyncio.run(lose_and_find(at_a_tick=at_a_tick))


async def lose_and_find(*, at_a_tick: bool) -> None:
    events = chain(1, 2, 3, 4)
    stored = events[:2]

    async def read_page(room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        await asyncio.sleep(0)
        return [each for each in stored if each.id > cursor][:limit]

    ring = Ring(BEGINNING)
    ring.push(events[:3])
    feed = Feed(ROOM, ring, read_page, Pages())
    reader = Reader(feed, Cursor(1, 0), chunked=False)
    feed.forget()
    late = Reader(feed, Cursor(2, 0), chunked=False)
    for _ in range(10):
        await asyncio.sleep(0)
    stored += events[2:3]
    if at_a_tick:
        feed.tick(now=0, stuck_since=0)
        for _ in range(10):
            await asyncio.sleep(0)
    stored += events[3:]
    feed.receive(events[3:])
    for _ in range(10):
        await asyncio.sleep(0)
    feed.finish()
    assert await reader.read_to_the_end() == b"".join(map(sse.frame, events[1:]))
    assert await late.read_to_the_end() == b"".join(map(sse.frame, events[2:]))
    feed.close()
    for each in (reader, late):
        each.leave()


# How it ends


@pytest.mark.parametrize("chunked", [False, True])
def test_who_was_quiet_for_long_gets_as_long_as_others_to_take_the_farewell(chunked: bool) -> None:
    asyncio.run(say_goodbye_to_a_full_socket(chunked=chunked))


async def say_goodbye_to_a_full_socket(*, chunked: bool) -> None:
    log = Log()
    feed = Feed(ROOM, Ring(BEGINNING), log.page, Pages())
    ours, reader = socket.socketpair()
    for end in (ours, reader):
        end.setblocking(False)
    subscription = feed.join(ours, BEGINNING, chunked=chunked)
    filled = 0
    with suppress(BlockingIOError):
        while True:
            filled += ours.send(b"x")  # all that it was sent was taken; there is no room for more
    now = asyncio.get_running_loop().time()
    subscription.progress_at = now - 1000
    subscription.end(sse.retry(2000))
    feed.tick(now + 1, stuck_since=now - 14)
    assert not subscription.closed
    while filled:
        filled -= len(reader.recv(filled))
    await until(lambda: subscription.closed)
    farewell = reader.recv(65536)
    assert (unchunked(farewell) if chunked else farewell) == sse.retry(2000)
    assert reader.recv(1) == b""
    feed.close()
    reader.close()


def test_who_does_not_take_the_farewell_is_closed_after_a_while() -> None:
    async def case() -> None:
        feed = Feed(ROOM, Ring(BEGINNING), Log().page, Pages())
        ours, reader = socket.socketpair()
        ours.setblocking(False)
        subscription = feed.join(ours, BEGINNING, chunked=False)
        with suppress(BlockingIOError):
            while True:
                ours.send(b"x")
        subscription.end(sse.retry(2000))
        now = asyncio.get_running_loop().time()
        feed.tick(now + 20, stuck_since=now + 5)
        assert subscription.closed
        feed.close()
        reader.close()

    asyncio.run(case())
