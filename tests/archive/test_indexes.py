"""A database that an earlier release filled, or somebody's hand changed, gets the indexes that this release needs.

`tests/data/` has what earlier releases left behind, taken from running ones: a user, a room, five messages, of which
the later two releases could edit one and delete one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pymongo
import pytest
import redis
from bson import json_util
from pymongo.database import Database as PyMongoDatabase
from tornado.testing import bind_unused_port

from chatserver.app import CannotStart
from chatserver.archive import database, indexes
from chatserver.archive.database import Database
from chatserver.archive.indexes import INDEXES, MESSAGES_BY_TIME
from chatserver.errors import Unavailable
from chatserver.serving import make_server
from chatserver.settings import Settings
from tests.conftest import World
from tests.helpers.browserless import Visitor, read
from tests.helpers.chats import running

pytestmark = pytest.mark.gen_test

DATA = sorted((Path(__file__).parent / "data").glob("*.json"))

Archive = PyMongoDatabase[dict[str, Any]]


@pytest.fixture
def archive(mongo: pymongo.MongoClient[dict[str, Any]]) -> Iterator[Archive]:
    """A database of the test's own, empty at first."""
    name = f"indexes_{uuid4().hex}"
    yield mongo[name]
    mongo.drop_database(name)


def uri(world: World, archive: Archive) -> str:
    return world.mongod.uri.replace("/harbour?", f"/{archive.name}?")


async def prepare(world: World, archive: Archive) -> list[str]:
    """Returns what was told meanwhile."""
    told: list[str] = []
    target = Database(uri(world, archive))
    try:
        await target.prepare(told.append)
    finally:
        target.close()
    return told


def found(archive: Archive) -> dict[str, dict[str, Any]]:
    """All indexes but those of `_id`, by name."""
    return {
        each["name"]: dict(each)
        for collection in INDEXES
        for each in archive[collection].list_indexes()
        if each["name"] != "_id_"
    }


def fill(archive: Archive, path: Path) -> None:
    for name, kept in json_util.loads(path.read_text()).items():
        if kept["documents"]:
            archive[name].insert_many(kept["documents"])
        for index in kept["indexes"]:
            options = {option: value for option, value in index.items() if option != "key"}
            archive[name].create_index(list(index["key"].items()), **options)


NAMES = {index.document["name"] for each in INDEXES.values() for index in each}


async def test_a_new_database_gets_all_of_them_once(world: World, archive: Archive) -> None:
    await prepare(world, archive)
    first = found(archive)
    assert first.keys() == NAMES
    await prepare(world, archive)
    assert found(archive) == first


async def test_many_processes_may_start_at_once(world: World, archive: Archive) -> None:
    archive["messages"].create_index([("_id.ms", 1)], name=MESSAGES_BY_TIME)
    archive["events"].create_index([("prev", 1)], name="one_event_behind_another", unique=True)
    await asyncio.gather(*(prepare(world, archive) for _ in range(4)))
    assert {"one_event_for_a_client_id", MESSAGES_BY_TIME} < found(archive).keys()
    assert found(archive)[MESSAGES_BY_TIME]["key"] == {"_id.ms": -1, "_id.seq": -1, "_id.room": -1}
    assert any(
        each.get("unique") and "_id.room" in each["key"] and "prev" in each["key"] for each in found(archive).values()
    )


