"""Merged frames: those of several rooms in sequence, each with an id that combines the cursors in all rooms."""

from __future__ import annotations

from collections.abc import Iterable

from chatserver.live import sse
from chatserver.live.frames import SLICE_BYTES, IdAndFrame
from chatserver.model.cursor import Cursor

Cursors = tuple[Cursor, ...]
"""A cursor for each room, in the order of the rooms."""

Parts = tuple[bytes, bytes]
"""The parts of a room's frame: `<room>.<id>`, and the rest behind the digits of the id."""

Merged = tuple[bytes, Cursors]
"""Bytes, and the cursors to which they bring a reader."""

Split = dict[int, dict[bytes, Parts]]
"""Parts by room and frame: two rooms may be closed by the same bytes."""


class MergedFrames:
    """Collects frames of several rooms in sequence, each with the cursors in all rooms as its id."""

    __slots__ = ("_encoded_cursors", "_frames", "_split", "cursors", "is_full", "size")

    def __init__(self, encoded: list[bytes], cursors: Iterable[Cursor], split: Split) -> None:
        """`encoded`: the cursors as bytes, updated with them. `split`: cache of frames that were split already."""
        self._encoded_cursors = encoded
        self._split = split
        self._frames: list[bytes] = []
        self.cursors = list(cursors)
        self.size = 0
        self.is_full = False

    def add(self, room_id: int, index: int, frames: Iterable[IdAndFrame]) -> None:
        """Adds the room's frames until SLICE_BYTES are reached."""
        split = self._split.setdefault(room_id, {})
        for id, frame in frames:
            self.cursors[index] = id
            if frame:
                parts = split.get(frame)
                if parts is None:
                    id_bytes, rest = sse.without_id(frame, room_id)
                    parts = split[frame] = b"%d.%b" % (room_id, id_bytes), b"\n" + rest
                self._encoded_cursors[index] = parts[0]
                name = b"_".join(self._encoded_cursors)
                self._frames += (b"id: ", name, parts[1])
                self.size += len(name) + len(frame)
                if self.size >= SLICE_BYTES:
                    self.is_full = True
                    return
            else:
                self._encoded_cursors[index] = encoded_cursor(room_id, id)

    def result(self) -> Merged:
        return b"".join(self._frames), tuple(self.cursors)


def encoded_cursor(room_id: int, cursor: Cursor) -> bytes:
    return b"%d.%d-%d" % (room_id, *cursor)
