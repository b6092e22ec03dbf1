"""Own news: the events that this process itself appended, published to one subscriber."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from chatserver.model.events import Event


class OwnNews:
    """Calls back a moment later, so that a caller of `append` neither waits for it nor gets its errors."""

    def __init__(self) -> None:
        self._callback: Callable[[list[Event]], None] | None = None
        self._unpublished: list[Event] = []

    def subscribe(self, callback: Callable[[list[Event]], None]) -> None:
        """Registers a callback for the events, in the order of the log."""
        self._callback = callback

    def publish(self, events: Iterable[Event]) -> None:
        if not self._unpublished:
            loop = asyncio.get_running_loop()
            # After the callers that have an answer by then.
            loop.call_soon(loop.call_soon, self._publish_all)
        self._unpublished += events

    def is_waiting(self, room_id: int) -> bool:
        """Returns True if an event of the room is still to be published."""
        return any(event.room_id == room_id for event in self._unpublished)

    def _publish_all(self) -> None:
        events, self._unpublished = self._unpublished, []
        if self._callback is not None:
            self._callback(events)
