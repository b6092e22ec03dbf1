"""Forms without JavaScript: whatever is sent twice is done once, and no words get lost on the way."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from tornado.httpclient import HTTPResponse

from chatserver.app import Chat
from chatserver.errors import Unavailable
from tests.helpers.browserless import Visitor, read
from tests.helpers.html_page import read_page

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]

PASSWORD = "correct horse"
BROWSER = {"Accept": "text/html"}

Form = dict[str, str]


async def form_of(visitor: Visitor, path: str, action: str) -> Form:
    """What a browser would send of a page's form, but for what people write in it."""
    return fields(await visitor.get(path, headers=BROWSER), action)


def fields(response: HTTPResponse, action: str) -> Form:
    page = read_page(response)
    form = page.one("form", action=action)
    hidden = {
        field["name"]: field["value"]
        for field in page.within(form, "input")
        if field.attributes.get("type") == "hidden"
    }
    written = {field["name"]: field.text for field in page.within(form, "textarea")}
    return hidden | written


async def send(visitor: Visitor, action: str, form: Form) -> HTTPResponse:
    return await visitor.fetch("POST", action, form=form, headers=BROWSER)


async def said(visitor: Visitor, room: int) -> list[str]:
    return [message["content"] for message in (await visitor.page(room))["messages"]]


class Lost:
    """The next message is stored, and the answer says that nobody knows."""

    def __init__(self, chat: Chat) -> None:
        self._messages = chat.services.messages
        self._publish = self._messages._publish
        self._patch = patch.object(self._messages, "_publish", self)

    async def __call__(self, *args: Any, **options: Any) -> None:
        await self._publish(*args, **options)
        self._patch.stop()
        raise Unavailable

    def __enter__(self) -> None:
        self._patch.start()

    def __exit__(self, *_: object) -> None:
        assert vars(self._messages).get("_publish") is not self, "nothing was sent"


async def test_every_form_that_is_shown_has_a_client_id_of_its_own(
    ada: Visitor, room: int, visit: Callable[[], Visitor]
) -> None:
    for visitor, path, action in (
        (ada, f"/chat/{room}", "/messages"),
        (ada, "/chat", "/rooms"),
        (visit(), "/sign-up", "/sign-up"),
    ):
        ids = [(await form_of(visitor, path, action))["client_id"] for _ in range(3)]
        assert len(set(ids)) == 3


async def test_a_message_that_is_sent_twice_is_one(ada: Visitor, room: int) -> None:
    form = await form_of(ada, f"/chat/{room}", "/messages") | {"content": "a double click\r\n"}
    answers = await asyncio.gather(*(send(ada, "/messages", form) for _ in range(3)))
    answers.append(await send(ada, "/messages", form))  # a reload
    assert [(answer.code, answer.headers["Location"]) for answer in answers] == [(303, f"/chat/{room}")] * 4
    assert await said(ada, room) == ["a double click"]
    again = await form_of(ada, f"/chat/{room}", "/messages") | {"content": "a double click"}
    await send(ada, "/messages", again)
    assert await said(ada, room) == ["a double click"] * 2, "the same words in another form are another message"


async def test_what_may_have_been_stored_is_sent_again_as_the_same_message(ada: Visitor, room: int, chat: Chat) -> None:
    form = await form_of(ada, f"/chat/{room}", "/messages") | {"content": "once <&>"}
    with Lost(chat):
        answer = await send(ada, "/messages", form)
    assert answer.code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert fields(answer, "/messages")["content"] == "once <&>"
    for _ in range(2):
        assert (await send(ada, "/messages", fields(answer, "/messages"))).code == 303
    assert await said(ada, room) == ["once <&>"]


async def test_words_that_were_changed_after_a_doubtful_answer_are_another_message(
    ada: Visitor, room: int, chat: Chat
) -> None:
    form = await form_of(ada, f"/chat/{room}", "/messages") | {"content": "as it was"}
    with Lost(chat):
        answer = await send(ada, "/messages", form)
    changed = fields(answer, "/messages") | {"content": "as it is now"}
    for each in (changed, changed, form):
        assert (await send(ada, "/messages", each)).code == 303
    assert await said(ada, room) == ["as it was", "as it is now"]


async def test_what_was_edited_since_is_still_the_same_message(ada: Visitor, room: int) -> None:
    form = await form_of(ada, f"/chat/{room}", "/messages") | {"content": "as written"}
    await send(ada, "/messages", form)
    (message,) = (await ada.page(room))["messages"]
    await ada.edit(room, message["id"], "as edited")
    assert (await send(ada, "/messages", form)).code == 303
    assert await said(ada, room) == ["as edited"]


async def test_what_was_deleted_since_is_not_said_again_without_a_question(ada: Visitor, room: int) -> None:
    form = await form_of(ada, f"/chat/{room}", "/messages") | {"content": "regretted"}
    await send(ada, "/messages", form)
    (message,) = (await ada.page(room))["messages"]
    await ada.delete(room, message["id"])
    answer = await send(ada, "/messages", form | {"content": "other words"})
    assert answer.code == 409
    assert await said(ada, room) == [""]
    again = fields(answer, "/messages")
    assert again["content"] == "other words"
    assert again["client_id"] != form["client_id"]
    assert (await send(ada, "/messages", again)).code == 303
    assert await said(ada, room) == ["", "other words"]


