"""What is acknowledged is with the majority, in its journal: MongoDB's profiler tells what it was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pymongo
import pytest
from pymongo.database import Database

from chatserver.settings import Settings
from tests.helpers.browserless import Visitor

pytestmark = pytest.mark.gen_test

WRITES = ("insert", "update", "delete", "findAndModify")
READS = ("find", "aggregate")
DURABLY = {"w": "majority", "j": True}
NOT_TAKEN_BACK = {"majority", "linearizable"}
"""Read concerns: what was read is with a majority, so no election undoes it."""

Operation = dict[str, Any]


@pytest.fixture
def profiled(settings: Settings) -> Iterator[Database[Operation]]:
    """The chat's database, while it writes down every command that it gets."""
    with pymongo.MongoClient[Operation](settings.mongodb_uri) as client:
        database = client.get_default_database("harbour")
        database.command("profile", 2)
        try:
            yield database
        finally:
            database.command("profile", 0)
            database.drop_collection("system.profile")


def commands(database: Database[Operation], *names: str) -> list[Operation]:
    found = database["system.profile"].find({"appName": "harbour"}).sort("$natural")
    return [each["command"] for each in found if next(iter(each["command"])) in names]


async def test_every_write_waits_for_the_majority_and_its_journal(ada: Visitor, profiled: Database[Operation]) -> None:
    """Also accounts, sessions and rooms: who was told that they exist shall find them after an election."""
    room = await ada.make_room()
    await ada.say(room, "first", "c")
    await ada.say(room, "again", "c")
    await ada.sign_up()
    writes = commands(profiled, *WRITES)
    assert {"events", "messages", "rooms", "users", "sessions"} <= {str(next(iter(each.values()))) for each in writes}
    for each in writes:
        concern = {name: each.get("writeConcern", {}).get(name) for name in DURABLY}
        assert concern == DURABLY, each


async def test_the_log_is_read_as_the_majority_has_it(ada: Visitor, room: int, profiled: Database[Operation]) -> None:
    said = [await ada.say(room, str(number)) for number in range(3)]
    assert (await ada.page(room, after="0"))["messages"] == said
    stream = await ada.stream(room, after="0")
    assert await stream.messages(3) == said
    reads = [each for each in commands(profiled, *READS) if each.get("find", each.get("aggregate")) == "events"]
    assert reads
    for each in reads:
        assert each.get("readConcern", {}).get("level") in NOT_TAKEN_BACK, each
