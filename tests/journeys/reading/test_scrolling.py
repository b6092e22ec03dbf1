"""The log moves when its reader moves it, and else stays where their eyes are."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Route, expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Browse, Enter
from tests.journeys.room_page import RoomPage

TALK = 180
"""Messages that were said before anybody came: more than three pages of the history."""

MOST_ROWS, LEAST_ROWS = 300, 250
"""Messages that a page keeps."""


async def talk(grace: Visitor, ada: Visitor, room: int, count: int = TALK) -> None:
    """What Grace said in the room, and Ada has read."""
    for number in range(0, count, 20):
        some = range(number, min(number + 20, count))
        await asyncio.gather(*(grace.say(room, f"line {each}\n" + "word " * (each % 40)) for each in some))
    newest = (await ada.page(room, limit=1))["messages"][0]["id"]
    assert (await ada.fetch("PUT", f"/rooms/{room}/read", json_body={"id": newest})).code == 204


async def test_a_room_opens_at_its_newest_message(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    await talk(grace, ada, room)
    hers = await enter(ada)
    await hers.is_at_end()
    await expect(hers.known.last).to_be_in_viewport()
    await expect(hers.newest).to_be_hidden()


async def test_a_reader_at_the_end_stays_at_the_end(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    await talk(grace, ada, room, 40)
    hers = await enter(ada)
    for number in range(3):
        said = await grace.say(room, f"new {number}\n" * 10)
        await expect(hers.page.locator(f"li[data-id='{said['id']}']")).to_be_in_viewport()
        await hers.is_at_end()
    await expect(hers.newest).to_be_hidden()


async def test_older_messages_come_without_a_jump(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    await talk(grace, ada, room)
    hers = await enter(ada)
    loaded = await hers.known.count()
    await hers.scroll_to(300)
    read, top = await hers.reading()
    await hers.has(loaded + 1)
    assert await hers.top_of(read) == pytest.approx(top, abs=1.5)


async def test_new_messages_do_not_steal_the_place(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    await talk(grace, ada, room)
    hers = await enter(ada)
    await hers.scroll_to(900)
    read, top = await hers.reading()
    for number in range(2):
        await grace.say(room, f"new {number}")
    await expect(hers.newest).to_have_text("2 new ↓")
    assert await hers.top_of(read) == pytest.approx(top, abs=1.5)
    await hers.newest.click()
    await hers.is_at_end()
    await expect(hers.newest).to_be_hidden()
    await expect(hers.known.last).to_be_in_viewport()


async def test_ones_own_message_brings_its_writer_to_the_end(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    await talk(grace, ada, room, 60)
    hers = await enter(ada)
    await hers.scroll_to(900)
    await hers.say("my answer")
    await hers.is_at_end()


async def test_a_reader_can_go_up_to_the_first_word(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    await talk(grace, ada, room)
    hers = await enter(ada)
    await hers.go_up()
    await expect(hers.page.get_by_text("This is the start of")).to_be_visible()
    await hers.agrees_with(ada)


async def test_a_page_stays_bounded_and_can_be_read_up_again(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    await talk(grace, ada, room)
    hers = await enter(ada)
    await hers.go_up()
    await hers.scroll_to(10**6)
    await hers.is_at_end()
    await talk(grace, ada, room, MOST_ROWS - TALK + 50)
    last = await grace.say(room, "the last")
    await expect(hers.page.locator(f"li[data-id='{last['id']}']")).to_be_in_viewport()
    await hers.is_at_end()
    every = await all_ids(ada, room)
    shown = await hers.ids()
    assert LEAST_ROWS <= len(shown) <= MOST_ROWS
    assert shown == every[-len(shown) :]
    await hers.go_up()
    assert await hers.ids() == every[:MOST_ROWS]
    await hers.go_down()
    assert await hers.ids() == every[-MOST_ROWS:]


async def all_ids(reader: Visitor, room: int) -> list[str]:
    """Of all messages of a room that has not more than 400."""
    newest = await reader.page(room, limit=200)
    older = await reader.page(room, limit=200, before=newest["messages"][0]["id"])
    return [message["id"] for message in older["messages"] + newest["messages"]]


async def test_what_is_said_while_the_end_is_out_of_sight_is_counted_and_leaves_no_hole(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    await talk(grace, ada, room, MOST_ROWS + 40)
    hers = await enter(ada)
    await hers.go_up()
    first = (await all_ids(ada, room))[:MOST_ROWS]
    assert await hers.ids() == first
    for number in range(3):
        await grace.say(room, f"out of sight {number}")
    await expect(hers.newest).to_have_text("3 new ↓")
    assert await hers.ids() == first
    await hers.newest.click()
    await hers.is_at_end()
    await expect(hers.known.last).to_have_text(re.compile("out of sight 2"))
    await grace.say(room, "and on")
    await expect(hers.known.last).to_have_text(re.compile("and on"))
    shown = await hers.ids()
    assert shown == (await all_ids(ada, room))[-len(shown) :]


async def test_who_reads_down_to_the_end_is_live_again_and_has_missed_nothing(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    await talk(grace, ada, room, MOST_ROWS + 40)
    hers = await enter(ada)
    await hers.go_up()
    for number in range(3):
        await grace.say(room, f"out of sight {number}")
    await expect(hers.newest).to_have_text("3 new ↓")
    down = asyncio.create_task(hers.go_down())
    for number in range(10):
        await grace.say(room, f"on the way {number}")
    await down
    await grace.say(room, "and on")
    await hers.go_down()
    await expect(hers.known.last).to_have_text(re.compile("and on"))
    shown = await hers.ids()
    assert shown == (await all_ids(ada, room))[-len(shown) :]


async def test_who_answers_from_far_up_comes_to_the_end(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    await talk(grace, ada, room, MOST_ROWS + 40)
    hers = await enter(ada)
    await hers.go_up()
    await hers.say("my answer")
    await expect(hers.known.last).to_have_text(re.compile("my answer"))
    await hers.is_at_end()
    shown = await hers.ids()
    assert shown == (await all_ids(ada, room))[-len(shown) :]


async def test_what_became_of_messages_reaches_them_wherever_they_are(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    """One is on the page; one comes with a page of history; and one with a page that was read before it was edited."""
    await talk(grace, ada, room, 120)
    hers = await enter(ada)
    every = await all_ids(ada, room)
    await edit(grace, room, every[-1], "edited on the page")
    await hers.text_of(every[-1], "edited on the page")
    await edit(grace, room, every[60], "edited before it was read")
    read, edited = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        response = await route.fetch()
        read.set()
        await edited.wait()
        await route.fulfill(response=response)

    await hers.page.route("**/messages?before=*", hold, times=1)
    await hers.scroll_to(0)
    await read.wait()
    await edit(grace, room, every[61], "edited while it was read")
    await edit(grace, room, every[-2], "which is seen here")
    await hers.text_of(every[-2], "which is seen here")
    edited.set()
    await hers.text_of(every[60], "edited before it was read")
    await hers.text_of(every[61], "edited while it was read")


async def edit(author: Visitor, room: int, id_: str, content: str) -> None:
    response = await author.fetch("PATCH", f"/rooms/{room}/messages/{id_}", json_body={"content": content})
    assert response.code == 200, response.body


async def test_a_page_that_begins_in_the_middle_goes_on_both_ways(
    enter: Enter, browse: Browse, ada: Visitor, grace: Visitor, room: int
) -> None:
    await talk(grace, ada, room)
    every = await all_ids(ada, room)
    hers = RoomPage((await browse(ada)).page, room)
    await hers.page.goto(f"/chat/{room}?at={every[90]}")
    await hers.live()
    await expect(hers.page.locator(f"li[data-id='{every[90]}']")).to_be_in_viewport()
    await grace.say(room, "meanwhile")
    await expect(hers.newest).to_have_text("1 new ↓")
    await hers.go_down()
    await expect(hers.known.last).to_have_text(re.compile("meanwhile"))
    await hers.go_up()
    await expect(hers.page.get_by_text("This is the start of")).to_be_visible()
    assert await hers.ids() == await all_ids(ada, room)


async def test_older_messages_can_be_asked_for_by_keyboard(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    """Also where the browser never says that the link comes near: then pressing it is the only way."""
    await talk(grace, ada, room, 80)
    hers = await enter(ada, script="IntersectionObserver.prototype.observe = () => {}")
    await expect(hers.known).to_have_count(50)
    await hers.page.get_by_role("link", name="Older", exact=True).press("Enter")
    await expect(hers.known).to_have_count(80)
    await expect(hers.page.locator("#log")).to_be_focused()
    await hers.agrees_with(ada)
