"""A feed: one room in this process, with its ring and the subscriptions that follow it.

Events come in from the relay and go out in rounds. A round is a loop that does nothing but hand the same bytes to each
live socket; it never waits for one. Events that arrive while a round is due join it (see `pacer.py`), so that a hot
room coalesces by itself and a quiet one is never delayed.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

from chatserver.errors import Unavailable
from chatserver.live import sse
from chatserver.live.fanout import Fanout
from chatserver.live.log_page import PAGE_BYTES, PAGE_EVENTS, LogPage, Pages
from chatserver.live.pacer import Pacer
from chatserver.live.ring import Ring
from chatserver.live.subscription import PageTaker, RoomSubscription, Subscription
from chatserver.model.changes import about
from chatserver.model.cursor import Cursor
from chatserver.model.event_kinds import kind_of
from chatserver.model.events import Event

LINGER_SECONDS = 15.0
"""How long a room without a reader is still followed: most readers who leave come back at once, with another page."""

AGAIN_MS = (2_000, 6_000)
"""Reconnect delay for readers whose page can't be read now, drawn for each."""

ReadPage = Callable[[int, Cursor, int], Coroutine[Any, Any, list[Event]]]
"""Takes (room, cursor, limit) and returns the events behind the cursor. Raises Unavailable."""

log = logging.getLogger(__name__)


class Follower(Protocol):
    """An object that follows this room among others, and is called after each round."""

    def on_round(self, index: int) -> None: ...
    def redact(self, room_id: int, id: Cursor) -> None: ...
    def close(self) -> None: ...


class Feed(Fanout):
    """`sent`: the cursor of all live subscriptions. The others catch up to it, then join them."""

    def __init__(self, room_id: int, ring: Ring, read_page: ReadPage, pages: Pages) -> None:
        super().__init__((room_id,))
        self.room_id = room_id
        self.ring = ring
        self.sent = ring.tip
        self._read_page = read_page
        self._followers: dict[Follower, int] = {}
        self._pages = pages
        self._page_events = PAGE_EVENTS
        # Subscriptions that wait for the page behind a cursor, and the tasks that read it.
        self._waiting: dict[Cursor, list[PageTaker]] = {}
        self._reading: set[asyncio.Task[None]] = set()
        self._times_forgotten = 0
        self._pacer = Pacer(self._round)
        self._touched_at = self._loop.time()

    # For the relay

    def receive(self, events: Iterable[Event]) -> None:
        """Adds new events, in order. Repeats are harmless."""
        events = list(events)
        new = self.ring.push(events)
        for event in events:
            if kind_of(event).deletes:  # before anything is sent
                self.redact(about(event))
        if new:
            self._pacer.ask()
        if events and kind_of(events[-1]).ends_log:
            self.finish()

    def redact(self, id: Cursor) -> None:
        """Removes a deleted message's text, and its edits': no byte of it is handed to a socket from now on."""
        self.ring.redact(id)
        self._pages.redact(self.room_id, id)
        self.redact_unsent(self.room_id, id)
        for follower in list(self._followers):
            follower.redact(self.room_id, id)

    def finish(self) -> None:
        """Ends the closed room: its subscriptions get the remaining events, then the end of the stream."""
        self.finished = True
        self._round()
        for subscription in self._all_live():
            subscription.end(b"")

    # For subscriptions

    def join(self, connection: socket.socket, cursor: Cursor, head: bytes = b"", *, chunked: bool) -> Subscription:
        """Adds a reader at the cursor. The subscription owns the socket from now on, and sends `head` first."""
        subscription = RoomSubscription(self, connection, cursor, head, chunked=chunked)
        self._begin(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        super().leave(subscription)
        self.keep_alive()

    def follow(self, follower: Follower, index: int) -> None:
        """Calls `follower.on_round(index)` after each round. The room is not idle while it is followed."""
        self._followers[follower] = index

    def unfollow(self, follower: Follower) -> None:
        del self._followers[follower]
        self.keep_alive()

    def find_page(self, start: Cursor | None, cursor: Cursor) -> LogPage | None:
        """Returns the page that begins at `start`, if it is still cached and goes on behind the cursor."""
        page = None if start is None else self._pages.find(self.room_id, start)
        return page if page is not None and page.start <= cursor < page.tip else None

    def fetch_page(self, subscription: PageTaker, cursor: Cursor) -> None:
        """Reads the log behind the cursor, once for all subscriptions that stand there, and hands it over."""
        if cursor in self._waiting:
            self._waiting[cursor].append(subscription)
            return
        self._waiting[cursor] = [subscription]
        reading = self._loop.create_task(self._hand_over_page(cursor))
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)

    async def _hand_over_page(self, cursor: Cursor) -> None:
        page: LogPage | None = None
        try:
            page = self.find_page(cursor, cursor) or await self._read_behind(cursor)
        except Unavailable:
            pass
        except Exception:
            log.exception("a page of room %d can't be read", self.room_id)
        for subscription in self._waiting.pop(cursor):
            if subscription.closed or subscription.ending:
                continue
            try:
                if page is None:
                    # After a clean end the reader comes back for it with the same cursor.
                    subscription.end(sse.retry(random.randint(*AGAIN_MS)))
                else:
                    subscription.take_page(page)
            except Exception:  # the others shall not wait for it
                log.exception("a reader of room %d can't go on", self.room_id)
                subscription.close()

    async def _read_behind(self, cursor: Cursor) -> LogPage:
        """Raises Unavailable."""
        async with self._pages.turn():
            while True:
                times_forgotten = self._times_forgotten
                events = await self._read_page(self.room_id, cursor, self._page_events)
                if times_forgotten == self._times_forgotten:  # else it may be of a lost branch
                    break
            # Nothing is awaited from here until readers have the page, so it contains nothing that was deleted by now.
            page = LogPage(cursor, events, self.ring.frame)
            if events:
                average = sum(len(event.payload) for event in events) // len(events)
                self._page_events = min(PAGE_EVENTS, PAGE_BYTES // max(average, 1) + 1)
                self._pages.keep(self.room_id, page)
            return page

    def forget(self) -> None:
        """Drops all frames already sent: they may belong to a lost branch. New readers re-read them from the log."""
        self.ring.forget(until=self.sent)
        self._times_forgotten += 1
        self._pages.forget(self.room_id)

    # For the hub, every second

    def keep_alive(self) -> None:
        """Restarts the time for which the room is followed without a reader."""
        self._touched_at = self._loop.time()

    def is_idle(self, now: float) -> bool:
        return self._is_empty() and not self._followers and now - self._touched_at > LINGER_SECONDS

    def close(self) -> None:
        self._pacer.stop()
        for reading in self._reading:
            reading.cancel()
        self._pages.forget(self.room_id)
        super().close()
        for follower in list(self._followers):
            follower.close()

    # Rounds

    def _round(self) -> None:
        """Sends everything that came since the last round to all live sockets."""
        try:
            self._send_news()
        except Exception:  # it is unknown which sockets got what: all streams of the room must resume
            log.exception("a round of room %d failed", self.room_id)
            self.close()

    def _send_news(self) -> None:
        with self._pacer.round():
            if not (self._live[True] or self._live[False]):
                self.sent = self.ring.tip
            while self.sent < self.ring.tip:
                frames, end = self.ring.between(self.sent, self.ring.tip, chunked=False)
                self.sent = end
                self._send_to_live(frames)
            self.ring.trim()
            self._resume_parked()
            for follower, index in self._followers.items():
                follower.on_round(index)
        self._heartbeat_at = self._next_heartbeat()
