"""Whoever follows many rooms on one stream gets of each what is behind their place in it: once, in order, whole, and can
go on from the id of any event. Real sockets with little room; what happens when is made up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from unittest.mock import patch

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from chatserver.errors import Unavailable
from chatserver.live import feed as feed_module
from chatserver.live import frames as frames_module
from chatserver.live import merged_frames as merged_frames_module
from chatserver.live import pacer as pacer_module
from chatserver.live import ring as ring_module
from chatserver.live import sse
from chatserver.live.feed import Feed
from chatserver.live.hub import Hub
from chatserver.live.log_page import Pages
from chatserver.live.ring import Ring
from chatserver.live.subscription import Subscription
from chatserver.model.cursor import BEGINNING, Cursor, parse_cursors
from chatserver.model.events import Event, Kind
from tests.helpers.browserless import WAIT_SECONDS, Block
from tests.helpers.events_made import ROOM, event
from tests.live.test_feed import BUFFER, VOID, Step, unchunked

ROOMS = (7, 8, 9)
SIGNAL = b"event: typing\ndata: {}\n\n"


class Log:
    """Everything that was said in a room. Its feed hears of it later."""

    def __init__(self, room_id: int, pages: Pages) -> None:
        self.room_id = room_id
        self.events: list[Event] = []
        self.feed = Feed(room_id, Ring(BEGINNING), self.page, pages)

    def grow(self, size: int) -> None:
        kind: Kind = "void" if size == VOID else "message"
        made = event(len(self.events) + 1, len(self.events), kind)
        payload = made.payload.replace(b'"at ', b'"at ' + b"x" * size)
        payload = payload.replace(b'"room_id":%d' % ROOM, b'"room_id":%d' % self.room_id)
        self.events.append(msgspec.structs.replace(made, room_id=self.room_id, payload=payload))

    def close(self) -> None:
        made = event(len(self.events) + 1, len(self.events), "closed")
        self.events.append(msgspec.structs.replace(made, room_id=self.room_id))

    def hear(self, count: int, repeated: int) -> None:
        known = self.feed.ring.tip.ms
        self.feed.receive(self.events[max(0, known - repeated) : known + count])

    async def page(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        await asyncio.sleep(0)
        found = [each for each in self.events if each.id > cursor][:limit]
        await asyncio.sleep(0)
        return found


class Reader:
    def __init__(self, hub: Hub, feeds: list[Feed], places: tuple[Cursor, ...], *, chunked: bool) -> None:
        ours, self._end = socket.socketpair()
        for end in (ours, self._end):
            end.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        self.feeds = feeds
        self.places = places
        self.chunked = chunked
        self.received = b""
        self.ended = False
        self.subscription: Subscription = hub.many_rooms_for(feeds).join(ours, places, chunked=chunked)

    def read(self, size: int) -> None:
        try:
            data = self._end.recv(size)
        except BlockingIOError:
            return
        self.received += data
        self.ended = not data

    async def blocks(self) -> list[Block]:
        """All that it got until the stream ended."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not self.ended:
                self.read(65536)
                await asyncio.sleep(0)
        text = (unchunked(self.received) if self.chunked else self.received).decode()
        assert text == "" or text.endswith("\n\n"), "torn"
        return [Block.parse(block) for block in text.split("\n\n")[:-1]]

    def leave(self) -> None:
        self._end.close()


said = st.tuples(st.just("said"), st.integers(0, 17), st.sampled_from([VOID, 10, 1500, 3000]))
heard = st.tuples(st.just("heard"), st.integers(0, 23), st.integers(0, 4))
joins = st.tuples(st.just("joins"), st.integers(0, 10**6), st.integers(0, 1))
reads = st.tuples(st.just("reads"), st.integers(0, 7), st.sampled_from([1, 100, 2000, 65536]))
turns = st.tuples(st.just("turns"), st.integers(1, 3), st.just(0))
signals = st.tuples(st.just("signals"), st.integers(0, 2), st.just(0))
forgets = st.tuples(st.just("forgets"), st.integers(0, 2), st.just(0))
steps = st.lists(st.one_of(said, said, heard, heard, joins, reads, turns, signals, forgets), max_size=70)


