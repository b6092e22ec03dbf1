"""Read marks: the last event that a user has read in each room. They only ever move forward.

reads    `_id` = {user, room}, `at` = {ms, seq}: the last event that was read
"""

from __future__ import annotations

import contextlib

from cachetools import LRUCache
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from chatserver.accounts.first_cursors import EVERYTHING_IS_NEWS, Beginning, read_beginning
from chatserver.archive.database import Database, Document, mongodb_errors_as_unavailable
from chatserver.model.cursor import Cursor

BEGINNING_CACHE_POSITIONS = 100_000
"""Positions in logs that are cached of users' beginnings, the latest (about 200 bytes each). They never change."""


class ReadMarks:
    """Everything raises Unavailable when MongoDB does not answer."""

    def __init__(self, database: Database) -> None:
        self._reads = database.reads
        self._users = database.users
        self._beginnings: LRUCache[int, Beginning] = LRUCache(
            BEGINNING_CACHE_POSITIONS, getsizeof=lambda each: 1 + len(each.ahead)
        )

    async def beginning(self, user_id: int) -> Beginning:
        """Returns the user's position in rooms that they have never read."""
        kept = self._beginnings.get(user_id)
        if kept is not None:
            return kept
        with mongodb_errors_as_unavailable():
            user = await self._users.find_one({"_id": user_id}, {"created_at": 1, "begins": 1})
        found = EVERYTHING_IS_NEWS if user is None else read_beginning(user)
        with contextlib.suppress(ValueError):  # it is larger than the whole cache
            self._beginnings[user_id] = found
        return found

    async def of_user(self, user_id: int) -> dict[int, Cursor]:
        """Returns the user's marks by room; rooms without a mark are left out."""
        with mongodb_errors_as_unavailable():
            # MongoDB compares embedded documents field by field: these are all of the user's.
            found = self._reads.find({"_id": {"$gt": _key(user_id, 0), "$lt": _key(user_id + 1, 0)}})
            return {each["_id"]["room"]: _cursor(each) async for each in found}

    async def of_room(self, user_id: int, room_id: int) -> Cursor:
        """Returns the user's position in the room."""
        with mongodb_errors_as_unavailable():
            found = await self._reads.find_one({"_id": _key(user_id, room_id)})
        return _cursor(found) if found is not None else (await self.beginning(user_id)).in_room(room_id)

    async def advance(self, user_id: int, room_id: int, id: Cursor) -> bool:
        """Moves the mark forward to this event. Returns False if it was there or further on."""
        if id <= (await self.beginning(user_id)).in_room(room_id):
            return False
        # One update for all concurrent requests: the largest id wins, in any order.
        move = {"$max": {"at": {"ms": id.ms, "seq": id.seq}}}
        with mongodb_errors_as_unavailable():
            try:
                before = await self._move(user_id, room_id, move)
            except DuplicateKeyError:  # another request made the first mark meanwhile
                before = await self._move(user_id, room_id, move)
        return before is None or _cursor(before) < id

    async def _move(self, user_id: int, room_id: int, move: Document) -> Document | None:
        return await self._reads.find_one_and_update(
            {"_id": _key(user_id, room_id)}, move, upsert=True, return_document=ReturnDocument.BEFORE
        )


def _key(user_id: int, room_id: int) -> Document:
    return {"user": user_id, "room": room_id}


def _cursor(document: Document) -> Cursor:
    return Cursor(document["at"]["ms"], document["at"]["seq"])
