"""Unread messages: counted from the archive, so that every process, tab and restart gives the same numbers.

Unread are the messages of others behind a read mark, except deleted ones. Many rooms are counted in one round trip,
each from its mark to its end. A long stretch is walked once: `events` only ever grows at its end, so the count of
others' messages up to some position stays valid. Later only newer events are walked, and the stretch that a moved mark
leaves behind, which is subtracted. Deletions and mentions are looked up in indexes of their own; the cache keeps them
too when nothing happened in the room for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cachetools import LRUCache
from pymongo import ASCENDING

from chatserver.archive.database import Collection, Database, Document, mongodb_errors_as_unavailable
from chatserver.archive.event_documents import event_key, read_key
from chatserver.archive.indexes import DELETED_MESSAGES, MESSAGES_IN_ORDER, MESSAGES_THAT_MENTION
from chatserver.model.cursor import END, Cursor
from chatserver.model.event_kinds import MESSAGE

ROOMS_AT_ONCE = 200
"""Rooms of one query."""

LONG_WALK_MESSAGES = 200
"""Messages behind a mark. A walk along so many takes a fraction of a millisecond."""

SETTLED_SECONDS = 3.0
"""Time from when an event was seen in the archive until `messages` surely has it. As a rule that takes milliseconds."""

COUNT_CACHE_SIZE = 20_000
"""Long walks that are cached, the latest."""


class Unread(NamedTuple):
    """`mentions`: the unread messages that mention the reader."""

    unread: int
    mentions: int


class _Walk(NamedTuple):
    """A counted stretch, from the mark to `until`. `others`: messages of others in it, deleted ones too. `changes`: its
    deleted messages, and those of the others that mention the user; None until `messages` certainly shows them.
    `since`: when `until` was reached, in seconds of the loop's clock."""

    mark: Cursor
    until: Cursor
    others: int
    since: float
    changes: _Changes | None = None


class _Changes(NamedTuple):
    deleted: int
    mentions: int


