"""Frames of several rooms behind one another, each with an id that names the places in all rooms."""

from __future__ import annotations

from collections.abc import Iterable

from chatserver.live import sse
from chatserver.live.frames import SLICE_BYTES, IdAndFrame
from chatserver.model.cursor import Cursor

Cursors = tuple[Cursor, ...]
"""One for each room, in the order of the rooms."""

Parts = tuple[bytes, bytes]
"""Of a room's frame: `<room>.<id>`, and what stands behind the line of the id."""

Merged = tuple[bytes, Cursors]
"""Bytes that bring a reader to these places."""

Split = dict[int, dict[bytes, Parts]]
"""By room and frame: two rooms may be closed by the same bytes."""


class MergedFrames:
    """Puts frames of several rooms behind one another, each with the places in all rooms as its id."""

    __slots__ = ("_encoded_cursors", "_frames", "_split", "cursors", "is_full", "size")

    def __init__(self, encoded: list[bytes], cursors: Iterable[Cursor], split: Split) -> None:
        """`encoded`: the cursors as bytes, changed with them. `split`: frames that were split already."""
        self._encoded_cursors = encoded
        self._split = split
        self._frames: list[bytes] = []
        self.cursors = list(cursors)
        self.size = 0
        self.is_full = False

    def add(self, room_id: int, index: int, frames: Iterable[IdAndFrame]) -> None:
        """Takes of the room's frames what there is room for."""
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
