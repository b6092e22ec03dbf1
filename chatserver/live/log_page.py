"""Pages of rooms' logs, for readers who are further behind than the rings reach. All rooms' together have a bound.

No reader holds a page: it cuts a slice when its socket took the last one, and what was deleted is not in there any
more. A page that made room for others is read again, from where the reader stands by then.
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
"""What is kept of a page at the most; one frame may be longer."""

KEPT_BYTES = 32 * 1024 * 1024
"""For all pages together, each with the slices that were cut from it. The one that was not used for longest goes."""

KEPT_SECONDS = 5.0
"""How long a page is kept for those who come to the same place, or go on in it."""

READS_AT_ONCE = 8
"""Pages that are read at the same time. Other readers wait for their turn; they hold nothing meanwhile."""


class LogPage(Frames):
    """The frames of some events that follow a place. `encode`: makes the frame of one."""

    def __init__(self, start: Cursor, events: Iterable[Event], encode: Callable[[Event], bytes]) -> None:
        super().__init__(start)
        for event in events:
            self._add(event.id, encode(event))
            if self.size >= PAGE_BYTES:
                break

    @property
    def weight(self) -> int:
        """Bytes, with the slices that may be kept beside the frames, and what Python needs for each."""
        return 3 * self.size + 300 * (len(self) + 1)


class Pages:
    """The pages that are kept. Must be made where a loop runs."""

    def __init__(self) -> None:
        self._kept: TTLCache[tuple[int, Cursor], LogPage] = TTLCache(KEPT_BYTES, KEPT_SECONDS, getsizeof=_weight)
        self._turns = asyncio.Semaphore(READS_AT_ONCE)

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Waits until a page may be read, and holds that turn."""
        return self._turns

    def keep(self, room_id: int, page: LogPage) -> None:
        self._kept[room_id, page.start] = page

    def find(self, room_id: int, start: Cursor) -> LogPage | None:
        """The page that begins there."""
        return self._kept.get((room_id, start))

    def redact(self, room_id: int, id: Cursor) -> None:
        """Takes the text of a deleted message out of the room's pages."""
        for page in self._of(room_id):
            page.redact(id)

    def forget(self, room_id: int) -> None:
        """None of the room's pages is told any more."""
        for page in self._of(room_id):
            self._kept.pop((room_id, page.start), None)

    def expire(self) -> None:
        self._kept.expire()

    def _of(self, room_id: int) -> list[LogPage]:
        return [page for (of, _), page in list(self._kept.items()) if of == room_id]


def _weight(page: LogPage) -> int:
    return page.weight
