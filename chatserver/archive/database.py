"""The database: the connection to MongoDB and its collections.

This is the only file that imports Motor. Motor is in maintenance (its makers move to PyMongo's own asynchronous API).
The rest of the code uses only `Collection`, whose methods are the same there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import PrimaryPreferred

from chatserver.archive.indexes import INDEXES, make_indexes
from chatserver.errors import Unavailable

DUPLICATE_KEY = 11000

Document = dict[str, Any]
Collection = AsyncIOMotorCollection[Document]

DEFAULT_NAME = "harbour"
"""The database, if the URI names none."""

SELECT_MS = 5_000
"""Longest search for a primary: longer than an election among three members on one network (about 2–4 s)."""

ANSWER_MS = 10_000
"""How long a reply may take before its connection is dropped."""

WRITE_MS = 5_000
"""How long a write may wait for its majority. A write that timed out may still have happened: the caller checks."""


LATEST = ReadConcern("linearizable")
"""For reads that explain why a write was refused: they see the document that stood in its way, which a majority may
have only in a moment, and return when it has."""

NEWEST = ReadConcern("local")
"""For reads that are followed by a write that happens only if nothing was written since."""


class Database:
    """The collections, under the names to look for in a MongoDB shell."""

    def __init__(self, uri: str) -> None:
        # An awaited write returns when a majority has it in its journal on disk: see "An acknowledgement is a promise"
        # in ARCHITECTURE.md. Reads see only documents that a majority has, so no election takes them back.
        self._uri = uri
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
        # For looking up users by name only: this never changes, and is known while a primary is elected too.
        anywhere: Any = PrimaryPreferred()  # which Motor's types have under another name
        self.users_anywhere: Collection = self.users.with_options(read_preference=anywhere)
        self.sessions: Collection = database["sessions"]
        self.reads: Collection = database["reads"]
        self.counters: Collection = database["counters"]

    async def prepare(self, say: Callable[[str], object] = print) -> None:
        """Makes the indexes. Safe to run at every start, by many processes at once.

        `say` is called with the progress, if it takes long. Raises Unavailable; its cause says what is wrong.
        """
        # A build may take longer than any answer.
        builder: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            self._uri,
            w="majority",
            serverSelectionTimeoutMS=SELECT_MS,
            connectTimeoutMS=2_000,
            maxPoolSize=2,
            appname="harbour",
        )
        try:
            with mongodb_errors_as_unavailable():
                await self._client.admin.command("ping", maxTimeMS=SELECT_MS)
                database = builder.get_default_database(DEFAULT_NAME)
                await make_indexes(
                    {name: database[name] for name in INDEXES},
                    lambda: self._client.admin.aggregate([{"$currentOp": {"allUsers": True}}]),
                    say,
                )
        finally:
            builder.close()

    async def next_number(self, name: str) -> int:
        """Returns the next of a series of integers, from 1: ids of rooms and users. Raises Unavailable."""
        with mongodb_errors_as_unavailable():
            counter = await self.counters.find_one_and_update(
                {"_id": name}, {"$inc": {"last": 1}}, upsert=True, return_document=True
            )
        return int(counter["last"])

    async def ping(self) -> None:
        with mongodb_errors_as_unavailable():
            await self._client.admin.command("ping", maxTimeMS=2_000)

    def close(self) -> None:
        self._client.close()


@contextmanager
def mongodb_errors_as_unavailable() -> Iterator[None]:
    """Turns errors of PyMongo into Unavailable. Callers handle the errors that they expect inside this context."""
    try:
        yield
    except PyMongoError as error:
        raise Unavailable(because="the archive is not available", retry_after=2) from error


def raise_unless_duplicate(error: BulkWriteError) -> None:
    """Raises the error again, unless duplicate keys are its only cause."""
    details = error.details
    if details.get("writeConcernErrors") or any(each["code"] != DUPLICATE_KEY for each in details["writeErrors"]):
        raise error


def is_about_skeleton(error: DuplicateKeyError) -> bool:
    """Returns True if a name was refused because another one looks like it, not because it is the same."""
    return "looks" in (error.details or {}).get("keyPattern", {})
