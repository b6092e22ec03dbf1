"""The look of a message is decided when it is written: page, stream, page of the API and one message say the same."""

from __future__ import annotations

import json

import pytest

from chatserver.app import Chat
from chatserver.model.events import Body, draft_message, timestamp
from tests.helpers.browserless import Visitor, read
from tests.helpers.html_page import Element, read_page

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]

LONG = "x" * 1_800


async def row(who: Visitor, room: int, id: str) -> Element:
    return read_page(await who.get(f"/chat/{room}", headers={"Accept": "text/html"})).one("li", **{"data-id": id})


@pytest.mark.parametrize(("content", "look"), [("hello", "plain"), ("🎉", "emoji"), (LONG, "long")])
async def test_a_post_decides_its_look_for_everybody(ada: Visitor, room: int, content: str, look: str) -> None:
    stream = await ada.stream(room)
    said = await ada.say(room, content)
    assert said.get("look", "plain") == look
    assert await stream.message() == said
    assert (await ada.page(room))["messages"] == [said]
    assert read(await ada.get(f"/rooms/{room}/messages/{said['id']}")) == said
    expected = "message" if look == "plain" else f"message message--{look}"
    assert (await row(ada, room, said["id"]))["class"] == expected


async def test_an_edit_decides_it_anew_and_a_deletion_takes_it_away(ada: Visitor, room: int) -> None:
    said = await ada.say(room, "🎉")
    stream = await ada.stream(room)
    await ada.edit(room, said["id"], LONG)
    assert json.loads((await stream.event()).data or "")["look"] == "long"
    assert (await ada.page(room))["messages"][0]["look"] == "long"
    assert (await row(ada, room, said["id"]))["class"] == "message message--long"
    await ada.delete(room, said["id"])
    assert "look" not in (await ada.page(room))["messages"][0]
    assert (await row(ada, room, said["id"]))["class"] == "message message--deleted"
    stream = await ada.stream(room, after="0")
    assert "look" not in await stream.message()


async def test_what_was_written_before_looks_were_kept_looks_the_same(ada: Visitor, room: int, chat: Chat) -> None:
    body = Body(room, ada.id, ada.name, "🎉 🎉", timestamp(), "old")
    published = await chat.services.messages._publisher.publish(draft_message(body))
    (message,) = (await ada.page(room))["messages"]
    assert "look" not in message
    assert (await row(ada, room, str(published.event.id)))["class"] == "message message--emoji"
    await ada.edit(room, message["id"], "hello")
    assert (await row(ada, room, message["id"]))["class"] == "message"


async def test_a_text_of_joined_signs_is_shown_at_once(ada: Visitor, room: int, chat: Chat) -> None:
    """Sixty characters of which there were 2³⁰ ways to say that they are no emoji: each page of the room tried them."""
    said = await ada.say(room, "\u200d".join("©" * 30) + "x")
    assert "look" not in said
    old = Body(room, ada.id, ada.name, said["content"], timestamp(), "old")
    await chat.services.messages._publisher.publish(draft_message(old))
    page = read_page(await ada.get(f"/chat/{room}", headers={"Accept": "text/html"}))
    assert [each["class"] for each in page.within(page.one("ul", id="messages"), "li")] == ["message", "message"]
