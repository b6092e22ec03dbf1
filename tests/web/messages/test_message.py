"""A message, and what people do about it: PATCH, DELETE, reactions, replies, row by row."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from tornado.httpclient import HTTPResponse
from tornado.ioloop import IOLoop

from tests.helpers.browserless import Block, Visitor, read

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def grace(io_loop: IOLoop, visit: Callable[..., Visitor]) -> Visitor:
    """Somebody else."""
    visitor = visit()
    io_loop.run_sync(visitor.sign_up)
    return visitor


def path(message: dict[str, Any]) -> str:
    return f"/rooms/{message['room_id']}/messages/{message['id']}"


async def edit(who: Visitor, message: dict[str, Any], content: str) -> HTTPResponse:
    return await who.fetch("PATCH", path(message), json_body={"content": content})


async def delete(who: Visitor, message: dict[str, Any]) -> HTTPResponse:
    return await who.fetch("DELETE", path(message))


async def react(who: Visitor, message: dict[str, Any], emoji: str, *, on: bool = True) -> HTTPResponse:
    return await who.fetch("PUT" if on else "DELETE", f"{path(message)}/reactions/{quote(emoji, safe='')}")


async def current_state(who: Visitor, message: dict[str, Any]) -> dict[str, Any]:
    """The message as it is read alone; and so it stands in the room's page too."""
    response = await who.get(path(message))
    assert response.code == 200, response.body
    alone: dict[str, Any] = read(response)
    page = await who.page(message["room_id"], limit=200)
    assert alone in page["messages"]
    return alone


def bare(message: dict[str, Any]) -> dict[str, Any]:
    """What is left of a message that was deleted."""
    kept = ("id", "prev", "room_id", "user_id", "user_name", "created_at", "client_id")
    return {name: message[name] for name in kept} | {"content": "", "deleted": True}


# Reading one


async def test_a_message_is_read_by_its_id(ada: Visitor, grace: Visitor, room: int) -> None:
    message = await ada.say(room, "hello")
    assert await current_state(grace, message) == message


async def test_what_is_no_message_of_the_room_is_not_found(ada: Visitor, room: int) -> None:
    message = await ada.say(room, "hello")
    elsewhere = await ada.say(await ada.make_room(), "elsewhere")
    assert (await react(ada, message, "👍")).code == 204
    reaction = (await ada.page(room))["cursor"]
    assert reaction != message["id"]
    for id in (elsewhere["id"], "1-0", "0", "0-0", "x", "%00", "1-2-3", "9" * 30, "é", reaction):
        where = f"/rooms/{room}/messages/{quote(id)}"
        answers = [
            await ada.get(where),
            await ada.fetch("PATCH", where, json_body={"content": "x"}),
            await ada.fetch("DELETE", where),
            await ada.fetch("PUT", f"{where}/reactions/%F0%9F%91%8D"),
            await ada.fetch("DELETE", f"{where}/reactions/%F0%9F%91%8D"),
        ]
        assert [(answer.code, read(answer)) for answer in answers] == [(404, {"error": "message not found"})] * 5, id


async def test_nothing_is_found_in_a_room_that_is_not_there(ada: Visitor) -> None:
    message = {"room_id": 999_999_999, "id": "1-0"}
    for answer in (
        await ada.get(path(message)),
        await edit(ada, message, "x"),
        await delete(ada, message),
        await react(ada, message, "👍"),
    ):
        assert (answer.code, read(answer)) == (404, {"error": "room not found"})


async def test_a_closed_room_takes_no_changes(ada: Visitor, room: int) -> None:
    message = await ada.say(room, "hello")
    assert (await ada.fetch("DELETE", f"/rooms/{room}")).code == 204
    for answer in (
        await edit(ada, message, "x"),
        await delete(ada, message),
        await react(ada, message, "👍"),
        await ada.fetch("POST", "/messages", json_body={"room_id": room, "content": "x", "reply_to": message["id"]}),
    ):
        assert (answer.code, read(answer)) == (404, {"error": "room not found"})


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "PUT"])
async def test_changes_need_a_session_and_a_token(
    ada: Visitor, room: int, visit: Callable[..., Visitor], method: str
) -> None:
    message = await ada.say(room, "hello")
    where = path(message) + ("/reactions/%F0%9F%91%8D" if method == "PUT" else "")
    nobody = visit()
    response = await nobody.fetch(method, where, json_body={"content": "x"})
    assert (response.code, read(response)) == (401, {"error": "sign in first"})
    response = await ada.fetch(method, where, json_body={"content": "x"}, token=False)
    assert (response.code, read(response)) == (403, {"error": "invalid csrf token"})
    assert await current_state(ada, message) == message


# Editing


