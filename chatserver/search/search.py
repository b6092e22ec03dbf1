"""Search: messages that have all of some words, newest first, in their current form.

`messages.words` has the words of each message (see `model/words.py`); an index leads from a word to its messages in the
order of time. `plan.py` chooses the index of a search. Closed rooms are not searched, and deleted messages have no
words.

An index knows one of the words; the others, the room and the author are checked message by message. So a search goes
along the index stretch by stretch, the first of them short, and ends after SEARCH_BUDGET_MESSAGES, found or not, with
the position to continue from.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import aclosing
from typing import NamedTuple, TypeVar

import msgspec
from pymongo.errors import ExecutionTimeout

from chatserver.accounts.lookup import UserLookup
from chatserver.archive.database import Database, Document, mongodb_errors_as_unavailable
from chatserver.archive.event_documents import read_key, read_shown
from chatserver.errors import Unavailable
from chatserver.messages.history import PAGE_BYTES
from chatserver.model.cursor import Cursor
from chatserver.model.display_names import name_key
from chatserver.model.events import Message
from chatserver.model.rooms import Room
from chatserver.rooms.rooms import Rooms
from chatserver.search.plan import ANSWER_MS, QueryPlan, SortKey, choose_plan
from chatserver.search.query import Query
from chatserver.search.turns import SearchTurns

PAGE_SIZE = 20
MAX_PAGE = 50

STRETCHES = (200, 600, 1_200)
SEARCH_BUDGET_MESSAGES = sum(STRETCHES)
"""Most messages that one search examines; about some milliseconds for each hundred."""

SEARCH_SECONDS = 1.0
"""No further stretch is begun after this time."""

READ_BATCH_MESSAGES = 100

_encoder = msgspec.json.Encoder()

Answer = TypeVar("Answer")


class Result(NamedTuple):
    message: Message
    room_name: str


class Results(NamedTuple):
    """Newest first. `next`: the id to search before for older results; None if there are none."""

    results: list[Result]
    next: str | None = None

    @property
    def has_more(self) -> bool:
        return self.next is not None


class Search:
    def __init__(self, database: Database, rooms: Rooms, people: UserLookup) -> None:
        self._messages = database.messages
        self._rooms = rooms
        self._people = people
        self._turns = SearchTurns()

    async def find(
        self,
        user_id: int,
        query: Query,
        *,
        room_id: int | None,
        author: str | None,
        before: Cursor | None,
        limit: int,
    ) -> Results:
        """Searches for this user. `author`: a user's name. `before`: `next` of the page before.

        Messages of several rooms may have the same id; a page never ends between them, and then has a few more than
        `limit`. It has fewer, or none, if the search reached its budget. Raises RoomNotFound, Unavailable.
        """
        rooms = await self._searched(room_id)
        narrowed: Document = {} if author is None else {"user_id": await self._id_of(author)}
        async with self._turns.turn(user_id):
            plan = await self._in_time(choose_plan(self._messages, query, room_id))
            if room_id is None:
                narrowed["_id.room"] = {"$in": list(rooms)}
            return await self._page(plan, narrowed, query, rooms, before, limit)

    async def _id_of(self, author: str) -> int:
        """Returns the user's id; 0, which no user has, for an unknown name."""
        return next((user.id for user in (await self._people.find([name_key(author)])).values()), 0)

    async def _searched(self, room_id: int | None) -> Mapping[int, Room]:
        rooms: Sequence[Room] = await self._rooms.all() if room_id is None else [await self._rooms.find(room_id)]
        return {room.id: room for room in rooms}

    async def _page(
        self,
        plan: QueryPlan,
        narrowed: Document,
        query: Query,
        rooms: Mapping[int, Room],
        before: Cursor | None,
        limit: int,
    ) -> Results:
        until = asyncio.get_running_loop().time() + SEARCH_SECONDS
        results: list[Result] = []
        room_for = PAGE_BYTES
        for length in STRETCHES:
            end = None if plan.is_small else await self._in_time(self._end_of_stretch(plan, before, length))
            async with aclosing(self._newest_first(plan, narrowed, query, before, end)) as found:
                async for message in found:
                    is_full = len(results) >= limit or room_for < 0
                    if is_full and results[-1].message.id != message.id:
                        return Results(results, results[-1].message.id)
                    results.append(Result(message, rooms[message.room_id].name))
                    room_for -= len(_encoder.encode(message))
            if end is None:
                return Results(results)
            before = end
            if asyncio.get_running_loop().time() > until:
                break
        return Results(results, str(before))

    async def _end_of_stretch(self, plan: QueryPlan, before: Cursor | None, length: int) -> Cursor | None:
        """Returns the id at about the end of the next `length` messages; None if there are fewer. Reads only the
        index."""
        older = plan.about_older_than(_sort_key(before))
        found = self._messages.find(
            {"$and": [plan.walked, older]}, plan.key_projection, hint=plan.hint, max_time_ms=ANSWER_MS
        )
        documents = await found.sort(plan.order).skip(length - 1).limit(1).to_list(1)
        if not documents:
            return None
        end = read_key(documents[0]["_id"])
        if before is None or end < before:
            return end
        # More than that share one millisecond: the stretch is the rest of it.
        return Cursor(before.ms, 0) if before.seq else Cursor(before.ms - 1, 0)

    async def _newest_first(
        self, plan: QueryPlan, narrowed: Document, query: Query, before: Cursor | None, end: Cursor | None
    ) -> AsyncGenerator[Message, None]:
        """Yields matches from `before` to the end of a stretch, or of all. Messages of several rooms may share the id
        at which a stretch ends: all of them are part of it."""
        stretch = {} if end is None else plan.not_older_than(end)
        matching = {"$and": [plan.query, narrowed, plan.older_than(_sort_key(before)), stretch]}
        found = self._messages.find(matching, hint=plan.hint, max_time_ms=ANSWER_MS)
        cursor = found.sort(plan.order).batch_size(READ_BATCH_MESSAGES)
        try:
            while documents := await self._in_time(cursor.to_list(READ_BATCH_MESSAGES)):
                for document in documents:
                    if query.is_in(document["content"]):
                        yield read_shown(document).message
        finally:
            await cursor.close()

    async def _in_time(self, asked: Awaitable[Answer]) -> Answer:
        """Awaits a query. Raises Unavailable if MongoDB is away or the query takes too long."""
        try:
            with mongodb_errors_as_unavailable():
                return await asked
        except Unavailable as error:
            if isinstance(error.__cause__, ExecutionTimeout):
                raise Unavailable("that takes too long to look for, add a word", retry_after=5) from error
            raise


def _sort_key(before: Cursor | None) -> SortKey | None:
    return None if before is None else SortKey(before.ms, before.seq, 0)
