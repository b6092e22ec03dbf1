"""The backlog: reads a room's log as if archive and stream were one.

The archive has a room's events in order and none missing, up to some event; the stream has those behind it, which are
on their way there. So a page consists of the archived events, and then of the stream's events behind them.

The archive is always read first, and the stream afterwards for the events that were missing: the other way round, an
event that is archived and trimmed between the two reads would be in neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from cachetools import TTLCache

from chatserver.archive.events import Archive
from chatserver.errors import Unavailable
from chatserver.log.commands import MAX_PENDING
from chatserver.log.room_log import RoomLog
from chatserver.model.cursor import BEGINNING, END, Cursor
from chatserver.model.events import Event

Found = TypeVar("Found")

LINK_RETRIES = 5
LINK_SECONDS = 0.05
"""Between the two reads the stream may have lost events that the archive has by now. Reading again finds them there."""

ALONE = 2_000
"""Events of the stream that are read if the archive does not answer."""


QUIET_ROOMS = 50_000
QUIET_SECONDS = 10.0
"""Rooms without a stream whose archived tip is cached, and for how long: the list of rooms asks for all of them, and
the archive looks at each."""


class End(NamedTuple):
    """The end of a room's log at one moment. `archived`: the newest archived event; None while the archive is away.
    `behind`: the stream's events behind that, or else all of its events, without a hole."""

    archived: Cursor | None
    behind: list[Event]

    @property
    def tip(self) -> Cursor:
        """The newest event's id; BEGINNING for a room without events."""
        return self.behind[-1].id if self.behind else self.archived or BEGINNING

    def reaches(self, cursor: Cursor) -> bool:
        """Returns True if everything behind the cursor can be read."""
        return self.archived is not None or (bool(self.behind) and self.behind[0].prev <= cursor)


