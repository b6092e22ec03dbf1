"""Tells the rooms who came and who went, at a pace at which a page can still show it.

A room is told at most so many changes a second. What waits is one change for each user, and who came and went
meanwhile is no news at all.
"""

from __future__ import annotations

import asyncio

from chatserver.live.signals import Signal, Signals
from chatserver.presence.register import Pair

PER_SECOND = 20
"""Changes of one room that a process tells in a second."""

PAUSE_SECONDS = 0.25

MAX_QUEUED_CHANGES = 20_000
"""Changes that may wait, of all rooms. What comes on top is not told: a page that asks anew sees it."""


class Announcer:
    def __init__(self, signals: Signals, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._signals = signals
        self._pause = pause_seconds
        self._at_once = max(1, round(PER_SECOND * PAUSE_SECONDS))
        self._waiting: dict[int, dict[int, tuple[str, bool]]] = {}
        self._count = 0
        # What each room may still be told before the next beat. Rooms that are told nothing are not in it.
        self._left: dict[int, int] = {}
        self._beat: asyncio.TimerHandle | None = None
        signals.subscribe(self._overhear)

    def stop(self) -> None:
        if self._beat is not None:
            self._beat.cancel()

    def tell(self, pair: Pair, name: str, *, here: bool) -> None:
        room_id, user_id = pair
        waiting = self._waiting.get(room_id, {}).get(user_id)
        if waiting is not None:
            # Changes of one user take turns: the other one undoes this one.
            if waiting[1] != here:
                self._forget(room_id, user_id)
        elif self._left.get(room_id, self._at_once):
            self._say(room_id, user_id, name, here)
        elif self._count < MAX_QUEUED_CHANGES:
            self._waiting.setdefault(room_id, {})[user_id] = name, here
            self._count += 1

    def _say(self, room_id: int, user_id: int, name: str, here: bool) -> None:
        data = {"room_id": room_id, "user_id": user_id, "user_name": name, "here": here}
        self._signals.send(Signal("presence", data, room_id=room_id))
        self._left[room_id] = self._left.get(room_id, self._at_once) - 1
        if self._beat is None:
            self._beat = asyncio.get_running_loop().call_later(self._pause, self._go_on)

    def _go_on(self) -> None:
        self._beat = None
        self._left.clear()
        for room_id, waiting in list(self._waiting.items()):
            for user_id, (name, here) in list(waiting.items())[: self._at_once]:
                self._forget(room_id, user_id)
                self._say(room_id, user_id, name, here)

    def _overhear(self, signal: Signal) -> None:
        """What another process says of somebody is newer than what waits here."""
        if signal.name == "presence" and self._waiting:
            self._forget(signal.data["room_id"], signal.data["user_id"])

    def _forget(self, room_id: int, user_id: int) -> None:
        waiting = self._waiting.get(room_id, {})
        if waiting.pop(user_id, None) is not None:
            self._count -= 1
            if not waiting:
                del self._waiting[room_id]
