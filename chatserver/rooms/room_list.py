"""The list of rooms as one user sees it: the unread counts and the read mark of each room."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

import msgspec

from chatserver.archive.backlog import Backlog
from chatserver.errors import Invalid, Unavailable
from chatserver.live.signals import Signal, Signals
from chatserver.model.cursor import Cursor
from chatserver.model.rooms import Room
from chatserver.model.users import User
from chatserver.rooms.read_marks import ReadMarks
from chatserver.rooms.rooms import Rooms
from chatserver.rooms.unread import Unread, UnreadMessages

NOTHING = Unread(0, 0)

log = logging.getLogger(__name__)


class Row(Room, frozen=True):
    """A room as one user sees it. `last_read`: the user's mark. `last_id`: the newest event of the room's log,
    `0-0` for none."""

    unread: int
    mentions: int
    last_read: str
    last_id: str


class RoomList:
    def __init__(
        self, rooms: Rooms, backlog: Backlog, marks: ReadMarks, unread: UnreadMessages, signals: Signals
    ) -> None:
        self._rooms = rooms
        self._backlog = backlog
        self._marks = marks
        self._unread = unread
        self._signals = signals

    async def of(self, user: User, only: Collection[int] | None = None) -> list[Row]:
        """Returns every open room, by name; with `only`, the open ones among those. Raises Unavailable."""
        rooms, read, beginning = await asyncio.gather(
            self._rooms.all(), self._marks.of_user(user.id), self._marks.beginning(user.id)
        )
        if only is not None:
            rooms = [room for room in rooms if room.id in only]
        marks = {room.id: read.get(room.id) or beginning.in_room(room.id) for room in rooms}
        # The tips first: events that arrive in between are counted, and may be newer than the tip, never the other way
        # round.
        tips = await self._backlog.tips([room.id for room in rooms])
        with_news = {id: marks[id] for id, tip in tips.items() if tip > marks[id]}
        counts = await self._unread.count(user.id, with_news)
        return [_row(room, counts.get(room.id, NOTHING), marks[room.id], tips[room.id]) for room in rooms]

    async def mark_read(self, user: User, room: Room, id: Cursor) -> None:
        """Moves the user's mark up to this event and tells the user's other streams. A mark that is further on stays.

        Raises Invalid for an id that the room does not have yet, Unavailable.
        """
        if not await self._backlog.reaches(room.id, id):
            raise Invalid("id is not in the room yet")
        if not await self._marks.advance(user.id, room.id, id):
            return
        try:
            unread, mentions = (await self._unread.count(user.id, {room.id: id})).get(room.id, NOTHING)
        except Unavailable as error:  # the mark is set, and the next request counts from it
            log.warning("not counted behind a mark: %s", error.__cause__ or error)
            return
        data = {"room_id": room.id, "id": str(id), "unread": unread, "mentions": mentions}
        self._signals.send(Signal("read", data, room_id=room.id, user_id=user.id))


def _row(room: Room, unread: Unread, mark: Cursor, tip: Cursor) -> Row:
    return Row(
        **msgspec.structs.asdict(room),
        **unread._asdict(),
        last_read=str(mark),
        last_id=str(tip),
    )
