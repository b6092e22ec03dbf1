"""Rooms: made by anyone who is signed in, found by id, closed by who made them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import msgspec
from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

from chatserver.archiver import Archiver, LogEnded
from chatserver.client_ids import check_client_id
from chatserver.database import Database, Document, reaching_mongodb
from chatserver.errors import Forbidden, RoomNotFound, Taken, Unavailable
from chatserver.events import draft_closing, timestamp
from chatserver.names import clean_name, name_key
from chatserver.remembered import Remembered
from chatserver.signals import Signal, Signals
from chatserver.wakeups import Wakeups

MAX_NAME = 80
"""Characters (code points) of a room's name."""

REMEMBERED = 10_000
CLOSED = "harbour:rooms-closed"
"""The channel on which processes tell each other the id of a room that was closed."""


class Room(msgspec.Struct, frozen=True):
    id: int
    name: str
    created_at: str


class RoomClosed(RoomNotFound):
    """The room was there and is gone for good. Its stream answers 204: don't come back."""


class Rooms:
    def __init__(self, database: Database, archiver: Archiver, wakeups: Wakeups, signals: Signals) -> None:
        self._database = database
        self._rooms = database.rooms
        self._archiver = archiver
        self._wakeups = wakeups
        self._signals = signals
        self._remembered: Remembered[int, Document] = Remembered(self._look_up, lambda: wakeups.are_heard, REMEMBERED)
        wakeups.hear(CLOSED, lambda id: self._remembered.forget(int(id[:20])))

    async def all(self) -> list[Room]:
        """Every open room, by name."""
        with reaching_mongodb():
            found = self._rooms.find({"closed_at": {"$exists": False}}).sort("key", ASCENDING)
            return [_room(document) async for document in found]

    async def make(self, name: str, maker_id: int, client_id: str | None = None) -> Room:
        """Made twice under the same client id it is the same room.

        Raises Invalid for a name that breaks the rules, Taken for one that is there already.
        """
        check_client_id(client_id)
        name = clean_name(name, MAX_NAME)
        document: Document = {
            "_id": await self._database.next_number("rooms"),
            "name": name,
            "key": name_key(name),
            "made_by": maker_id,
            "created_at": timestamp(),
            "client_id": client_id,
        }
        with reaching_mongodb():
            try:
                await self._rooms.insert_one(document)
            except DuplicateKeyError:
                made = await self._rooms.find_one({"key": document["key"], "made_by": maker_id})
                if client_id is None or made is None or made.get("client_id") != client_id:
                    raise Taken from None
                return _room(made)
        self._signals.say(Signal("rooms"))
        return _room(document)

    async def find(self, room_id: int) -> Room:
        """Raises RoomNotFound; RoomClosed for a room that was there once."""
        return _room(_open(await self._remembered.get(room_id)))

    async def find_open(self, room_ids: Sequence[int]) -> list[Room]:
        """Those of the rooms that are open. Raises RoomNotFound if one was never there, RoomClosed if none is open."""
        documents = {room_id: self._remembered.fresh(room_id) for room_id in room_ids}
        unsure = [room_id for room_id, document in documents.items() if document is None]
        answers = await asyncio.gather(*map(self._remembered.get, unsure)) if unsure else []
        documents.update(zip(unsure, answers, strict=True))
        found = []
        for document in documents.values():
            if document is None:
                raise RoomNotFound
            if "closed_at" not in document:
                found.append(_room(document))
        if not found:
            raise RoomClosed
        return found

    async def close(self, room_id: int, user_id: int) -> None:
        """Ends a room: its log gets a last event, its name is free again. Raises Forbidden for all but its maker."""
        document = await self._look_up(room_id)
        if document is None or "ended" in document:
            document = _open(document)
        if document["made_by"] != user_id:
            raise Forbidden("only who made a room can close it")
        # First nobody can post any more, then the log ends. Who is cut off between the two closes the room again.
        await self._mark(room_id, {"closed_at": timestamp(), "key": f"closed {room_id}\n"})
        with contextlib.suppress(Unavailable):  # the others find out when they ask again
            await self._wakeups.say(CLOSED, str(room_id))
        self._signals.say(Signal("rooms"))
        with contextlib.suppress(
            LogEnded
        ):  # it was cut off when only the mark was missing, by an older release perhaps
            await self._archiver.publish(draft_closing(room_id, user_id))
        await self._mark(room_id, {"ended": True})

    async def _mark(self, room_id: int, fields: Document) -> None:
        with reaching_mongodb():
            await self._rooms.update_one({"_id": room_id}, {"$set": fields})
        self._remembered.forget(room_id)

    async def _look_up(self, room_id: int) -> Document | None:
        if not 0 < room_id < 2**63:  # MongoDB has no larger integers
            return None
        with reaching_mongodb():
            document: Document | None = await self._rooms.find_one({"_id": room_id})
        return document


def _open(document: Document | None) -> Document:
    """Raises RoomNotFound, RoomClosed."""
    if document is None:
        raise RoomNotFound
    if "closed_at" in document:
        raise RoomClosed
    return document


def _room(document: Document) -> Room:
    return Room(document["_id"], document["name"], document["created_at"])
