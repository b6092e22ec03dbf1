"""Reading a room's log as if archive and stream were one.

The stream has the newest events, some of them not archived yet; the archive has all the others, and all that Redis
forgot. Where both have an event, the archive is right about what it is (it may be void).

The archive is always read first. Events reach it in any order, so what it misses at that moment must be looked for in
the stream afterwards: the other way round, an event that is appended and another that is archived between the two
reads would leave a hole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from chatserver.archive import Archive
from chatserver.cursor import BEGINNING, END, Cursor
from chatserver.errors import Unavailable
from chatserver.events import Event
from chatserver.room_log import RoomLog

Found = TypeVar("Found")

HOLE_RETRIES = 5
HOLE_SECONDS = 0.05
"""A hole in what was read is an event on its way into the archive while the stream lost it: worth waiting a quarter of
a second. After that it is sealed, and will be appended again."""


class Backlog:
    """Pages of a room's log, contiguous by `prev`, voids included (who shows events skips them)."""

    def __init__(self, archive: Archive, log: RoomLog) -> None:
        self._archive = archive
        self._log = log

    async def after(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        """Up to `limit` events that follow the cursor, oldest first.

        Served by the stream alone while it reaches back to the cursor, so that live delivery survives an absent
        archive. Raises Unavailable when the part that is needed can't be read.
        """
        streamed = await self._log.after(room_id, cursor, limit)
        if streamed and is_linked(cursor, streamed):
            return streamed
        hole = None
        for _ in range(HOLE_RETRIES):
            archived = await self._archive.after(room_id, cursor, limit)
            streamed = await self._log.after(room_id, cursor, limit)
            events = merge_after(archived, streamed, limit)
            hole = find_hole(cursor, events)
            if hole is None:
                return events
            await asyncio.sleep(HOLE_SECONDS)
        assert hole is not None
        await self._archive.seal(room_id, *hole)
        return await self.after(room_id, cursor, limit)

    async def before(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        """Up to `limit` events right in front of the cursor, oldest first. `END` stands behind the newest."""
        if cursor == BEGINNING:
            return []  # Redis calls the range in front of it an error
        archived = await _or_none(self._archive.before(room_id, cursor, limit))
        streamed = await self._log.before(room_id, cursor, limit)
        if archived is None and not _reaches_back(streamed, limit):
            raise Unavailable("the archive is not available right now, try again", retry_after=2)
        return merge_before(archived or [], streamed, limit)

    async def has(self, room_id: int, cursor: Cursor) -> bool:
        """Whether the cursor names a place in this room's log."""
        if cursor == BEGINNING or await self._log.find(room_id, cursor) is not None:
            return True
        return await self._archive.find(room_id, cursor) is not None

    async def tip(self, room_id: int) -> Cursor:
        """The id of the room's newest event; BEGINNING for a room in which nothing happened yet."""
        return await self._log.tip(room_id) or await self._archive.tip(room_id)

    async def is_further_than(self, room_id: int, cursor: Cursor, limit: int) -> bool:
        """Whether more than `limit` archived events follow the cursor."""
        return await self._archive.count_after(room_id, cursor, limit + 1) > limit


def merge_after(archived: Sequence[Event], streamed: Sequence[Event], limit: int) -> list[Event]:
    """Two ascending pages behind one cursor as one page of up to `limit`.

    A full page says nothing about what comes after its last event, so nothing later than that is taken from the other.
    """
    by_id = {event.id: event for event in streamed} | {event.id: event for event in archived}
    horizon = min((page[-1].id for page in (archived, streamed) if len(page) >= limit), default=END)
    return [by_id[id] for id in sorted(by_id) if id <= horizon][:limit]


def merge_before(archived: Sequence[Event], streamed: Sequence[Event], limit: int) -> list[Event]:
    """The mirror of `merge_after`: two ascending pages in front of one cursor as one page of up to `limit`."""
    by_id = {event.id: event for event in streamed} | {event.id: event for event in archived}
    horizon = max((page[0].id for page in (archived, streamed) if len(page) >= limit), default=BEGINNING)
    return [by_id[id] for id in sorted(by_id) if id >= horizon][-limit:]


def contiguous_tail(events: Sequence[Event]) -> list[Event]:
    """The longest end of the page without a hole: each event's `prev` is the event before it."""
    start = len(events) - 1
    while start > 0 and events[start].prev == events[start - 1].id:
        start -= 1
    return list(events[max(start, 0) :])


def is_linked(cursor: Cursor, events: Sequence[Event]) -> bool:
    """Whether each event says that it follows the one before it, from the cursor on."""
    for event in events:
        if event.prev != cursor:
            return False
        cursor = event.id
    return True


def find_hole(cursor: Cursor, events: Sequence[Event]) -> tuple[Cursor, Cursor] | None:
    """The first event that another says it follows and that is not there, with the event it would follow itself.

    The chain may fork (two follow the same one): then one of them was lost before it counted, and is void or about to
    become so. Nothing is missing.
    """
    last, there = cursor, {cursor}
    for event in events:
        if event.kind != "void" and event.prev > cursor and event.prev not in there:
            return event.prev, last
        there.add(event.id)
        last = event.id
    return None


def _reaches_back(streamed: Sequence[Event], limit: int) -> bool:
    return len(streamed) >= limit or (bool(streamed) and streamed[0].prev == BEGINNING)


async def _or_none(reading: Awaitable[Found]) -> Found | None:
    try:
        return await reading
    except Unavailable:
        return None
