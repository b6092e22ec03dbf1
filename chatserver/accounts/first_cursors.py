"""First cursors: the position of a new user, behind all events from before they signed up, which are no news to them.

It is stored as ids of the rooms' logs, read at that moment. A clock of a machine that serves the chat would mark too
much or too little as news by as much as it is wrong; and a log's own ids may be ahead of any clock.

users    `begins` = {at: {ms, seq}, ahead: [{room, ms, seq}]}
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from chatserver.archive.backlog import Backlog
from chatserver.archive.database import Database, Document, mongodb_errors_as_unavailable
from chatserver.archive.event_documents import event_key, read_key
from chatserver.model.cursor import BEGINNING, Cursor

MARGIN_MS = 3_600_000
"""How far Redis's clock may go back, by a failover to a machine that is behind, without hiding news. Rooms with newer
events than this are stored one by one."""


class Beginning(NamedTuple):
    """`ahead`: the rooms that had newer events than `at` already, and the newest of each."""

    at: Cursor
    ahead: dict[int, Cursor]

    def in_room(self, room_id: int) -> Cursor:
        """Returns the last event of the room's log that is no news."""
        return self.ahead.get(room_id, self.at)


EVERYTHING_IS_NEWS = Beginning(BEGINNING, {})


class Beginnings:
    def __init__(self, database: Database, backlog: Backlog) -> None:
        self._rooms = database.rooms
        self._backlog = backlog

    async def now(self) -> Beginning:
        """Returns the beginning of a user who signs up now. Raises Unavailable if MongoDB does not answer."""
        # First the moment: every later event has an id above it, or is covered by a tip that is read below.
        moment = await self._backlog.moment()
        at = Cursor(max(0, moment.ms - MARGIN_MS), 0)
        with mongodb_errors_as_unavailable():
            rooms = [room["_id"] async for room in self._rooms.find({"closed_at": {"$exists": False}}, {"_id": 1})]
        tips = await self._backlog.tips(rooms)
        return Beginning(at, {room_id: tip for room_id, tip in tips.items() if tip > at})


def beginning_document(beginning: Beginning) -> Document:
    ahead = [event_key(room_id, tip) for room_id, tip in beginning.ahead.items()]
    return {"at": {"ms": beginning.at.ms, "seq": beginning.at.seq}, "ahead": ahead}


def read_beginning(user: Document) -> Beginning:
    """Reads the beginning of an account. Old accounts have only the time at which they were made, by a machine's
    clock."""
    if "begins" not in user:
        moment = datetime.fromisoformat(user["created_at"]).timestamp()
        return Beginning(Cursor(round(moment * 1000), 0), {})
    begins = user["begins"]
    return Beginning(read_key(begins["at"]), {key["room"]: read_key(key) for key in begins["ahead"]})
