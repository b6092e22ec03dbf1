"""Rooms, as everybody sees them."""

from __future__ import annotations

import msgspec


class Room(msgspec.Struct, frozen=True):
    """`created_at`: RFC 3339, in UTC."""

    id: int
    name: str
    created_at: str
