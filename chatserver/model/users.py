"""Users, as everybody sees them."""

from __future__ import annotations

import msgspec


class User(msgspec.Struct, frozen=True):
    id: int
    name: str
