"""The opening of a stream: the room's feed, the cursor, and the first bytes."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, Protocol

from chatserver.archive.backlog import Backlog
from chatserver.live import sse
from chatserver.live.feed import Feed
from chatserver.live.hub import Hub
from chatserver.live.relay import Relay
from chatserver.live.subscription import Subscription
from chatserver.model.cursor import BEGINNING, Cursor, format_cursors, parse_cursors
from chatserver.model.rooms import Room
from chatserver.support.lookup_cache import LookupCache

TOO_FAR = 10_000
"""Events. A reader further behind than this is told to load the newest page instead."""

SERVEABLE_CURSORS = 10_000
"""Cursors known to be serveable, remembered for some seconds."""

RETRY_MS = (1_000, 3_000)
"""Reconnect delay after a break, drawn for each reader."""

THE_BEGINNING = frozenset({"0", str(BEGINNING)})
"""Spellings of the cursor at the beginning of every room."""

UNSERVEABLE = "lost"
"""Stands for a room's cursor that can't be served, until its reset is sent, so that it isn't served later either."""


class Join(Protocol):
    def __call__(self, connection: socket.socket, *, head: bytes, chunked: bool) -> Subscription: ...


class Opening(NamedTuple):
    """`greeting`: the first bytes, which name the cursor that the stream goes on from. Call `join` with the socket and
    what is to be sent first."""

    greeting: bytes
    join: Join


class Start(NamedTuple):
    """`is_reset`: the client gave a cursor that can't be served."""

    feed: Feed
    cursor: Cursor
    is_reset: bool


class StreamOpener:
    def __init__(self, relay: Relay, backlog: Backlog, hub: Hub) -> None:
        self._relay = relay
        self._backlog = backlog
        self._hub = hub
        # All readers come back to the same few cursors.
        self._known_serveable: LookupCache[tuple[int, Cursor], bool] = LookupCache(
            self._is_serveable, lambda: True, SERVEABLE_CURSORS
        )

    async def open(self, room: Room, asked: Sequence[str]) -> Opening:
        """Prepares a stream of one room. `asked`: the cursors that the client sent, in header and URL. The later one
        counts; none means now. One that can't be served exactly is answered with a reset. Raises Unavailable."""
        retry_ms = random.randint(*RETRY_MS)
        feed, cursor, is_reset = await self._start(room.id, _asked_of_one(room.id, asked))
        greeting = sse.retry(retry_ms) + sse.reset(room.id, cursor) if is_reset else sse.opening(cursor, retry_ms)
        return Opening(greeting, partial(feed.join, cursor=cursor))

    async def open_many(self, rooms: Sequence[Room], gone: Sequence[int], asked: Sequence[str]) -> Opening:
        """Prepares a stream of all these rooms. `gone`: ids of requested rooms that are closed. Each room starts as if
        it were alone, from the parts of `asked` that name it. Raises Unavailable."""
        parts = list(map(_parse_many, asked))
        asked_of_each = [(room.id, _asked_of_many(room.id, parts)) for room in rooms]
        if all(self._hub.find(room.id) for room in rooms):
            # This rarely waits for anything, so tasks would cost more than they save.
            starts = [await self._start(*each) for each in asked_of_each]
        else:
            starts = await asyncio.gather(*(self._start(*each) for each in asked_of_each))
        feeds = [start.feed for start in starts]
        cursors = tuple(start.cursor for start in starts)
        named: dict[int, Cursor | str] = {
            feed.room_id: UNSERVEABLE if reset else cursor for feed, cursor, reset in starts
        }
        greeting = [sse.many_opening(format_cursors(named.items()), random.randint(*RETRY_MS))]
        for feed, cursor, is_reset in starts:
            if is_reset:
                named[feed.room_id] = cursor
                greeting.append(sse.many_reset(format_cursors(named.items()), feed.room_id, cursor))
        ended = [feed.room_id for feed, cursor, _ in starts if feed.finished and cursor >= feed.ring.tip]
        greeting += [sse.many_closed(format_cursors(named.items()), room_id) for room_id in [*gone, *ended]]

        def join(connection: socket.socket, *, head: bytes, chunked: bool) -> Subscription:
            return self._hub.many_rooms_for(feeds).join(connection, cursors, head, chunked=chunked)

        return Opening(b"".join(greeting), join)

    async def _start(self, room_id: int, asked: Sequence[str]) -> Start:
        feed = await self._relay.follow(room_id)
        cursor = await self._serveable(feed, asked) if asked else None
        if cursor is not None:
            return Start(feed, cursor, is_reset=False)
        if asked:
            # The client loads the newest page, whose end is the newest archived event if Redis loses the others now.
            return Start(feed, await self._backlog.archived_tip(room_id), is_reset=True)
        return Start(feed, await self._tip(feed), is_reset=False)

    async def _serveable(self, feed: Feed, asked: Sequence[str]) -> Cursor | None:
        """Returns the latest of the cursors, if everything behind it can be served; None if a reset is due."""
        try:
            cursor = max(Cursor.parse(text) for text in asked)
        except ValueError:
            return None
        if feed.ring.knows(cursor):
            return cursor
        if not await self._known_serveable.get((feed.room_id, cursor)):
            return None
        if cursor > feed.ring.tip:
            self._relay.wake(feed.room_id)
        return cursor

    async def _is_serveable(self, each: tuple[int, Cursor]) -> bool | None:
        """Returns None instead of False, which is not cached: an event that is not there yet may come."""
        serveable = await self._backlog.has(*each) and not await self._backlog.is_further_than(*each, TOO_FAR)
        return serveable or None

    async def _tip(self, feed: Feed) -> Cursor:
        """Returns the newest cursor of log and ring. The relay may be a moment behind the log, and a reader that starts
        now has not asked for earlier events."""
        tip = max(feed.ring.tip, await self._backlog.tip(feed.room_id))
        if tip > feed.ring.tip:
            self._relay.wake(feed.room_id)
        return tip


def _asked_of_one(room_id: int, asked: Sequence[str]) -> list[str]:
    """Returns the cursors asked for in a room that is alone; of a combined cursor, the room's own part."""
    cursors: list[str] = []
    for text in asked:
        parts = parse_cursors(text)
        cursors += [text] if parts is None else parts.get(room_id, [])
    return cursors


def _parse_many(text: str) -> dict[int, list[str]] | str:
    """Returns the cursors by room, or one text for all rooms: the beginning, or UNSERVEABLE for a cursor of one room,
    which is no place in many."""
    parts = parse_cursors(text)
    if parts is None:
        return text if text in THE_BEGINNING else UNSERVEABLE
    return parts


def _asked_of_many(room_id: int, texts: Sequence[dict[int, list[str]] | str]) -> list[str]:
    cursors: list[str] = []
    for text in texts:
        cursors += [text] if isinstance(text, str) else text.get(room_id, [])
    return cursors
