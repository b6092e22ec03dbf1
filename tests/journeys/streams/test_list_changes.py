"""What changes in the list of rooms is told as a change: nobody reads the whole list again for it."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.helpers.browserless import Visitor
from tests.helpers.waiting import until
from tests.journeys.conftest import Enter
from tests.journeys.link import STREAM, Link
from tests.journeys.reading.test_unread import count_of, say
from tests.journeys.room_page import RoomPage

LISTED = "[...document.querySelectorAll('#rooms li')].map(each => each.textContent.trim().split(/\\s+/).join(' '))"
LONG_MS = 60_000
"""More than anybody waits who means to ask for the list."""


def lists(link: Link) -> list[str]:
    """What was asked of the list of rooms: all of it, or rows."""
    return [each for each in link.requests if each == "GET /rooms" or each.startswith("GET /rooms?")]


def far_away(frame: bytes) -> bytes:
    """So many listen that the turn to follow a new room comes in hours."""
    return frame.replace(b'"within":500', b'"within":99999999')


async def has_heard(page: RoomPage, who: Visitor, text: str) -> None:
    """All that was said before this has reached the page, and time enough has gone by to ask for more."""
    await who.say(page.room, text)
    await expect(page.messages.last).to_contain_text(text)
    await page.pass_by(LONG_MS)
    await who.say(page.room, f"{text} again")
    await expect(page.messages.last).to_contain_text(f"{text} again")


async def test_an_edit_in_a_room_with_something_unread_asks_for_nothing(
    enter: Enter, mary: Visitor, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    other = await ada.make_room()
    old = await say(grace, other, 3)
    hers = await enter(mary, clock=True)
    await expect(count_of(hers, other)).to_have_text("3")
    new = await say(grace, other, 2, "live")
    await expect(count_of(hers, other)).to_have_text("5")
    link.requests.clear()
    for id_ in (*old, *new):
        await grace.edit(other, id_, f"edited {id_}")
        await grace.react(other, id_, "👍")
    await grace.delete(other, new[0])
    await expect(count_of(hers, other)).to_have_text("4")
    await has_heard(hers, grace, "all is told")
    await expect(count_of(hers, other)).to_have_text("4")
    assert lists(link) == []


async def test_what_is_deleted_of_before_the_page_is_counted_by_one_row(
    enter: Enter, mary: Visitor, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    other = await ada.make_room()
    old = await say(grace, other, 4)
    hers = await enter(mary)
    await expect(count_of(hers, other)).to_have_text("4")
    link.requests.clear()
    await asyncio.gather(*(grace.delete(other, id_) for id_ in old[1:]))
    await expect(count_of(hers, other)).to_have_text("1")
    assert set(lists(link)) == {f"GET /rooms?id={other}"}
    assert len(lists(link)) <= 3


async def test_who_is_mentioned_no_more_is_told(
    enter: Enter, mary: Visitor, ada: Visitor, grace: Visitor, room: int
) -> None:
    other = await ada.make_room()
    hers = await enter(mary)
    said = await grace.say(other, f"hello @{mary.name}")
    await expect(count_of(hers, other)).to_have_text("@1")
    await grace.edit(other, said["id"], "hello all")
    await expect(count_of(hers, other)).to_have_text("1")
    await grace.edit(other, said["id"], f"hello @{mary.name}")
    await expect(count_of(hers, other)).to_have_text("@1")
    await grace.delete(other, said["id"])
    await expect(count_of(hers, other)).to_be_hidden()


async def test_rooms_that_are_made_and_closed_are_told_and_stand_where_the_list_has_them(
    enter: Enter, mary: Visitor, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    link.alter = far_away
    hers = await enter(mary)
    link.requests.clear()
    tag = f"{room}"
    made = [await ada.make_room(f"{name} {tag}") for name in ("~ last", "Éclair", "!", "eclipse")]
    for each in made:
        await expect(count_of(hers, each)).to_have_count(1)
    await ada.fetch("DELETE", f"/rooms/{made[1]}")
    await expect(count_of(hers, made[1])).to_have_count(0)
    assert lists(link) == []
    assert link.count(STREAM) == 0
    shown = await hers.page.evaluate(LISTED)
    await hers.page.reload()
    await hers.live()
    assert await hers.page.evaluate(LISTED) == shown
    for each in (made[0], made[2], made[3]):
        await ada.fetch("DELETE", f"/rooms/{each}")


async def test_what_is_said_in_a_room_that_was_just_made_counts(
    enter: Enter, mary: Visitor, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    hers = await enter(mary)
    link.requests.clear()
    made = await ada.make_room()
    await say(grace, made, 2)
    await expect(count_of(hers, made)).to_have_text("2")
    assert lists(link) == []
    assert link.count(STREAM) == 1
    await ada.fetch("DELETE", f"/rooms/{made}")


async def test_what_changed_while_there_was_no_connection_is_in_the_list_afterwards(
    enter: Enter, mary: Visitor, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    gone = await ada.make_room()
    hers = await enter(mary)
    await expect(count_of(hers, gone)).to_have_count(1)
    link.cut()
    made = await ada.make_room()
    await ada.fetch("DELETE", f"/rooms/{gone}")
    await say(grace, made, 2)
    link.mend()
    await expect(count_of(hers, made)).to_have_text("2")
    await expect(count_of(hers, gone)).to_have_count(0)


async def test_a_room_is_followed_as_soon_as_somebody_opens_it(
    enter: Enter, mary: Visitor, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    """Its turn on the stream may be some minutes away, where many people are told of it."""
    link.alter = far_away
    hers = await enter(mary)
    made = await ada.make_room()
    await expect(count_of(hers, made)).to_have_count(1)
    tab = RoomPage(await hers.page.context.new_page(), made)
    await tab.enter()
    await tab.live()
    await grace.say(made, "at once")
    await tab.shows("at once")
    await until(lambda: link.open_streams == 1)
