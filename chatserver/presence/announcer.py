"""The announcer: tells rooms about arrivals and departures, at a pace at which a page can still show them.

A room is told at most so many changes a second. One change of each user waits at most: arriving and leaving meanwhile
cancel out.
"""

from __future__ import annotations

import asyncio

from chatserver.live.signals import Signal, Signals
from chatserver.presence.register import Pair

PER_SECOND = 20
"""Changes of one room that a process sends in a second."""

PAUSE_SECONDS = 0.25

MAX_QUEUED_CHANGES = 20_000
"""Changes that may wait, of all rooms. Further ones are dropped: a page sees them when it asks again."""


class Announcer:
    def __init__(self, signals: Signals, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._signals = signals
        self._pause = pause_seconds
        self._at_once = max(1, round(PER_SECOND * PAUSE_SECONDS))
        self._waiting: dict[int, dict[int, tuple[str, bool]]] = {}
        self._count = 0
        # Changes that each room may still be sent before the next beat. Rooms that were sent none are not in it.
        self._left: dict[int, int] = {}
        self._beat: asyncio.TimerHandle | None = None
        signals.subscribe(self._on_signal)

    def stop(self) -> None:
        if self._beat is not None:
            self._beat.cancel()

    def tell(self, pair: Pair, name: str, *, here: bool) -> None:
        room_id, user_id = pair
        waiting = self._waiting.get(room_id, {}).get(user_id)
        if waiting is not None:
            # Arrivals and departures alternate, so a queued opposite change cancels out.
            if waiting[1] != here:
                self._forget(room_id, user_id)
        elif self._left.get(room_id, self._at_once):
            self._send(room_id, user_id, name, here)
        elif self._count < MAX_QUEUED_CHANGES:
            self._waiting.setdefault(room_id, {})[user_id] = name, here
            self._count += 1

    def _send(self, room_id: int, user_id: int, name: str, here: bool) -> None:
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
                self._send(room_id, user_id, name, here)

    def _on_signal(self, signal: Signal) -> None:
        """Drops a waiting change of a user when another process sends a newer one."""
        if signal.name == "presence" and self._waiting:
            self._forget(signal.data["room_id"], signal.data["user_id"])

    def _forget(self, room_id: int, user_id: int) -> None:
        waiting = self._waiting.get(room_id, {})
        if waiting.pop(user_id, None) is not None:
            self._count -= 1
            if not waiting:
                del self._waiting[room_id]
