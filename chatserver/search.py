"""Search: messages that have all of some words, newest first, as they stand now.

`messages.words` has the words of each message (see `search_words.py`), and an index leads from a word to its messages
in the order of time. Which index a search goes by is decided here (`search_ways.py`). Rooms that were closed are not
searched, and what was deleted has no words.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeVar

from pymongo.errors import ExecutionTimeout

from chatserver.cursor import Cursor
from chatserver.database import Database, Document, reaching_mongodb
from chatserver.documents import read_shown
from chatserver.errors import Unavailable
from chatserver.events import Message
from chatserver.names import name_key
from chatserver.people import People
from chatserver.rooms import Room, Rooms
from chatserver.search_ways import ANSWER_MS, Place, Way, choose_way
from chatserver.wanted import Wanted

PAGE_SIZE = 20
MAX_PAGE = 50

AT_ONCE = 4
"""Searches of one process at the same time: a slow one holds one of the connections that posts need too."""

MAX_WAITING = 40
"""Searches that may wait for that. Past it, or after WAIT_SECONDS, they are told to come again."""

WAIT_SECONDS = 4.0

READ_AT_ONCE = 100

Answer = TypeVar("Answer")


class Result(NamedTuple):
    message: Message
    room_name: str


class Results(NamedTuple):
    """Newest first. `has_more`: there are older ones."""

    results: list[Result]
    has_more: bool


class Search:
    def __init__(self, database: Database, rooms: Rooms, people: People) -> None:
        self._messages = database.messages
        self._rooms = rooms
        self._people = people
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def find(
        self, wanted: Wanted, *, room_id: int | None, author: str | None, before: Cursor | None, limit: int
    ) -> Results:
        """`author`: a user's name. `before`: the id of the last result of the page before.

        Messages of several rooms may have the same id; a page never ends between them, and then has a few more than
        `limit`. Raises RoomNotFound, Unavailable.
        """
        rooms = await self._searched(room_id)
        narrowed: Document = {} if author is None else {"user_id": await self._id_of(author)}
        async with self._turn():
            way = await self._in_time(choose_way(self._messages, wanted, room_id))
            if room_id is None:
                narrowed["_id.room"] = {"$in": list(rooms)}
            return await self._page(way, narrowed, wanted, rooms, before, limit)

    async def _id_of(self, author: str) -> int:
        """0, which is nobody, for a name that nobody has."""
        return next((user.id for user in (await self._people.find([name_key(author)])).values()), 0)

    async def _searched(self, room_id: int | None) -> Mapping[int, Room]:
        rooms: Sequence[Room] = await self._rooms.all() if room_id is None else [await self._rooms.find(room_id)]
        return {room.id: room for room in rooms}

    async def _page(
        self,
        way: Way,
        narrowed: Document,
        wanted: Wanted,
        rooms: Mapping[int, Room],
        before: Cursor | None,
        limit: int,
    ) -> Results:
        results: list[Result] = []
        async for message in self._newest_first(way, narrowed, before):
            if len(results) >= limit and results[-1].message.id != message.id:
                return Results(results, has_more=True)
            if wanted.is_in(message.content):
                results.append(Result(message, rooms[message.room_id].name))
        return Results(results, has_more=False)

    async def _newest_first(self, way: Way, narrowed: Document, before: Cursor | None) -> AsyncIterator[Message]:
        place = None if before is None else Place(before.ms, before.seq, 0)
        while True:
            found = self._messages.find({"$and": [way.query, narrowed, way.older_than(place)]}, hint=way.hint)
            asked = found.sort(way.order).limit(READ_AT_ONCE).max_time_ms(ANSWER_MS)
            documents = await self._in_time(asked.to_list(READ_AT_ONCE))
            for document in documents:
                yield read_shown(document).message
            if len(documents) < READ_AT_ONCE:
                return
            key = documents[-1]["_id"]
            place = Place(key["ms"], key["seq"], key["room"])

    async def _in_time(self, asked: Awaitable[Answer]) -> Answer:
        """Raises Unavailable."""
        try:
            with reaching_mongodb():
                return await asked
        except Unavailable as error:
            if isinstance(error.__cause__, ExecutionTimeout):
                raise Unavailable("that takes too long to look for, add a word", retry_after=5) from error
            raise

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= MAX_WAITING:
            raise Unavailable("too many people are searching right now, try again", retry_after=2)
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise Unavailable("too many people are searching right now, try again", retry_after=2) from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()