@pytest.mark.parametrize("path", DATA, ids=lambda path: path.stem)
async def test_what_an_earlier_release_left_is_served(path: Path, world: World, archive: Archive) -> None:
    """Its people sign in, read what was said, and go on from there."""
    fill(archive, path)
    messages = {each["_id"]["seq"]: each for each in archive["messages"].find()}
    assert len(messages) == 5
    # Redis belongs to another archive; this one has a database of its own there.
    stores = {"MONGODB_URI": uri(world, archive), "REDIS_URL": f"{world.redis.url}/7"}
    with redis.Redis.from_url(stores["REDIS_URL"]) as client:
        client.flushdb()
    async with running(Settings.from_environ(world.environment(0) | stores)) as chat:
        listener, port = bind_unused_port()
        server = make_server(chat.application)
        server.add_socket(listener)
        ada = Visitor(f"http://127.0.0.1:{port}")
        try:
            await ada.get_csrf()
            who = {"name": "Ada of old", "password": "correct horse"}
            assert (await ada.fetch("POST", "/sign-in", json_body=who)).code == 200
            await ada.get_csrf()
            (room,) = read(await ada.get("/rooms"))["rooms"]
            shown = (await ada.page(room["id"]))["messages"]
            assert [each["content"] for each in shown][:2] == ["the first word of old", "a *second* one"]
            stream = await ada.stream(room["id"], after="0")
            assert (await stream.message())["content"] == "the first word of old"
            said = await ada.say(room["id"], "and it goes on")
            assert (await ada.page(room["id"]))["messages"][-1] == said
            # What was said there under a client id is not said again.
            repeated = await ada.post(room["id"], "the first word of old", client_id="old-0")
            assert (repeated.code, read(repeated)["id"]) == (200, shown[0]["id"])
            assert found(archive).keys() >= NAMES
        finally:
            await ada.leave()
            server.stop()
            await server.close_all_connections()


async def test_an_index_that_is_not_what_its_name_says_is_made_anew(world: World, archive: Archive) -> None:
    archive["messages"].create_index([("_id.ms", 1)], name=MESSAGES_BY_TIME)
    archive["sessions"].create_index("expires_at", name="forget_ended_sessions", expireAfterSeconds=999_999)
    archive["sessions"].create_index("user_id", name="made by hand")
    await prepare(world, archive)
    assert found(archive)[MESSAGES_BY_TIME]["key"] == {"_id.ms": -1, "_id.seq": -1, "_id.room": -1}
    assert found(archive)["forget_ended_sessions"]["expireAfterSeconds"] == 0
    assert "sessions_of_a_user" in found(archive)


async def test_a_unique_index_with_other_options_holds_until_the_right_one_does(world: World, archive: Archive) -> None:
    archive["users"].create_index("key", name="one_user_for_a_name", unique=True, sparse=True)
    archive["rooms"].create_index("key", name="under another name", unique=True)
    await prepare(world, archive)
    users = [each for each in archive["users"].list_indexes() if "key" in each["key"]]
    assert [(each.get("unique"), each.get("sparse")) for each in users] == [(True, None)]
    assert "under another name" in found(archive)
    archive["rooms"].insert_one({"_id": 1, "key": "same"})
    with pytest.raises(pymongo.errors.DuplicateKeyError):
        archive["rooms"].insert_one({"_id": 2, "key": "same"})
    before = found(archive)
    await prepare(world, archive)
    assert found(archive) == before


async def test_data_that_breaks_what_must_hold_stops_the_start_by_name(world: World, archive: Archive) -> None:
    archive["users"].insert_many([{"_id": 1, "key": "ada"}, {"_id": 2, "key": "ada"}])
    settings = Settings.from_environ(world.environment(0) | {"MONGODB_URI": uri(world, archive)})
    with pytest.raises(CannotStart, match=r"^MONGODB_URI: the server there refuses .*two documents of `users`"):
        async with running(settings):
            pass


async def test_a_build_may_take_longer_than_an_answer(
    world: World, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And who waits is told."""
    monkeypatch.setattr(database, "ANSWER_MS", 100)
    monkeypatch.setattr(indexes, "PROGRESS_SECONDS", 0.1)
    words = [f"word{number}" for number in range(100)]
    for start in range(0, 6_000, 1_000):
        archive["messages"].insert_many(
            {"_id": {"room": 1, "ms": start + each, "seq": 0}, "words": words} for each in range(1_000)
        )
    told = await prepare(world, archive)
    assert found(archive).keys() >= NAMES
    assert any("making the indexes of messages takes time" in each for each in told), "too few messages to take time"


async def test_no_server_is_waited_for_without_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SELECT_MS", 200)
    away = Database("mongodb://127.0.0.1:1/harbour?replicaSet=rs0")
    with pytest.raises(Unavailable):
        await away.prepare(lambda _: None)
    away.close()
