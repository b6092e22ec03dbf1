"""The connection to MongoDB, its collections and their indexes.

This is the only file that imports Motor. Motor is in maintenance (its makers move to PyMongo's own asynchronous API);
what the rest of the code uses of it is `Collection`, whose verbs are the same there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import BulkWriteError, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import PrimaryPreferred

from chatserver.errors import Unavailable

DUPLICATE_KEY = 11000

Document = dict[str, Any]
Collection = AsyncIOMotorCollection[Document]

DEFAULT_NAME = "harbour"
"""The database, where the URI names none."""

SELECT_MS = 5_000
"""How long to look for a primary: longer than an election among three members on one network (about 2–4 s)."""

ANSWER_MS = 10_000
"""How long a reply may take before its connection is given up."""

WRITE_MS = 5_000
"""How long a write may wait for its majority. A write that timed out may still have happened: who wrote asks again."""


LATEST = ReadConcern("linearizable")
"""For reads that explain why a write was refused: they see what stood in its way, which a majority may have only in a
moment, and return when it has."""

NEWEST = ReadConcern("local")
"""For reads that are followed by a write which takes place only if nothing was written since."""


MESSAGES_IN_ORDER = "messages_in_order"
"""An index of `events`, which pages name, so that none is ever read by another."""

MESSAGES_WITH_A_WORD = "messages_with_a_word"
MESSAGES_BY_TIME = "messages_by_time"
"""Indexes that search asks for by name."""

DELETED_MESSAGES = "deleted_messages"
MESSAGES_THAT_MENTION = "messages_that_mention"
"""Indexes for counts, which name them."""


class Database:
    """The collections, under the names that a visitor with a MongoDB shell would look for."""

    def __init__(self, uri: str) -> None:
        # Where replies are awaited, the majority has them and their journal is on disk: see "An acknowledgement is a
        # promise" in ARCHITECTURE.md. Reads see only what a majority has, so no election takes it back.
        self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            uri,
            w="majority",
            journal=True,
            wTimeoutMS=WRITE_MS,
            readConcernLevel="majority",
            retryWrites=True,
            serverSelectionTimeoutMS=SELECT_MS,
            connectTimeoutMS=2_000,
            socketTimeoutMS=ANSWER_MS,
            maxPoolSize=20,
            appname="harbour",
        )
        database = self._client.get_default_database(DEFAULT_NAME)
        self.events: Collection = database["events"]
        self.latest_events: Collection = self.events.with_options(read_concern=LATEST)
        self.messages: Collection = database["messages"]
        self.newest_messages: Collection = self.messages.with_options(read_concern=NEWEST)
        self.rooms: Collection = database["rooms"]
        self.users: Collection = database["users"]
        # For who only wants to know who has a name: that never changes, and is known while a primary is elected too.
        anywhere: Any = PrimaryPreferred()  # which Motor's types have under another name
        self.users_anywhere: Collection = self.users.with_options(read_preference=anywhere)
        self.sessions: Collection = database["sessions"]
        self.reads: Collection = database["reads"]
        self.counters: Collection = database["counters"]

    async def prepare(self) -> None:
        """Makes the indexes. Safe to run at every start, by many processes at once."""
        with reaching_mongodb():
            # One message for a (room, user, client id), for ever: the last word on repeats. And one event behind
            # another: the last word on what was lost (see `commits.py`).
            await self.events.create_indexes(
                [
                    IndexModel(
                        [("_id.room", ASCENDING), ("prev", ASCENDING)], name="one_event_behind_another", unique=True
                    ),
                    IndexModel(
                        [("_id.room", ASCENDING), ("user_id", ASCENDING), ("client_id", ASCENDING)],
                        name="one_event_for_a_client_id",
                        unique=True,
                        partialFilterExpression={"client_id": {"$exists": True}},
                    ),
                    # For pages: thousands of changes may stand between two messages.
                    IndexModel(
                        [("kind", ASCENDING), ("_id", ASCENDING)],
                        name=MESSAGES_IN_ORDER,
                        partialFilterExpression={"kind": "message"},
                    ),
                    IndexModel(
                        [("about", ASCENDING), ("_id", ASCENDING)],
                        name="changes_of_a_message",
                        partialFilterExpression={"about": {"$exists": True}},
                    ),
                ]
            )
            # For search, newest first over all rooms: by a word; and by time alone, for what is in many messages.
            by_time = [("_id.ms", DESCENDING), ("_id.seq", DESCENDING), ("_id.room", DESCENDING)]
            await self.messages.create_indexes(
                [
                    IndexModel([("words", ASCENDING), *by_time, ("user_id", ASCENDING)], name=MESSAGES_WITH_A_WORD),
                    IndexModel(by_time, name=MESSAGES_BY_TIME),
                    IndexModel(
                        [("deleted", ASCENDING), ("_id", ASCENDING)],
                        name=DELETED_MESSAGES,
                        partialFilterExpression={"deleted": True},
                    ),
                    IndexModel(
                        [("mentions", ASCENDING), ("_id", ASCENDING)],
                        name=MESSAGES_THAT_MENTION,
                        partialFilterExpression={"mentions": {"$exists": True}},
                    ),
                ]
            )
            await self.rooms.create_indexes([IndexModel("key", name="one_room_for_a_name", unique=True)])
            await self.users.create_indexes([IndexModel("key", name="one_user_for_a_name", unique=True)])
            await self.sessions.create_indexes(
                [
                    IndexModel("expires_at", name="forget_ended_sessions", expireAfterSeconds=0),
                    IndexModel("user_id", name="sessions_of_a_user"),
                ]
            )

    async def next_number(self, name: str) -> int:
        """The next of a series of integers, from 1: ids of rooms and users."""
        with reaching_mongodb():
            counter = await self.counters.find_one_and_update(
                {"_id": name}, {"$inc": {"last": 1}}, upsert=True, return_document=True
            )
        return int(counter["last"])

    async def ping(self) -> None:
        with reaching_mongodb():
            await self._client.admin.command("ping", maxTimeMS=2_000)

    def close(self) -> None:
        self._client.close()


@contextmanager
def reaching_mongodb() -> Iterator[None]:
    """Turns a MongoDB that is away into Unavailable. Callers handle the errors they expect inside of it."""
    try:
        yield
    except PyMongoError as error:
        raise Unavailable("the archive is not available right now, try again", retry_after=2) from error


def raise_unless_duplicate(error: BulkWriteError) -> None:
    """Raises the error again, unless all that is wrong is that something was there already."""
    details = error.details
    if details.get("writeConcernErrors") or any(each["code"] != DUPLICATE_KEY for each in details["writeErrors"]):
        raise error
