"""Rooms: made by any signed-in user, found by id, closed by their maker."""

from __future__ import annotations

import asyncio
import contextlib
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

from chatserver.archive.branch_bases import LogEnded
from chatserver.archive.database import Database, Document, is_about_skeleton, mongodb_errors_as_unavailable
from chatserver.archive.publisher import Publisher
from chatserver.errors import Forbidden, RoomClosed, RoomNotFound, Taken, Unavailable
from chatserver.live.signals import Signal, Signals
from chatserver.log.wakeups import Wakeups
from chatserver.model.client_ids import check_client_id
from chatserver.model.display_names import MAX_ROOM_NAME, clean_name, name_key
from chatserver.model.events import draft_closing, timestamp
from chatserver.model.lookalikes import skeletons
from chatserver.model.rooms import Room
from chatserver.support.lookup_cache import LookupCache

ROOM_CACHE_SIZE = 10_000
LIST = "list"
"""The cache key of the list of all rooms."""

CLOSED = "harbour:rooms-closed"
MADE = "harbour:rooms-made"
"""The channels on which processes publish the id of a room that was closed, or made."""


class _List(NamedTuple):
    """All open rooms by name. `keys`: their names' keys, in the same order. `digest`: see Rooms.digest."""

    rooms: tuple[Room, ...]
    keys: tuple[str, ...]
    digest: str


class Rooms:
    def __init__(self, database: Database, publisher: Publisher, wakeups: Wakeups, signals: Signals) -> None:
        self._database = database
        self._rooms = database.rooms
        self._publisher = publisher
        self._wakeups = wakeups
        self._signals = signals
        self._cache: LookupCache[int, Document] = LookupCache(
            self._look_up, lambda: wakeups.is_subscribed, ROOM_CACHE_SIZE
        )
        # The list is the same for all users, and every page needs it.
        self._list: LookupCache[str, _List] = LookupCache(self._read_list, lambda: wakeups.is_subscribed, 1)
        wakeups.subscribe(CLOSED, lambda id: self._forget(int(id[:20])))
        wakeups.subscribe(MADE, lambda _: self._list.forget(LIST))

    async def all(self) -> Sequence[Room]:
        """Returns every open room, by name. Raises Unavailable."""
        return (await self._listed()).rooms

    async def digest(self) -> str:
        """Returns the number of open rooms and the sum of their ids. Another list would hardly have the same, so a
        client can check whether the list it knows is current."""
        return (await self._listed()).digest

    async def make(self, name: str, maker_id: int, client_id: str | None = None) -> Room:
        """Makes a room. A repeat under the same client id returns the same room.

        Raises Invalid for a name that breaks the rules, Taken for a name in use.
        """
        check_client_id(client_id)
        name = clean_name(name, MAX_ROOM_NAME)
        document: Document = {
            "_id": await self._database.next_number("rooms"),
            "name": name,
            "key": name_key(name),
            "looks": skeletons(name),
            "made_by": maker_id,
            "created_at": timestamp(),
            "client_id": client_id,
        }
        with mongodb_errors_as_unavailable():
            try:
                await self._rooms.insert_one(document)
            except DuplicateKeyError as error:
                made = await self._rooms.find_one({"key": document["key"], "made_by": maker_id})
                if client_id is None or made is None or made.get("client_id") != client_id:
                    raise Taken("that name looks like another room's" if is_about_skeleton(error) else None) from None
                return _room(made)
        self._list.forget(LIST)
        room = _room(document)
        with contextlib.suppress(Unavailable):  # other processes notice when their list expires
            await self._wakeups.publish(MADE, str(room.id))
        await self._tell_made(room, document["key"])
        return room

    async def find(self, room_id: int) -> Room:
        """Raises RoomNotFound; RoomClosed for a room that once existed."""
        return _room(_open(await self._cache.get(room_id)))

    async def find_open(self, room_ids: Sequence[int]) -> list[Room]:
        """Returns the open ones of these rooms. Raises RoomNotFound if one never existed, RoomClosed if none is
        open."""
        documents = {room_id: self._cache.fresh(room_id) for room_id in room_ids}
        unsure = [room_id for room_id, document in documents.items() if document is None]
        answers = await asyncio.gather(*map(self._cache.get, unsure)) if unsure else []
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
            raise Forbidden("only the person who created a room can delete it")
        # First posting is refused, then the log ends. A maker who is cut off between the two closes the room again.
        await self._mark(
            room_id, {"closed_at": timestamp(), "key": f"closed {room_id}\n", "looks": [f"closed {room_id}"]}
        )
        with contextlib.suppress(Unavailable):  # other processes notice when they look it up again
            await self._wakeups.publish(CLOSED, str(room_id))
        self._signals.send(Signal("rooms", {"closed": room_id}))
        with contextlib.suppress(
            LogEnded
        ):  # only the mark was missing: the close was cut off, perhaps in an older release
            await self._publisher.publish(draft_closing(room_id, user_id))
        await self._mark(room_id, {"ended": True})

    async def _mark(self, room_id: int, fields: Document) -> None:
        with mongodb_errors_as_unavailable():
            await self._rooms.update_one({"_id": room_id}, {"$set": fields})
        self._forget(room_id)

    def _forget(self, room_id: int) -> None:
        self._cache.forget(room_id)
        self._list.forget(LIST)

    async def _tell_made(self, room: Room, key: str) -> None:
        """Tells all readers of a room and of its position in the list, so that none has to read the list for it."""
        data: Document = {"made": msgspec.to_builtins(room)}
        with contextlib.suppress(Unavailable):  # pages then put it at the end until they read the list
            rooms, keys, _ = await self._listed()
            place = bisect_left(keys, key)
            data["after"] = rooms[place - 1].id if place else 0
        self._signals.send(Signal("rooms", data))

    async def _listed(self) -> _List:
        return await self._list.get(LIST) or _List((), (), "0.0")

    async def _read_list(self, _: str) -> _List:
        with mongodb_errors_as_unavailable():
            found = self._rooms.find({"closed_at": {"$exists": False}}).sort("key", ASCENDING)
            documents = await found.to_list(None)
        digest = f"{len(documents)}.{sum(document['_id'] for document in documents)}"
        return _List(tuple(map(_room, documents)), tuple(document["key"] for document in documents), digest)

    async def _look_up(self, room_id: int) -> Document | None:
        if not 0 < room_id < 2**63:  # MongoDB has no larger integers
            return None
        with mongodb_errors_as_unavailable():
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
    return Room(**{field: document["_id" if field == "id" else field] for field in Room.__struct_fields__})
