"""A page of a room's log, for all readers who stand in front of it."""

from __future__ import annotations

from chatserver import sse
from chatserver.cursor import Cursor
from chatserver.events import Event
from chatserver.ring import Slice, framed


class Page:
    """Its bytes are joined once: after a long break everybody comes back to the same few pages."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events
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
