"""The archive: every event for ever, in MongoDB.

    events     one document for each entry of a log, append-only, `_id` = {room, ms, seq}: the log's own order
    messages   what the room shows, a projection of `events` that can be rebuilt from it

An event counts as archived when a majority of the replica set has it in its journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import BulkWriteError

from chatserver.cursor import BEGINNING, END, Cursor
from chatserver.database import Database, Document, reaching_mongodb
from chatserver.documents import event_document, event_key, message_document, read_event
from chatserver.errors import Unavailable
from chatserver.events import Event
from chatserver.group_commit import GroupCommit

DUPLICATE_KEY = 11000

WALK = 500
"""Events over which a chain is walked back."""


class ClientId(NamedTuple):
    """What names an event before the log does, and for ever after."""

    room_id: int
    user_id: int
    client_id: str


class IdTaken(Exception):
    """Another event is archived under this id: Redis gave it out twice. Append again."""


class Archive:
    """Reads and writes events. Everything raises Unavailable when MongoDB does not answer."""

    def __init__(self, database: Database) -> None:
        self._events = database.events
        self._messages = database.messages
        self._commits: GroupCommit[Event, Event] = GroupCommit(self._commit_all)
        self._look_ups: GroupCommit[ClientId, Event | None] = GroupCommit(self._find_all_by_client_id)
        self._is_away = False

    # Writing

    async def commit(self, event: Event) -> Event:
        """Archives an event, durably, and returns the one that stands under its client id.

        That is the event itself, also when it was archived before; or an earlier one, if this is a repeat that slipped
        past both look-ups. The repeat is archived as a void then, so that `prev` of the next event still holds.
        Raises IdTaken.
        """
        return await self._commits.submit(event)

    async def retract(self, event: Event) -> None:
        """Turns an event that the log lost before it was acknowledged into a void, and frees its client id."""
        with reaching_mongodb():
            await self._events.update_one(
                {"_id": event_key(event.room_id, event.id), "client_id": event.client_id},
                {"$set": {"kind": "void"}, "$unset": {"client_id": "", "payload": ""}},
            )
            await self._messages.delete_one({"_id": event_key(event.room_id, event.id)})

    async def show(self, event: Event) -> None:
        """Makes sure that an archived event is in `messages`, whatever became of the process that archived it."""
        with reaching_mongodb():
            await self._project([event])

    async def seal(self, room_id: int, id: Cursor, prev: Cursor) -> None:
        """Puts a void where an event is missing, unless it is there by now.

        Readers that go past a hole must be sure that nothing appears in it behind their backs: whoever still holds
        the missing event finds its id taken, and appends it again.
        """
        with reaching_mongodb():
            void = {"_id": event_key(room_id, id), "prev": str(prev), "kind": "void", "user_id": 0}
            await _insert(self._events, [void])

    async def _commit_all(self, events: Sequence[Event]) -> Sequence[Event | Exception]:
        with self._noticing_absence():
            refused = await _insert(self._events, [event_document(event) for event in events])
            outcomes: list[Event | Exception] = list(events)
            for index in refused:
                outcomes[index] = await self._settle(events[index])
            # Also the first of a repeat: whoever archived that may have died before it was shown.
            await self._project([outcome for outcome in outcomes if isinstance(outcome, Event)])
        return outcomes

    async def _settle(self, event: Event) -> Event | Exception:
        """An insert hit a unique index: was it this very event, a repeat, or an id that was given out twice?"""
        there = await self._events.find_one({"_id": event_key(event.room_id, event.id)})
        if there is not None and there.get("client_id") == event.client_id and there["user_id"] == event.user_id:
            return event
        first = await self._events.find_one(_client_key(event.room_id, event.user_id, event.client_id))
        if there is not None and (first is None or there["kind"] != "void"):
            return IdTaken(str(event.id))
        if first is None:
            return Unavailable()  # what was in the way is gone again: a retraction; the client repeats
        if there is None:
            await _insert(self._events, [event_document(event, void=True)])
        return read_event(first)

    async def _project(self, events: Sequence[Event]) -> None:
        """Shows events in `messages`. Idempotent: a message that is there already stays as it is."""
        documents = [message_document(event) for event in events if event.kind == "message"]
        if documents:
            await _insert(self._messages, documents)

    # Reading

    async def after(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        """The oldest `limit` events behind the cursor, voids among them."""
        with reaching_mongodb():
            found = self._events.find(_between(room_id, cursor, END)).sort("_id", ASCENDING).limit(limit)
            return [read_event(document) async for document in found]

    async def before(self, room_id: int, cursor: Cursor, limit: int) -> list[Event]:
        """The newest `limit` events in front of the cursor, oldest first, voids among them."""
        with reaching_mongodb():
            found = self._events.find(_between(room_id, BEGINNING, cursor)).sort("_id", DESCENDING).limit(limit)
            newest_first = [read_event(document) async for document in found]
        return newest_first[::-1]

    async def find(self, room_id: int, id: Cursor) -> Event | None:
        with reaching_mongodb():
            document = await self._events.find_one({"_id": event_key(room_id, id)})
        return None if document is None else read_event(document)

    async def leads_back(self, later: Cursor, event: Event) -> bool:
        """Whether the chain of `prev`, walked back from a later event, comes past this one.

        From far away the walk starts somewhat nearer: lost branches are as short as what was in flight. Raises
        Unavailable when a link of the chain is not archived yet.
        """
        following = await self.after(event.room_id, event.id, WALK)
        prevs = {each.id: each.prev for each in following}
        cursor = later if len(following) < WALK or later in prevs else following[-1].id
        while cursor > event.id:
            if cursor not in prevs:
                raise Unavailable("the log is being mended, try again")
            cursor = prevs[cursor]
        return cursor == event.id

    async def find_by_client_id(self, room_id: int, user_id: int, client_id: str) -> Event | None:
        """The event that was posted under this client id, however long ago. Look-ups are grouped like writes.

        While MongoDB is away this raises Unavailable at once: the writes wait for it, and tell when it is back.
        """
        if self._is_away:
            raise Unavailable("the archive is not available right now, try again", retry_after=2)
        return await self._look_ups.submit(ClientId(room_id, user_id, client_id))

    async def _find_all_by_client_id(self, wanted: Sequence[ClientId]) -> Sequence[Event | None]:
        with self._noticing_absence():
            found = self._events.find({"$or": [_client_key(*name) for name in wanted]})
            events = [read_event(document) async for document in found]
        by_name = {ClientId(event.room_id, event.user_id, event.client_id): event for event in events}
        return [by_name.get(name) for name in wanted]

    async def tip(self, room_id: int) -> Cursor:
        """The room's highest archived id; BEGINNING where nothing is archived."""
        newest = await self.before(room_id, END, 1)
        return newest[-1].id if newest else BEGINNING

    async def count_after(self, room_id: int, cursor: Cursor, limit: int) -> int:
        """How many events stand behind the cursor, counted up to `limit`."""
        with reaching_mongodb():
            return int(await self._events.count_documents(_between(room_id, cursor, END), limit=limit))

    @contextmanager
    def _noticing_absence(self) -> Iterator[None]:
        try:
            with reaching_mongodb():
                yield
        except Unavailable:
            self._is_away = True
            raise
        self._is_away = False

    async def close(self) -> None:
        """Returns when everything that was handed in is written."""
        await self._look_ups.join()
        await self._commits.join()


async def _insert(collection: Any, documents: list[Document]) -> list[int]:
    """Inserts what is not there yet. Returns the indexes of the documents that a unique index refused."""
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        details = error.details or {}
        errors = details.get("writeErrors", [])
        if details.get("writeConcernErrors") or any(e["code"] != DUPLICATE_KEY for e in errors):
            raise
        return [e["index"] for e in errors]
    return []


def _client_key(room_id: int, user_id: int, client_id: str) -> Document:
    return {"_id.room": room_id, "user_id": user_id, "client_id": client_id}


def _between(room_id: int, after: Cursor, before: Cursor) -> Document:
    return {"_id": {"$gt": event_key(room_id, after), "$lt": event_key(room_id, before)}}
