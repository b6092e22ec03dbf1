"""Who is here: faces in the head of the room, and a list of all. Here is who has the room on a screen, not who is online."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Error, expect

from tests.helpers.browserless import Visitor, read
from tests.helpers.server_process import ServerProcess
from tests.helpers.waiting import WAIT_SECONDS
from tests.journeys.conftest import Browse, Enter
from tests.journeys.link import STREAM, Link
from tests.journeys.room_page import RoomPage

IMPATIENT = "const every = setInterval; window.setInterval = (run, ms) => every(run, Math.min(ms, 2_000));"
"""A tab that does every other second what it does more seldom."""

Names = Callable[[int], Awaitable[list[str]]]


@pytest.fixture
def names(mary: Visitor) -> Names:
    """Who is in a room, as the server says it to somebody who is nowhere."""

    async def of(room: int) -> list[str]:
        return [user["name"] for user in read(await mary.get(f"/rooms/{room}/presence"))["users"]]

    return of


async def become(names: Names, room: int, expected: list[str]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while await names(room) != expected:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_who_comes_and_goes_is_seen_by_who_is_there(
    enter: Enter, browse: Browse, ada: Visitor, grace: Visitor, room: int, server: ServerProcess, link: Link
) -> None:
    """Who has the room in the sidebar only is not there, and who is there is told of others, without asking."""
    other_room = await ada.make_room()
    other = RoomPage((await browse(grace, server.address)).page, other_room)
    await other.enter()
    await other.live()
    hers = await enter(ada)
    faces = hers.page.locator("#faces")
    await expect(faces).to_have_attribute("aria-label", "1 person here")
    asked = link.count(f"GET /rooms/{room}/presence")

    other.room = room
    await other.enter()
    await expect(faces).to_have_attribute("aria-label", "2 people here")
    await expect(other.page.locator("#faces")).to_have_attribute("aria-label", "2 people here")
    await faces.click()
    people = hers.page.get_by_role("dialog", name="In this room now").get_by_role("listitem")
    await expect(people).to_have_text([re.compile(r"Ada Lovelace \(you\)"), re.compile("Grace Hopper")])

    other.room = other_room
    await other.enter()
    await expect(people).to_have_text([re.compile(r"Ada Lovelace \(you\)")])
    await expect(faces).to_have_attribute("aria-label", "1 person here")
    await expect(other.page.locator("#faces")).to_have_attribute("aria-label", "1 person here")
    assert link.count(f"GET /rooms/{room}/presence") == asked


async def test_who_only_follows_a_room_is_not_there_until_a_tab_shows_it(
    enter: Enter, ada: Visitor, room: int, names: Names, link: Link
) -> None:
    other_room = await ada.make_room()
    hers = await enter(ada)
    await become(names, room, ["Ada Lovelace"])
    assert await names(other_room) == []

    second = RoomPage(await hers.page.context.new_page(), other_room)
    await second.enter()
    await second.live()
    await become(names, other_room, ["Ada Lovelace"])
    await expect(second.page.locator("#faces")).to_have_attribute("aria-label", "1 person here")
    assert await names(room) == ["Ada Lovelace"]
    assert link.open_streams == 1

    await second.page.close()
    await become(names, other_room, [])
    assert await names(room) == ["Ada Lovelace"]


async def test_the_tab_that_goes_may_be_the_one_that_had_the_connection(
    enter: Enter, ada: Visitor, room: int, names: Names
) -> None:
    other_room = await ada.make_room()
    hers = await enter(ada)
    second = RoomPage(await hers.page.context.new_page(), other_room)
    await second.enter()
    await second.live()
    await become(names, other_room, ["Ada Lovelace"])
    await hers.page.close()
    await become(names, room, [])
    assert await names(other_room) == ["Ada Lovelace"]


async def test_a_tab_that_crashed_is_not_there(enter: Enter, ada: Visitor, room: int, names: Names) -> None:
    """It can't say good-bye, and the tab that has the connection goes on."""
    other_room = await ada.make_room()
    hers = await enter(ada, script=IMPATIENT)
    second = RoomPage(await hers.page.context.new_page(), other_room)
    await second.enter()
    await second.live()
    await become(names, other_room, ["Ada Lovelace"])
    session = await second.page.context.new_cdp_session(second.page)
    with contextlib.suppress(Error, TimeoutError):
        async with asyncio.timeout(2):
            await session.send("Page.crash")
    await become(names, other_room, [])
    assert await names(room) == ["Ada Lovelace"]


async def test_tabs_that_come_and_go_at_once_are_said_together(
    enter: Enter, ada: Visitor, room: int, names: Names, link: Link
) -> None:
    rooms = [await ada.make_room() for _ in range(4)]
    hers = await enter(ada)
    second = RoomPage(await hers.page.context.new_page(), room)
    await second.enter()
    await second.live()
    opened = link.count(STREAM)
    for each in rooms * 3:  # as who leafs through the rooms
        second.room = each
        await second.page.goto(f"/chat/{each}", wait_until="commit")
    await become(names, rooms[-1], ["Ada Lovelace"])
    assert link.count(STREAM) - opened < len(rooms * 3)
    for each in rooms[:-1]:
        await become(names, each, [])
    assert await names(room) == ["Ada Lovelace"]


async def test_the_list_of_rooms_and_the_search_are_in_no_room(
    enter: Enter, browse: Browse, ada: Visitor, room: int, names: Names
) -> None:
    window = await browse(ada)
    for path in ("/chat", "/search?q=anything"):
        await window.page.goto(path)
        await expect(window.page.get_by_role("main")).to_be_visible()
        assert await names(room) == []


async def test_nobody_is_told_aloud(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    await expect(hers.page.locator("#faces")).to_be_visible()
    assert await hers.page.evaluate("faces.closest('[aria-live], [role=status], [role=log]')") is None