class Backlog:
    """Pages of a room's log, contiguous by `prev`, voids included (readers that show events skip them)."""

    def __init__(self, archive: Archive, log: RoomLog) -> None:
        self._archive = archive
        self._log = log
        self._quiet: TTLCache[int, Cursor] = TTLCache(QUIET_ROOMS, QUIET_SECONDS)

    async def after(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        """Returns up to `limit` events that follow the cursor, oldest first.

        Uses the stream alone while it reaches back to the cursor, so that live delivery survives an absent archive.
        Raises Unavailable if the part that is needed can't be read.
        """
        streamed = await self._log.after(room_id, cursor, limit)
        if streamed and is_linked(cursor, streamed):
            return streamed
        for _ in range(LINK_RETRIES):
            archived = await self._archive.after(room_id, cursor, limit)
            if len(archived) == limit:
                return archived
            last = archived[-1].id if archived else cursor
            streamed = await self._log.after(room_id, last, limit - len(archived))
            if (following := what_follows(last, streamed, is_archived=bool(archived))) is not None:
                return archived + following
            await asyncio.sleep(LINK_SECONDS)
        raise Unavailable(because="the log is being mended", retry_after=1)

    async def before(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        """Returns up to `limit` events right before the cursor, oldest first. `END` stands behind the newest. Raises
        Unavailable."""
        if cursor == BEGINNING:
            return []  # Redis calls the range before it an error
        for _ in range(LINK_RETRIES):
            archived = await _or_none(self._archive.before(room_id, cursor, limit))
            streamed = await self._log.before(room_id, cursor, limit)
            if archived is None:
                if not _reaches_back(streamed, limit):
                    raise Unavailable(because="the archive is not available", retry_after=2)
                return contiguous_tail(streamed)
            last = archived[-1].id if archived else BEGINNING
            newer = [event for event in streamed if event.id > last]
            if len(newer) == limit:
                return contiguous_tail(newer)
            if (following := what_follows(last, newer, is_archived=bool(archived))) is not None:
                return (archived + following)[-limit:]
            await asyncio.sleep(LINK_SECONDS)
        raise Unavailable(because="the log is being mended", retry_after=1)

    async def end(self, room_id: int) -> End:
        """Returns the archived tip, and the events that only the stream has. If the stream does not answer these are
        none: all acknowledged events are archived. Raises Unavailable if neither answers."""
        for _ in range(LINK_RETRIES):
            archived = await _or_none(self._archive.tip(room_id))
            if archived is None:
                return End(None, contiguous_tail(await self._log.before(room_id, END, ALONE)))
            streamed = await _or_none(self._log.after(room_id, archived, MAX_PENDING))
            if streamed is None:
                return End(archived, [])
            if (following := what_follows(archived, streamed, is_archived=archived != BEGINNING)) is not None:
                return End(archived, following)
            await asyncio.sleep(LINK_SECONDS)
        raise Unavailable(because="the log is being mended", retry_after=1)

    async def has(self, room_id: int, cursor: Cursor) -> bool:
        """Returns True if the cursor names a place in this room's log."""
        if cursor == BEGINNING or await self._log.find(room_id, cursor) is not None:
            return True
        return await self._archive.find(room_id, cursor) is not None

    async def tip(self, room_id: int) -> Cursor:
        """Returns the id of the room's newest event; BEGINNING for a room without events."""
        return await self._log.tip(room_id) or await self._archive.tip(room_id)

    async def archived_tip(self, room_id: int) -> Cursor:
        """Returns the id of the room's newest archived event. Everything that is read from now on contains all events
        up to it. Raises Unavailable."""
        return await self._archive.tip(room_id)

    async def reaches(self, room_id: int, cursor: Cursor) -> bool:
        """Returns True if the room's log has reached the cursor. Raises Unavailable if only the stream would know."""
        return cursor <= self._log.seen(room_id) or cursor <= await self.tip(room_id)

    async def tips(self, rooms: Sequence[int]) -> dict[int, Cursor]:
        """Returns the tip of each room. While Redis is away, the archived tips have to do."""
        streamed = await _or_none(self._log.tips(rooms))
        for room_id in streamed or {}:
            self._quiet.pop(room_id, None)
        known = {} if streamed is None else streamed | self._known_as_quiet(rooms, streamed)
        missing = [room_id for room_id in rooms if room_id not in known]
        archived = dict.fromkeys(missing, BEGINNING) | (await self._archive.tips(missing) if missing else {})
        if streamed is not None:
            self._quiet.update(archived)
        return archived | known

    def _known_as_quiet(self, rooms: Sequence[int], streamed: Mapping[int, Cursor]) -> dict[int, Cursor]:
        """Returns the archived tips of rooms that had no stream a moment ago, and have none now: as far as this process
        has seen, they have no new events."""
        found = {id: tip for id in rooms if id not in streamed and (tip := self._quiet.get(id)) is not None}
        return {id: tip for id, tip in found.items() if tip >= self._log.seen(id)}

    async def moment(self) -> Cursor:
        """Returns the current time of the clock that ids are taken from; BEGINNING while Redis is away."""
        return await _or_none(self._log.moment()) or BEGINNING

    async def is_further_than(self, room_id: int, cursor: Cursor, limit: int) -> bool:
        """Returns True if more than `limit` archived events follow the cursor."""
        return await self._archive.count_after(room_id, cursor, limit + 1) > limit


def what_follows(last: Cursor, streamed: Sequence[Event], *, is_archived: bool) -> list[Event] | None:
    """Returns the stream's events that follow `last`, which is the last archived event, or else a reader's cursor.

    The stream may also have events that never count: of a branch that was lost, or that the archive refused. Those that
    count are linked to the newest. Returns None if events before these are missing.
    """
    linked = contiguous_tail(streamed)
    if not linked or linked[0].prev == last:
        return linked
    if linked[0].prev > last:
        return None
    # This branch began further back: it is a lost one, unless the reader's cursor is on a lost one.
    return [] if is_archived else linked


def contiguous_tail(events: Sequence[Event]) -> list[Event]:
    """Returns the longest end of the page without a hole: each event's `prev` is the event before it."""
    start = len(events) - 1
    while start > 0 and events[start].prev == events[start - 1].id:
        start -= 1
    return list(events[max(start, 0) :])


def is_linked(cursor: Cursor, events: Sequence[Event]) -> bool:
    """Returns True if the `prev` of each event is the one before it, and that of the first is the cursor."""
    for event in events:
        if event.prev != cursor:
            return False
        cursor = event.id
    return True


def _reaches_back(streamed: Sequence[Event], limit: int) -> bool:
    return len(streamed) >= limit or (bool(streamed) and streamed[0].prev == BEGINNING)


async def _or_none(reading: Awaitable[Found]) -> Found | None:
    try:
        return await reading
    except Unavailable:
        return None