async def test_an_edit_is_answered_as_it_is_read_and_told_to_the_stream(ada: Visitor, room: int) -> None:
    message = await ada.say(room, "helo")
    stream = await ada.stream(room, after=message["id"])
    response = await edit(ada, message, "  hello\n")
    edited = read(response)
    assert response.code == 200
    assert TIME.fullmatch(edited["edited_at"])
    assert edited == message | {"content": "hello", "edited_at": edited["edited_at"]}
    assert await current_state(ada, message) == edited
    block = await stream.event()
    assert block.event == "edited"
    assert json.loads(block.data or "") == {
        "id": block.id, "prev": message["id"], "room_id": room, "message_id": message["id"], "user_id": ada.id,
        "content": "hello", "edited_at": edited["edited_at"],
    }  # fmt: skip
    assert (await ada.page(room))["cursor"] == block.id


async def test_an_edit_to_what_it_says_already_is_told_to_nobody(ada: Visitor, room: int) -> None:
    message = await ada.say(room, "hello")
    response = await edit(ada, message, " hello ")
    assert (response.code, read(response)) == (200, message)
    assert (await ada.page(room))["cursor"] == message["id"]


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({}, 400, "content required"),
        ({"content": 7}, 400, "content required"),
        ({"content": None}, 400, "content required"),
        ({"content": ""}, 400, "content required"),
        ({"content": " \n\t"}, 400, "content required"),
        ([], 400, "content required"),
        ({"content": "x" * 2001}, 422, "content too long"),
    ],
)
async def test_what_is_wrong_with_an_edit_is_said(ada: Visitor, room: int, body: Any, status: int, error: str) -> None:
    message = await ada.say(room, "hello")
    response = await ada.fetch("PATCH", path(message), json_body=body)
    assert (response.code, read(response)) == (status, {"error": error})
    assert await current_state(ada, message) == message


async def test_only_its_author_edits_and_deletes_a_message(ada: Visitor, grace: Visitor, room: int) -> None:
    message = await ada.say(room, "mine")
    for answer in (await edit(grace, message, "hers"), await delete(grace, message)):
        assert answer.code == 403
        assert set(read(answer)) == {"error"}
    assert await current_state(ada, message) == message


# Deleting


async def test_a_deleted_message_stays_as_a_tombstone(ada: Visitor, room: int) -> None:
    first, message = await ada.say(room, "first"), await ada.say(room, "to be gone", "c1")
    assert (await react(ada, message, "👍")).code == 204
    assert (await edit(ada, message, "also gone")).code == 200
    stream = await ada.stream(room)
    response = await delete(ada, message)
    assert (response.code, response.body) == (204, b"")
    assert await current_state(ada, message) == bare(message)
    assert (await ada.page(room))["messages"] == [first, bare(message)]
    block = await stream.event()
    assert block.event == "deleted"
    event = json.loads(block.data or "")
    assert event | {"prev": ""} == {
        "id": block.id, "prev": "", "room_id": room, "message_id": message["id"], "user_id": ada.id, "client_id": "c1",
    }  # fmt: skip


async def test_deleting_again_is_no_error_and_tells_nobody(ada: Visitor, room: int) -> None:
    message = await ada.say(room, "to be gone")
    answers = await asyncio.gather(*[delete(ada, message) for _ in range(10)])
    assert [answer.code for answer in answers] == [204] * 10
    deleted_at = (await ada.page(room))["cursor"]
    assert (await delete(ada, message)).code == 204
    assert (await ada.page(room))["cursor"] == deleted_at
    assert (await ada.say(room, "next"))["prev"] == deleted_at
    events = await (await ada.stream(room, after=message["id"])).event()
    assert events.id == deleted_at, "one event for all of them"


async def test_nothing_becomes_of_a_deleted_message(ada: Visitor, grace: Visitor, room: int) -> None:
    message = await ada.say(room, "to be gone")
    await delete(ada, message)
    for answer in (
        await edit(ada, message, "back"),
        await react(grace, message, "👍"),
        await react(grace, message, "👍", on=False),
    ):
        assert (answer.code, read(answer)) == (409, {"error": "the message was deleted"})
    assert await current_state(ada, message) == bare(message)


async def test_a_client_id_of_the_users_own_can_not_stand_in_the_way_of_a_deletion(ada: Visitor, room: int) -> None:
    message = await ada.say(room, "to be gone")
    assert (await ada.post(room, "x", f"deleted:{message['id']}")).code == 422
    await ada.say(room, "x", f"deleted-{message['id']}")
    assert (await delete(ada, message)).code == 204
    assert await current_state(ada, message) == bare(message)