class UnreadMessages:
    """Everything raises Unavailable when MongoDB does not answer."""

    def __init__(self, database: Database) -> None:
        self._events = database.events
        self._messages = database.messages
        self._walks: LRUCache[tuple[int, int], _Walk] = LRUCache(COUNT_CACHE_SIZE)

    async def count(self, user_id: int, marks: Mapping[int, Cursor]) -> dict[int, Unread]:
        """Returns the counts of these rooms, behind the user's mark in each. Rooms without unread messages are left
        out."""
        rooms = list(marks)
        counted: dict[int, Unread] = {}
        for start in range(0, len(rooms), ROOMS_AT_ONCE):
            some = {id: marks[id] for id in rooms[start : start + ROOMS_AT_ONCE]}
            with mongodb_errors_as_unavailable():
                walked = await self._walks_from(user_id, some)
                short = {id: mark for id, mark in some.items() if id not in walked}
                counting = [self._count(user_id, short)] if short else []
                counting += [self._count_since(user_id, walked)] if walked else []
                for counts in await asyncio.gather(*counting):
                    counted |= counts
        return counted

    async def first(self, user_id: int, room_id: int, mark: Cursor) -> Cursor | None:
        """Returns the oldest unread message of the room; None if there is none."""
        shown_to = {"user_id": {"$ne": user_id}, "deleted": {"$ne": True}}
        with mongodb_errors_as_unavailable():
            found = await self._messages.find_one(
                _behind(room_id, mark) | shown_to, {"_id": 1}, sort=[("_id", ASCENDING)], hint="_id_"
            )
        return None if found is None else read_key(found["_id"])

    async def _walks_from(self, user_id: int, marks: Mapping[int, Cursor]) -> dict[int, _Walk]:
        """Returns the cached walks, cut to begin at these marks. The stretch that a moved mark leaves behind is walked
        again and subtracted: a mark costs what was read, not what is left."""
        known = {id: walk for id in marks if (walk := self._walks.get((user_id, id))) and walk.mark <= marks[id]}
        moved = {id: walk for id, walk in known.items() if walk.mark < marks[id] < walk.until}
        past = {id: _begun(marks[id]) for id, walk in known.items() if walk.until <= marks[id] != walk.mark}
        if not moved:
            return known | past
        left_behind = _any_of(_between(id, walk.mark, marks[id]) for id, walk in moved.items())
        changes = await self._changes(user_id, left_behind)
        written = await _by_others(user_id, self._events, {"kind": MESSAGE} | left_behind, MESSAGES_IN_ORDER)
        for id, walk in moved.items():
            before = changes.get(id, NO_CHANGES)
            rest = walk.changes and _Changes(
                walk.changes.deleted - before.deleted, walk.changes.mentions - before.mentions
            )
            others = walk.others - written.get(id, NONE).messages
            moved[id] = self._walks[user_id, id] = _Walk(marks[id], walk.until, others, walk.since, rest)
        return known | past | moved

    async def _count(self, user_id: int, marks: Mapping[int, Cursor]) -> dict[int, Unread]:
        """Walks the whole way, and caches the long walks."""
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
            if each["all"] > LONG_WALK_MESSAGES:
                self._walks[user_id, room_id] = _begun(marks[room_id])
        return counted

    async def _count_since(self, user_id: int, walks: Mapping[int, _Walk]) -> dict[int, Unread]:
        """Walks on from where the last walk ended."""
        now = asyncio.get_running_loop().time()
        new = await self._news(user_id, walks)
        # Cached changes hold as long as nothing happens in the room.
        unsure = {id: walk for id, walk in walks.items() if walk.changes is None or id in new}
        changes = {id: walk.changes for id, walk in walks.items() if walk.changes is not None}
        if unsure:
            found = await self._changes(user_id, _behind_any((id, walk.mark) for id, walk in unsure.items()))
            changes |= {id: found.get(id, NO_CHANGES) for id in unsure}
        counted: dict[int, Unread] = {}
        for room_id, walk in walks.items():
            others, until, since = walk.others, walk.until, walk.since
            if room_id in new:
                others, until, since = others + new[room_id].messages, new[room_id].last, now
            settled = changes[room_id] if now - since > SETTLED_SECONDS else None
            self._walks[user_id, room_id] = _Walk(walk.mark, until, others, since, settled)
            deleted, mentions = changes[room_id]
            if others > deleted:
                counted[room_id] = Unread(others - deleted, mentions)
        return counted

    async def _news(self, user_id: int, walks: Mapping[int, _Walk]) -> dict[int, _Found]:
        """Counts others' messages behind each walk, with the newest event of any kind. Rooms without new events are
        left out."""
        is_others = {"$and": [{"$eq": ["$kind", MESSAGE]}, {"$ne": ["$user_id", user_id]}]}
        group = {
            "$group": {
                "_id": "$_id.room",
                "messages": {"$sum": {"$cond": [is_others, 1, 0]}},
                "last": {"$max": "$_id"},
            }
        }
        not_walked = _behind_any((room_id, walk.until) for room_id, walk in walks.items())
        # A reserved slot is no event yet, and will be one under the same id.
        found = self._events.aggregate([{"$match": not_walked | {"kept_for": None}}, group], hint="_id_")
        return {each["_id"]: _Found(each["messages"], read_key(each["last"])) async for each in found}

    async def _changes(self, user_id: int, where: Document) -> dict[int, _Changes]:
        deleted, mentions = await asyncio.gather(
            _by_others(user_id, self._messages, {"deleted": True} | where, DELETED_MESSAGES),
            _by_others(
                user_id, self._messages, {"mentions": user_id, "deleted": {"$ne": True}} | where, MESSAGES_THAT_MENTION
            ),
        )
        rooms = deleted.keys() | mentions.keys()
        return {id: _Changes(deleted.get(id, NONE).messages, mentions.get(id, NONE).messages) for id in rooms}


def _begun(mark: Cursor) -> _Walk:
    return _Walk(mark, mark, 0, asyncio.get_running_loop().time())


class _Found(NamedTuple):
    """The number of others' messages, and the last of all events examined."""

    messages: int
    last: Cursor


NONE = _Found(0, END)
NO_CHANGES = _Changes(0, 0)


async def _by_others(user_id: int, collection: Collection, query: Document, index: str) -> dict[int, _Found]:
    by_others = {"$cond": [{"$ne": ["$user_id", user_id]}, 1, 0]}
    group = {"$group": {"_id": "$_id.room", "messages": {"$sum": by_others}, "last": {"$max": "$_id"}}}
    found = collection.aggregate([{"$match": query}, group], hint=index)
    return {each["_id"]: _Found(each["messages"], read_key(each["last"])) async for each in found}


def _any_of(queries: Iterable[Document]) -> Document:
    return {"$or": list(queries)}


def _behind_any(places: Iterable[tuple[int, Cursor]]) -> Document:
    return _any_of(_behind(room_id, place) for room_id, place in places)


def _behind(room_id: int, mark: Cursor) -> Document:
    return {"_id": {"$gt": event_key(room_id, mark), "$lt": event_key(room_id, END)}}


def _between(room_id: int, mark: Cursor, until: Cursor) -> Document:
    """Selects events after the one, up to the other."""
    return {"_id": {"$gt": event_key(room_id, mark), "$lte": event_key(room_id, until)}}