@given(st.integers(0, 40), steps)
@settings(max_examples=300, deadline=None)
def test_every_reader_gets_of_each_room_what_is_behind_its_place_once_and_whole(before: int, steps: list[Step]) -> None:
    few = patch.multiple(ring_module, KEEP_FRAMES=3), patch.multiple(feed_module, PAGE_EVENTS=7)
    short = patch.multiple(frames_module, SLICE_BYTES=2500), patch.multiple(merged_frames_module, SLICE_BYTES=2500)
    with few[0], few[1], short[0], short[1], patch.multiple(pacer_module, MAX_REST_SECONDS=0.0005):
        asyncio.run(live_through(before, steps))


async def live_through(before: int, steps: list[Step]) -> None:
    """`before`: how much was said in each room, and heard, before anything happens."""
    hub = Hub()
    logs = [Log(room_id, hub.pages) for room_id in ROOMS]
    for log in logs:
        hub.add(log.feed)
        for _ in range(before):
            log.grow(10)
        log.hear(before, 0)
    readers: list[Reader] = []
    try:
        await go(steps, hub, logs, readers)
        for log in logs:
            log.close()
            log.feed.receive(log.events)
        for reader in readers:
            check(await reader.blocks(), reader, logs)
            assert reader.subscription.closed
        assert hub._many == {}
        assert not any(log.feed._followers for log in logs)
    finally:
        await hub.stop()
        for reader in readers:
            reader.leave()


