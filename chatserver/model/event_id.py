"""An event id that is unique over all rooms: the room, and the place in its log."""

from __future__ import annotations

from typing import NamedTuple

from chatserver.model.cursor import Cursor


class EventId(NamedTuple):
    """Names one event. `id` alone does so only within its room."""

    room_id: int
    id: Cursor
