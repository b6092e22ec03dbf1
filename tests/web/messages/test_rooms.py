"""Rooms: the list, making one, closing one."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from chatserver.model.events import Draft
from chatserver.settings import Settings
from chatserver.web.page_text import as_sentence
from tests.helpers.browserless import Visitor, read
from tests.helpers.html_page import read_page
from tests.helpers.parts import parts_of

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]

NO_ROOMS = ["0", "-1", "-0", "999999", "9" * 18, "9223372036854775807", "9223372036854775808", "9" * 19, "9" * 20, "9" * 4000, "x", "1.5", "1e3", "0x1", "+1", "%201", "1%00", "%D9%A3", "%C2%B2", "..", "null", "$ne"]  # fmt: skip


async def names(visitor: Visitor) -> list[str]:
    return [room["name"] for room in read(await visitor.get("/rooms"))["rooms"]]


async def test_a_room_is_made_and_listed(ada: Visitor, visit: Callable[..., Visitor]) -> None:
    name = f"Reading club {uuid.uuid4().hex}"
    response = await ada.fetch("POST", "/rooms", json_body={"name": f"  {name} "})
    room = read(response)
    assert (response.code, response.headers["Location"]) == (201, f"/chat/{room['id']}")
    assert (set(room), room["name"]) == ({"id", "name", "created_at"}, name)
    assert isinstance(room["id"], int)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", room["created_at"])
    grace = visit()
    await grace.sign_up()
    answer = await grace.get("/rooms")
    assert answer.code == 200
    listed = [each for each in read(answer)["rooms"] if each["id"] == room["id"]]
    assert [{key: each[key] for key in room} for each in listed] == [room]


async def test_the_list_is_by_name_without_regard_to_case(ada: Visitor) -> None:
    mark = uuid.uuid4().hex
    made = [f"{mark} {name}" for name in ("b", "A", "C", "a2", "B1")]
    for name in made:
        await ada.make_room(name)
    assert [name for name in await names(ada) if name.startswith(mark)] == [
        f"{mark} {name}" for name in ("A", "a2", "b", "B1", "C")
    ]


async def test_a_name_is_taken_whatever_its_case(ada: Visitor) -> None:
    name = f"Room {uuid.uuid4().hex}"
    await ada.make_room(name)
    for again in (name, name.upper(), f" {name} "):
        response = await ada.fetch("POST", "/rooms", json_body={"name": again})
        assert (response.code, read(response)) == (409, {"error": "that name is taken"})
    assert (await names(ada)).count(name) == 1


async def test_of_many_with_one_name_at_the_same_moment_one_is_made(ada: Visitor) -> None:
    name = uuid.uuid4().hex
    answers = await asyncio.gather(
        *[ada.fetch("POST", "/rooms", json_body={"name": name}) for _ in range(20)],
    )
    assert sorted(answer.code for answer in answers) == [201] + [409] * 19


async def test_a_name_has_1_to_80_characters_that_can_be_seen(ada: Visitor) -> None:
    mark = uuid.uuid4().hex
    for good in ("x" * 48 + mark, "🎉" * 48 + mark, f"<i>{mark}</i>", f"{mark} ض"):
        response = await ada.fetch("POST", "/rooms", json_body={"name": good})
        assert (response.code, read(response)["name"]) == (201, good)
    for bad in ("", " \t", "x" * 81, "a\nb", "a\0b", "a\u2029b", "\u200b\u200b", "\u2003"):
        response = await ada.fetch("POST", "/rooms", json_body={"name": bad})
        assert (response.code, set(read(response))) == (422, {"error"}), ascii(bad)


@pytest.mark.parametrize("body", [{}, [], "x", None, 7, {"name": None}, {"name": 7}, {"name": ["x"]}, {"name": {"$ne": ""}}])  # fmt: skip
async def test_what_has_no_name_is_malformed(ada: Visitor, body: Any) -> None:
    response = await ada.fetch("POST", "/rooms", json_body=body, headers={"Content-Type": "application/json"})
    assert (response.code, read(response)) == (400, {"error": "name required"})


async def test_signed_out_nobody_lists_makes_or_closes(visit: Callable[..., Visitor], ada: Visitor, room: int) -> None:
    nobody = visit()
    answers = [
        await nobody.get("/rooms"),
        await nobody.fetch("POST", "/rooms", json_body={"name": uuid.uuid4().hex}),
        await nobody.fetch("DELETE", f"/rooms/{room}"),
        await nobody.get(f"/rooms/{room}/messages"),
    ]
    for answer in answers:
        assert (answer.code, read(answer)) == (401, {"error": "sign in first"})
    assert (await ada.get(f"/rooms/{room}/messages")).code == 200


async def test_who_made_a_room_closes_it_and_frees_its_name(ada: Visitor) -> None:
    name = f"Room {uuid.uuid4().hex}"
    room = await ada.make_room(name)
    response = await ada.fetch("DELETE", f"/rooms/{room}")
    assert (response.code, response.body) == (204, b"")
    assert name not in await names(ada)
    answers = [
        await ada.get(f"/rooms/{room}/messages"),
        await ada.post(room, "too late"),
        await ada.fetch("DELETE", f"/rooms/{room}"),
    ]
    for answer in answers:
        assert (answer.code, read(answer)) == (404, {"error": "room not found"})
    assert (await ada.get(f"/chat/{room}")).code == 404
    assert await ada.make_room(name) != room


@pytest.mark.parametrize("client_id", ["room-closed", "room:closed"])
async def test_nothing_that_was_posted_keeps_a_room_from_being_closed(ada: Visitor, room: int, client_id: str) -> None:
    """Not even under the client id that the end of a room had once; the one that it has can't be posted under."""
    stream = await ada.stream(room)
    taken = (await ada.post(room, "x", client_id)).code == 201
    assert taken == (client_id == "room-closed")
    assert (await ada.fetch("DELETE", f"/rooms/{room}")).code == 204
    blocks = await stream.rest()
    assert (blocks[-1].data, len([block for block in blocks if block.data])) == ("[DONE]", 1 + taken)


