"""Read marks: up to where somebody has read each room. They only ever move forward.

reads    `_id` = {user, room}, `at` = {ms, seq}: the last event that was read
"""

from __future__ import annotations

from datetime import datetime

from cachetools import LRUCache
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from chatserver.cursor import BEGINNING, Cursor
from chatserver.database import Database, Document, reaching_mongodb

SIGN_UPS = 20_000
"""Users of whom it is remembered when they signed up. That never changes."""


class ReadMarks:
    """Everything raises Unavailable when MongoDB does not answer."""

    def __init__(self, database: Database) -> None:
        self._reads = database.reads
        self._users = database.users
        self._sign_ups: LRUCache[int, Cursor] = LRUCache(SIGN_UPS)

    async def first(self, user_id: int) -> Cursor:
        """Where somebody stands in a room that they never read: what was before they signed up is not news to them."""
        if user_id not in self._sign_ups:
            with reaching_mongodb():
                user = await self._users.find_one({"_id": user_id}, {"created_at": 1})
            self._sign_ups[user_id] = BEGINNING if user is None else _moment(user["created_at"])
        return self._sign_ups[user_id]

    async def of_user(self, user_id: int) -> dict[int, Cursor]:
        """The marks of all rooms in which this user has one."""
        with reaching_mongodb():
            # MongoDB compares embedded documents field by field: these are all of the user's.
            found = self._reads.find({"_id": {"$gt": _key(user_id, 0), "$lt": _key(user_id + 1, 0)}})
            return {each["_id"]["room"]: _place(each) async for each in found}

    async def of_room(self, user_id: int, room_id: int) -> Cursor:
        """Where the user stands in the room."""
        with reaching_mongodb():
            found = await self._reads.find_one({"_id": _key(user_id, room_id)})
        return await self.first(user_id) if found is None else _place(found)

    async def advance(self, user_id: int, room_id: int, id: Cursor) -> bool:
        """Moves the mark forward to this event. False if it stood there or further on."""
        if id <= await self.first(user_id):
            return False
        # One update for all who do it at once: the largest wins, whoever comes last.
        move = {"$max": {"at": {"ms": id.ms, "seq": id.seq}}}
        with reaching_mongodb():
            try:
                before = await self._move(user_id, room_id, move)
            except DuplicateKeyError:  # two made the first mark, and this one was second
                before = await self._move(user_id, room_id, move)
        return before is None or _place(before) < id

    async def _move(self, user_id: int, room_id: int, move: Document) -> Document | None:
        return await self._reads.find_one_and_update(
            {"_id": _key(user_id, room_id)}, move, upsert=True, return_document=ReturnDocument.BEFORE
        )


def _key(user_id: int, room_id: int) -> Document:
    return {"user": user_id, "room": room_id}


def _place(document: Document) -> Cursor:
    return Cursor(document["at"]["ms"], document["at"]["seq"])


def _moment(timestamp: str) -> Cursor:
    return Cursor(round(datetime.fromisoformat(timestamp).timestamp() * 1000), 0)
