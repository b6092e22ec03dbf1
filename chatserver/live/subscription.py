"""A subscription: one open stream, with a cursor into a room's log and the socket that the log is copied to.

It is either *catching up* (cutting slices off the ring or a page of the log, each when the socket has taken the last)
or *live* (its feed hands it each round's bytes). It has no queue: a slow socket leaves over at most one slice, of a
ring, a page or a round: SLICE_BYTES, or one frame. Behind that there is only the cursor. Text deleted meanwhile is not
in the next slice, and is blanked in this one.

    catching up ──(cursor reaches what the feed has sent)──> live
    live ──(the socket takes less than it is given)──> catching up

The socket was taken away from Tornado (see `handlers/stream.py`), so nothing else writes to it: the response's head is
the first slice. So a frame is never torn: a frame that was begun is finished before anything else is sent.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Collection
from typing import Protocol

from chatserver.live import sse
from chatserver.live.frames import framed
from chatserver.live.log_page import LogPage
from chatserver.live.ring import Ring
from chatserver.model.cursor import Cursor

MAX_UPSTREAM = 1
"""Bytes that are read from a client on its open stream. It may send none, and one is enough to know that it does."""


class Source(Protocol):
    """The fan-out that a subscription belongs to."""

    room_ids: tuple[int, ...]
    finished: bool

    def go_live(self, subscription: Subscription) -> None: ...
    def park(self, subscription: Subscription) -> None: ...
    def stop_live(self, subscription: Subscription) -> None: ...
    def leave(self, subscription: Subscription) -> None: ...
    def send_to(self, subscriptions: Collection[Subscription], frame: bytes) -> None: ...


class RoomSource(Source, Protocol):
    ring: Ring
    sent: Cursor

    def fetch_page(self, subscription: PageTaker, cursor: Cursor) -> None: ...
    def find_page(self, start: Cursor | None, cursor: Cursor) -> LogPage | None: ...


class PageTaker(Protocol):
    """A subscription that asked for a page of the log."""

    closed: bool
    ending: bool

    def take_page(self, page: LogPage) -> None: ...
    def end(self, goodbye: bytes) -> None: ...
    def close(self) -> None: ...


class Subscription:
    """The common part of all streams: the socket, and its end. `head`: the bytes that are sent first."""

    __slots__ = (
        "_loop",
        "_slice",
        "_taken",
        "_waits",
        "chunked",
        "closed",
        "ending",
        "on_close",
        "progress_at",
        "socket",
        "source",
    )

    def __init__(self, source: Source, connection: socket.socket, head: bytes, *, chunked: bool) -> None:
        self.source = source
        self.socket = connection
        self.chunked = chunked
        self.closed = False
        self.ending = False
        self.on_close: Callable[[Subscription], None] | None = None
        self._slice = head
        self._taken = 0
        self._waits = False
        self._loop = asyncio.get_running_loop()
        self.progress_at = self._loop.time()
        """Time when the socket last took or was given bytes, in seconds of the loop's clock."""

    def start(self) -> None:
        self._loop.add_reader(self.socket, self._on_readable)
        self.advance()

    def advance(self) -> None:
        """Goes on as far as the socket and the ring allow, without awaiting anything."""
        while not self.closed:
            if self._slice and not self._flush():
                return
            if self.ending:
                self.close()
                return
            if not self._take_more():
                return

    def _take_more(self) -> bool:
        """Holds the next bytes to send. Returns False if there are none; the source resumes this stream then."""
        raise NotImplementedError

    def stop_in_the_midst(self, data: bytes, taken: int) -> None:
        """Keeps the rest of a round of which the live socket took only the first `taken` bytes."""
        self._hold(data, taken)
        self._wait_until_writable()

    def is_stuck(self, since: float) -> bool:
        """Returns True if bytes wait to be sent, and the socket took none since then (seconds of the loop's clock)."""
        return bool(self._slice) and self.progress_at < since

    @property
    def unsent(self) -> bytes:
        """The bytes held for the socket that it has not taken yet."""
        return self._slice[self._taken :]

    def end(self, goodbye: bytes) -> None:
        """Finishes the bytes in flight, sends `goodbye` and closes: a clean end, after which EventSource reconnects."""
        if not self.closed and not self.ending:
            self.source.stop_live(self)
            self.ending = True
            farewell = framed(goodbye, self.chunked) + (sse.LAST_CHUNK if self.chunked else b"")
            if self._slice:
                self._slice += farewell
            else:
                self._hold(farewell)
            self.advance()

    def revoke(self) -> None:
        """Ends the stream of a reader that may read no more, not even the bytes in flight."""
        if self._slice:
            self.close()  # a torn frame is never an event
        else:
            self.end(sse.DONE)

    def redact(self, room_id: int, id: Cursor) -> None:
        """Removes a deleted message's text, and its edits': no byte of it goes out from now on."""
        if self._slice:
            blanked = sse.blanked(self._slice, self._taken, room_id, id)
            if blanked is None:
                self.close()  # a torn frame is never an event
            else:
                self._slice = blanked

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._loop.remove_reader(self.socket)
            self._stop_waiting()
            self.socket.close()
            self.source.leave(self)
            if self.on_close is not None:
                self.on_close(self)

    def _hold(self, data: bytes, taken: int = 0) -> None:
        """Holds bytes for the socket, which has taken the first `taken` of them. Its time to take them starts now."""
        self._slice, self._taken = data, taken
        self.progress_at = self._loop.time()

    def _flush(self) -> bool:
        """Sends the bytes held. Returns True if the socket took all of them."""
        try:
            taken = self.socket.send(memoryview(self._slice)[self._taken :] if self._taken else self._slice)
        except (BlockingIOError, InterruptedError):
            taken = 0
        except OSError:
            self.close()
            return False
        if taken:
            self.progress_at = self._loop.time()
            self._taken += taken
        if self._taken == len(self._slice):
            self._slice, self._taken = b"", 0
            self._stop_waiting()
            return True
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
        """Closes the stream: the reader hung up, or sends something, which no reader of a stream does."""
        try:
            self.socket.recv(MAX_UPSTREAM)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            pass
        self.close()


