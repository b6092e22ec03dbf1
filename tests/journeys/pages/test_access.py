"""By keyboard, and by ear."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Browse, Enter
from tests.journeys.room_page import RoomPage


async def test_a_room_says_what_its_parts_are(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    hers = await enter(ada)
    log = hers.page.get_by_role("log", name=re.compile("Messages in room"))
    await expect(log).to_have_attribute("aria-live", "polite")
    await grace.say(room, "can you hear me?")
    await expect(log.get_by_role("listitem")).to_contain_text("can you hear me?")
    await expect(hers.page.get_by_role("textbox", name=re.compile("Message to room"))).to_be_visible()
    await expect(hers.page.get_by_role("status")).to_have_text("Connected")
    await expect(hers.page.get_by_role("navigation", name="Rooms")).to_be_visible()
    await expect(hers.page.get_by_role("heading", level=1)).to_have_count(1)


async def test_the_first_tab_skips_to_the_composer(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada, has_touch=True)
    await hers.page.evaluate("() => document.activeElement.blur()")
    await hers.page.keyboard.press("Tab")
    await expect(hers.page.get_by_text("Skip to writing a message")).to_be_focused()
    await hers.page.keyboard.press("Enter")
    await expect(hers.field).to_be_focused()


async def test_a_message_can_be_retried_and_discarded_by_keyboard(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    await hers.page.route("**/messages", lambda route: route.fulfill(status=422, json={"error": "no"}))
    await hers.say("refused")
    await expect(hers.failed).to_contain_text("Not sent: no.")
    async with hers.page.expect_response("**/messages"):
        await hers.failed.get_by_role("button", name="Try again").press("Enter")
    await expect(hers.failed).to_contain_text("Not sent: no.")  # again: while it was sent the row said otherwise
    await hers.failed.get_by_role("button", name="Discard").press("Enter")
    await expect(hers.messages).to_have_count(0)


async def test_the_rooms_are_a_drawer_on_a_phone(browse: Browse, ada: Visitor, room: int) -> None:
    window = await browse(ada, width=390, has_touch=True)
    hers = RoomPage(window.page, room)
    await hers.enter()
    await hers.live()
    opener = hers.page.get_by_role("button", name="Rooms", exact=True)
    drawer = hers.page.get_by_role("complementary", name="Rooms")
    await expect(drawer).not_to_be_in_viewport()
    await opener.press("Enter")
    await expect(drawer).to_be_in_viewport()
    await expect(hers.page.get_by_role("button", name="Close the list of rooms")).to_be_focused()
    await hers.page.keyboard.press("Escape")
    await expect(drawer).not_to_be_in_viewport()
    await expect(opener).to_be_focused()
    await opener.tap()
    await expect(drawer).to_be_in_viewport()
    await hers.page.locator("#shade").tap(position={"x": 380, "y": 400})
    await expect(drawer).not_to_be_in_viewport()


async def test_nothing_moves_for_who_asked_for_it(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada, reduced_motion="reduce", width=390)
    moving = await hers.page.evaluate(
        """() => [...document.querySelectorAll("*")].filter(each => {
            const { animationDuration, transitionDuration } = getComputedStyle(each);
            return [animationDuration, transitionDuration].some(duration => parseFloat(duration) > 0.01);
        }).map(each => each.className)"""
    )
    assert moving == []
