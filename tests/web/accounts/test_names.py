"""Nobody gets a name that can't be told apart from somebody's, and who has an old one keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pymongo
import pytest
from argon2 import PasswordHasher

from chatserver.archive.database import DEFAULT_NAME, Database
from chatserver.archive.name_migration import add_skeletons
from chatserver.model.display_names import name_key
from tests.conftest import World
from tests.helpers.browserless import Visitor, read

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]

PASSWORD = "correct horse"

Archive = Any


@pytest.fixture
def users(mongo: pymongo.MongoClient[dict[str, Any]]) -> Any:
    return mongo.get_default_database(DEFAULT_NAME)["users"]


def changed(name: str) -> dict[str, str]:
    """Names that look like this one, by what was done to it."""
    return {
        "zero width space": name + "\u200b",
        "word joiner": name.replace(" ", " \u2060"),
        "variation selector": name + "\ufe0f",
        "two spaces": name.replace(" ", "  ", 1),
        "no-break space": name.replace(" ", "\u00a0", 1),
        "Hangul filler": name + "\u3164",
        "override": "\u202e" + name[::-1],
        "another alphabet": name.replace("a", "\u0430", 1),
        "another alphabet in a word of its own": name.replace("Co", "\u0421\u043e"),
        "I for l": name.replace("l", "I"),
        "another apostrophe": name.replace("'", "’"),
    }


async def test_look_alikes_of_people_are_refused(visit: Callable[..., Visitor]) -> None:
    ann, other = visit(), visit()
    name = f"Mary Co's Hall {uuid4().hex[:8]}"
    await ann.sign_up(name)
    await other.get_csrf()
    answers = {}
    for what, tried in changed(name).items():
        response = await other.fetch("POST", "/sign-up", json_body={"name": tried, "password": PASSWORD})
        answers[what] = response.code
    assert {what: code for what, code in answers.items() if code not in {409, 422}} == {}
    body = {"name": name.replace("l", "I"), "password": PASSWORD}
    response = await other.fetch("POST", "/sign-up", json_body=body)
    assert (response.code, read(response)) == (409, {"error": "that name looks like somebody else's"})


async def test_look_alikes_of_rooms_are_refused_until_the_room_is_closed(ada: Visitor) -> None:
    name = f"Plan Co's Hall {uuid4().hex[:8]}"
    room = await ada.make_room(name)
    answers = {
        what: (await ada.fetch("POST", "/rooms", json_body={"name": tried})).code
        for what, tried in changed(name).items()
    }
    assert {what: code for what, code in answers.items() if code not in {409, 422}} == {}
    response = await ada.fetch("POST", "/rooms", json_body={"name": name.replace("l", "I")})
    assert (response.code, read(response)) == (409, {"error": "that name looks like another room's"})
    assert (await ada.fetch("DELETE", f"/rooms/{room}")).code == 204
    await ada.make_room(name.replace("l", "I"))


async def test_a_room_may_mix_alphabets(ada: Visitor) -> None:
    await ada.make_room(f"Deutsch – 日本語 – русский {uuid4().hex[:8]}")
    await ada.make_room(f"Ωmega {uuid4().hex[:8]}")


@pytest.mark.parametrize("name", ["admin", "Administrator", "Harbour", "@everyone", "SYSTEM", "Deleted User"])
async def test_names_that_speak_for_the_house_are_refused(visit: Callable[..., Visitor], name: str) -> None:
    somebody = visit()
    await somebody.get_csrf()
    response = await somebody.fetch("POST", "/sign-up", json_body={"name": name, "password": PASSWORD})
    assert (response.code, read(response)) == (422, {"error": "that name is reserved"})


async def test_who_types_two_spaces_signs_in(visit: Callable[..., Visitor]) -> None:
    ann = visit()
    await ann.sign_up(f"Mary  Ann {uuid4().hex}")
    for typed in (ann.name, ann.name.replace("  ", " "), f" {ann.name}\u00a0"):
        again = visit()
        await again.get_csrf()
        response = await again.fetch("POST", "/sign-in", json_body={"name": typed, "password": PASSWORD})
        assert (response.code, read(response)["user"]["name"]) == (200, ann.name.replace("  ", " "))


class Old:
    """People and rooms in a database of their own, as an earlier release wrote them."""

    def __init__(self, database: Any) -> None:
        self.database = database

    def person(self, name: str) -> None:
        self._add("users", name, password=PasswordHasher().hash(PASSWORD))

    def room(self, name: str, **fields: Any) -> None:
        self._add("rooms", name, made_by=1, **fields)

    def _add(self, collection: str, name: str, **fields: Any) -> None:
        number = self.database[collection].count_documents({}) + 1
        self.database[collection].insert_one(
            {"_id": number, "name": name, "key": name_key(name), "created_at": ""} | fields
        )


@pytest.fixture
def old(mongo: pymongo.MongoClient[dict[str, Any]]) -> Iterator[Old]:
    name = f"names_{uuid4().hex}"
    yield Old(mongo[name])
    mongo.drop_database(name)


async def test_names_of_before_get_their_looks_once(world: World, old: Old, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that look alike too, and more than are read at a time."""
    monkeypatch.setattr("chatserver.archive.name_migration.NAMES_AT_ONCE", 2)
    for name in ("Bill", "BiII", "Ann", "A\u200bnn", "Max", "admin"):
        old.person(name)
    old.room("Plan 1")
    old.room("Plan l")
    old.room("gone", closed_at="then")
    target = Database(world.mongod.uri.replace("/harbour?", f"/{old.database.name}?"))
    try:
        await target.prepare(lambda _: None)
        await add_skeletons(target)
        first = [list(old.database[each].find()) for each in ("users", "rooms")]
        # An older process closes a room: it does not know of looks.
        old.database["rooms"].update_one({"_id": 1}, {"$set": {"closed_at": "now", "key": "closed 1\n"}})
        await add_skeletons(target)
        second = [list(old.database[each].find()) for each in ("users", "rooms")]
    finally:
        target.close()
    seen = {each["name"]: each["looks"] for each in first[0]}
    assert seen["Bill"] == ["as written Bill", "in lower case bill"]
    assert seen["BiII"] == ["of before 2"]
    assert seen["A\u200bnn"] == ["of before 4"]
    assert seen["admin"] == ["as written adrnin", "in lower case adrnin"]
    assert [each.get("looks") for each in first[1]] == [
        ["as written Plan l", "in lower case plan l"],
        ["of before 2"],
        None,
    ]
    assert second[0] == first[0]
    assert second[1][0]["looks"] == ["closed 1"]


async def test_who_has_a_name_that_would_be_refused_signs_in_with_it(
    visit: Callable[..., Visitor], users: Any, mongo: pymongo.MongoClient[dict[str, Any]]
) -> None:
    ann = visit()
    await ann.sign_up()
    for name in (f"Ada\u200b {uuid4().hex}", f"\u0410da  {uuid4().hex}", f"admin\u3164{uuid4().hex}"):
        users.update_one({"_id": ann.id}, {"$set": {"name": name, "key": name_key(name)}, "$unset": {"looks": 1}})
        again = visit()
        await again.get_csrf()
        response = await again.fetch("POST", "/sign-in", json_body={"name": name, "password": PASSWORD})
        assert (response.code, read(response)["user"]["name"]) == (200, name)
