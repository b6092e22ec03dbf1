"""A message has an address: its page opens around it, whatever became of it, and goes on to both ends of the room."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Browse
from tests.journeys.room_page import RoomPage

SAID = 240
"""Messages, and with them several pages on both sides of one in the middle."""


async def talk(writer: Visitor, reader: Visitor, room: int) -> list[str]:
    """The ids, in order, of what the reader has read."""
    said = await asyncio.gather(*(writer.say(room, f"number {number}") for number in range(SAID)))
    every = sorted((message["id"] for message in said), key=lambda id_: tuple(map(int, id_.split("-"))))
    assert (await reader.fetch("PUT", f"/rooms/{room}/read", json_body={"id": every[-1]})).code == 204
    return every


async def open_at(browse: Browse, reader: Visitor, room: int, id_: str) -> RoomPage:
    page = RoomPage((await browse(reader)).page, room)
    response = await page.page.goto(f"/chat/{room}?at={id_}")
    assert response is not None
    assert response.status == 200
    await page.live()
    return page


async def is_marked(page: RoomPage, id_: str) -> None:
    await expect(page.row(id_)).to_be_in_viewport()
    await expect(page.row(id_)).to_be_focused()


@pytest.mark.parametrize("place", [0, 30, 120, SAID - 1])
async def test_a_permalink_opens_around_its_message_and_goes_on_to_both_ends(
    browse: Browse, ada: Visitor, grace: Visitor, room: int, place: int
) -> None:
    every = await talk(grace, ada, room)
    hers = await open_at(browse, ada, room, every[place])
    await is_marked(hers, every[place])
    await hers.go_up()
    await hers.go_down()
    await expect(hers.row(every[-1])).to_be_in_viewport()
    assert await hers.ids() == every
    last = await grace.say(room, "live again")
    await expect(hers.row(last["id"])).to_be_in_viewport()


async def test_the_message_of_a_permalink_lights_up_for_a_moment(
    browse: Browse, ada: Visitor, grace: Visitor, room: int
) -> None:
    every = await talk(grace, ada, room)
    hers = RoomPage((await browse(ada)).page, room)
    await hers.page.clock.install()
    await hers.page.goto(f"/chat/{room}?at={every[100]}")
    await hers.live()
    await expect(hers.page.locator(".message--lit")).to_have_attribute("data-id", every[100])
    await hers.pass_by(3_000)
    await expect(hers.page.locator(".message--lit")).to_have_count(0)


async def test_a_permalink_of_a_deleted_message_shows_where_it_stood(
    browse: Browse, ada: Visitor, grace: Visitor, room: int
) -> None:
    every = await talk(grace, ada, room)
    await grace.delete(room, every[100])
    hers = await open_at(browse, ada, room, every[100])
    await is_marked(hers, every[100])
    await expect(hers.row(every[100])).to_contain_text("This message was deleted.")
    shown = await hers.ids()
    first = every.index(shown[0])
    assert shown == every[first : first + len(shown)]
    assert every[99] in shown
    assert every[101] in shown


@pytest.mark.parametrize("id_", ["7-7", "9999999999999-0", "nonsense", "%3Cb%3E", ""])
async def test_a_permalink_of_what_never_was_shows_the_room_at_its_end(
    browse: Browse, ada: Visitor, grace: Visitor, room: int, id_: str
) -> None:
    said = [(await grace.say(room, f"line {number}"))["id"] for number in range(3)]
    hers = await open_at(browse, ada, room, id_)
    await hers.shows("line 0", "line 1", "line 2")
    await hers.is_at_end()
    await expect(hers.page.locator("#newer")).to_be_hidden()
    last = await grace.say(room, "and on")
    await expect(hers.known.last).to_have_text(re.compile("and on"))
    assert await hers.ids() == [*said, last["id"]]


async def test_a_permalink_of_another_rooms_message_shows_nothing_of_it(
    browse: Browse, ada: Visitor, grace: Visitor, room: int
) -> None:
    other = await ada.make_room()
    elsewhere = await grace.say(other, "said elsewhere")
    await grace.say(room, "said here")
    hers = await open_at(browse, ada, room, elsewhere["id"])
    await hers.shows("said here")


async def test_an_id_that_is_a_change_and_no_message_shows_the_room(
    browse: Browse, ada: Visitor, grace: Visitor, room: int
) -> None:
    message = await grace.say(room, "said")
    await grace.react(room, message["id"], "👍")
    tip = (await ada.page(room))["cursor"]
    assert tip != message["id"]
    hers = await open_at(browse, ada, room, tip)
    await hers.shows("said")
