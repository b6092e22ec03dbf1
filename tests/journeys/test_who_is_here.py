"""Who is here: faces in the head of the room, and a list of all."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browserless import Visitor
from tests.journeys.conftest import Browse, Enter
from tests.journeys.room_page import RoomPage


async def test_who_comes_and_goes_is_seen_by_who_is_there(
    enter: Enter, browse: Browse, ada: Visitor, grace: Visitor, room: int
) -> None:
    hers = await enter(ada)
    faces = hers.page.locator("#faces")
    await expect(faces).to_have_attribute("aria-label", "1 person here")
    window = await browse(grace)
    other = RoomPage(window.page, room)
    await other.enter()
    await expect(faces).to_have_attribute("aria-label", "2 people here")
    await expect(other.page.locator("#faces")).to_have_attribute("aria-label", "2 people here")
    await faces.click()
    people = hers.page.get_by_role("dialog", name="Who is here").get_by_role("listitem")
    await expect(people).to_have_text([re.compile(r"Ada Lovelace \(you\)"), re.compile("Grace Hopper")])
    await window.page.goto("about:blank")
    await expect(people).to_have_text([re.compile(r"Ada Lovelace \(you\)")])
    await expect(faces).to_have_attribute("aria-label", "1 person here")


async def test_nobody_is_told_aloud(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    await expect(hers.page.locator("#faces")).to_be_visible()
    assert await hers.page.evaluate("faces.closest('[aria-live], [role=status], [role=log]')") is None