async def go(steps: list[Step], hub: Hub, logs: list[Log], readers: list[Reader]) -> None:
    for what, number, detail in steps:
        room, count = number % len(logs), number // len(logs)
        match what:
            case "said":
                for _ in range(count + 1):
                    logs[room].grow(detail)
            case "heard":  # with some of what was heard before
                logs[room].hear(count + 1, detail)
            case "joins":  # also in front of what this process has heard of; some follow two rooms only
                followed = logs if number % 3 else logs[1:]
                places = tuple(Cursor(number // 7**index % (len(log.events) + 1), 0) for index, log in enumerate(logs))
                feeds = [log.feed for log in followed]
                readers.append(Reader(hub, feeds, places[-len(feeds) :], chunked=bool(detail)))
            case "reads" if readers:
                readers[number % len(readers)].read(detail)
            case "turns":
                for _ in range(number):
                    await asyncio.sleep(0)
            case "signals":
                for reader in readers:
                    if logs[room].feed in reader.feeds:
                        reader.subscription.source.send_to((reader.subscription,), SIGNAL)
            case "forgets":
                logs[room].feed.forget()


def check(blocks: list[Block], reader: Reader, logs: list[Log]) -> None:
    """Reads as a client does: the id of each event says where it stands in all rooms."""
    seen = dict(zip((feed.room_id for feed in reader.feeds), reader.places, strict=True))
    shown: dict[int, list[tuple[str, str | None]]] = {room_id: [] for room_id in seen}
    assert blocks.pop().data == "[DONE]"
    for block in blocks:
        if block.event == "typing":
            assert block.id is None
            continue
        parts = parse_cursors(block.id or "")
        assert parts is not None
        places = {room_id: Cursor.parse(cursor) for room_id, (cursor,) in parts.items()}
        assert list(places) == list(seen)
        data = msgspec.json.decode(block.data or "")
        room_id = data["room_id"]
        shown[room_id].append((str(places[room_id]), block.event))
        for other, place in places.items():
            assert place >= seen[other]
            between = [each for each in log_of(logs, other).events if seen[other] < each.id <= place]
            hidden = between if other != room_id else between[:-1]
            assert all(each.kind == "void" for each in hidden), "a place has gone past what was never shown"
        seen = places
    for feed, start in zip(reader.feeds, reader.places, strict=True):
        events = [each for each in log_of(logs, feed.room_id).events if each.id > start and each.kind != "void"]
        assert shown[feed.room_id] == [(str(e.id), "closed" if e.kind == "closed" else None) for e in events]


def log_of(logs: list[Log], room_id: int) -> Log:
    return next(log for log in logs if log.room_id == room_id)


# What all streams of the same rooms share


class Scene:
    """Three rooms, and one reader of all of them who is live."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.logs = [Log(room_id, self.hub.pages) for room_id in ROOMS]
        for log in self.logs:
            self.hub.add(log.feed)
        feeds = [log.feed for log in self.logs]
        self.reader = Reader(self.hub, feeds, (BEGINNING,) * len(ROOMS), chunked=False)
        self.many = self.hub.many_rooms_for(feeds)
        self.now = asyncio.get_running_loop().time()

    async def until(self, condition: Callable[[bytes], bool]) -> None:
        """Reads until it is so."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not condition(self.reader.received):
                self.reader.read(65536)
                await asyncio.sleep(0)

    def blocks(self) -> list[Block]:
        return [Block.parse(block) for block in self.reader.received.decode().split("\n\n")[:-1]]

    async def end(self) -> None:
        await self.hub.stop()
        self.reader.leave()


def play(case: Callable[[Scene], Awaitable[None]]) -> None:
    async def run() -> None:
        scene = Scene()
        try:
            await case(scene)
        finally:
            await scene.end()

    asyncio.run(run())


def test_what_several_rooms_say_at_the_same_moment_is_one_send() -> None:
    async def case(scene: Scene) -> None:
        sent: list[bytes] = []
        with patch.object(scene.many, "_send_to_live", sent.append):
            for log in scene.logs:
                log.grow(10)
                log.hear(1, 0)
            for _ in range(3):
                await asyncio.sleep(0)
        assert [data.count(b"id: ") for data in sent] == [len(ROOMS)]

    play(case)


def test_what_was_cut_off_the_ring_before_the_round_is_read_from_the_log() -> None:
    """Between a room's round and the round of those who follow many, the room finds that it was on a lost branch."""

    async def case(scene: Scene) -> None:
        for log in scene.logs:
            log.grow(10)
            log.grow(10)
        scene.logs[1].hear(1, 0)
        await scene.until(lambda received: received.count(b"data: ") == 1)
        scene.logs[2].hear(2, 0)
        scene.logs[1].hear(1, 0)
        scene.logs[1].feed.forget()
        assert not scene.logs[1].feed.ring.covers(Cursor(1, 0))
        await scene.until(lambda received: received.count(b"data: ") == 4)
        scene.logs[0].hear(2, 0)
        await scene.until(lambda received: received.count(b"data: ") == 6)
        assert scene.blocks()[-1].id == "7.2-0_8.2-0_9.2-0"
        ids = [block.id for block in scene.blocks()]
        assert len(ids) == len(set(ids)) == 6

    # Less than none: the clock of uvloop is coarse.
    with patch.multiple(pacer_module, MAX_REST_SECONDS=-1.0):
        play(case)


def test_what_was_told_and_is_still_being_archived_is_passed_over_by_nobody() -> None:
    """Redis lost it, the archive does not have it yet: who comes back finds nothing behind their place, and waits."""

    async def case(scene: Scene) -> None:
        log = scene.logs[1]
        log.grow(10)
        log.grow(10)
        log.hear(2, 0)
        await scene.until(lambda received: received.count(b"data: ") == 2)
        log.feed.forget()
        lost = log.events.pop()
        late = Reader(
            scene.hub, [each.feed for each in scene.logs], (BEGINNING, Cursor(1, 0), BEGINNING), chunked=False
        )
        for _ in range(10):
            await asyncio.sleep(0)
        log.events.append(lost)
        scene.hub.many_rooms_for(late.feeds).tick(now=scene.now, stuck_since=0)
        async with asyncio.timeout(WAIT_SECONDS):
            while b"data: " not in late.received:
                late.read(65536)
                await asyncio.sleep(0)
        assert b'"id":"2-0"' in late.received
        late.leave()

    play(case)


def test_what_shows_nothing_moves_the_place() -> None:
    async def case(scene: Scene) -> None:
        scene.logs[0].grow(VOID)
        scene.logs[0].hear(1, 0)
        scene.logs[1].grow(10)
        scene.logs[1].hear(1, 0)
        await scene.until(lambda received: b"\n\n" in received)
        assert [block.id for block in scene.blocks()] == ["7.1-0_8.1-0_9.0-0"]
        again = Reader(scene.hub, [log.feed for log in scene.logs], (BEGINNING, *scene.many.sent[1:]), chunked=False)
        again.read(1)
        again.leave()
        assert again.received == b""

    play(case)


def test_who_is_far_behind_is_given_a_bounded_part_at_once() -> None:
    async def case(scene: Scene) -> None:
        places = scene.many.sent
        for log in scene.logs:
            for _ in range(100):
                log.grow(1500)
            log.hear(100, 0)
        for _ in range(3):
            await asyncio.sleep(0)
        longest, parts = 0, 0
        while places != scene.many.sent:
            data, places = scene.many.merge(places)
            longest, parts = max(longest, len(data)), parts + 1
        assert parts > 5
        assert longest < frames_module.SLICE_BYTES + 2000

    play(case)


def test_what_goes_wrong_with_one_list_of_rooms_does_not_silence_the_others() -> None:
    async def case(scene: Scene) -> None:
        others = [Reader(scene.hub, [log.feed], (BEGINNING,), chunked=False) for log in scene.logs]
        with patch.object(scene.many, "send_news", side_effect=ZeroDivisionError):
            for log in scene.logs:
                log.grow(10)
                log.hear(1, 0)
            async with asyncio.timeout(WAIT_SECONDS):
                while not all(other.received for other in others):
                    for other in others:
                        other.read(65536)
                    await asyncio.sleep(0)
            # Nobody knows what its streams got: they resume from what they have.
            while not scene.reader.ended:
                scene.reader.read(65536)
                await asyncio.sleep(0)
        assert scene.reader.received == b""
        again = Reader(scene.hub, [log.feed for log in scene.logs], (BEGINNING,) * len(ROOMS), chunked=False)
        others.append(again)
        while again.received.count(b"data: ") < len(ROOMS):
            again.read(65536)
            await asyncio.sleep(0)
        for other in others:
            other.leave()

    play(case)


def test_a_quiet_stream_gets_one_heartbeat_for_all_its_rooms() -> None:
    async def case(scene: Scene) -> None:
        for fanout in scene.hub._fanouts():
            fanout.tick(scene.now + 30, stuck_since=0)
        scene.reader.read(100)
        assert scene.reader.received == sse.HEARTBEAT

    play(case)


def test_what_speaks_needs_no_heartbeat() -> None:
    async def case(scene: Scene) -> None:
        scene.many._heartbeat_at = scene.now
        scene.hub.broadcast(SIGNAL)
        scene.many.tick(scene.now + 10, stuck_since=0)
        scene.reader.read(1000)
        assert scene.reader.received == SIGNAL

    play(case)


def test_a_room_that_is_followed_among_others_is_not_deserted_and_is_afterwards() -> None:
    async def case(scene: Scene) -> None:
        assert not any(feed.is_idle(scene.now + 3600) for feed in scene.hub.feeds())
        scene.reader.subscription.close()
        assert all(feed.is_idle(scene.now + 3600) for feed in scene.hub.feeds())

    play(case)


def test_a_log_that_can_not_be_read_ends_the_stream_to_be_resumed() -> None:
    async def case(scene: Scene) -> None:
        async def away(room_id: int, cursor: Cursor, limit: int) -> list[Event]:
            raise Unavailable

        unread = Feed(1, Ring(Cursor(5, 0)), away, scene.hub.pages)
        reader = Reader(scene.hub, [scene.logs[0].feed, unread], (BEGINNING, BEGINNING), chunked=True)
        (block,) = await reader.blocks()
        assert block.retry is not None
        assert block.id is None
        reader.leave()

    play(case)
