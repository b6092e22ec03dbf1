"""Where a stream starts: the room's feed, the cursor, and what to say first."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from chatserver import sse
from chatserver.backlog import Backlog
from chatserver.cursor import Cursor
from chatserver.feed import Feed
from chatserver.relay import Relay
from chatserver.remembered import Remembered
from chatserver.rooms import Room

TOO_FAR = 10_000
"""Events. A reader further behind than this is told to load the newest page instead."""

PLACES = 10_000
"""Cursors that were asked for and can be served, remembered for some seconds."""

RETRY_MS = (1_000, 3_000)
"""How long a reader waits before it comes back after a break, drawn anew for each."""


class Opening(NamedTuple):
    """`greeting`: the first bytes, which name `cursor`, the place from which the stream goes on."""

    feed: Feed
    cursor: Cursor
    greeting: bytes


class Streams:
    def __init__(self, relay: Relay, backlog: Backlog) -> None:
        self._relay = relay
        self._backlog = backlog
        # Everybody comes back to the same few places.
        self._places: Remembered[tuple[int, Cursor], bool] = Remembered(self._is_serveable, lambda: True, PLACES)

    async def open(self, room: Room, asked: Sequence[str]) -> Opening:
        """`asked`: the cursors that the client sent, from the header and the address. The later one counts; none
        means now. One that can't be served exactly is answered with a reset. Raises Unavailable."""
        retry_ms = random.randint(*RETRY_MS)
        feed = await self._relay.follow(room.id)
        if asked:
            cursor = await self._serveable(feed, asked)
            if cursor is not None:
                return Opening(feed, cursor, sse.opening(cursor, retry_ms))
        tip = await self._tip(feed)
        if asked:
            return Opening(feed, tip, sse.retry(retry_ms) + sse.reset(room.id, tip))
        return Opening(feed, tip, sse.opening(tip, retry_ms))

    async def _serveable(self, feed: Feed, asked: Sequence[str]) -> Cursor | None:
        """The latest of the cursors, if everything behind it can be served; None where a reset is due."""
        try:
            cursor = max(Cursor.parse(text) for text in asked)
        except ValueError:
            return None
        if feed.ring.knows(cursor):
            return cursor
        if not await self._places.get((feed.room_id, cursor)):
            return None
        if cursor > feed.ring.tip:
            self._relay.wake(feed.room_id)
        return cursor

    async def _is_serveable(self, place: tuple[int, Cursor]) -> bool | None:
        """None is asked about anew: what is not there yet may come."""
        serveable = await self._backlog.has(*place) and not await self._backlog.is_further_than(*place, TOO_FAR)
        return serveable or None

    async def _tip(self, feed: Feed) -> Cursor:
        """Now. The relay may be a moment behind the log; who starts now has not asked for what was before."""
        tip = max(feed.ring.tip, await self._backlog.tip(feed.room_id))
        if tip > feed.ring.tip:
            self._relay.wake(feed.room_id)
        return tip
