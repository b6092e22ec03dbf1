"""Typing notices: passed on to the room, no oftener than readers need them."""

from __future__ import annotations

from cachetools import TTLCache

from chatserver.live.signals import Signal, Signals
from chatserver.model.rooms import Room
from chatserver.model.users import User

PAUSE_SECONDS = 2.5
"""Time between two signals of one user in one room. Pages show one for twice as long."""

TYPIST_CACHE_SIZE = 10_000
"""Typing users that are cached for that. If more type at once, some are passed on more often."""


class TypingNotices:
    def __init__(self, signals: Signals, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._signals = signals
        self._lately: TTLCache[tuple[int, int], bool] = TTLCache(TYPIST_CACHE_SIZE, pause_seconds)

    def types(self, user: User, room: Room) -> None:
        """Tells the room that the user is typing there."""
        if (user.id, room.id) not in self._lately:
            self._lately[user.id, room.id] = True
            data = {"room_id": room.id, "user_id": user.id, "user_name": user.name}
            self._signals.send(Signal("typing", data, room_id=room.id))
