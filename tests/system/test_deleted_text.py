"""From the moment at which a process knows that a message was deleted it hands no byte of its text to a socket, nor of
its edits': not from a ring, a page, a slice that waits, nor one that was cut for others. And nobody misses an event for
that. Real sockets with little room; what happens when is made up."""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import ExitStack
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatserver.live import feed as feed_module
from chatserver.live import frames as frames_module
from chatserver.live import log_page as page_module
from chatserver.live import merged_frames as merged_frames_module
from chatserver.live import pacer as pacer_module
from chatserver.live import ring as ring_module
from chatserver.live.feed import Feed
from chatserver.live.hub import Hub
from chatserver.live.log_page import Pages
from chatserver.live.ring import Ring
from chatserver.model.cursor import BEGINNING, Cursor
from chatserver.model.events import Body, Draft, Event, draft_message
from tests.helpers.browserless import WAIT_SECONDS
from tests.helpers.changes_made import delete, edit
from tests.live.test_feed import BUFFER, Step

ROOMS = (7, 8)
FRAME = re.compile(rb"data: (\{[^\n]*\})\s*\n\n")


class Log:
    """Everything that was said and became of it in a room. The stores never blank anything."""

    def __init__(self, room_id: int, pages: Pages) -> None:
        self.room_id = room_id
        self.events: list[Event] = []
        self.feed = Feed(room_id, Ring(BEGINNING), self.page, pages)
        self.gone: list[bytes] = []
        """The words of what was deleted, as far as the feed has heard."""

    def say(self, size: int) -> None:
        number = len(self.events) + 1
        words = f"[room {self.room_id} message {number}]" * size
        self._add(draft_message(Body(self.room_id, 7, "ada", words, "2026-11-23T09:41:00.000Z", f"c-{number}")))

    def messages(self) -> list[Event]:
        return [each for each in self.events if each.kind == "message"]

    def deleted(self) -> set[int]:
        return {about_number(each) for each in self.events if each.kind == "deleted"}

    def delete_all(self, every: int) -> None:
        for message in self.messages()[::every]:
            self._add(delete(message))

    def change(self, which: int, *, deleted: bool) -> None:
        messages = self.messages()
        if messages:
            message = messages[which % len(messages)]
            words = f"[room {self.room_id} message {message.id.ms}]" * 30  # of an edit, too
            self._add(delete(message) if deleted else edit(message, words))

    def hear(self, count: int) -> list[bytes]:
        """What the text of those messages had that are deleted by now."""
        heard = self.events[self.feed.ring.tip.ms :][:count]
        self.feed.receive(heard)
        deleted = [each for each in heard if each.kind == "deleted"]
        words = [b"[room %d message %d]" % (self.room_id, about_number(each)) for each in deleted]
        self.gone += words
        return words

    def _add(self, draft: Draft) -> None:
        number = len(self.events) + 1
        id, prev = Cursor(number, 0), Cursor(number - 1, 0)
        self.events.append(Event(self.room_id, id, prev, draft.kind, 7, draft.client_id, draft.payload))

    async def page(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        found = [each for each in self.events if each.id > cursor][:limit]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return found


def about_number(change: Event) -> int:
    return int(msgspec.json.decode(change.payload)["message_id"].split("-")[0])


class Reader:
    def __init__(self, hub: Hub, logs: list[Log], start: int, *, chunked: bool) -> None:
        ours, self._end = socket.socketpair()
        for end in (ours, self._end):
            end.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        self.logs = logs
        self.start = {log.room_id: start % (len(log.events) + 1) for log in logs}
        self.received = b""
        self.ended = False
        self.forbidden = [(word, 0) for log in logs for word in log.gone]
        """Words, and from where on they must not be in what was received."""
        places = tuple(Cursor(place, 0) for place in self.start.values())
        if len(logs) == 1:
            self.subscription = logs[0].feed.join(ours, places[0], chunked=chunked)
        else:
            self.subscription = hub.many_rooms_for([log.feed for log in logs]).join(ours, places, chunked=chunked)

    def read(self, size: int = 1 << 20) -> bool:
        try:
            data = self._end.recv(size)
        except BlockingIOError:
            return False
        self.received += data
        self.ended = not data
        return bool(data)

    def drain(self) -> None:
        """What is on its way already."""
        while not self.ended and self.read():
            pass

    def shown(self) -> dict[int, list[int]]:
        """The numbers of the events that it got whole, by room."""
        for data in FRAME.findall(self.received):
            event = msgspec.json.decode(data)
            if event.get("content") == "":
                about = int(event.get("message_id", event["id"]).split("-")[0])
                assert about in next(log for log in self.logs if log.room_id == event["room_id"]).deleted()
        shown: dict[int, list[int]] = {room_id: [] for room_id in self.start}
        for data in FRAME.findall(self.received):
            event = msgspec.json.decode(data)
            shown[event["room_id"]].append(int(event["id"].split("-")[0]))
        return shown

    def check(self, logs: list[Log]) -> bool:
        """Whether it has everything. What it has is without a hole, and without the words of what was deleted."""
        for word, place in self.forbidden:
            assert word not in self.received[place:], word
        has_all = True
        for room_id, numbers in self.shown().items():
            events = next(log for log in logs if log.room_id == room_id).events
            expected = list(range(self.start[room_id] + 1, len(events) + 1))
            assert numbers == expected[: len(numbers)]
            has_all = has_all and numbers == expected
        return has_all

    def leave(self) -> None:
        self._end.close()


said = st.tuples(st.just("said"), st.integers(0, 5), st.sampled_from([1, 3, 50, 120, 500]))
changed = st.tuples(st.sampled_from(["deleted", "edited"]), st.integers(0, 11), st.integers(0, 30))
heard = st.tuples(st.just("heard"), st.integers(0, 15), st.just(0))
joins = st.tuples(st.just("joins"), st.integers(0, 40), st.integers(0, 1))
reads = st.tuples(st.just("reads"), st.integers(0, 7), st.sampled_from([1, 100, 2000, 65536]))
turns = st.tuples(st.just("turns"), st.integers(1, 12), st.just(0))
purged = st.tuples(st.just("purged"), st.integers(0, 1), st.integers(1, 3))
steps = st.lists(st.one_of(said, said, changed, purged, heard, joins, joins, reads, turns, turns), max_size=40)


@pytest.mark.parametrize("rooms", [1, 2])
@given(st.integers(0, 30), steps)
@example(30, [("joins", 0, 1), ("turns", 12, 0), ("purged", 0, 1)])
@example(4, [("joins", 0, 1), ("joins", 0, 1), ("reads", 0, 65536), ("purged", 0, 1), ("joins", 0, 1)])
@example(30, [("joins", 0, 0), ("turns", 12, 0), ("reads", 0, 1), ("turns", 2, 0), ("purged", 0, 1)])
@settings(max_examples=200, deadline=None)
def test_what_is_deleted_goes_out_to_nobody_any_more(rooms: int, before: int, steps: list[Step]) -> None:
    with ExitStack() as stack:
        stack.enter_context(patch.multiple(ring_module, KEEP_FRAMES=3))
        stack.enter_context(patch.multiple(frames_module, SLICE_BYTES=2500))
        stack.enter_context(patch.multiple(merged_frames_module, SLICE_BYTES=2500))
        stack.enter_context(patch.multiple(page_module, PAGE_BYTES=8000))
        stack.enter_context(patch.multiple(feed_module, PAGE_EVENTS=7))
        stack.enter_context(patch.multiple(pacer_module, MAX_REST_SECONDS=0.0005))
        asyncio.run(live_through(rooms, before, steps))


async def live_through(rooms: int, before: int, steps: list[Step]) -> None:
    hub = Hub()
    logs = [Log(room_id, hub.pages) for room_id in ROOMS[:rooms]]
    readers: list[Reader] = []
    for log in logs:
        hub.add(log.feed)
        for number in range(before):
            log.say((1, 40, 120, 500)[number % 4])
        log.hear(before)
    try:
        for what, number, detail in steps:
            log = logs[number % rooms]
            match what:
                case "said":
                    for _ in range(number // 2 + 1):
                        log.say(detail)
                case "deleted" | "edited":
                    log.change(detail, deleted=what == "deleted")
                case "purged":
                    log.delete_all(detail)
                    hear(log, len(log.events), readers)
                case "heard":
                    hear(log, number // 2 + 1, readers)
                case "joins":
                    readers.append(Reader(hub, logs, number, chunked=bool(detail)))
                case "reads" if readers:
                    readers[number % len(readers)].read(detail)
                case "turns":
                    for _ in range(number):
                        await asyncio.sleep(0)
        for log in logs:
            hear(log, len(log.events), readers)
        async with asyncio.timeout(WAIT_SECONDS):
            for reader in readers:
                while not reader.check(logs) and not reader.ended:
                    reader.drain()
                    await asyncio.sleep(0)
    finally:
        await hub.stop()
        for reader in readers:
            reader.leave()


def hear(log: Log, count: int, readers: list[Reader]) -> None:
    for reader in readers:
        reader.drain()
    places = [len(reader.received) for reader in readers]
    words = log.hear(count)
    for reader, place in zip(readers, places, strict=True):
        reader.forbidden += [(word, place) for word in words]
