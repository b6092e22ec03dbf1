"""Who is writing is seen by the others, for a moment."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Enter
from tests.journeys.link import Link
from tests.journeys.room_page import RoomPage


async def test_who_writes_is_seen_until_it_is_said(enter: Enter, ada: Visitor, grace: Visitor) -> None:
    hers, other = await asyncio.gather(enter(ada), enter(grace, width=390))
    line = other.page.locator("#typing p")
    await expect(line).to_have_attribute("aria-live", "polite")
    await hers.field.press_sequentially("Shall we")
    await expect(line).to_have_text("Ada Lovelace is typing…")
    await expect(hers.page.locator("#typing p")).to_have_text("")
    await hers.field.press("Enter")
    await other.shows("Shall we")
    await expect(line).to_have_text("")


async def test_it_is_told_every_three_seconds_and_ends_by_itself(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    told = f"POST /rooms/{room}/typing"
    hers = await enter(ada, clock=True)
    other = await enter(grace, clock=True)
    await hers.field.press_sequentially("many letters")
    await expect(other.page.locator("#typing p")).to_have_text("Ada Lovelace is typing…")
    assert link.count(told) == 1
    await hers.pass_by(3_000)
    await hers.field.fill("")
    await hers.field.fill("more")
    await expect(other.page.locator("#typing p")).to_have_text("Ada Lovelace is typing…")
    await other.pass_by(5_100)
    await expect(other.page.locator("#typing p")).to_have_text("")
    assert link.count(told) == 2


async def test_who_writes_in_another_room_is_not_heard(
    enter: Enter, ada: Visitor, grace: Visitor, mary: Visitor, room: int, link: Link
) -> None:
    """Not by the browser either: it follows that room, and shows it nowhere."""
    passed: list[bytes] = []

    def note(frame: bytes) -> bytes:
        passed.append(frame)
        return frame

    link.alter = note
    other_room = await ada.make_room()
    hers = await enter(ada)
    assert (await grace.fetch("POST", f"/rooms/{other_room}/typing", body=b"")).code == 204
    assert (await grace.fetch("POST", f"/rooms/{room}/typing", body=b"")).code == 204
    await expect(hers.page.locator("#typing p")).to_have_text("Grace Hopper is typing…")
    typing = [frame for frame in passed if b"event: typing" in frame]
    assert len(typing) == 1
    assert b'"room_id":%d,' % room in typing[0]

    second = RoomPage(await hers.page.context.new_page(), other_room)
    await second.enter()
    await second.live()
    await expect(second.page.locator("#faces")).to_have_attribute("aria-label", "1 person here")
    assert (await mary.fetch("POST", f"/rooms/{other_room}/typing", body=b"")).code == 204
    await expect(second.page.locator("#typing p")).to_have_text(f"{mary.name} is typing…")
