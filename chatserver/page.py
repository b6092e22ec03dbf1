"""A page of a room's log, for all readers who stand in front of it."""

from __future__ import annotations

from collections.abc import Iterator

from chatserver import sse
from chatserver.cursor import Cursor
from chatserver.events import Event
from chatserver.ring import Place, Slice, framed


class Page:
    """Its bytes are joined once: after a long break everybody comes back to the same few pages."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events
        self._frames: list[bytes] = []
        self._slices: dict[tuple[Cursor, bool], Slice] = {}

    def until(self, end: Cursor, *, chunked: bool) -> Slice | None:
        """What is not behind `end`. None if that is nothing."""
        events = self._events
        if events and events[-1].id > end:
            events = [event for event in events if event.id <= end]
        if not events:
            return None
        key = events[-1].id, chunked
        if key not in self._slices:
            self._slices[key] = Slice(framed(b"".join(map(sse.frame, events)), chunked), events[-1].id)
        return self._slices[key]

    @property
    def is_empty(self) -> bool:
        return not self._events

    def has_any(self, end: Cursor) -> bool:
        """Whether any of it is not behind `end`."""
        return bool(self._events) and self._events[0].id <= end

    def walk(self, cursor: Cursor, end: Cursor) -> Iterator[Place]:
        """The frames in (cursor, end], one by one."""
        if not self._frames:
            self._frames = [sse.frame(event) for event in self._events]
        for event, frame in zip(self._events, self._frames, strict=True):
            if cursor < event.id <= end:
                yield event.id, frame
