"""Events in the archive: all of them for ever, in MongoDB.

    events     one document for each entry of a log, append-only, `_id` = {room, ms, seq}: the log's own order
    messages   the room as it is shown, a projection of `events` that can be rebuilt from it (`projector.py`)

An event counts as archived when a majority of the replica set has it in its journal. Then it stays: `commits.py`
explains how events are written, and why none ever has to be removed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from pymongo import ASCENDING, DESCENDING

from chatserver.archive.database import Database, Document, mongodb_errors_as_unavailable
from chatserver.archive.event_documents import Shown, event_key, read_event, read_key, read_shown
from chatserver.archive.indexes import MESSAGES_IN_ORDER
from chatserver.errors import Unavailable
from chatserver.model.changes import about
from chatserver.model.cursor import BEGINNING, END, Cursor
from chatserver.model.event_kinds import MESSAGE
from chatserver.model.events import Event
from chatserver.support import tasks
from chatserver.support.group_commit import PATIENCE_SECONDS, GroupCommit

RETURN_SECONDS = 0.5
"""Pause between attempts to reach MongoDB while it is away."""


FEW_EVENTS = 4
"""Most messages whose changes are queried one by one. A query of many such parts takes longer to plan than to run."""


class ClientId(NamedTuple):
    """The name of an event before the log gives it an id, and for ever after."""

    room_id: int
    user_id: int
    client_id: str


class Archive:
    """Reads events. Every method raises Unavailable when MongoDB does not answer."""

    def __init__(self, database: Database) -> None:
        self._events = database.events
        self._messages = database.messages
        self._rooms = database.rooms
        self._look_ups: GroupCommit[ClientId, Event | None] = GroupCommit(
            self._find_all_by_client_id, patience=PATIENCE_SECONDS
        )
        self._is_away = False
        self._is_closed = False
        self._looking: asyncio.Task[None] | None = None

    async def after(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        """Returns the oldest `limit` events behind the cursor, voids among them."""
        with mongodb_errors_as_unavailable():
            found = self._events.find(_between(room_id, cursor, END)).sort("_id", ASCENDING).limit(limit)
            return [read_event(document) async for document in found]

    async def before(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        """Returns the newest `limit` events before the cursor, oldest first, voids among them."""
        with mongodb_errors_as_unavailable():
            found = self._events.find(_between(room_id, BEGINNING, cursor)).sort("_id", DESCENDING).limit(limit)
            newest_first = [read_event(document) async for document in found]
        return newest_first[::-1]

    async def messages_after(self, room_id: int, cursor: Cursor, limit: int, *, until: Cursor = END) -> list[Event]:
        """Returns the oldest `limit` messages behind the cursor, as they were written, up to `until`."""
        with mongodb_errors_as_unavailable():
            found = self._events.find(_messages(room_id, cursor, _behind(until))).hint(MESSAGES_IN_ORDER)
            return [read_event(document) async for document in found.sort("_id", ASCENDING).limit(limit)]

    async def messages_before(self, room_id: int, cursor: Cursor, limit: int, *, until: Cursor = END) -> list[Event]:
        """Returns the newest `limit` messages before the cursor, oldest first, as they were written. `until`: the last
        one to return."""
        with mongodb_errors_as_unavailable():
            found = self._events.find(_messages(room_id, BEGINNING, min(cursor, _behind(until)))).hint(
                MESSAGES_IN_ORDER
            )
            newest_first = [read_event(document) async for document in found.sort("_id", DESCENDING).limit(limit)]
        return newest_first[::-1]

    async def shown(self, room_id: int, ids: Collection[Cursor]) -> dict[Cursor, Shown]:
        """Returns those of the messages that are in `messages`, which may be a moment behind the events."""
        with mongodb_errors_as_unavailable():
            found = self._messages.find({"_id": {"$in": [event_key(room_id, id) for id in ids]}})
            each = [read_shown(document) async for document in found]
        return {Cursor.parse(shown.message.id): shown for shown in each}

    async def changes(
        self, room_id: int, behind: Mapping[Cursor, Cursor], *, until: Cursor = END
    ) -> dict[Cursor, list[Event]]:
        """Returns for each message its changes behind a cursor, in order. Messages without any are left out.

        `behind`: that cursor for each message. `until`: the last change to return.
        """
        last = event_key(room_id, until)
        unchanged = [event_key(room_id, id) for id, place in behind.items() if place == BEGINNING]
        changed = {id: place for id, place in behind.items() if place != BEGINNING}
        if len(changed) > FEW_EVENTS:
            newest = await self._newest_changes(room_id, changed)
            changed = {id: place for id, place in changed.items() if newest.get(id, place) > place}
        queries: list[Document] = [
            {"about": event_key(room_id, id), "_id": {"$gt": event_key(room_id, place), "$lte": last}}
            for id, place in changed.items()
        ]
        if unchanged:
            queries.append({"about": {"$in": unchanged}, "_id": {"$lte": last}})
        found: dict[Cursor, list[Event]] = {}
        if queries:
            with mongodb_errors_as_unavailable():
                async for document in self._events.find(queries[0] if len(queries) == 1 else {"$or": queries}):
                    event = read_event(document)
                    found.setdefault(about(event), []).append(event)
        return {id: sorted(events, key=lambda event: event.id) for id, events in found.items()}

    async def _newest_changes(self, room_id: int, ids: Collection[Cursor]) -> dict[Cursor, Cursor]:
        """Returns the newest change about each message, by one look into the index for each."""
        newest_of_each: list[Document] = [
            {"$match": {"about": {"$in": [event_key(room_id, id) for id in ids]}}},
            {"$sort": {"about": DESCENDING, "_id": DESCENDING}},
            {"$group": {"_id": "$about", "newest": {"$first": "$_id"}}},
        ]
        with mongodb_errors_as_unavailable():
            found = [document async for document in self._events.aggregate(newest_of_each)]
        return {read_key(document["_id"]): read_key(document["newest"]) for document in found}

    async def find(self, room_id: int, id: Cursor) -> Event | None:
        with mongodb_errors_as_unavailable():
            document = await self._events.find_one({"_id": event_key(room_id, id), "kept_for": None})
        return None if document is None else read_event(document)

    async def are_archived(self, events: Sequence[Event]) -> list[bool]:
        """Returns True for each event that is archived under its own id, user and client id."""
        keys = [event_key(event.room_id, event.id) for event in events]
        with mongodb_errors_as_unavailable():
            found = {read_event(document) async for document in self._events.find({"_id": {"$in": keys}})}
        there = {(event.room_id, event.id, event.user_id, event.client_id) for event in found}
        return [(event.room_id, event.id, event.user_id, event.client_id) in there for event in events]

    async def find_by_client_id(self, room_id: int, user_id: int, client_id: str) -> Event | None:
        """Returns the event that was posted under this client id, however long ago. Look-ups are grouped like writes.

        Raises Unavailable at once while MongoDB is away, so that callers that can do without it do not wait.
        """
        if self._is_away:
            raise Unavailable(because="the archive is not available", retry_after=2)
        return await self._look_ups.submit(ClientId(room_id, user_id, client_id))

    async def _find_all_by_client_id(self, client_ids: Sequence[ClientId]) -> Sequence[Event | None]:
        with self.noting_absence():
            found = self._events.find(with_client_ids(client_ids))
            events = [read_event(document) async for document in found]
        by_name = {ClientId(event.room_id, event.user_id, event.client_id): event for event in events}
        return [by_name.get(name) for name in client_ids]

    async def tip(self, room_id: int) -> Cursor:
        """Returns the room's highest archived id; BEGINNING if it has none."""
        newest = await self.before(room_id, END, 1)
        return newest[-1].id if newest else BEGINNING

    async def tips(self, rooms: Sequence[int]) -> dict[int, Cursor]:
        """Returns the highest archived id of each room, in one round trip. Rooms without any are left out."""
        newest: list[Document] = [
            {"$match": {"$expr": {"$and": [{"$gt": ["$_id", "$$from"]}, {"$lt": ["$_id", "$$to"]}]}, "kept_for": None}},
            {"$sort": {"_id": -1}},
            {"$limit": 1},
            {"$project": {"_id": 1}},
        ]
        bounds = {
            name: {"room": "$_id", "ms": {"$literal": end.ms}, "seq": {"$literal": end.seq}}
            for name, end in (("from", BEGINNING), ("to", END))
        }
        look_up = {"from": self._events.name, "let": bounds, "pipeline": newest, "as": "newest"}
        with mongodb_errors_as_unavailable():
            found = self._rooms.aggregate([{"$match": {"_id": {"$in": list(rooms)}}}, {"$lookup": look_up}])
            keys = [each["_id"] async for room in found for each in room["newest"]]
        return {key["room"]: read_key(key) for key in keys}

    async def count_after(self, room_id: int, cursor: Cursor, limit: int) -> int:
        """Returns the number of events behind the cursor, counted up to `limit`."""
        with mongodb_errors_as_unavailable():
            return int(await self._events.count_documents(_between(room_id, cursor, END), limit=limit))

    @contextmanager
    def noting_absence(self) -> Iterator[None]:
        """Notes if MongoDB is away. Wrap it around calls frequent enough to notice at once when it goes or returns."""
        try:
            with mongodb_errors_as_unavailable():
                yield
        except Unavailable:
            self._is_away = True
            if self._looking is None and not self._is_closed:
                self._looking = asyncio.create_task(self._look_for_it(), name="archive's return")
            raise
        self._is_away = False

    async def close(self) -> None:
        """Returns when all look-ups are answered."""
        self._is_closed = True
        await self._look_ups.join()
        if self._looking is not None:
            await tasks.stop([self._looking])

    async def _look_for_it(self) -> None:
        """Tries to reach MongoDB. No write may come to notice its return: many posts are refused while their look-up
        gets no answer."""
        try:
            while self._is_away:
                await asyncio.sleep(RETURN_SECONDS)
                with suppress(Unavailable), mongodb_errors_as_unavailable():
                    await self._events.find_one({}, {"_id": 1})
                    self._is_away = False
        finally:
            self._looking = None  # however it ended, the next call that finds MongoDB away starts it again


