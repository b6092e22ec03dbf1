"""Unread messages: counted from the archive, so that every process, tab and restart says the same.

Unread is what others wrote behind a read mark and did not delete since. Many rooms are counted in one round trip, each
from its mark to its end. Where that is long it is walked once: `events` only ever grows at its end, so what others
wrote up to some place stays what it is, and later only the rest is walked. What is taken back, and who is mentioned,
is looked up in indexes of that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cachetools import LRUCache
from pymongo import ASCENDING

from chatserver.cursor import END, Cursor
from chatserver.database import Collection, Database, Document, reaching_mongodb
from chatserver.documents import event_key, read_key
from chatserver.indexes import DELETED_MESSAGES, MESSAGES_IN_ORDER, MESSAGES_THAT_MENTION

ROOMS_AT_ONCE = 200
"""Rooms of one query."""

LONG = 1_000
"""Messages behind a mark. A walk along so many takes a millisecond."""

KEPT = 20_000
"""Long walks that are remembered, the latest."""


class Unread(NamedTuple):
    """`mentions`: those of the unread messages that mention the reader."""

    unread: int
    mentions: int


class _Walk(NamedTuple):
    """From the mark to a place further on others wrote so many messages, deleted ones among them."""

    mark: Cursor
    until: Cursor
    others: int


class UnreadMessages:
    """Everything raises Unavailable when MongoDB does not answer."""

    def __init__(self, database: Database) -> None:
        self._events = database.events
        self._messages = database.messages
        self._walks: LRUCache[tuple[int, int], _Walk] = LRUCache(KEPT)

    async def count(self, user_id: int, marks: Mapping[int, Cursor]) -> dict[int, Unread]:
        """The counts of these rooms, behind the user's mark in each. Rooms without unread messages are left out."""
        rooms = list(marks)
        counted: dict[int, Unread] = {}
        for start in range(0, len(rooms), ROOMS_AT_ONCE):
            some = {id: marks[id] for id in rooms[start : start + ROOMS_AT_ONCE]}
            walked = {id: walk for id, mark in some.items() if (walk := self._walk(user_id, id, mark))}
            short = {id: mark for id, mark in some.items() if id not in walked}
            counting = [self._count(user_id, short)] if short else []
            counting += [self._count_on(user_id, walked)] if walked else []
            with reaching_mongodb():
                for counts in await asyncio.gather(*counting):
                    counted |= counts
        return counted

    async def first(self, user_id: int, room_id: int, mark: Cursor) -> Cursor | None:
        """The oldest unread message of the room."""
        shown_to = {"user_id": {"$ne": user_id}, "deleted": {"$ne": True}}
        with reaching_mongodb():
            found = await self._messages.find_one(
                _behind(room_id, mark) | shown_to, {"_id": 1}, sort=[("_id", ASCENDING)], hint="_id_"
            )
        return None if found is None else read_key(found["_id"])

    def _walk(self, user_id: int, room_id: int, mark: Cursor) -> _Walk | None:
        walk = self._walks.get((user_id, room_id))
        return walk if walk is not None and walk.mark == mark else None

    async def _count(self, user_id: int, marks: Mapping[int, Cursor]) -> dict[int, Unread]:
        """Walks the whole way, and marks the long ones."""
        unread = {"$and": [{"$ne": ["$user_id", user_id]}, {"$ne": ["$deleted", True]}]}
        mentioned = {"$and": [unread, {"$in": [user_id, {"$ifNull": ["$mentions", []]}]}]}
        counting = [
            {"$match": _behind_any(marks.items())},
            {
                "$group": {
                    "_id": "$_id.room",
                    "all": {"$sum": 1},
                    "unread": {"$sum": {"$cond": [unread, 1, 0]}},
                    "mentions": {"$sum": {"$cond": [mentioned, 1, 0]}},
                }
            },
        ]
        counted: dict[int, Unread] = {}
        # With other indexes to choose from, MongoDB would try them out for each room.
        async for each in self._messages.aggregate(counting, hint="_id_"):
            room_id = each["_id"]
            if each["unread"]:
                counted[room_id] = Unread(each["unread"], each["mentions"])
            if each["all"] > LONG:
                self._walks[user_id, room_id] = _Walk(marks[room_id], marks[room_id], 0)
        return counted

    async def _count_on(self, user_id: int, walks: Mapping[int, _Walk]) -> dict[int, Unread]:
        """Walks on from where the last walk ended."""
        not_walked = _behind_any((room_id, walk.until) for room_id, walk in walks.items())
        unread = _behind_any((room_id, walk.mark) for room_id, walk in walks.items())
        new, deleted, mentions = await asyncio.gather(
            _by_others(user_id, self._events, {"kind": "message"} | not_walked, MESSAGES_IN_ORDER),
            _by_others(user_id, self._messages, {"deleted": True} | unread, DELETED_MESSAGES),
            _by_others(
                user_id,
                self._messages,
                {"mentions": user_id, "deleted": {"$ne": True}} | unread,
                MESSAGES_THAT_MENTION,
            ),
        )
        counted: dict[int, Unread] = {}
        for room_id, walk in walks.items():
            if room_id in new:
                walk = _Walk(walk.mark, new[room_id].last, walk.others + new[room_id].messages)
                self._walks[user_id, room_id] = walk
            left = walk.others - deleted.get(room_id, NONE).messages
            if left > 0:
                counted[room_id] = Unread(left, mentions.get(room_id, NONE).messages)
        return counted


class _Found(NamedTuple):
    """Messages of others, and the last of all that were looked at."""

    messages: int
    last: Cursor


NONE = _Found(0, END)


async def _by_others(user_id: int, collection: Collection, query: Document, index: str) -> dict[int, _Found]:
    by_others = {"$cond": [{"$ne": ["$user_id", user_id]}, 1, 0]}
    group = {"$group": {"_id": "$_id.room", "messages": {"$sum": by_others}, "last": {"$max": "$_id"}}}
    found = collection.aggregate([{"$match": query}, group], hint=index)
    return {each["_id"]: _Found(each["messages"], read_key(each["last"])) async for each in found}


def _behind_any(places: Iterable[tuple[int, Cursor]]) -> Document:
    return {"$or": [_behind(room_id, place) for room_id, place in places]}


def _behind(room_id: int, mark: Cursor) -> Document:
    return {"_id": {"$gt": event_key(room_id, mark), "$lt": event_key(room_id, END)}}
