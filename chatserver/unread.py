"""Unread messages: counted from the archive, so that every process, tab and restart says the same.

Unread is what others wrote behind a read mark and did not delete since. Many rooms are counted in one round trip, each
from its mark to its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pymongo import ASCENDING

from chatserver.cursor import END, Cursor
from chatserver.database import Database, Document, reaching_mongodb
from chatserver.documents import event_key

ROOMS_AT_ONCE = 200
"""Rooms of one query."""


class Unread(NamedTuple):
    """`mentions`: those of the unread messages that mention the reader."""

    unread: int
    mentions: int


class UnreadMessages:
    """Everything raises Unavailable when MongoDB does not answer."""

    def __init__(self, database: Database) -> None:
        self._messages = database.messages

    async def count(self, user_id: int, marks: Mapping[int, Cursor]) -> dict[int, Unread]:
        """The counts of these rooms, behind the user's mark in each. Rooms without unread messages are left out."""
        rooms = list(marks)
        counted: dict[int, Unread] = {}
        for start in range(0, len(rooms), ROOMS_AT_ONCE):
            counted |= await self._count(user_id, {id: marks[id] for id in rooms[start : start + ROOMS_AT_ONCE]})
        return counted

    async def _count(self, user_id: int, marks: Mapping[int, Cursor]) -> dict[int, Unread]:
        mentioned = {"$in": [user_id, {"$ifNull": ["$mentions", []]}]}
        counting = [
            {"$match": {"$or": [_behind(room_id, mark) for room_id, mark in marks.items()], **_shown_to(user_id)}},
            {
                "$group": {
                    "_id": "$_id.room",
                    "unread": {"$sum": 1},
                    "mentions": {"$sum": {"$cond": [mentioned, 1, 0]}},
                }
            },
        ]
        with reaching_mongodb():
            # With other indexes to choose from, MongoDB would try them out for each room.
            found = self._messages.aggregate(counting, hint="_id_")
            return {each["_id"]: Unread(each["unread"], each["mentions"]) async for each in found}

    async def first(self, user_id: int, room_id: int, mark: Cursor) -> Cursor | None:
        """The oldest unread message of the room."""
        with reaching_mongodb():
            found = await self._messages.find_one(
                _behind(room_id, mark) | _shown_to(user_id), {"_id": 1}, sort=[("_id", ASCENDING)], hint="_id_"
            )
        return None if found is None else Cursor(found["_id"]["ms"], found["_id"]["seq"])


def _behind(room_id: int, mark: Cursor) -> Document:
    return {"_id": {"$gt": event_key(room_id, mark), "$lt": event_key(room_id, END)}}


def _shown_to(user_id: int) -> Document:
    return {"user_id": {"$ne": user_id}, "deleted": {"$ne": True}}