async def test_the_text_of_a_deleted_message_is_in_no_answer_and_on_no_stream(
    ada: Visitor, grace: Visitor, room: int
) -> None:
    first = await ada.say(room, "first")
    following = await grace.stream(room, after=first["id"])
    message = await ada.say(room, "unutterable one", "c1")
    await edit(ada, message, "unutterable two")
    after = await ada.say(room, "after")
    assert [(await following.event()).event for _ in range(3)] == [None, "edited", None]
    assert (await delete(ada, message)).code == 204
    assert (await following.event()).event == "deleted"
    again = await ada.post(room, "unutterable one", "c1")
    assert (again.code, read(again)) == (200, {"ok": True, "id": message["id"], "message": bare(message)})
    answers = [again.body, (await ada.get(f"/chat/{room}")).body]
    queries = ("", "?after=0", f"?before={after['id']}", f"?around={message['id']}")
    answers += [(await ada.get(f"/rooms/{room}/messages{query}")).body for query in queries]
    for cursor in ("0", first["id"], message["id"]):
        stream = await grace.stream(room, after=cursor)
        blocks: list[Block] = []
        while not blocks or blocks[-1].event != "deleted":
            blocks.append(await stream.event())
        answers.append(stream.received)
        if cursor == first["id"]:
            assert json.loads(blocks[0].data or "") == bare(message)
            chained = [json.loads(block.data or "") for block in blocks]
            assert [each["prev"] for each in chained[1:]] == [each["id"] for each in chained[:-1]]
    assert [answer for answer in answers if b"unutterable" in answer] == []


async def test_what_was_quoted_of_a_deleted_message_stays_quoted(ada: Visitor, grace: Visitor, room: int) -> None:
    message = await ada.say(room, "said once")
    reply = read(await grace.fetch("POST", "/messages", json_body={"room_id": room, "content": "oh", "reply_to": message["id"]}))["message"]  # fmt: skip
    await delete(ada, message)
    assert (await current_state(ada, reply))["reply_to"]["content"] == "said once"


# Reactions


async def test_reactions_say_who_and_which_in_the_order_in_which_they_came(
    ada: Visitor, grace: Visitor, room: int
) -> None:
    message = await ada.say(room, "hello")
    for who, emoji in ((grace, "👍"), (ada, "🎉"), (ada, "👍")):
        assert (await react(who, message, emoji)).code == 204
    reactions = [{"emoji": "👍", "user_ids": [grace.id, ada.id]}, {"emoji": "🎉", "user_ids": [ada.id]}]
    assert await current_state(ada, message) == message | {"reactions": reactions}
    assert (await react(grace, message, "👍", on=False)).code == 204
    assert (await react(ada, message, "👍", on=False)).code == 204
    assert await current_state(ada, message) == message | {"reactions": reactions[1:]}
    assert (await react(ada, message, "🎉", on=False)).code == 204
    assert await current_state(ada, message) == message


async def test_a_reaction_is_told_to_the_stream_and_only_if_it_changes_something(ada: Visitor, room: int) -> None:
    message = await ada.say(room, "hello")
    stream = await ada.stream(room, after=message["id"])
    for on in (False, True, True, False, False):
        assert (await react(ada, message, "👍🏽", on=on)).code == 204
    blocks = [await stream.event() for _ in range(2)]
    assert [block.event for block in blocks] == ["reaction"] * 2
    given, taken = (json.loads(block.data or "") for block in blocks)
    assert given == {
        "id": blocks[0].id, "prev": message["id"], "room_id": room, "message_id": message["id"], "emoji": "👍🏽",
        "user_id": ada.id, "user_name": ada.name, "on": True,
    }  # fmt: skip
    assert taken == given | {"id": blocks[1].id, "prev": given["id"], "on": False}
    assert (await ada.page(room))["cursor"] == taken["id"]


async def test_the_same_reaction_at_the_same_moment_is_one(ada: Visitor, room: int) -> None:
    message = await ada.say(room, "hello")
    answers = await asyncio.gather(*[react(ada, message, "👍") for _ in range(20)])
    assert [answer.code for answer in answers] == [204] * 20
    assert (await current_state(ada, message))["reactions"] == [{"emoji": "👍", "user_ids": [ada.id]}]


