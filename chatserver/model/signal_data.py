"""What passing signals say: somebody types, is here, has read on; the list of rooms changed."""

from __future__ import annotations

from typing import Literal

import msgspec

from chatserver.model.rooms import Room

SignalName = Literal["typing", "presence", "read", "rooms"]


class TypingData(msgspec.Struct, frozen=True):
    room_id: int
    user_id: int
    user_name: str


class PresenceData(msgspec.Struct, frozen=True):
    room_id: int
    user_id: int
    user_name: str
    here: bool


class ReadData(msgspec.Struct, frozen=True):
    room_id: int
    id: str
    unread: int
    mentions: int


class RoomsData(msgspec.Struct, frozen=True, omit_defaults=True):
    """The list of rooms changed. `made`: a room that is new in it; `after`: the id of the room in front of it, 0 for
    none. `closed`: the id of a room that is gone."""

    made: Room | None = None
    after: int | None = None
    closed: int | None = None
