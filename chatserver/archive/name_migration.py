"""The name migration: adds skeletons to names of people and rooms from earlier releases, so that no new name can look
like them.

Of two old names that look alike one gets them, and the other stays as it is: both work as before.
"""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import ASCENDING, UpdateOne
from pymongo.errors import BulkWriteError

from chatserver.archive.database import (
    Collection,
    Database,
    Document,
    mongodb_errors_as_unavailable,
    raise_unless_duplicate,
)
from chatserver.model.lookalikes import skeletons

NAMES_AT_ONCE = 1_000
"""Names that are read, written and held at a time."""

_CLOSED_AGAIN = [{"$set": {"looks": [{"$concat": ["closed ", {"$toString": "$_id"}]}]}}]


async def add_skeletons(database: Database) -> None:
    """Adds them. Safe at every start, by many processes at once, and beside older ones. Raises Unavailable."""
    with mongodb_errors_as_unavailable():
        # A room that an older process closed kept its skeletons.
        await database.rooms.update_many(
            {"closed_at": {"$exists": True}, "looks": {"$exists": True, "$regex": "^(as|in) "}}, _CLOSED_AGAIN
        )
        for collection in (database.users, database.rooms):
            await _add(collection)


async def _add(collection: Collection) -> None:
    last: int | None = None
    while True:
        behind: Document = {} if last is None else {"_id": {"$gt": last}}
        found = collection.find(
            {"looks": {"$exists": False}, "closed_at": {"$exists": False}} | behind, {"name": 1}
        ).sort("_id", ASCENDING)
        documents = await found.limit(NAMES_AT_ONCE).to_list(NAMES_AT_ONCE)
        if not documents:
            return
        last = documents[-1]["_id"]
        await _write(collection, [(each["_id"], skeletons(each["name"])) for each in documents])


async def _write(collection: Collection, names: Sequence[tuple[int, list[str]]]) -> None:
    try:
        await collection.bulk_write([_give(number, seen) for number, seen in names], ordered=False)
    except BulkWriteError as error:
        raise_unless_duplicate(error)
        refused = [names[each["index"]][0] for each in error.details["writeErrors"]]
        await collection.bulk_write([_give(number, [f"of before {number}"]) for number in refused], ordered=False)


def _give(number: int, seen: list[str]) -> UpdateOne:
    return UpdateOne({"_id": number, "looks": {"$exists": False}}, {"$set": {"looks": seen}})
