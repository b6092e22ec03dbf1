"""The log moves when its reader moves it, and else stays where their eyes are."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from tests.browserless import Visitor
from tests.journeys.conftest import Enter

TALK = 180
"""Messages that were said before anybody came: more than three pages of the history."""

MOST_ROWS = 300
"""Messages that a page keeps."""


async def talk(grace: Visitor, room: int, count: int = TALK) -> None:
    for number in range(0, count, 20):
        some = range(number, min(number + 20, count))
        await asyncio.gather(*(grace.say(room, f"line {each}\n" + "word " * (each % 40)) for each in some))


async def test_a_room_opens_at_its_newest_message(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    await talk(grace, room)
    hers = await enter(ada)
    await hers.is_at_end()
    await expect(hers.known.last).to_be_in_viewport()
    await expect(hers.newest).to_be_hidden()


async def test_a_reader_at_the_end_stays_at_the_end(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    await talk(grace, room, 40)
    hers = await enter(ada)
    for number in range(3):
        said = await grace.say(room, f"new {number}\n" * 10)
        await expect(hers.page.locator(f"li[data-id='{said['id']}']")).to_be_in_viewport()
        await hers.is_at_end()
    await expect(hers.newest).to_be_hidden()


async def test_older_messages_come_without_a_jump(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    await talk(grace, room)
    hers = await enter(ada)
    loaded = await hers.known.count()
    await hers.scroll_to(300)
    read, top = await hers.reading()
    await hers.has(loaded + 1)
    assert await hers.top_of(read) == pytest.approx(top, abs=1.5)


async def test_new_messages_do_not_steal_the_place(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    await talk(grace, room)
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
    await talk(grace, room, 60)
    hers = await enter(ada)
    await hers.scroll_to(900)
    await hers.say("my answer")
    await hers.is_at_end()


async def test_a_reader_can_go_up_to_the_first_word(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    await talk(grace, room)
    hers = await enter(ada)
    await hers.go_up()
    await expect(hers.page.get_by_text("begins here")).to_be_visible()
    await hers.agrees_with(ada)


async def test_a_page_stays_bounded_and_can_be_read_up_again(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    await talk(grace, room)
    hers = await enter(ada)
    await hers.go_up()
    await hers.scroll_to(10**6)
    await hers.is_at_end()
    await talk(grace, room, MOST_ROWS - TALK + 50)
    last = await grace.say(room, "the last")
    await expect(hers.page.locator(f"li[data-id='{last['id']}']")).to_be_in_viewport()
    assert await hers.known.count() == MOST_ROWS
    await hers.is_at_end()
    await hers.go_up()
    await expect(hers.known).to_have_count(MOST_ROWS + 51)
    newest = await ada.page(room, limit=200)
    older = await ada.page(room, limit=200, before=newest["messages"][0]["id"])
    assert await hers.ids() == [message["id"] for message in older["messages"] + newest["messages"]]


async def test_older_messages_can_be_asked_for_by_keyboard(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    """Also where the browser never says that the link comes near: then pressing it is the only way."""
    await talk(grace, room, 80)
    hers = await enter(ada, script="IntersectionObserver.prototype.observe = () => {}")
    await expect(hers.known).to_have_count(50)
    await hers.page.get_by_role("link", name="Older messages").press("Enter")
    await expect(hers.known).to_have_count(80)
    await expect(hers.page.locator("#log")).to_be_focused()
    await hers.agrees_with(ada)
