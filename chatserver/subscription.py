"""One open stream: a cursor into a room's log, and the socket that the log is copied to.

It is either *catching up* (taking slices from the ring or pages from the log, each when the socket has swallowed the
last) or *live* (its feed hands it each round's bytes). It has no queue: what a slow socket leaves over is at most one
slice or round, and behind that there is only the cursor.

    catching up ──(cursor reaches what the feed has sent)──> live
    live ──(the socket takes less than it is given)──> catching up

The socket was taken away from Tornado when the response's head was out (see `handlers/stream.py`), so nothing else
writes to it and a frame is never torn: what was begun is finished before anything else is sent.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Collection
from typing import Protocol

from chatserver import sse
from chatserver.cursor import Cursor
from chatserver.page import Page
from chatserver.ring import Ring, framed

MAX_UPSTREAM = 1
"""Bytes that a client may send on its open stream: none. Reading one is enough to know that it does."""


class Source(Protocol):
    """What a subscription asks of what it follows."""

    room_ids: tuple[int, ...]
    finished: bool

    def go_live(self, subscription: Subscription) -> None: ...
    def await_round(self, subscription: Subscription) -> None: ...
    def withdraw(self, subscription: Subscription) -> None: ...
    def leave(self, subscription: Subscription) -> None: ...
    def whisper(self, subscriptions: Collection[Subscription], frame: bytes) -> None: ...


class RoomSource(Source, Protocol):
    ring: Ring
    sent: Cursor

    def fetch_page(self, subscription: PageTaker, cursor: Cursor) -> None: ...


class PageTaker(Protocol):
    """A subscription that asked for a page of the log."""

    closed: bool
    ending: bool

    def take_page(self, page: Page) -> None: ...
    def end(self, goodbye: bytes) -> None: ...


class Subscription:
    """What all streams have in common: the socket, and how it ends."""

    __slots__ = (
        "_loop",
        "_unsent",
        "_waits",
        "chunked",
        "closed",
        "ending",
        "on_close",
        "progress_at",
        "socket",
        "source",
    )

    def __init__(self, source: Source, connection: socket.socket, *, chunked: bool) -> None:
        self.source = source
        self.socket = connection
        self.chunked = chunked
        self.closed = False
        self.ending = False
        self.on_close: Callable[[Subscription], None] | None = None
        self._unsent: bytes | memoryview = b""
        self._waits = False
        self._loop = asyncio.get_running_loop()
        self.progress_at = self._loop.time()
        """When the socket last took something, in seconds of the loop's clock."""

    def start(self) -> None:
        self._loop.add_reader(self.socket, self._on_readable)
        self.advance()

    def advance(self) -> None:
        """Goes on as far as the socket and the ring allow, without awaiting anything."""
        while not self.closed:
            if self._unsent and not self._flush():
                return
            if self.ending:
                self.close()
                return
            if not self._take_more():
                return

    def _take_more(self) -> bool:
        """Takes what is to be sent next. False when there is nothing, and somebody will call."""
        raise NotImplementedError

    def fall_behind(self, data: bytes, taken: int) -> None:
        """A live socket took only the first `taken` bytes of a round."""
        self._unsent = memoryview(data)[taken:]
        self.progress_at = self._loop.time()
        self._wait_until_writable()

    def is_stuck(self, since: float) -> bool:
        """Whether something waits to be sent, and the socket took nothing since then."""
        return bool(self._unsent) and self.progress_at < since

    def end(self, goodbye: bytes) -> None:
        """Finishes what is being sent, says goodbye and closes: a clean end, from which EventSource comes back."""
        if not self.closed and not self.ending:
            self.source.withdraw(self)
            self.ending = True
            farewell = framed(goodbye, self.chunked) + (sse.LAST_CHUNK if self.chunked else b"")
            self._unsent = bytes(self._unsent) + farewell
            self.advance()

    def revoke(self) -> None:
        """Its reader may read no more: not even what is being sent."""
        if self._unsent:
            self.close()  # a torn frame is never an event
        else:
            self.end(sse.DONE)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._loop.remove_reader(self.socket)
            self._stop_waiting()
            self.socket.close()
            self.source.leave(self)
            if self.on_close is not None:
                self.on_close(self)

    def _flush(self) -> bool:
        """Sends what is left over. True when the socket took all of it."""
        try:
            taken = self.socket.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            taken = 0
        except OSError:
            self.close()
            return False
        if taken:
            self.progress_at = self._loop.time()
        if taken == len(self._unsent):
            self._unsent = b""
            self._stop_waiting()
            return True
        self._unsent = memoryview(self._unsent)[taken:]
        self._wait_until_writable()
        return False

    def _wait_until_writable(self) -> None:
        if not self._waits:
            self._waits = True
            self._loop.add_writer(self.socket, self.advance)

    def _stop_waiting(self) -> None:
        if self._waits:
            self._waits = False
            self._loop.remove_writer(self.socket)

    def _on_readable(self) -> None:
        """The reader hung up; or it sends something, which nobody who reads a stream does."""
        try:
            self.socket.recv(MAX_UPSTREAM)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            pass
        self.close()


class RoomSubscription(Subscription):
    """A stream of one room."""

    __slots__ = ("cursor", "feed")

    def __init__(self, feed: RoomSource, connection: socket.socket, cursor: Cursor, *, chunked: bool) -> None:
        super().__init__(feed, connection, chunked=chunked)
        self.feed = feed
        self.cursor = cursor

    def take_page(self, page: Page) -> None:
        """What follows the cursor, as `fetch_page` was asked for."""
        # What is newer than the last round comes with the next one.
        more = page.until(self.feed.sent, chunked=self.chunked)
        if more is None:
            # What was told to others is in neither store: it is being archived, or it is lost. Never passed over.
            self.feed.await_round(self)
        else:
            self._unsent, self.cursor = more
            self.advance()

    def fall_behind(self, data: bytes, taken: int) -> None:
        self.cursor = self.feed.sent
        super().fall_behind(data, taken)

    def _take_more(self) -> bool:
        feed = self.feed
        if self.cursor == feed.sent:
            if feed.finished:
                self.end(b"")
            else:
                feed.go_live(self)
            return False
        if self.cursor > feed.sent:
            # The process it came from was ahead of this one. Until the relay comes past there is nothing to send.
            feed.await_round(self)
            return False
        if not feed.ring.covers(self.cursor):
            feed.fetch_page(self, self.cursor)
            return False
        self._unsent, self.cursor = feed.ring.between(self.cursor, feed.sent, chunked=self.chunked)
        return True