def client_key(room_id: int, user_id: int, client_id: str) -> Document:
    return {"_id.room": room_id, "user_id": user_id, "client_id": client_id}


def with_client_ids(names: Iterable[ClientId]) -> Document:
    """Returns a query for these events: one look into the index for all of a user's events in a room."""
    by_sender: dict[tuple[int, int], list[str]] = {}
    for room_id, user_id, client_id in names:
        by_sender.setdefault((room_id, user_id), []).append(client_id)
    each = [
        {"_id.room": room_id, "user_id": user_id, "client_id": {"$in": client_ids}}
        for (room_id, user_id), client_ids in by_sender.items()
    ]
    return each[0] if len(each) == 1 else {"$or": each}


def _between(room_id: int, after: Cursor, before: Cursor) -> Document:
    """Returns a query for events, without reserved slots."""
    return {"_id": {"$gt": event_key(room_id, after), "$lt": event_key(room_id, before)}, "kept_for": None}


def _messages(room_id: int, after: Cursor, before: Cursor) -> Document:
    return {"kind": MESSAGE, "_id": {"$gt": event_key(room_id, after), "$lt": event_key(room_id, before)}}


def _behind(id: Cursor) -> Cursor:
    """Returns the cursor right behind an id."""
    return id if id == END else Cursor(id.ms, id.seq + 1)
