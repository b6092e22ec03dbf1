"""POST /messages and GET /rooms/<room>/messages, row by row."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.helpers.browserless import Visitor, read

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]


async def test_a_message_is_answered_as_it_will_be_read(ada: Visitor, room: int) -> None:
    response = await ada.post(room, "  hello\nthere  ", "my-id_1")
    assert response.code == 201
    answer = read(response)
    message = answer["message"]
    assert answer == {"ok": True, "id": message["id"], "message": message}
    assert message | {"id": "", "created_at": ""} == {
        "id": "", "prev": "0-0", "room_id": room, "user_id": ada.id, "user_name": ada.name,
        "content": "hello\nthere", "created_at": "", "client_id": "my-id_1",
    }  # fmt: skip
    assert re.fullmatch(r"[A-Za-z0-9._-]+", message["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message["created_at"])
    assert (await ada.page(room))["messages"] == [message]


async def test_each_message_links_to_the_one_before(ada: Visitor, room: int) -> None:
    first, second, third = [await ada.say(room, text) for text in "abc"]
    assert (first["prev"], second["prev"], third["prev"]) == ("0-0", first["id"], second["id"])


async def test_a_client_id_is_made_where_there_is_none(ada: Visitor, room: int) -> None:
    one, two = await ada.say(room, "same"), await ada.say(room, "same")
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", one["client_id"])
    assert one["client_id"] != two["client_id"]
    assert one["id"] != two["id"]


async def test_a_repeat_gets_the_first_message_back(ada: Visitor, room: int) -> None:
    first = await ada.post(room, "once", "c1")
    again = await ada.post(room, "once", "c1")
    assert (first.code, again.code) == (201, 200)
    assert read(first) == read(again)
    assert read(await ada.post(room, "changed", "c1"))["message"]["content"] == "once"
    assert len((await ada.page(room))["messages"]) == 1


async def test_a_client_id_belongs_to_its_user_and_room(ada: Visitor, room: int, visit: Callable[..., Visitor]) -> None:
    grace = visit()
    await grace.sign_up()
    other_room = await ada.make_room()
    ids = {(await who.say(where, "x", "c1"))["id"] for who, where in [(ada, room), (grace, room), (ada, other_room)]}
    assert len(ids) == 3


async def test_one_client_id_at_the_same_moment_is_one_message(ada: Visitor, room: int) -> None:
    answers = await asyncio.gather(*[ada.post(room, "once", "c1") for _ in range(50)])
    assert sorted(answer.code for answer in answers) == [200] * 49 + [201]
    assert len({read(answer)["id"] for answer in answers}) == 1
    assert len((await ada.page(room))["messages"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({}, 400, "room_id and content required"),
        ([], 400, "room_id and content required"),
        ("text", 400, "room_id and content required"),
        (None, 400, "room_id and content required"),
        ({"room_id": 1}, 400, "room_id and content required"),
        ({"content": "x"}, 400, "room_id and content required"),
        ({"room_id": None, "content": "x"}, 400, "room_id and content required"),
        ({"room_id": "1", "content": "x"}, 400, "room_id and content required"),
        ({"room_id": 1.5, "content": "x"}, 400, "room_id and content required"),
        ({"room_id": True, "content": "x"}, 400, "room_id and content required"),
        ({"room_id": 1, "content": 7}, 400, "room_id and content required"),
        ({"room_id": 1, "content": ["x"]}, 400, "room_id and content required"),
        ({"room_id": 1, "content": ""}, 400, "room_id and content required"),
        ({"room_id": 1, "content": " \n\t "}, 400, "room_id and content required"),
        ({"room_id": 1, "content": "x" * 2001}, 422, "content too long"),
        ({"room_id": 1, "content": "🎉" * 2001}, 422, "content too long"),
        ({"room_id": 999999, "content": "x"}, 404, "room not found"),
        ({"room_id": 0, "content": "x"}, 404, "room not found"),
        ({"room_id": -1, "content": "x"}, 404, "room not found"),
        ({"room_id": 2**70, "content": "x"}, None, None),
        ({"room_id": 1, "content": "x", "client_id": ""}, 422, None),
        ({"room_id": 1, "content": "x", "client_id": "a b"}, 422, None),
        ({"room_id": 1, "content": "x", "client_id": "a\n"}, 422, None),
        ({"room_id": 1, "content": "x", "client_id": "é"}, 422, None),
        ({"room_id": 1, "content": "x", "client_id": "x" * 65}, 422, None),
        ({"room_id": 1, "content": "x", "client_id": 5}, 400, None),
    ],
)
async def test_what_is_wrong_is_said(ada: Visitor, room: int, body: Any, status: int | None, error: str | None) -> None:
    response = await ada.fetch(
        "POST", "/messages", body=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    if status is None:
        assert response.code in {400, 404}
    else:
        assert response.code == status
    if error is not None:
        assert read(response) == {"error": error}
    assert set(read(response)) == {"error"}
    assert (await ada.page(room))["messages"] == []


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"{}{}", b"\xff\xfe", b'{"room_id":1,"content":"\\ud800"}', b'{"room_id":1,"content":"\xed\xa0\x80"}', b"[" * 30000, b"nul\0"],
)  # fmt: skip
async def test_json_that_is_none_is_malformed(ada: Visitor, raw: bytes) -> None:
    response = await ada.fetch("POST", "/messages", body=raw, headers={"Content-Type": "application/json"})
    assert (response.code, read(response)) == (400, {"error": "room_id and content required"})


@pytest.mark.parametrize(
    "content", ["x" * 2000, "🎉" * 2000, "a\0b", "a\u2028b", "\ufeffx", "a\r\nb", "[DONE]", "<b>&amp;", "‮rtl"]
)
async def test_content_is_kept_as_it_came(ada: Visitor, room: int, content: str) -> None:
    assert (await ada.say(room, content))["content"] == content
    assert [message["content"] for message in (await ada.page(room))["messages"]] == [content]


async def test_signed_out_nobody_posts_or_reads(visit: Callable[..., Visitor], room: int) -> None:
    nobody = visit()
    for response in (await nobody.post(room, "x"), await nobody.get(f"/rooms/{room}/messages")):
        assert (response.code, read(response)) == (401, {"error": "sign in first"})


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/octet-stream"])
async def test_another_kind_of_body_is_refused(ada: Visitor, kind: str) -> None:
    response = await ada.fetch("POST", "/messages", body=b'{"room_id":1,"content":"x"}', headers={"Content-Type": kind})
    assert response.code == 415
    assert set(read(response)) == {"error"}


async def test_a_body_over_64_kib_is_refused_and_one_of_64_kib_is_read(ada: Visitor, room: int) -> None:
    def padded(size: int) -> bytes:
        start = b'{"room_id":%d,"content":"x","padding":"' % room
        return start + b"x" * (size - len(start) - 2) + b'"}'

    headers = {"Content-Type": "application/json"}
    for size, status in [(65536, 201), (65537, 413), (3_000_000, 413)]:
        response = await ada.fetch("POST", "/messages", body=padded(size), headers=headers)
        assert response.code == status
        assert response.code == 201 or set(read(response)) == {"error"}
    assert len((await ada.page(room))["messages"]) == 1


async def test_the_plain_form_posts_and_leads_back(ada: Visitor, room: int) -> None:
    token = await ada.get_csrf()
    form = {"room_id": str(room), "content": "a\r\nb", "_xsrf": token}
    response = await ada.fetch("POST", "/messages", form=form)
    assert (response.code, response.headers["Location"]) == (303, f"/chat/{room}")
    assert [message["content"] for message in (await ada.page(room))["messages"]] == ["a\nb"]


async def test_the_plain_form_keeps_what_was_written_when_it_fails(ada: Visitor, room: int) -> None:
    form = {"room_id": str(room), "content": "x" * 2001, "_xsrf": await ada.get_csrf()}
    response = await ada.fetch("POST", "/messages", form=form, headers={"Accept": "text/html"})
    assert response.code == 422
    assert b"content too long" in response.body.lower()
    assert b"x" * 2001 in response.body


# Pages


async def test_pages_go_backward_and_forward_without_gap_or_repeat(ada: Visitor, room: int) -> None:
    said = [await ada.say(room, str(number)) for number in range(25)]
    newest = await ada.page(room, limit=10)
    assert newest == {"messages": said[15:], "cursor": said[-1]["id"], "has_more": True}
    older = await ada.page(room, limit=10, before=newest["messages"][0]["id"])
    assert (older["messages"], older["has_more"]) == (said[5:15], True)
    oldest = await ada.page(room, limit=10, before=older["messages"][0]["id"])
    assert (oldest["messages"], oldest["has_more"]) == (said[:5], False)
    forward = await ada.page(room, limit=10, after=said[9]["id"])
    assert forward == {"messages": said[10:20], "cursor": said[19]["id"], "has_more": True}
    last = await ada.page(room, limit=10, after=forward["cursor"])
    assert last == {"messages": said[20:], "cursor": said[24]["id"], "has_more": False}
    nothing = await ada.page(room, after=said[24]["id"])
    assert nothing == {"messages": [], "cursor": said[24]["id"], "has_more": False}
    everything = await ada.page(room, after="0", limit=200)
    assert everything["messages"] == said


async def test_a_page_around_a_message_has_both_sides_of_it(ada: Visitor, room: int) -> None:
    said = [await ada.say(room, str(number)) for number in range(9)]
    page = await ada.page(room, around=said[4]["id"], limit=5)
    assert page == {"messages": said[2:7], "cursor": said[6]["id"], "has_more": True, "has_newer": True}
    older = await ada.page(room, before=page["messages"][0]["id"], limit=5)
    assert (older["messages"], older["has_more"]) == (said[:2], False)
    newer = await ada.page(room, after=page["cursor"], limit=5)
    assert newer == {"messages": said[7:], "cursor": said[8]["id"], "has_more": False}
    page = await ada.page(room, around=said[8]["id"], limit=4)
    assert page == {"messages": said[6:], "cursor": said[8]["id"], "has_more": True, "has_newer": False}
    page = await ada.page(room, around=said[0]["id"])
    assert page == {"messages": said, "cursor": said[8]["id"], "has_more": False, "has_newer": False}


async def test_there_is_no_page_around_what_is_no_message(ada: Visitor, room: int) -> None:
    await ada.say(room, "hello")
    elsewhere = await ada.say(await ada.make_room(), "elsewhere")
    for id in ("0", "1-0", elsewhere["id"], "9223372036854775807-9223372036854775807"):
        response = await ada.get(f"/rooms/{room}/messages?around={id}")
        assert (response.code, read(response)) == (404, {"error": "message not found"})


async def test_changes_are_no_messages_and_move_the_cursor(ada: Visitor, room: int) -> None:
    said = [await ada.say(room, str(number)) for number in range(4)]
    for message in said:
        assert (await ada.fetch("DELETE", f"/rooms/{room}/messages/{message['id']}")).code == 204
    newest = await ada.page(room, limit=2)
    assert [message["id"] for message in newest["messages"]] == [message["id"] for message in said[2:]]
    assert newest["has_more"]
    assert newest["cursor"] not in {message["id"] for message in said}
    assert await (await ada.stream(room, after=newest["cursor"])).is_quiet()
    assert await ada.page(room, after=newest["cursor"]) == {"messages": [], "cursor": newest["cursor"], "has_more": False}  # fmt: skip
    assert (await ada.page(room, after=said[3]["id"]))["cursor"] == newest["cursor"]


async def test_nothing_stands_in_front_of_the_beginning(ada: Visitor, room: int) -> None:
    await ada.say(room, "first")
    for beginning in ("0", "0-0"):
        page = await ada.page(room, before=beginning)
        assert page == {"messages": [], "cursor": "0-0", "has_more": False}


async def test_a_page_has_50_messages_unless_asked_otherwise(ada: Visitor, room: int) -> None:
    await asyncio.gather(*[ada.say(room, str(number)) for number in range(52)])
    assert len((await ada.page(room))["messages"]) == 50
    assert len((await ada.page(room, limit=51))["messages"]) == 51
    assert (await ada.page(room, limit=52))["has_more"] is False


async def test_an_empty_room_has_an_empty_page(ada: Visitor, room: int) -> None:
    assert await ada.page(room) == {"messages": [], "cursor": "0-0", "has_more": False}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=1e2",
        "limit=٣",
        "before=x",
        "after=1-2-3",
        "before=1-0&after=1-0",
        "around=1-0&after=1-0",
        "around=1-0&before=1-0",
        "around=x",
        "around=",
        "around=1-2-3",
        "after=%00",
    ],
)
async def test_a_bad_query_is_malformed(ada: Visitor, room: int, query: str) -> None:
    response = await ada.get(f"/rooms/{room}/messages?{query}")
    assert response.code == 400
    assert set(read(response)) == {"error"}


@pytest.mark.parametrize("room_id", ["999999", "0", "9" * 19])
async def test_an_unknown_room_has_no_pages(ada: Visitor, room_id: str) -> None:
    response = await ada.get(f"/rooms/{room_id}/messages")
    assert (response.code, read(response)) == (404, {"error": "room not found"})
