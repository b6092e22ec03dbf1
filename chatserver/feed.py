"""A room in this process: its ring, and the subscriptions that follow it.

Events come in from the relay and go out in rounds. A round is a loop that does nothing but hand the same bytes to each
live socket; it never waits for one. What arrives while a round is due joins it (see `pacer.py`), so that a hot room
coalesces by itself and a quiet one is never delayed.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, Protocol

from cachetools import TTLCache

from chatserver import sse
from chatserver.cursor import Cursor
from chatserver.errors import Unavailable
from chatserver.events import Event
from chatserver.fanout import Fanout
from chatserver.pacer import Pacer
from chatserver.page import Page
from chatserver.ring import Ring
from chatserver.subscription import PageTaker, RoomSubscription, Subscription

PAGE = 500
"""Events of one page of the log for readers that are further behind than the ring reaches."""

LINGER_SECONDS = 15.0
"""How long a room without a reader is still followed: most who leave come back at once, with another page."""

KEPT_PAGES = 4
PAGE_SECONDS = 2.0
"""Pages that are kept, and for how long, for those who come right behind to the same places."""

ReadPage = Callable[[int, Cursor, int], Coroutine[Any, Any, list[Event]]]
"""Reads (room, cursor, limit): the events behind the cursor. Raises Unavailable."""


class Follower(Protocol):
    """What follows this room among others: it wants to be told of each round."""

    def hear(self, index: int) -> None: ...


class Feed(Fanout):
    """`sent` is where all live subscriptions stand. Everyone else catches up to that, then joins them."""

    def __init__(self, room_id: int, ring: Ring, read_page: ReadPage) -> None:
        super().__init__((room_id,))
        self.room_id = room_id
        self.ring = ring
        self.sent = ring.tip
        self._read_page = read_page
        self._followers: dict[Follower, int] = {}
        self._reading: dict[Cursor, asyncio.Task[Page]] = {}
        self._pages: TTLCache[Cursor, asyncio.Task[Page]] = TTLCache(KEPT_PAGES, PAGE_SECONDS)
        self._pacer = Pacer(self._round)
        self._touched_at = self._loop.time()

    # What the relay does

    def receive(self, events: Iterable[Event]) -> None:
        """News, in order. Repeats are harmless."""
        events = list(events)
        new = self.ring.push(events)
        if new:
            self._pacer.ask(new)
        for event in events:
            if event.kind == "deleted":
                self._forget_pages()  # its text may be in them
            elif event.kind == "closed":
                self.finish()

    def finish(self) -> None:
        """The room is gone. Everyone gets what is left of it, then the word that it is over."""
        self.finished = True
        self._round()
        for subscription in self._all_live():
            subscription.end(b"")

    # What subscriptions do

    def join(self, connection: socket.socket, cursor: Cursor, *, chunked: bool) -> Subscription:
        """A new reader, standing at the cursor. The socket is the subscription's own from now on."""
        subscription = RoomSubscription(self, connection, cursor, chunked=chunked)
        self._begin(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        super().leave(subscription)
        self.touch()

    def follow(self, follower: Follower, index: int) -> None:
        """Calls `follower.hear(index)` after each round. The room is not deserted while it is followed."""
        self._followers[follower] = index

    def unfollow(self, follower: Follower) -> None:
        del self._followers[follower]
        self.touch()

    def fetch_page(self, subscription: PageTaker, cursor: Cursor) -> None:
        """Reads the log behind the cursor, once for all who stand there, and hands it over."""
        reading = self._reading.get(cursor) or self._pages.get(cursor)
        if reading is None:
            reading = self._reading[cursor] = asyncio.ensure_future(self._page_behind(cursor))
            reading.add_done_callback(partial(self._keep_page, cursor))
        reading.add_done_callback(partial(self._hand_over, subscription))

    async def _page_behind(self, cursor: Cursor) -> Page:
        return Page(await self._read_page(self.room_id, cursor, PAGE))

    def forget(self) -> None:
        """What was told may have been of a branch of the log that was lost. It is not told to others."""
        self.ring.forget(until=self.sent)
        self._forget_pages()

    def _forget_pages(self) -> None:
        self._pages.clear()
        self._reading.clear()  # those who wait for them get them, and they are not kept

    def _keep_page(self, cursor: Cursor, page: asyncio.Task[Page]) -> None:
        if self._reading.get(cursor) is page:
            del self._reading[cursor]
            if not page.cancelled() and page.exception() is None and not page.result().is_empty:
                self._pages[cursor] = page

    def _hand_over(self, subscription: PageTaker, page: asyncio.Task[Page]) -> None:
        if subscription.closed or subscription.ending or page.cancelled():
            return
        error = page.exception()
        if error is None:
            subscription.take_page(page.result())
        else:
            # Unavailable: the log can't be read. Ended cleanly, the reader comes back for it with the same cursor.
            subscription.end(sse.retry(random.randint(2_000, 6_000)))
            if not isinstance(error, Unavailable):
                raise error

    # What the hub does, every second

    def tick(self, now: float, stuck_since: float) -> None:
        super().tick(now, stuck_since)
        self._pages.expire()

    def touch(self) -> None:
        """Somebody came or went: the room is followed for some time yet."""
        self._touched_at = self._loop.time()

    def is_deserted(self, now: float) -> bool:
        return self._is_empty() and not self._followers and now - self._touched_at > LINGER_SECONDS

    def close(self) -> None:
        self._pacer.stop()
        for page in self._reading.values():
            page.cancel()
        super().close()

    # Rounds

    def _round(self) -> None:
        """Sends everything that came since the last round to all live sockets."""
        with self._pacer.round():
            if not (self._live[True] or self._live[False]):
                self.sent = self.ring.tip
            while self.sent < self.ring.tip:
                frames, end = self.ring.between(self.sent, self.ring.tip, chunked=False)
                self.sent = end
                self._send_to_live(frames)
            self.ring.trim()
            self._call_the_ahead()
            for follower, index in self._followers.items():
                follower.hear(index)
        self._heartbeat_at = self._next_heartbeat()
