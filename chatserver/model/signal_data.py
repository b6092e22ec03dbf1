"""What passing signals say: somebody types, is here, has read on; the list of rooms changed."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

SignalName = Literal["typing", "presence", "read", "rooms"]

MAX_TEXT_LENGTH = 80
"""Characters of a text in a signal: a room's name has no more."""


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


class MadeRoom(msgspec.Struct, frozen=True):
    """The row of a room, as far as it is the same for everybody."""

    id: int
    name: Annotated[str, msgspec.Meta(max_length=MAX_TEXT_LENGTH)]
    created_at: Annotated[str, msgspec.Meta(max_length=MAX_TEXT_LENGTH)]


class RoomsData(msgspec.Struct, frozen=True, omit_defaults=True):
    """The list of rooms changed. `made`: a room that is new in it; `after`: the id of the room in front of it, 0 for
    none. `closed`: the id of a room that is gone."""

    made: MadeRoom | None = None
    after: int | None = None
    closed: int | None = None
