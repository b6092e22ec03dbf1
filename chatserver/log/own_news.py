"""What this process itself put into the logs, told to whoever hands it on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from chatserver.model.events import Event


class OwnNews:
    """Calls back a moment later: who waits for an append neither waits for that, nor hears of its errors."""

    def __init__(self) -> None:
        self._heard: Callable[[list[Event]], None] | None = None
        self._untold: list[Event] = []

    def hear(self, heard: Callable[[list[Event]], None]) -> None:
        """Registers a callback for the events, in the order of the log."""
        self._heard = heard

    def tell(self, events: Iterable[Event]) -> None:
        if not self._untold:
            loop = asyncio.get_running_loop()
            # Behind those who have an answer by then, and may go on.
            loop.call_soon(loop.call_soon, self._tell_all)
        self._untold += events

    def is_waiting(self, room_id: int) -> bool:
        """Whether there is something of the room that is still to be told."""
        return any(event.room_id == room_id for event in self._untold)

    def _tell_all(self) -> None:
        events, self._untold = self._untold, []
        if self._heard is not None:
            self._heard(events)
