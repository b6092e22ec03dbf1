"""Rooms, as everybody sees them."""

from __future__ import annotations

from typing import Annotated

import msgspec

MAX_SIGNAL_TEXT = 80
"""Characters of a text that other processes may say about a room."""


class Room(msgspec.Struct, frozen=True):
    """`created_at`: RFC 3339, in UTC. Another column is a field here, in the documents of `rooms.py`, in a template."""

    id: int
    name: Annotated[str, msgspec.Meta(max_length=MAX_SIGNAL_TEXT)]
    created_at: Annotated[str, msgspec.Meta(max_length=MAX_SIGNAL_TEXT)]
