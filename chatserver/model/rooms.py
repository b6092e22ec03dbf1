"""Rooms, as everybody sees them."""

from __future__ import annotations

from typing import Annotated

import msgspec

MAX_SIGNAL_TEXT = 80
"""Most characters of a text about a room in a signal of another process."""


class Room(msgspec.Struct, frozen=True):
    """`created_at`: RFC 3339, in UTC. A new column is a field here, in `rooms.py`, and in a template."""

    id: int
    name: Annotated[str, msgspec.Meta(max_length=MAX_SIGNAL_TEXT)]
    created_at: Annotated[str, msgspec.Meta(max_length=MAX_SIGNAL_TEXT)]
