"""The indexes, also of databases that were made by another release, or by hand.

An index keeps its name and options for ever: a release that needs other options uses another name, so that older
processes, which may run beside it, find theirs. If an index has other options than its name says all the same, it is
made anew; a unique one beside the old one, which is dropped when the new one is built.

A build takes minutes where there are millions of messages. MongoDB lets reads and writes go on meanwhile, and all
processes that start wait for the same build.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Protocol

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from chatserver.model.event_kinds import MESSAGE

MESSAGES_IN_ORDER = "messages_in_order"
"""An index of `events`, which pages name, so that none is ever read by another."""

MESSAGES_WITH_A_WORD = "messages_with_a_word"
MESSAGES_BY_TIME = "messages_by_time"
"""Indexes that search asks for by name."""

DELETED_MESSAGES = "deleted_messages"
MESSAGES_THAT_MENTION = "messages_that_mention"
"""Indexes for counts, which name them."""

PROGRESS_SECONDS = 5.0
"""Interval of progress reports during a build."""

INDEX_ATTEMPTS = 5
"""Times that another process may change indexes at the same moment."""

_OTHER_INDEX = {85, 86}
"""Error codes: an index of that name has other options, or one with these options has another name."""

_BUILD_ABORTED = {26, 27, 276}
"""Error codes: the collection, the index, or its unfinished build was dropped."""

_OPTIONS = ("unique", "sparse", "partialFilterExpression", "expireAfterSeconds", "collation")

_BY_TIME = [("_id.ms", DESCENDING), ("_id.seq", DESCENDING), ("_id.room", DESCENDING)]

_WITH_LOOKS = {"looks": {"$exists": True}}

INDEXES: Mapping[str, Sequence[IndexModel]] = {
    "events": [
        # One message for a (room, user, client id), for ever: this decides about repeats. And one event behind
        # another: this decides about lost events (see `commits.py`).
        IndexModel([("_id.room", ASCENDING), ("prev", ASCENDING)], name="one_event_behind_another", unique=True),
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
            partialFilterExpression={"kind": MESSAGE},
        ),
        IndexModel(
            [("about", ASCENDING), ("_id", ASCENDING)],
            name="changes_of_a_message",
            partialFilterExpression={"about": {"$exists": True}},
        ),
    ],
    # For search, newest first over all rooms: by a word; and by time alone, for words of many messages.
    "messages": [
        IndexModel([("words", ASCENDING), *_BY_TIME, ("user_id", ASCENDING)], name=MESSAGES_WITH_A_WORD),
        IndexModel(_BY_TIME, name=MESSAGES_BY_TIME),
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
    ],
    # By spelling, and by looks: see `lookalikes.py`. Documents of earlier releases have no looks until they are added.
    "rooms": [
        IndexModel("key", name="one_room_for_a_name", unique=True),
        IndexModel("looks", name="one_room_that_looks_so", unique=True, partialFilterExpression=_WITH_LOOKS),
    ],
    "users": [
        IndexModel("key", name="one_user_for_a_name", unique=True),
        IndexModel("looks", name="one_user_that_looks_so", unique=True, partialFilterExpression=_WITH_LOOKS),
    ],
    "sessions": [
        IndexModel("expires_at", name="forget_ended_sessions", expireAfterSeconds=0),
        IndexModel("user_id", name="sessions_of_a_user"),
    ],
}


class Collection(Protocol):
    """The methods of a collection that are used here."""

    def list_indexes(self) -> Any: ...
    async def create_indexes(self, indexes: Sequence[IndexModel]) -> Any: ...
    async def drop_index(self, index_or_name: str) -> Any: ...


async def make_indexes(
    collections: Mapping[str, Collection], running: Callable[[], Any], say: Callable[[str], object]
) -> None:
    """Makes the missing indexes. Safe at every start, by many processes at once.

    `running`: a cursor over the operations that run in MongoDB. `say`: is called with the progress, if it takes long.
    Raises PyMongoError; OperationFailure, if the data violates a unique index.
    """
    for name, indexes in INDEXES.items():
        async with _telling(f"making the indexes of {name}", running, say):
            try:
                await _make(collections[name], indexes)
            except DuplicateKeyError as error:
                raise OperationFailure(
                    f"two documents of `{name}` have what only one may: {error}", error.code
                ) from error


async def _make(collection: Collection, indexes: Sequence[IndexModel]) -> None:
    for attempt in range(INDEX_ATTEMPTS):
        existing = {each["name"]: each async for each in collection.list_indexes()}
        to_create, outdated = [], []
        for index in indexes:
            same = [name for name, each in existing.items() if _options(each) == _options(index.document)]
            name = index.document["name"]
            if index.document.get("unique") and same:
                continue  # it is never asked for by its name
            if index.document.get("unique") and name in existing:
                index = IndexModel(**_arguments(index, name=f"{name} {attempt + 2}"))
                outdated.append(name)
            else:
                for other in {*same, *({name} & existing.keys())} - ({name} & set(same)):
                    await _drop(collection, other)
            to_create.append(index)
        try:
            if to_create:
                await collection.create_indexes(to_create)  # those that are there, or are being built, are waited for
        except OperationFailure as error:
            if error.code not in _OTHER_INDEX | _BUILD_ABORTED or attempt == INDEX_ATTEMPTS - 1:
                raise
            continue
        for name in outdated:
            await _drop(collection, name)
        return


async def _drop(collection: Collection, name: str) -> None:
    with contextlib.suppress(OperationFailure):  # another process was faster
        await collection.drop_index(name)


def _options(document: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the keys and options of an index, without its name."""
    given = {name: document[name] for name in _OPTIONS if document.get(name) not in (None, False)}
    return {"key": [(field, int(direction)) for field, direction in document["key"].items()], **given}


def _arguments(index: IndexModel, **others: Any) -> dict[str, Any]:
    options = {name: value for name, value in index.document.items() if name != "key"}
    return {"keys": list(index.document["key"].items()), **options, **others}


@contextlib.asynccontextmanager
async def _telling(what: str, running: Callable[[], Any], say: Callable[[str], object]) -> AsyncIterator[None]:
    telling = asyncio.create_task(_tell(what, running, say))
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _tell(what: str, running: Callable[[], Any], say: Callable[[str], object]) -> None:
    waited = 0.0
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        waited += PROGRESS_SECONDS
        say(f"{what} takes time: {waited:.0f} s so far{await _progress(running)}")


async def _progress(running: Callable[[], Any]) -> str:
    """Returns the progress of the builds, if this user of MongoDB may see it."""
    try:
        builds = [each async for each in running() if "progress" in each and "Index Build" in each.get("msg", "")]
    except PyMongoError:
        return ""
    return "".join(f", {100 * each['progress']['done'] // max(each['progress']['total'], 1)} %" for each in builds)
