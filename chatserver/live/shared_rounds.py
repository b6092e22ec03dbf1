"""When streams of many rooms are sent what is new: all of them in one go, so that what several rooms say at the same
moment is one send. Paced as the rounds of a room are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from cachetools import LRUCache

from chatserver.live.many_rooms import ManyRooms
from chatserver.live.merged_frames import Cursors, Merged, Split
from chatserver.live.pacer import Pacer

CACHED_SLICES = 64
"""Slices that are kept until the next round: after a restart everybody comes back to the same places."""


log = logging.getLogger(__name__)


class SharedRounds:
    def __init__(self) -> None:
        self._due: dict[ManyRooms, None] = {}
        self._pacer = Pacer(self._go_soon)
        self._next: asyncio.Handle | None = None
        self._kept: LRUCache[tuple[tuple[int, ...], Cursors, Cursors], Merged] = LRUCache(CACHED_SLICES)

    def ask(self, many: ManyRooms) -> None:
        """These have news for the next round."""
        self._due[many] = None
        if self._next is None:
            self._pacer.ask(1)

    def cached(self, many: ManyRooms, cursors: Cursors, make: Callable[[], Merged]) -> Merged:
        """What `make` says now of these rooms and cursors, or said since the last round."""
        key = many.room_ids, cursors, many.sent
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = make()
        return found

    def forget(self) -> None:
        """What was said since the last round is not to be said again: something in there was deleted."""
        self._kept.clear()

    def close(self) -> None:
        self._pacer.stop()
        if self._next is not None:
            self._next.cancel()

    def _go_soon(self) -> None:
        """When all rooms that have news now had their own rounds."""
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
                except Exception:  # nobody knows who got what: these streams are to be resumed
                    log.exception("a round of %d rooms failed", len(many.room_ids))
                    many.close()
