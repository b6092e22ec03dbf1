"""scripts/verify and scripts/rebuild-messages: what is wrong in an archive is found, and what can be mended is."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pymongo
import pytest
from tornado.ioloop import IOLoop

from chatserver.admin.audit import Audit, audit_all
from chatserver.admin.rebuild import MessagesRebuild, rebuild_all
from chatserver.archive.database import Database
from chatserver.settings import Settings
from tests.helpers.browserless import Visitor

pytestmark = pytest.mark.gen_test


@pytest.fixture
def database(io_loop: IOLoop, settings: Settings) -> Iterator[Database]:
    database = Database(settings.mongodb_uri)
    yield database
    database.close()


@pytest.fixture
def raw(settings: Settings) -> Iterator[Any]:
    """The database, with no code of ours in between."""
    with pymongo.MongoClient[dict[str, Any]](settings.mongodb_uri) as client:
        yield client.get_default_database("harbour")


@pytest.fixture
def said(io_loop: IOLoop, ada: Visitor, room: int) -> list[dict[str, Any]]:
    async def say() -> list[dict[str, Any]]:
        return [await ada.say(room, f"number {number}") for number in range(5)]

    said: list[dict[str, Any]] = io_loop.run_sync(say)
    return said


def key(room: int, message: dict[str, Any]) -> dict[str, int]:
    ms, seq = message["id"].split("-")
    return {"room": room, "ms": int(ms), "seq": int(seq)}


async def problems(database: Database, room: int) -> list[str]:
    return [problem async for problem in Audit(database).problems(room)]


async def test_an_archive_as_the_chat_writes_it_has_no_problems(
    database: Database, room: int, said: list[dict[str, Any]]
) -> None:
    assert await problems(database, room) == []
    assert room in await Audit(database).rooms()


Damage = Callable[[Any, int, list[dict[str, Any]]], object]

DAMAGES: dict[str, tuple[Damage, str]] = {
    "an event is gone": (
        lambda raw, room, said: raw.events.delete_one({"_id": key(room, said[2])}),
        "follows {2}, which is not the event before it",
    ),
    "a link was bent": (
        lambda raw, room, said: raw.events.update_one({"_id": key(room, said[3])}, {"$set": {"prev": "7-0"}}),
        "follows 7-0, which is not the event before it",
    ),
    "a message is not shown": (
        lambda raw, room, said: raw.messages.delete_one({"_id": key(room, said[2])}),
        "{2} is archived and not shown",
    ),
    "the last message is not shown": (
        lambda raw, room, said: raw.messages.delete_one({"_id": key(room, said[4])}),
        "{4} is archived and not shown",
    ),
    "a message was changed": (
        lambda raw, room, said: raw.messages.update_one({"_id": key(room, said[2])}, {"$set": {"content": "other"}}),
        "{2} is shown otherwise than its events say",
    ),
    "a message is shown that nobody wrote": (
        lambda raw, room, said: raw.messages.insert_one({"_id": {"room": room, "ms": 7, "seq": 0}, "content": "?"}),
        "7-0 is shown, and no event says so",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
async def test_damage_is_found(name: str, database: Database, raw: Any, room: int, said: list[dict[str, Any]]) -> None:
    damage, found = DAMAGES[name]
    damage(raw, room, said)
    ids = [message["id"] for message in said]
    assert any(found.format(*ids) in problem for problem in await problems(database, room))


async def test_a_repeat_and_a_change_of_what_comes_later_are_found(
    database: Database, raw: Any, room: int, said: list[dict[str, Any]], ada: Visitor
) -> None:
    await ada.react(room, said[1]["id"], "👍")
    reaction = raw.events.find_one({"_id.room": room, "kind": "reaction"})
    raw.events.drop_index("one_event_for_a_client_id")
    try:
        name = {"client_id": said[0]["client_id"]}
        raw.events.update_one({"_id": key(room, said[2])}, {"$set": name})
        later = dict(key(room, said[2]), ms=key(room, said[2])["ms"] + 60_000)
        payload = reaction["payload"].replace(said[1]["id"], f"{later['ms']}-{later['seq']}")
        raw.events.update_one({"_id": reaction["_id"]}, {"$set": {"about": later, "payload": payload}})
        found = await problems(database, room)
        assert (
            f"room {room}: {said[2]['id']} is a second one of user {ada.id} with the client id {said[0]['client_id']}"
            in found
        )
        assert any("which is no message in front of it" in problem for problem in found)
    finally:
        raw.events.delete_many({"_id.room": room})
        await database.prepare()


async def test_a_long_room_takes_no_more_memory_than_a_short_one(
    database: Database, raw: Any, ada: Visitor, said: list[dict[str, Any]], room: int
) -> None:
    event, shown = (raw[name].find_one({"_id": key(room, said[0])}) for name in ("events", "messages"))
    peaks = []
    for length in (1_000, 5_000):
        where = await ada.make_room()
        before = "0-0"
        events, messages = [], []
        for number in range(1, length + 1):
            place, name = {"room": where, "ms": number, "seq": 0}, f"client-{number}"
            payload = json.dumps(json.loads(event["payload"]) | {"room_id": where, "client_id": name})
            events.append(event | {"_id": place, "prev": before, "client_id": name, "payload": payload})
            messages.append(shown | {"_id": place, "prev": before, "client_id": name})
            before = f"{number}-0"
        raw.events.insert_many(events)
        raw.messages.insert_many(messages)
        del events, messages
        tracemalloc.start()
        assert await problems(database, where) == []
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0], peaks


async def test_a_void_between_two_messages_is_no_problem(
    database: Database, raw: Any, room: int, said: list[dict[str, Any]]
) -> None:
    """A repeat that slipped through; or a place that was kept for a branch, and given up."""
    raw.events.update_one(
        {"_id": key(room, said[2])}, {"$set": {"kind": "void"}, "$unset": {"client_id": "", "payload": ""}}
    )
    raw.messages.delete_one({"_id": key(room, said[2])})
    assert await problems(database, room) == []


async def test_a_place_that_is_kept_behind_the_newest_is_no_problem(
    database: Database, raw: Any, room: int, said: list[dict[str, Any]]
) -> None:
    place = {"room": room, "ms": key(room, said[4])["ms"] + 100, "seq": 0}
    raw.events.insert_one({"_id": place, "prev": said[4]["id"], "kind": "void", "user_id": 0, "kept_for": b"1.2"})
    assert await problems(database, room) == []


async def test_messages_are_made_anew_from_events(
    database: Database, raw: Any, room: int, said: list[dict[str, Any]]
) -> None:
    in_order = list(raw.messages.find({"_id.room": room}).sort("_id"))
    for name, (damage, _) in DAMAGES.items():
        if "shown" in name or "changed" in name:
            damage(raw, room, said)
    assert await problems(database, room)
    assert await MessagesRebuild(database).rebuild(room) == 5
    assert list(raw.messages.find({"_id.room": room}).sort("_id")) == in_order
    assert await problems(database, room) == []


async def test_the_commands_say_what_they_found_and_what_they_did(
    settings: Settings,
    raw: Any,
    room: int,
    said: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chatserver.admin.audit.SECOND_LOOK_SECONDS", 0)
    raw.messages.delete_one({"_id": key(room, said[2])})
    assert await audit_all(settings.mongodb_uri) == 1
    assert f"room {room}: {said[2]['id']} is archived and not shown" in capsys.readouterr().out
    assert await rebuild_all(settings.mongodb_uri) == 0
    assert "are what the events say" in capsys.readouterr().out


async def test_an_archive_that_does_not_answer_is_not_called_sound(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.archive.database.SELECT_MS", 100)
    address = "mongodb://127.0.0.1:1"
    assert await audit_all(address) == 2
    assert await rebuild_all(address) == 1
    assert "does not answer" in capsys.readouterr().err
