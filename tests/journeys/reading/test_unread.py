"""What is unread is marked, counted, and read once for all tabs and devices."""

from __future__ import annotations

import asyncio

from playwright.async_api import Locator, expect

from tests.helpers.browserless import WAIT_SECONDS, Visitor, read
from tests.journeys.conftest import Browse, Enter
from tests.journeys.room_page import RoomPage

MOST_ROOMS = 50
"""Of one stream."""

LOOK = """hidden => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


async def say(who: Visitor, room: int, count: int, text: str = "line") -> list[str]:
    return [(await who.say(room, f"{text} {number}"))["id"] for number in range(count)]


async def is_read(who: Visitor, room: int, id: str) -> None:
    """The server knows it: the page says it to itself before."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            rows = read(await who.fetch("GET", "/rooms"))["rooms"]
            if next(row["last_read"] for row in rows if row["id"] == room) == id:
                return
            await asyncio.sleep(0.05)


def count_of(page: RoomPage, room: int) -> Locator:
    """How much the sidebar says is unread in a room."""
    return page.page.locator(f"#rooms li[data-room-id='{room}'] .sidebar__count")


def line_above(page: RoomPage, id_: str) -> Locator:
    return page.page.locator(f"li[data-id='{id_}'] .message__unread")


async def test_a_room_opens_at_the_first_unread_message(
    browse: Browse, enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    read = await say(grace, room, 30, "read")
    await ada.fetch("PUT", f"/rooms/{room}/read", json_body={"id": read[-1]})
    unread = await say(grace, room, 30, "unread")
    hers = await enter(ada)
    await expect(line_above(hers, unread[0])).to_be_in_viewport()
    await expect(hers.page.locator(".message__unread")).to_have_count(1)
    await expect(count_of(hers, room)).to_have_text("30")
    await hers.go_down()
    await expect(count_of(hers, room)).to_be_hidden()
    await expect(line_above(hers, unread[0])).to_have_count(1)
    await is_read(ada, room, unread[-1])
    await hers.page.reload()
    await hers.live()
    await expect(hers.page.locator(".message__unread")).to_have_count(0)
    await hers.is_at_end()


async def test_a_room_with_pages_of_unread_messages_opens_at_the_first(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    read = await say(grace, room, 10, "read")
    await ada.fetch("PUT", f"/rooms/{room}/read", json_body={"id": read[-1]})
    unread = await say(grace, room, 120, "unread")
    hers = await enter(ada)
    await expect(line_above(hers, unread[0])).to_be_in_viewport()
    await hers.go_down()
    assert (await hers.ids())[-120:] == unread
    await expect(count_of(hers, room)).to_be_hidden()


async def test_ones_own_messages_are_not_news(enter: Enter, ada: Visitor, room: int) -> None:
    await say(ada, room, 60)
    hers = await enter(ada)
    await expect(hers.page.locator(".message__unread")).to_have_count(0)
    await hers.is_at_end()
    await expect(count_of(hers, room)).to_be_hidden()


async def test_other_rooms_are_counted_live(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    other = await ada.make_room()
    await say(grace, other, 2)
    hers = await enter(ada)
    await expect(count_of(hers, other)).to_have_text("2")
    ids = await say(grace, other, 2, "live")
    await expect(count_of(hers, other)).to_have_text("4")
    await ada.say(other, "from elsewhere")
    await grace.fetch("DELETE", f"/rooms/{other}/messages/{ids[0]}")
    await expect(count_of(hers, other)).to_have_text("3")


async def test_what_is_read_on_one_device_is_read_on_all(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    other = await ada.make_room()
    hers, phone = await asyncio.gather(enter(ada), enter(ada))
    tab = RoomPage(await hers.page.context.new_page(), room)
    await tab.enter()
    await tab.live()
    await say(grace, other, 3)
    for page in (hers, tab, phone):
        await expect(count_of(page, other)).to_have_text("3")
    await phone.page.goto(f"/chat/{other}")
    await phone.live()
    for page in (hers, tab, phone):
        await expect(count_of(page, other)).to_be_hidden()


async def test_the_line_goes_when_its_messages_are_read_elsewhere(
    enter: Enter, mary: Visitor, grace: Visitor, room: int
) -> None:
    hers = await enter(mary)
    await hers.page.evaluate(LOOK, True)
    title = await hers.page.title()
    ids = await say(grace, room, 3)
    await expect(hers.page).to_have_title(f"(3) {title}")
    await expect(line_above(hers, ids[0])).to_be_visible()
    await mary.fetch("PUT", f"/rooms/{room}/read", json_body={"id": ids[-1]})
    await expect(hers.page).to_have_title(title)
    await expect(hers.page.locator(".message__unread")).to_have_count(0)


async def test_rooms_come_and_go_in_the_sidebar_and_what_is_said_there_counts(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    """Also where there are more of them than one stream can follow: then the newest are."""
    await asyncio.gather(*(grace.make_room() for _ in range(MOST_ROOMS)))
    hers = await enter(ada)
    made = await grace.make_room()
    await expect(hers.page.locator(f"#rooms li[data-room-id='{made}'] a")).to_have_attribute("href", f"/chat/{made}")
    await say(grace, made, 2)
    await expect(count_of(hers, made)).to_have_text("2")
    await grace.fetch("DELETE", f"/rooms/{made}")
    await expect(hers.page.locator(f"#rooms li[data-room-id='{made}']")).to_have_count(0)
    await grace.say(room, "and here all is well")
    await hers.shows("and here all is well")


async def test_who_is_up_in_the_history_has_not_read_what_comes(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    await say(grace, room, 60)
    hers = await enter(ada)
    await hers.go_down()
    await expect(count_of(hers, room)).to_be_hidden()
    await hers.scroll_to(200)
    await hers.reading()
    await say(grace, room, 2, "below")
    await expect(count_of(hers, room)).to_have_text("2")
    await hers.newest.click()
    await expect(count_of(hers, room)).to_be_hidden()
