"""Log pages, for readers who are further behind than the rings reach. The pages of all rooms together are bounded.

No reader holds a page: it cuts a slice when its socket has taken the last one, and deleted text is gone from the page
by then. An evicted page is read again, from the reader's cursor at that time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager

from cachetools import TTLCache

from chatserver.live.frames import SLICE_BYTES, Frames
from chatserver.model.cursor import Cursor
from chatserver.model.events import Event

PAGE_EVENTS = 200
PAGE_BYTES = 4 * SLICE_BYTES
"""Largest size of a page; one frame may be longer."""

KEPT_BYTES = 32 * 1024 * 1024
"""For all pages together, each with the slices that were cut from it. The least recently used one is evicted."""

KEPT_SECONDS = 5.0
"""How long a page is cached for readers who come to the same place, or go on in it."""

READS_AT_ONCE = 8
"""Most pages that are read at the same time. Other readers wait for their turn, and hold nothing meanwhile."""


class LogPage(Frames):
    """The frames of some events that follow `start`. `encode` makes the frame of an event."""

    def __init__(self, start: Cursor, events: Iterable[Event], encode: Callable[[Event], bytes]) -> None:
        super().__init__(start)
        for event in events:
            self._add(event.id, encode(event))
            if self.size >= PAGE_BYTES:
                break

    @property
    def weight(self) -> int:
        """Bytes, including the slices that may be cached beside the frames, and Python's overhead for each."""
        return 3 * self.size + 300 * (len(self) + 1)


class Pages:
    """A cache of pages. Make it while a loop is running."""

    def __init__(self) -> None:
        self._kept: TTLCache[tuple[int, Cursor], LogPage] = TTLCache(KEPT_BYTES, KEPT_SECONDS, getsizeof=_weight)
        self._turns = asyncio.Semaphore(READS_AT_ONCE)

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Returns a context that waits for a free turn to read a page, and holds it."""
        return self._turns

    def keep(self, room_id: int, page: LogPage) -> None:
        self._kept[room_id, page.start] = page

    def find(self, room_id: int, start: Cursor) -> LogPage | None:
        """Returns the page that begins at `start`, if it is cached."""
        return self._kept.get((room_id, start))

    def redact(self, room_id: int, id: Cursor) -> None:
        """Removes the text of a deleted message from the room's pages."""
        for page in self._of(room_id):
            page.redact(id)

    def forget(self, room_id: int) -> None:
        """Drops all of the room's pages."""
        for page in self._of(room_id):
            self._kept.pop((room_id, page.start), None)

    def expire(self) -> None:
        self._kept.expire()

    def _of(self, room_id: int) -> list[LogPage]:
        return [page for (of, _), page in list(self._kept.items()) if of == room_id]


def _weight(page: LogPage) -> int:
    return page.weight