class RoomSubscription(Subscription):
    """A stream of one room. It keeps the start of the page that it is reading."""

    __slots__ = ("_page_start", "cursor", "feed")

    def __init__(
        self, feed: RoomSource, connection: socket.socket, cursor: Cursor, head: bytes, *, chunked: bool
    ) -> None:
        super().__init__(feed, connection, head, chunked=chunked)
        self.feed = feed
        self.cursor = cursor
        self._page_start: Cursor | None = None

    def take_page(self, page: LogPage) -> None:
        """Sends from the page behind the cursor, which `fetch_page` was asked for."""
        if self._take_from(page):
            self._page_start = page.start
            self.advance()
        else:
            # Neither store has the next event yet (it is being archived, or was lost). Wait; never skip it.
            self.feed.park(self)

    def stop_in_the_midst(self, data: bytes, taken: int) -> None:
        self.cursor = self.feed.sent
        super().stop_in_the_midst(data, taken)

    def _take_more(self) -> bool:
        feed = self.feed
        if self.cursor == feed.sent:
            if feed.finished:
                self.end(b"")
            else:
                feed.go_live(self)
            return False
        if self.cursor > feed.sent:
            # The reader's last process was ahead of this one. Nothing to send until the relay gets past that cursor.
            feed.park(self)
            return False
        if feed.ring.covers(self.cursor):
            data, self.cursor = feed.ring.between(self.cursor, feed.sent, chunked=self.chunked)
            self._hold(data)
            return True
        page = feed.find_page(self._page_start, self.cursor)
        if page is not None and self._take_from(page):
            return True
        self._page_start = None
        feed.fetch_page(self, self.cursor)
        return False

    def _take_from(self, page: LogPage) -> bool:
        """Cuts the next slice. Returns False if there is none: newer events come with the next round."""
        data, cursor = page.between(self.cursor, self.feed.sent, chunked=self.chunked)
        if cursor == self.cursor:
            return False
        self.cursor = cursor
        self._hold(data)
        return True