@pytest.mark.parametrize("emoji", ["👍", "👍🏽", "❤️", "❤", "🇩🇪", "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "🏳️‍🌈", "🧑🏽‍💻", "❤️‍🔥"])
async def test_every_emoji_is_a_reaction(ada: Visitor, room: int, emoji: str) -> None:
    message = await ada.say(room, "hello")
    assert (await react(ada, message, emoji)).code == 204
    assert (await current_state(ada, message))["reactions"] == [{"emoji": emoji, "user_ids": [ada.id]}]


@pytest.mark.parametrize(
    "text",
    ["a", "1", "*", "<b>", "👍👍", "👍a", " 👍", "\u200d", "\ufe0f", "\x00", "\x7f", "é", "漢", "👩" + "\u200d👩" * 16],
)
async def test_what_is_no_emoji_is_no_reaction(ada: Visitor, room: int, text: str) -> None:
    message = await ada.say(room, "hello")
    for on in (True, False):
        response = await react(ada, message, text, on=on)
        assert response.code == 422, text
        assert set(read(response)) == {"error"}


async def test_a_message_takes_so_many_reactions_and_no_more(ada: Visitor, grace: Visitor, room: int) -> None:
    message = await ada.say(room, "hello")
    for number in range(50):
        assert (await react(ada, message, chr(0x1F400 + number))).code == 204
    assert (await react(ada, message, "🎉")).code == 422
    assert (await react(grace, message, chr(0x1F400))).code == 204
    assert (await react(ada, message, "🎉", on=False)).code == 204


# Replies


async def reply(who: Visitor, room: int, content: str, to: Any) -> HTTPResponse:
    return await who.fetch("POST", "/messages", json_body={"room_id": room, "content": content, "reply_to": to})


async def test_a_reply_quotes_the_message_as_it_stands(ada: Visitor, grace: Visitor, room: int) -> None:
    message = await ada.say(room, "draft")
    await edit(ada, message, "🎉" * 200)
    stream = await ada.stream(room)
    response = await reply(grace, room, "oh", message["id"])
    answer = read(response)["message"]
    assert response.code == 201
    assert answer["reply_to"] == {"id": message["id"], "user_name": ada.name, "content": "🎉" * 120}
    assert await stream.message() == answer == await current_state(ada, answer)


async def test_a_reply_is_to_a_message_of_the_room_that_is_there(ada: Visitor, room: int) -> None:
    message, gone = await ada.say(room, "hello"), await ada.say(room, "to be gone")
    elsewhere = await ada.say(await ada.make_room(), "elsewhere")
    await delete(ada, gone)
    for id in (elsewhere["id"], "1-0", "0", "x", (await ada.page(room))["cursor"]):
        response = await reply(ada, room, "oh", id)
        assert response.code == 422, id
        assert set(read(response)) == {"error"}
    assert (await reply(ada, room, "oh", 7)).code == 400
    assert (await reply(ada, room, "oh", None)).code == 201
    assert (await ada.page(room))["messages"][0] == message


async def test_a_repeat_is_answered_with_the_message_as_it_stands_by_now(ada: Visitor, room: int) -> None:
    message = await ada.say(room, "hello", "c1")
    edited = read(await edit(ada, message, "hello!"))
    again = await ada.post(room, "hello", "c1")
    assert (again.code, read(again)["message"]) == (200, edited)


@pytest.mark.parametrize("rooms", [1, 2])
@pytest.mark.usefixtures("patient_streams")
async def test_who_is_still_catching_up_gets_nothing_of_what_was_deleted_meanwhile(
    ada: Visitor, room: int, rooms: int
) -> None:
    """What the system's buffers and this client hold by then has gone out; the rest of the megabyte has not."""
    said: list[dict[str, Any]] = []
    for start in range(0, 600, 100):
        words = [f"[{number}] " + f"word{number}word " * 150 for number in range(start, start + 100)]
        said += await asyncio.gather(*[ada.say(room, content[:1990]) for content in words])
    said.sort(key=lambda message: tuple(map(int, message["id"].split("-"))))
    other = [await ada.make_room()] if rooms == 2 else []
    slow = await ada.stream(room, *other, after="0")
    slow.shrink_buffers()
    gone = said[400:500:7]
    assert [(await delete(ada, message)).code for message in gone] == [204] * len(gone)
    messages = [await slow.event() for _ in range(len(said) + len(gone))]
    for message in gone:
        assert message["content"].split()[1].encode() not in slow.received
    by_id = {data["id"]: data for data in (json.loads(block.data or "") for block in messages)}
    assert [by_id[message["id"]]["content"] for message in said if message not in gone] == [
        message["content"] for message in said if message not in gone
    ]
    assert all(by_id[message["id"]] == bare(message) for message in gone)


async def test_what_was_edited_out_is_in_the_log_until_the_message_is_deleted_and_the_page_says_so(
    ada: Visitor, grace: Visitor, room: int
) -> None:
    message = await ada.say(room, "my password is hunter2")
    await ada.edit(room, message["id"], "oops")
    assert (await current_state(grace, message))["content"] == "oops"
    stream = await grace.stream(room, after="0")
    assert json.loads((await stream.event()).data or "")["content"] == "my password is hunter2"
    assert "What it said before is kept" in (await grace.get(f"/chat/{room}")).body.decode()
    await ada.delete(room, message["id"])
    stream = await grace.stream(room, after="0")
    told = [await stream.event() for _ in range(3)]
    assert [block.event for block in told] == [None, "edited", "deleted"]
    assert b"hunter2" not in stream.received
    assert b"oops" not in stream.received
