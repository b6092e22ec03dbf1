"""`messages`, as it follows from `events`. Run as a program it makes `messages` anew: scripts/rebuild-messages."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

from pymongo import ASCENDING, ReplaceOne
from tqdm import tqdm

from chatserver.cursor import END
from chatserver.database import Database, Document, reaching_mongodb
from chatserver.documents import event_key, in_room, message_document, read_event
from chatserver.embedded import mongodb_address
from chatserver.errors import Unavailable

AT_ONCE = 500


class Projection:
    def __init__(self, database: Database) -> None:
        self._events = database.events
        self._messages = database.messages

    async def rooms(self) -> AsyncIterator[int]:
        """Every room of which there is an event or a message, by one look into the index for each."""
        room_id = 0
        while True:
            beyond = {"_id": {"$gt": event_key(room_id, END)}}
            with reaching_mongodb():
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
        return self._events.find(in_room(room_id)).sort("_id", ASCENDING)

    def shown(self, room_id: int) -> AsyncIterator[Document]:
        return self._messages.find(in_room(room_id)).sort("_id", ASCENDING)

    async def rebuild(self, room_id: int) -> int:
        """Makes `messages` of the room what the events say. The chat may go on meanwhile: it archives an event before
        it shows it, so what is shown without an event is wrong for good. Returns how many messages were written."""
        count = 0
        with reaching_mongodb():
            async for documents in _in_batches(self.events(room_id)):
                shown = [message_document(event) for event in map(read_event, documents) if event.kind == "message"]
                if shown:
                    replacing = [ReplaceOne({"_id": message["_id"]}, message, upsert=True) for message in shown]
                    await self._messages.bulk_write(replacing, ordered=False)
                count += len(shown)
            async for documents in _in_batches(self.shown(room_id)):
                ids = [message["_id"] for message in documents]
                found = self._events.find({"_id": {"$in": ids}, "kind": "message"}, {"_id": 1})
                known = [event["_id"] async for event in found]
                await self._messages.delete_many({"_id": {"$in": [id for id in ids if id not in known]}})
        return count


async def _in_batches(documents: AsyncIterator[Document]) -> AsyncIterator[list[Document]]:
    batch: list[Document] = []
    async for document in documents:
        batch.append(document)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


async def rebuild_all(uri: str) -> int:
    """Rebuilds every room. Returns the exit status."""
    database = Database(uri)
    projection = Projection(database)
    messages = 0
    try:
        rooms = [room_id async for room_id in projection.rooms()]
        for room_id in tqdm(rooms, desc="rebuilding", unit=" rooms"):
            messages += await projection.rebuild(room_id)
    except Unavailable as error:
        print(f"the archive does not answer: {error.__cause__ or error}", file=sys.stderr)
        return 1
    finally:
        database.close()
    print(f"{messages} messages in {len(rooms)} rooms are what the events say")
    return 0


if __name__ == "__main__":
    with mongodb_address() as address:
        sys.exit(asyncio.run(rebuild_all(address)))
