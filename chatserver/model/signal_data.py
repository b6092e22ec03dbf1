"""The data of signals: typing, presence, read marks, and changes of the list of rooms."""

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
    """A change of the list of rooms. `made`: a new room; `after`: the id of the room before it in the list, 0 for none.
    `closed`: the id of a room that is gone."""

    made: Room | None = None
    after: int | None = None
    closed: int | None = None
