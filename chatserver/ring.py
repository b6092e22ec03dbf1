"""The recent end of a room's log, in memory, as frames that are ready to be sent."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from chatserver import sse
from chatserver.changes import about
from chatserver.cursor import Cursor
from chatserver.events import Event

KEEP_FRAMES = 512
KEEP_BYTES = 512 * 1024
"""What a room keeps at the least of what it had; twice as much before it cuts. A reader that was away for longer than
this lasts is served from the log."""

SLICE_BYTES = 64 * 1024
"""How much a reader is given at once: about what a kernel's send buffer takes."""


Place = tuple[Cursor, bytes]
"""An event's id and its frame."""


class Slice(NamedTuple):
    """Bytes that bring a reader from one cursor to the next."""

    data: bytes
    cursor: Cursor


class Ring:
    """Events in (`start`, `tip`], without a hole.

    `start` is the place right before the first of them, so a reader who stands there can be served too.
    """

    def __init__(self, start: Cursor) -> None:
        self.start = start
        self.tip = start
        self._ids: list[Cursor] = []
        self._frames: list[bytes] = []
        self._bytes = 0
        self._slices: dict[tuple[Cursor, Cursor, bool], Slice] = {}

    def push(self, events: Iterable[Event]) -> int:
        """Adds what is behind the tip; everything else was here before. Returns how many were new."""
        before = len(self._ids)
        for event in events:
            if event.id > self.tip:
                self.tip = event.id
                frame = sse.frame(event)
                self._ids.append(event.id)
                self._frames.append(frame)
                self._bytes += len(frame)
                if event.kind == "deleted":
                    self._redact(about(event))
        return len(self._ids) - before

    def _redact(self, id: Cursor) -> None:
        """A message was deleted: its text is not told any more, nor that of its edits."""
        for index in range(bisect_left(self._ids, id), len(self._ids)):
            frame = sse.without_text(self._frames[index], id)
            self._bytes += len(frame) - len(self._frames[index])
            self._frames[index] = frame
        self._slices.clear()

    def trim(self) -> None:
        """Forgets the oldest, once there is twice as much as is kept: a cut moves every entry, so it is rare."""
        if len(self._ids) <= 2 * KEEP_FRAMES and self._bytes <= 2 * KEEP_BYTES:
            return
        cut = max(0, len(self._ids) - KEEP_FRAMES)
        self._bytes -= sum(map(len, self._frames[:cut]))
        while self._bytes > KEEP_BYTES and cut < len(self._ids) - 1:
            self._bytes -= len(self._frames[cut])
            cut += 1
        self.start = self._ids[cut - 1]
        del self._ids[:cut]
        del self._frames[:cut]

    def forget(self, until: Cursor) -> None:
        """Forgets what is up to there: it may have been of a branch that was lost. Who needs it reads the log."""
        cut = bisect_right(self._ids, until)
        self._bytes -= sum(map(len, self._frames[:cut]))
        del self._ids[:cut]
        del self._frames[:cut]
        self._slices.clear()
        self.start = max(self.start, until)

    def knows(self, cursor: Cursor) -> bool:
        """Whether the cursor is the id of an event here, or the place right before the first."""
        index = bisect_right(self._ids, cursor)
        return cursor == self.start or (index > 0 and self._ids[index - 1] == cursor)

    def covers(self, cursor: Cursor) -> bool:
        return self.start <= cursor <= self.tip

    def between(self, cursor: Cursor, end: Cursor, *, chunked: bool) -> Slice:
        """The frames in (cursor, end], or the first SLICE_BYTES of them. The cursor must be covered.

        Readers often stand at the same place (all of them, after a restart), so a slice is joined once and kept until
        the end moves on.
        """
        key = (cursor, end, chunked)
        found = self._slices.get(key)
        if found is None:
            if len(self._slices) > 64:
                self._slices.clear()
            found = self._slices[key] = self._join(cursor, end, chunked)
        return found

    def walk(self, cursor: Cursor, end: Cursor) -> Iterator[Place]:
        """The frames in (cursor, end], one by one; empty ones for what shows nothing. The cursor must be covered."""
        for index in range(bisect_right(self._ids, cursor), bisect_right(self._ids, end)):
            yield self._ids[index], self._frames[index]

    def _join(self, cursor: Cursor, end: Cursor, chunked: bool) -> Slice:
        first = bisect_right(self._ids, cursor)
        last = bisect_right(self._ids, end)
        taken = 0
        for index in range(first, last):
            taken += len(self._frames[index])
            if taken >= SLICE_BYTES:
                last = index + 1
                break
        data = b"".join(self._frames[first:last])
        return Slice(framed(data, chunked), self._ids[last - 1] if last > first else cursor)


def framed(data: bytes, chunked: bool) -> bytes:
    """The bytes as they go over the wire: one HTTP chunk, or as they are for HTTP/1.0. Nothing stays nothing (an empty
    chunk would end the response)."""
    return sse.chunk(data) if chunked and data else data
