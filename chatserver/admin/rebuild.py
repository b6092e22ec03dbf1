"""The rebuild of `messages` from `events`, for scripts/rebuild-messages."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from pymongo import ASCENDING, InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError

from chatserver.archive.database import Database, Document, mongodb_errors_as_unavailable, raise_unless_duplicate
from chatserver.archive.event_documents import event_key, in_room, message_document, read_event, read_key
from chatserver.archive.events import Archive
from chatserver.archive.projector import redact
from chatserver.errors import Unavailable
from chatserver.model.cursor import BEGINNING, END, Cursor
from chatserver.model.event_kinds import MESSAGE, apply_changes, kind_of
from chatserver.model.events import Event

Progress = Callable[[Sequence[int]], Iterable[int]]
"""Wraps a walk over the ids of rooms, to show its progress."""

REBUILD_BATCH = 500

REBUILD_ATTEMPTS = 20
"""Times that messages are compared again because they changed at that moment."""


class MessagesRebuild:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._archive = Archive(database)
        self._events = database.events
        self._messages = database.messages
        self._newest_messages = database.newest_messages

    async def rooms(self) -> AsyncIterator[int]:
        """Yields the id of every room with an event or a message, by one look into the index for each. Raises
        Unavailable."""
        room_id = 0
        while True:
            beyond = {"_id": {"$gt": event_key(room_id, END)}}
            with mongodb_errors_as_unavailable():
                firsts = [
                    await collection.find_one(beyond, {"_id": 1}, sort=[("_id", ASCENDING)])
                    for collection in (self._events, self._messages)
                ]
            following = [first["_id"]["room"] for first in firsts if first is not None]
            if not following:
                return
            room_id = min(following)
            yield room_id

    def events(self, room_id: int) -> AsyncIterator[Document]:
        return self._events.find(in_room(room_id)).sort("_id", ASCENDING).batch_size(REBUILD_BATCH)

    def shown(self, room_id: int) -> AsyncIterator[Document]:
        return self._messages.find(in_room(room_id)).sort("_id", ASCENDING).batch_size(REBUILD_BATCH)

    def named(self, room_id: int) -> AsyncIterator[Document]:
        """Yields the room's events with a client id, in the order of user and client id. An index has this order; if it
        is missing, MongoDB sorts them on its disk."""
        query = {"_id.room": room_id, "client_id": {"$exists": True}}
        found = self._events.find(query, {"user_id": 1, "client_id": 1})
        order = [("_id.room", ASCENDING), ("user_id", ASCENDING), ("client_id", ASCENDING)]
        return found.sort(order).allow_disk_use(True).batch_size(REBUILD_BATCH)

    async def messages_among(self, room_id: int, ids: Iterable[Cursor]) -> set[Cursor]:
        """Returns those of the ids that belong to an archived message."""
        keys = [event_key(room_id, id) for id in ids]
        found = self._events.find({"_id": {"$in": keys}, "kind": MESSAGE}, {"_id": 1}) if keys else None
        return set() if found is None else {read_key(event["_id"]) async for event in found}

    async def rebuild(self, room_id: int) -> int:
        """Makes the room's `messages` follow from its events. The chat may go on meanwhile: it archives an event before
        it shows it, so a message without an event is always wrong. Returns the number of messages. Raises Unavailable.
        """
        count = 0
        with mongodb_errors_as_unavailable():
            async for documents in in_batches(self.events(room_id)):
                written = [event for event in map(read_event, documents) if kind_of(event).is_message]
                await self._correct(room_id, written)
                count += len(written)
            async for documents in in_batches(self.shown(room_id)):
                ids = [message["_id"] for message in documents]
                found = self._events.find({"_id": {"$in": ids}, "kind": MESSAGE}, {"_id": 1})
                known = [event["_id"] async for event in found]
                await self._messages.delete_many({"_id": {"$in": [id for id in ids if id not in known]}})
        return count

    async def expected(self, room_id: int, written: Sequence[Event]) -> list[Document]:
        """Returns the documents that `messages` must have of these messages of a room. Raises Unavailable."""
        changes = await self._archive.changes(room_id, {event.id: BEGINNING for event in written})
        expected = []
        for event in written:
            later = changes.get(event.id, [])
            expected.append(
                message_document(apply_changes(event.message(), later), later[-1].id if later else BEGINNING)
            )
        return expected

    async def _correct(self, room_id: int, written: Sequence[Event]) -> None:
        for _ in range(REBUILD_ATTEMPTS):
            # `messages` is read first, so that a change in between is not overwritten, but leads to another attempt.
            found = self._newest_messages.find({"_id": {"$in": [event_key(room_id, event.id) for event in written]}})
            there = {read_key(document["_id"]): document async for document in found}
            expected = await self.expected(room_id, written)
            wrong = [document for document in expected if there.get(read_key(document["_id"])) != document]
            if not wrong:
                await self._redact(room_id, expected)
                return
            writing = [
                ReplaceOne({"_id": document["_id"], "applied": was.get("applied")}, document)
                if (was := there.get(read_key(document["_id"])))
                else InsertOne(document)
                for document in wrong
            ]
            try:
                await self._messages.bulk_write(writing, ordered=False)
            except BulkWriteError as error:
                raise_unless_duplicate(error)
        raise Unavailable(because="the messages change too fast")

    async def _redact(self, room_id: int, documents: Sequence[Document]) -> None:
        for document in documents:
            if document.get("deleted"):
                await redact(self._database, room_id, read_key(document["_id"]))


async def in_batches(documents: AsyncIterator[Document]) -> AsyncIterator[list[Document]]:
    batch: list[Document] = []
    async for document in documents:
        batch.append(document)
        if len(batch) == REBUILD_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def rebuild_all(uri: str, progress: Progress = list) -> int:
    """Rebuilds every room. Returns the exit status. `progress`: as in `audit_all`."""
    database = Database(uri)
    projection = MessagesRebuild(database)
    messages = 0
    try:
        rooms = [room_id async for room_id in projection.rooms()]
        for room_id in progress(rooms):
            messages += await projection.rebuild(room_id)
    except Unavailable as error:
        print(f"the archive does not answer: {error.__cause__ or error}", file=sys.stderr)
        return 1
    finally:
        database.close()
    print(f"{messages} messages in {len(rooms)} rooms are what the events say")
    return 0
