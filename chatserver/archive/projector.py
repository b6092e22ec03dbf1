"""MessageProjector: projects archived events into `messages`, each message with its changes applied.

Safe at any time, twice, by many processes and out of order. A message that is there already stays as it is. `applied`
of a document is the newest change that is in it; the later changes in the archive are applied, all of them and in
order, and written only if no other process did so meanwhile. Since the archive only grows at its end, a document has
every change up to its `applied`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence

from pymongo import ASCENDING
from pymongo.errors import BulkWriteError, DuplicateKeyError

from chatserver.archive.database import Database, Document, mongodb_errors_as_unavailable, raise_unless_duplicate
from chatserver.archive.event_documents import event_key, message_document, read_event, read_shown
from chatserver.archive.events import Archive
from chatserver.errors import Unavailable
from chatserver.log.room_log import RoomLog
from chatserver.model.changes import about
from chatserver.model.cursor import BEGINNING, Cursor
from chatserver.model.event_id import EventId
from chatserver.model.event_kinds import TEXTS_OF_CHANGES, apply_changes, kind_of, without_text
from chatserver.model.events import Event
from chatserver.support.group_commit import GroupCommit

PROJECTION_ATTEMPTS = 30
PROJECTION_PAUSE_SECONDS = 0.02
"""Times that others may be faster, and longest pause after each. The faster one applies all changes."""


class MessageProjector:
    """Every method raises Unavailable when MongoDB does not answer; for the text of deleted messages, Redis too."""

    def __init__(self, database: Database, archive: Archive, log: RoomLog) -> None:
        self._database = database
        self._archive = archive
        self._log = log
        # Apart, so that messages never wait for changes of others.
        self._messages: GroupCommit[Event, None] = GroupCommit(self._project_messages)
        self._changes: GroupCommit[Event, None] = GroupCommit(self._project_changes)

    async def project(self, event: Event) -> None:
        """Ensures that an archived event is in `messages`, even if the process that archived it died."""
        kind = kind_of(event)
        if kind.is_message:
            await self._messages.submit(event)
        elif kind.is_change:
            await self._changes.submit(event)

    async def project_message(self, message: Event) -> None:
        """Ensures that a message is in `messages` with all of its archived changes."""
        await self._project_message(EventId(message.room_id, message.id))

    async def project_all(self, events: Iterable[Event]) -> None:
        """Ensures that many archived events are in `messages`."""
        events = list(events)
        if messages := [event for event in events if kind_of(event).is_message]:
            await self._project_messages(messages)
        if changes := [event for event in events if kind_of(event).is_change]:
            for outcome in await self._project_changes(changes):
                if outcome is not None:
                    raise outcome

    async def close(self) -> None:
        """Returns when all submitted events are in `messages`."""
        await self._messages.join()
        await self._changes.join()

    async def _project_messages(self, events: Sequence[Event]) -> Sequence[None]:
        with self._archive.noting_absence():
            try:
                documents = [message_document(event.message()) for event in set(events)]
                await self._database.messages.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                raise_unless_duplicate(error)
        return [None] * len(events)

    async def _project_changes(self, events: Sequence[Event]) -> Sequence[Exception | None]:
        event_ids = [EventId(event.room_id, about(event)) for event in events]
        each = list(dict.fromkeys(event_ids))
        outcomes = await asyncio.gather(*map(self._project_message, each), return_exceptions=True)
        by_event_id = dict(zip(each, outcomes, strict=True))
        return [outcome if isinstance(outcome := by_event_id[event_id], Exception) else None for event_id in event_ids]

    async def _project_message(self, event_id: EventId) -> None:
        with mongodb_errors_as_unavailable():
            for _ in range(PROJECTION_ATTEMPTS):
                if await self._bring_forward(event_id):
                    return
                await asyncio.sleep(PROJECTION_PAUSE_SECONDS * random.random())
        raise Unavailable(because="the message changes too fast")

    async def _bring_forward(self, event_id: EventId) -> bool:
        """Applies the archived changes to a message. Returns False if another process did so in between."""
        key = event_key(*event_id)
        there: Document | None = await self._database.newest_messages.find_one({"_id": key})
        if there is not None:
            message, applied = read_shown(there)
        else:
            event = await self._archive.find(*event_id)
            if event is None or not kind_of(event).is_message:
                return True  # a change without a message shows nothing
            message, applied = event.message(), BEGINNING
        changes = (await self._archive.changes(event_id.room_id, {event_id.id: applied})).get(event_id.id, [])
        message = apply_changes(message, changes)
        if changes or there is None:
            document = message_document(message, changes[-1].id if changes else applied)
            if not await self._write(document, there):
                return False
        if message.deleted:
            await self._take_text_out(event_id)
        return True

    async def _write(self, document: Document, there: Document | None) -> bool:
        """Writes the document in place of the one that was read. Returns False if that has changed."""
        messages = self._database.messages
        if there is None:
            try:
                await messages.insert_one(document)
            except DuplicateKeyError:
                return False
            return True
        unchanged = {"_id": document["_id"], "applied": there.get("applied")}
        return (await messages.replace_one(unchanged, document)).matched_count == 1

    async def _take_text_out(self, event_id: EventId) -> None:
        """Removes the text of a deleted message. Its place in the chain stays, and its author."""
        ids = await redact(self._database, event_id.room_id, event_id.id)
        # Only after the archive is redacted: readers that find a hole in the stream read the archive.
        await self._log.remove_redacted(event_id.room_id, ids)


async def redact(database: Database, room_id: int, id: Cursor) -> list[Cursor]:
    """Removes the text of a deleted message and of its edits from `events`. Returns their ids. Raises PyMongoError."""
    key = event_key(room_id, id)
    ids = []
    texts = {"$or": [{"_id": key}, {"about": key, "kind": {"$in": TEXTS_OF_CHANGES}}]}
    async for document in database.events.find(texts).sort("_id", ASCENDING):
        event = read_event(document)
        ids.append(event.id)
        payload = without_text(event).payload.decode()
        if payload != document["payload"]:
            await database.events.update_one({"_id": document["_id"]}, {"$set": {"payload": payload}})
    return ids
