"""Rooms: made by anyone who is signed in, found by id, closed by who made them."""

from __future__ import annotations

import msgspec
from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

from chatserver.archiver import Archiver
from chatserver.database import Database, Document, reaching_mongodb
from chatserver.errors import Forbidden, RoomNotFound, Taken
from chatserver.events import draft_closing, timestamp
from chatserver.names import clean_name, name_key

MAX_NAME = 80
"""Characters (code points) of a room's name."""


class Room(msgspec.Struct, frozen=True):
    id: int
    name: str
    created_at: str


class RoomClosed(RoomNotFound):
    """The room was there and is gone for good. Its stream answers 204: don't come back."""


class Rooms:
    def __init__(self, database: Database, archiver: Archiver) -> None:
        self._database = database
        self._rooms = database.rooms
        self._archiver = archiver

    async def all(self) -> list[Room]:
        """Every open room, by name."""
        with reaching_mongodb():
            found = self._rooms.find({"closed_at": {"$exists": False}}).sort("key", ASCENDING)
            return [_room(document) async for document in found]

    async def make(self, name: str, maker_id: int) -> Room:
        """Raises Invalid for a name that breaks the rules, Taken for one that is there already."""
        name = clean_name(name, MAX_NAME)
        document: Document = {
            "_id": await self._database.next_number("rooms"),
            "name": name,
            "key": name_key(name),
            "made_by": maker_id,
            "created_at": timestamp(),
        }
        with reaching_mongodb():
            try:
                await self._rooms.insert_one(document)
            except DuplicateKeyError:
                raise Taken from None
        return _room(document)

    async def find(self, room_id: int) -> Room:
        """Raises RoomNotFound; RoomClosed for a room that was there once."""
        return _room(await self._find(room_id))

    async def close(self, room_id: int, user_id: int) -> None:
        """Ends a room: its log gets a last event, its name is free again. Raises Forbidden for all but its maker."""
        document = await self._find(room_id)
        if document["made_by"] != user_id:
            raise Forbidden("only who made a room can close it")
        await self._archiver.publish(draft_closing(room_id, user_id))
        with reaching_mongodb():
            await self._rooms.update_one(
                {"_id": room_id}, {"$set": {"closed_at": timestamp(), "key": f"closed {room_id}\n"}}
            )

    async def _find(self, room_id: int) -> Document:
        if not 0 < room_id < 2**63:
            raise RoomNotFound
        with reaching_mongodb():
            document = await self._rooms.find_one({"_id": room_id})
        if document is None:
            raise RoomNotFound
        if "closed_at" in document:
            raise RoomClosed
        return document


def _room(document: Document) -> Room:
    return Room(document["_id"], document["name"], document["created_at"])
