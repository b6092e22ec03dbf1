"""The recent end of a room's log, in memory."""

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
"""What a room keeps at the least of what it had; twice as much before it cuts. A reader that was away for longer than
this lasts is served from the log."""

KEPT_DELETIONS = MAX_PENDING
"""Deleted messages whose ids are kept. Where a deletion is not pending any more, the stores have no text."""


class Ring(Frames):
    """Grows at its tip, and is cut at its start."""

    def __init__(self, start: Cursor) -> None:
        super().__init__(start)
        self._deleted: LRUCache[Cursor, None] = LRUCache(KEPT_DELETIONS)

    def push(self, events: Iterable[Event]) -> int:
        """Adds what is behind the tip; everything else was here before. Returns how many were new."""
        before = len(self._ids)
        for event in events:
            if event.id > self.tip:
                self._add(event.id, self.frame(event))
                if kind_of(event).deletes:
                    self.redact(about(event))
        return len(self._ids) - before

    def redact(self, id: Cursor) -> None:
        """Also in what is still to come: an edit may be slower than the deletion."""
        if id not in self._deleted:
            super().redact(id)
        self._deleted[id] = None

    def frame(self, event: Event) -> bytes:
        """The event as it is told by now: without its text, if it is of a message that was deleted."""
        frame = sse.frame(event)
        if self._deleted:
            kind = kind_of(event)
            if kind.has_text and (id := about(event) if kind.is_change else event.id) in self._deleted:
                return sse.without_text(frame, id)
        return frame

    def trim(self) -> None:
        """Forgets the oldest, once there is twice as much as is kept: a cut moves every entry, so it is rare."""
        if len(self._ids) <= 2 * KEEP_FRAMES and self.size <= 2 * KEEP_BYTES:
            return
        cut = max(0, len(self._ids) - KEEP_FRAMES)
        size = self.size - sum(map(len, self._frames[:cut]))
        while size > KEEP_BYTES and cut < len(self._ids) - 1:
            size -= len(self._frames[cut])
            cut += 1
        self._cut(cut)

    def forget(self, until: Cursor) -> None:
        """Forgets what is up to there: it may have been of a branch that was lost. Who needs it reads the log."""
        self._cut(bisect_right(self._ids, until))
        self._forget_slices()
        self._deleted.clear()
        self.start = max(self.start, until)

    def knows(self, cursor: Cursor) -> bool:
        """Whether the cursor is the id of an event here, or the place right before the first."""
        index = bisect_right(self._ids, cursor)
        return cursor == self.start or (index > 0 and self._ids[index - 1] == cursor)

    def _cut(self, count: int) -> None:
        if count:
            self.start = self._ids[count - 1]
            self.size -= sum(map(len, self._frames[:count]))
            del self._ids[:count]
            del self._frames[:count]