async def test_what_is_refused_keeps_its_client_id_unless_that_is_what_is_wrong(ada: Visitor, room: int) -> None:
    form = await form_of(ada, f"/chat/{room}", "/messages") | {"content": "x" * 2_001}
    answer = await send(ada, "/messages", form)
    assert (answer.code, fields(answer, "/messages")["client_id"]) == (422, form["client_id"])
    answer = await send(ada, "/messages", form | {"content": "hello", "client_id": "no client id!"})
    assert answer.code == 422
    assert (await send(ada, "/messages", fields(answer, "/messages"))).code == 303
    assert await said(ada, room) == ["hello"]


async def test_words_stay_in_a_form_where_nothing_else_can_be_shown(ada: Visitor, room: int, chat: Chat) -> None:
    form = await form_of(ada, f"/chat/{room}", "/messages") | {"content": "keep <this>\nand that"}
    with Lost(chat), patch.object(chat.services.room_list, "of", side_effect=Unavailable):
        answer = await send(ada, "/messages", form)
    assert answer.code == 503
    kept = fields(answer, "/messages")
    assert kept["content"] == "keep <this>\nand that"
    assert (await send(ada, "/messages", kept)).code == 303
    assert await said(ada, room) == ["keep <this>\nand that"]


async def test_a_room_that_is_made_twice_by_one_form_is_one(ada: Visitor, visit: Callable[[], Visitor]) -> None:
    name = f"room {uuid.uuid4().hex}"
    form = await form_of(ada, "/chat", "/rooms") | {"name": name}
    answers = await asyncio.gather(*(send(ada, "/rooms", form) for _ in range(3)))
    answers.append(await send(ada, "/rooms", form))
    (path,) = {answer.headers["Location"] for answer in answers if answer.code == 303}
    assert [answer.code for answer in answers] == [303] * 4
    assert (await ada.get(path)).code == 200
    refused = await send(ada, "/rooms", await form_of(ada, "/chat", "/rooms") | {"name": name})
    assert refused.code == 409, "another form means another room"
    kept = fields(refused, "/rooms") | {"name": f"{name} 2"}
    assert (await send(ada, "/rooms", kept)).code == 303
    grace = visit()
    await grace.sign_up()
    hers = await form_of(grace, "/chat", "/rooms") | {"name": name, "client_id": form["client_id"]}
    assert (await send(grace, "/rooms", hers)).code == 409


async def test_an_account_that_is_made_twice_by_one_form_is_one(visit: Callable[[], Visitor]) -> None:
    name = f"visitor {uuid.uuid4().hex}"
    browsers = [visit() for _ in range(3)]
    form = await form_of(browsers[0], "/sign-up", "/sign-up") | {"name": name, "password": PASSWORD}
    for browser in browsers:
        browser.cookies = dict(browsers[0].cookies)
    answers = await asyncio.gather(*(send(browser, "/sign-up", form) for browser in browsers[:2]))
    answers.append(await send(browsers[2], "/sign-up", form))
    assert [answer.code for answer in answers] == [303] * 3
    for browser in browsers:
        assert (await browser.get("/chat")).code == 200


@pytest.mark.parametrize(
    "other",
    [{"password": "another password"}, {"client_id": "guessed"}, {"client_id": ""}],
    ids=["another password", "another form", "no form"],
)
async def test_a_name_is_taken_for_all_but_the_form_and_password_that_took_it(
    visit: Callable[[], Visitor], other: Form
) -> None:
    stranger = visit()
    form = await form_of(stranger, "/sign-up", "/sign-up")
    form |= {"name": f"visitor {uuid.uuid4().hex}", "password": PASSWORD}
    assert (await send(stranger, "/sign-up", form)).code == 303
    again = visit()
    token = (await form_of(again, "/sign-up", "/sign-up"))["_xsrf"]
    attempt = form | {"_xsrf": token} | other
    answer = await send(again, "/sign-up", {name: value for name, value in attempt.items() if value})
    assert answer.code == 409
    assert (await again.get("/rooms")).code == 401


async def test_programs_may_name_a_room_and_an_account_too(ada: Visitor, visit: Callable[[], Visitor]) -> None:
    body = {"name": f"room {uuid.uuid4().hex}", "client_id": uuid.uuid4().hex}
    made = [await ada.fetch("POST", "/rooms", json_body=body) for _ in range(2)]
    assert [answer.code for answer in made] == [201, 201]
    assert read(made[0]) == read(made[1])
    bad = body | {"client_id": "no client id!"}
    assert (await ada.fetch("POST", "/rooms", json_body=bad)).code == 422
    somebody = {"name": f"visitor {uuid.uuid4().hex}", "password": PASSWORD, "client_id": "no client id!"}
    assert (await visit().fetch("POST", "/sign-up", json_body=somebody)).code == 422
