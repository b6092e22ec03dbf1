"""Frames: a stretch of a room's log in memory, ready to be sent."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from chatserver.live import sse
from chatserver.model.cursor import Cursor

SLICE_BYTES = 64 * 1024
"""Most that a reader is given at once: about what a kernel's send buffer takes. One frame may be longer."""

KEPT_SLICES_BYTES = 512 * 1024
"""Slices of one stretch that are cached, for readers at the same places."""

IdAndFrame = tuple[Cursor, bytes]
"""An event's id and its frame."""


class Slice(NamedTuple):
    """Bytes that bring a reader from one cursor to the next."""

    data: bytes
    cursor: Cursor


class Frames:
    """Events in (`start`, `tip`], without a hole.

    `start` is the place right before the first of them, so a reader at that place can be served too. `size`: bytes of
    all frames.
    """

    def __init__(self, start: Cursor) -> None:
        self.start = start
        self.tip = start
        self.size = 0
        self._ids: list[Cursor] = []
        self._frames: list[bytes] = []
        self._slices: dict[tuple[Cursor, Cursor, bool], Slice] = {}
        self._kept_bytes = 0

    def __len__(self) -> int:
        return len(self._ids)

    def covers(self, cursor: Cursor) -> bool:
        return self.start <= cursor <= self.tip

    def redact(self, id: Cursor) -> None:
        """Removes the text of a deleted message, and of its edits."""
        for index in range(bisect_left(self._ids, id), len(self._ids)):
            frame = sse.without_text(self._frames[index], id)
            self.size += len(frame) - len(self._frames[index])
            self._frames[index] = frame
        self._forget_slices()

    def between(self, cursor: Cursor, end: Cursor, *, chunked: bool) -> Slice:
        """Returns the frames in (cursor, end], or the first SLICE_BYTES of them. The cursor must be covered.

        Readers often stand at the same place (all of them, after a restart), so a slice is joined once and cached until
        the end moves on.
        """
        key = (cursor, end, chunked)
        found = self._slices.get(key)
        if found is None:
            found = self._join(cursor, end, chunked)
            if self._kept_bytes + len(found.data) > KEPT_SLICES_BYTES:
                self._forget_slices()
            self._kept_bytes += len(found.data)
            self._slices[key] = found
        return found

    def walk(self, cursor: Cursor, end: Cursor) -> Iterator[IdAndFrame]:
        """Yields the frames in (cursor, end]; empty ones for events that show nothing. The cursor must be covered."""
        for index in range(bisect_right(self._ids, cursor), bisect_right(self._ids, end)):
            yield self._ids[index], self._frames[index]

    def _add(self, id: Cursor, frame: bytes) -> None:
        self.tip = id
        self.size += len(frame)
        self._ids.append(id)
        self._frames.append(frame)

    def _forget_slices(self) -> None:
        self._slices.clear()
        self._kept_bytes = 0

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
    """Returns the bytes for the wire: as one HTTP chunk, or unchanged for HTTP/1.0. Empty bytes stay empty (an empty
    chunk would end the response)."""
    return sse.chunk(data) if chunked and data else data
