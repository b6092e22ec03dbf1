"""Shared rounds: all streams of many rooms are sent new events in one go, so that simultaneous messages of several
rooms are one send. Paced as the rounds of a room are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from cachetools import LRUCache

from chatserver.live.many_rooms import ManyRooms
from chatserver.live.merged_frames import Cursors, Merged, Split
from chatserver.live.pacer import Pacer

CACHED_SLICES = 64
"""Slices that are cached until the next round: after a restart all readers come back to the same places."""


log = logging.getLogger(__name__)


class SharedRounds:
    def __init__(self) -> None:
        self._due: dict[ManyRooms, None] = {}
        self._pacer = Pacer(self._go_soon)
        self._next: asyncio.Handle | None = None
        self._kept: LRUCache[tuple[tuple[int, ...], Cursors, Cursors], Merged] = LRUCache(CACHED_SLICES)

    def ask(self, many: ManyRooms) -> None:
        """Includes these streams in the next round."""
        self._due[many] = None
        if self._next is None:
            self._pacer.ask()

    def cached(self, many: ManyRooms, cursors: Cursors, make: Callable[[], Merged]) -> Merged:
        """Returns the result of `make` for these rooms and cursors, cached since the last round."""
        key = many.room_ids, cursors, many.sent
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = make()
        return found

    def forget(self) -> None:
        """Clears the cache, after a deletion of text that may be in it."""
        self._kept.clear()

    def close(self) -> None:
        self._pacer.stop()
        if self._next is not None:
            self._next.cancel()

    def _go_soon(self) -> None:
        """Starts the round after the single rounds of all rooms that have news now."""
        self._next = asyncio.get_running_loop().call_soon(self._go)

    def _go(self) -> None:
        self._next = None
        due, self._due = self._due, {}
        self._kept.clear()
        split: Split = {}
        with self._pacer.round():
            for many in due:
                try:
                    many.send_news(split)
                except Exception:  # it is unknown which sockets got what: these streams must resume
                    log.exception("a round of %d rooms failed", len(many.room_ids))
                    many.close()
