"""To ask again is always safe: a client that had no answer learns so what became of it, and makes it good."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from chatserver.archive.database import Database
from chatserver.settings import Settings
from tests.helpers.browserless import Visitor, read

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]


@pytest.fixture
def database(settings: Settings) -> Database:
    return Database(settings.mongodb_uri)


def path(message: dict[str, Any]) -> str:
    return f"/rooms/{message['room_id']}/messages/{message['id']}"


async def shown(database: Database, room: int) -> list[dict[str, Any]]:
    found: AsyncIterator[dict[str, Any]] = database.messages.find({"_id.room": room}).sort("_id")
    return [document async for document in found]


async def test_a_change_whose_showing_was_lost_is_shown_when_it_is_asked_for_again(
    ada: Visitor, room: int, database: Database
) -> None:
    """Who archived it died before it was in `messages`, and Redis forgot that it was to be done."""
    message = await ada.say(room, "hello")
    asked: list[tuple[str, str, dict[str, str] | None]] = [
        ("PATCH", path(message), {"content": "hello!"}),
        ("PUT", f"{path(message)}/reactions/{quote('👍')}", None),
        ("DELETE", f"{path(message)}/reactions/{quote('👍')}", None),
        ("DELETE", path(message), None),
    ]
    for method, where, body in asked:
        before = await shown(database, room)
        assert (await ada.fetch(method, where, json_body=body)).code in {200, 204}
        after = await shown(database, room)
        assert before != after
        await database.messages.replace_one({"_id": before[0]["_id"]}, before[0])
        assert (await ada.fetch(method, where, json_body=body)).code in {200, 204}
        assert await shown(database, room) == after
    database.close()


async def test_a_reply_is_not_refused_for_what_became_of_the_message_meanwhile(ada: Visitor, room: int) -> None:
    message = await ada.say(room, "to be gone")
    body = {"room_id": room, "content": "oh", "client_id": "c1", "reply_to": message["id"]}
    first = read(await ada.fetch("POST", "/messages", json_body=body))
    assert (await ada.fetch("DELETE", path(message))).code == 204
    again = await ada.fetch("POST", "/messages", json_body=body)
    assert (again.code, read(again)["id"], read(again)["message"]) == (200, first["id"], first["message"])
    late = await ada.fetch("POST", "/messages", json_body=body | {"client_id": "c2"})
    assert late.code == 201
    assert read(late)["message"]["reply_to"] == {"id": message["id"], "user_name": ada.name, "content": ""}
