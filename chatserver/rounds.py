"""When streams of many rooms are sent what is new: all of them in one go, so that what several rooms say at the same
moment is one send. Paced as the rounds of a room are (see `feed.py`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from cachetools import LRUCache

from chatserver.feed import MAX_PAUSE_SECONDS, PACE
from chatserver.many_rooms import ManyRooms, Parts, Places, Woven

KEPT = 64
"""Slices that are kept until the next round: after a restart everybody comes back to the same places."""


class Rounds:
    def __init__(self) -> None:
        self._due: list[ManyRooms] = []
        self._next: asyncio.Handle | None = None
        self._rest_until = 0.0
        self._kept: LRUCache[tuple[tuple[int, ...], Places, Places], Woven] = LRUCache(KEPT)

    def ask(self, many: ManyRooms) -> None:
        """These have news for the next round."""
        self._due.append(many)
        if self._next is None:
            loop = asyncio.get_running_loop()
            pause = self._rest_until - loop.time()
            self._next = loop.call_later(pause, self._go) if pause > 0 else loop.call_soon(self._go)

    def kept(self, many: ManyRooms, places: Places, make: Callable[[], Woven]) -> Woven:
        """What `make` says now of these rooms and places, or said since the last round."""
        key = many.room_ids, places, many.sent
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = make()
        return found

    def close(self) -> None:
        if self._next is not None:
            self._next.cancel()

    def _go(self) -> None:
        self._next = None
        due, self._due = self._due, []
        self._kept.clear()
        started = time.perf_counter()
        split: dict[bytes, Parts] = {}
        for many in due:
            many.send_news(split)
        took = time.perf_counter() - started
        self._rest_until = asyncio.get_running_loop().time() + min((1 + PACE) * took, MAX_PAUSE_SECONDS)
