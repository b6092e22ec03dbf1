"""A ring: the recent end of a room's log, in memory."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from cachetools import LRUCache

from chatserver.live import sse
from chatserver.live.frames import Frames
from chatserver.log.commands import MAX_PENDING
from chatserver.model.changes import about
from chatserver.model.cursor import Cursor
from chatserver.model.event_kinds import kind_of
from chatserver.model.events import Event

KEEP_FRAMES = 512
KEEP_BYTES = 512 * 1024
"""Minimum that a room's ring keeps; it is cut at twice as much. A reader further behind is served from the log."""

KEPT_DELETIONS = MAX_PENDING
"""Deleted messages whose ids are kept. When a deletion is no longer pending, the stores have no text of it."""


class Ring(Frames):
    """Grows at its tip, and is cut at its start."""

    def __init__(self, start: Cursor) -> None:
        super().__init__(start)
        self._deleted: LRUCache[Cursor, None] = LRUCache(KEPT_DELETIONS)

    def push(self, events: Iterable[Event]) -> int:
        """Adds the events behind the tip; all others were here before. Returns the number of new ones."""
        before = len(self._ids)
        for event in events:
            if event.id > self.tip:
                self._add(event.id, self.frame(event))
                if kind_of(event).deletes:
                    self.redact(about(event))
        return len(self._ids) - before

    def redact(self, id: Cursor) -> None:
        """Removes the text of a deleted message, also from future events: an edit may be slower than the deletion."""
        if id not in self._deleted:
            super().redact(id)
        self._deleted[id] = None

    def frame(self, event: Event) -> bytes:
        """Returns the event's frame; without its text, if its message was deleted."""
        frame = sse.frame(event)
        if self._deleted:
            kind = kind_of(event)
            if kind.has_text and (id := about(event) if kind.is_change else event.id) in self._deleted:
                return sse.without_text(frame, id)
        return frame

    def trim(self) -> None:
        """Drops the oldest frames at twice the minimum: a cut moves every entry, so it is rare."""
        if len(self._ids) <= 2 * KEEP_FRAMES and self.size <= 2 * KEEP_BYTES:
            return
        cut = max(0, len(self._ids) - KEEP_FRAMES)
        size = self.size - sum(map(len, self._frames[:cut]))
        while size > KEEP_BYTES and cut < len(self._ids) - 1:
            size -= len(self._frames[cut])
            cut += 1
        self._cut(cut)

    def forget(self, until: Cursor) -> None:
        """Drops the frames up to `until`: they may belong to a lost branch. Readers that need them read the log."""
        self._cut(bisect_right(self._ids, until))
        self._forget_slices()
        self._deleted.clear()
        self.start = max(self.start, until)

    def knows(self, cursor: Cursor) -> bool:
        """Returns True if the cursor is the id of an event here, or the place right before the first."""
        index = bisect_right(self._ids, cursor)
        return cursor == self.start or (index > 0 and self._ids[index - 1] == cursor)

    def _cut(self, count: int) -> None:
        if count:
            self.start = self._ids[count - 1]
            self.size -= sum(map(len, self._frames[:count]))
            del self._ids[:count]
            del self._frames[:count]