async def test_a_room_that_an_older_release_ended_is_closed(settings: Settings, ada: Visitor, room: int) -> None:
    """It came as far as the log's last event, and not to the mark that says so."""
    async with parts_of(settings) as parts:
        await parts.publisher.publish(Draft(room, "closed", ada.id, "room-closed", b'{"room_id":%d}' % room))
        await parts.database.rooms.update_one({"_id": room}, {"$set": {"closed_at": "2026-11-24T09:00:00.000Z"}})
        for status in (204, 404):
            assert (await ada.fetch("DELETE", f"/rooms/{room}")).code == status


async def test_nobody_else_closes_it(ada: Visitor, room: int, visit: Callable[..., Visitor]) -> None:
    grace = visit()
    await grace.sign_up()
    response = await grace.fetch("DELETE", f"/rooms/{room}")
    assert (response.code, set(read(response))) == (403, {"error"})
    assert (await ada.post(room, "still here")).code == 201


async def test_what_is_no_room_is_not_found(ada: Visitor) -> None:
    for room in NO_ROOMS:
        for answer in (await ada.get(f"/rooms/{room}/messages"), await ada.fetch("DELETE", f"/rooms/{room}")):
            assert (answer.code, read(answer)) == (404, {"error": "room not found"}), room
        page = await ada.get(f"/chat/{room}")
        assert (page.code, read_page(page).one("h1").text) == (404, "Page not found"), room


async def test_what_is_no_text_names_no_room(ada: Visitor) -> None:
    for path in ("/rooms/%FF/messages", "/chat/%FF", "/chat/%ED%A0%80"):
        assert (await ada.get(path)).code in {400, 404}


# The form


async def test_the_form_leads_into_the_room(ada: Visitor) -> None:
    form = {"name": uuid.uuid4().hex, "_xsrf": await ada.get_csrf()}
    response = await ada.fetch("POST", "/rooms", form=form)
    assert response.code == 303
    page = read_page(await ada.get(response.headers["Location"]))
    assert page.one("main")["data-room-name"] == form["name"]


async def test_a_form_that_fails_is_shown_again_with_the_rooms_and_the_error(ada: Visitor) -> None:
    name = f"<b>{uuid.uuid4().hex}"
    await ada.make_room(name)
    token = await ada.get_csrf()
    for fields, status, error in [
        ({"name": name}, 409, "that name is taken"),
        ({"name": "x" * 81}, 422, "choose a name (80 characters at most)"),
        ({}, 400, "name required"),
    ]:
        response = await ada.fetch("POST", "/rooms", form=fields | {"_xsrf": token})
        page = read_page(response)
        assert response.code == status
        assert page.one("p", role="alert").text == as_sentence(error)
        assert page.one("input", id="room-name")["value"] == fields.get("name", "")
        assert name in [element.text for element in page.all("strong")]
