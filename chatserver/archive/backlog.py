"""Reading a room's log as if archive and stream were one.

The archive has a room's events in order and none missing, up to some event; the stream has those behind it, which are
on their way there. So a page is what the archive has, and then what the stream has behind that.

The archive is always read first. What it did not have at that moment must be looked for in the stream afterwards: the
other way round, an event that is archived and trimmed between the two reads would be in neither.
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
"""Between the two reads the stream may have lost what the archive has by now. Reading again finds it there."""

ALONE = 2_000
"""Events of the stream that are read where the archive does not answer."""


QUIET_ROOMS = 50_000
QUIET_SECONDS = 10.0
"""For how many rooms without a stream, and how long, it is remembered up to where they are archived: the list of rooms
asks for all of them, and the archive looks at each."""


class End(NamedTuple):
    """The end of a room's log at one moment. `archived`: the newest event that the archive has; None while it is away.
    `behind`: what the stream has behind that, or all that it has, without a hole."""

    archived: Cursor | None
    behind: list[Event]

    @property
    def tip(self) -> Cursor:
        """The newest event; BEGINNING for a room in which nothing happened yet."""
        return self.behind[-1].id if self.behind else self.archived or BEGINNING

    def reaches(self, cursor: Cursor) -> bool:
        """Whether everything behind the cursor can be read."""
        return self.archived is not None or (bool(self.behind) and self.behind[0].prev <= cursor)


class Backlog:
    """Pages of a room's log, contiguous by `prev`, voids included (who shows events skips them)."""

    def __init__(self, archive: Archive, log: RoomLog) -> None:
        self._archive = archive
        self._log = log
        self._quiet: TTLCache[int, Cursor] = TTLCache(QUIET_ROOMS, QUIET_SECONDS)

    async def after(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        """Up to `limit` events that follow the cursor, oldest first.

        Served by the stream alone while it reaches back to the cursor, so that live delivery survives an absent
        archive. Raises Unavailable when the part that is needed can't be read.
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
        """Up to `limit` events right in front of the cursor, oldest first. `END` stands behind the newest."""
        if cursor == BEGINNING:
            return []  # Redis calls the range in front of it an error
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
        """What only the stream has, and from where. While the stream does not answer that is nothing: all that was
        acknowledged is archived. Raises Unavailable if neither answers."""
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
        """Whether the cursor names a place in this room's log."""
        if cursor == BEGINNING or await self._log.find(room_id, cursor) is not None:
            return True
        return await self._archive.find(room_id, cursor) is not None

    async def tip(self, room_id: int) -> Cursor:
        """The id of the room's newest event; BEGINNING for a room in which nothing happened yet."""
        return await self._log.tip(room_id) or await self._archive.tip(room_id)

    async def reaches(self, room_id: int, cursor: Cursor) -> bool:
        """Whether the room's log has come as far as this. Raises Unavailable where only the stream would know."""
        return cursor <= self._log.seen(room_id) or cursor <= await self.tip(room_id)

    async def tips(self, rooms: Sequence[int]) -> dict[int, Cursor]:
        """The same for many rooms. While Redis is away, what is archived has to do."""
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
        """The archived tips of rooms that had no stream a moment ago, and have none now: nobody spoke there since, as
        far as anybody here has seen."""
        found = {id: tip for id in rooms if id not in streamed and (tip := self._quiet.get(id)) is not None}
        return {id: tip for id, tip in found.items() if tip >= self._log.seen(id)}

    async def moment(self) -> Cursor:
        """Where the clock that ids are taken from stands now. While Redis is away nobody knows, and it is BEGINNING."""
        return await _or_none(self._log.moment()) or BEGINNING

    async def is_further_than(self, room_id: int, cursor: Cursor, limit: int) -> bool:
        """Whether more than `limit` archived events follow the cursor."""
        return await self._archive.count_after(room_id, cursor, limit + 1) > limit


def what_follows(last: Cursor, streamed: Sequence[Event], *, is_archived: bool) -> list[Event] | None:
    """Those events of the stream that come behind `last`, which is the last archived event, or else a reader's place.

    The stream may also have events that never count any more: of a branch that was lost, or that the archive refused.
    What counts is linked to the newest. Returns None where something is missing in front of it.
    """
    linked = contiguous_tail(streamed)
    if not linked or linked[0].prev == last:
        return linked
    if linked[0].prev > last:
        return None
    # This branch began further back: it is a lost one, unless it is the reader who stands on a lost one.
    return [] if is_archived else linked


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


def _reaches_back(streamed: Sequence[Event], limit: int) -> bool:
    return len(streamed) >= limit or (bool(streamed) and streamed[0].prev == BEGINNING)


async def _or_none(reading: Awaitable[Found]) -> Found | None:
    try:
        return await reading
    except Unavailable:
        return None
