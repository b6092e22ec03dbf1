"""What comes is shown frame by frame: a busy room costs one change of the page a frame, and nothing waits for a frame
that never comes."""

from __future__ import annotations

from playwright.async_api import expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Enter
from tests.journeys.reading.test_unread import LOOK, line_above, say
from tests.journeys.room_page import RoomPage

MOST_ROWS = 300
"""Messages that a page keeps."""

MOST_WAITING = 200
"""Events that wait for a frame."""

WATCH = """() => {
    globalThis.changes = [];
    new MutationObserver(records => changes.push(records.map(each => each.addedNodes.length).filter(Boolean)))
        .observe(messages, { childList: true });
}"""
NO_FRAMES = "globalThis.requestAnimationFrame = () => 0;"


async def has_taken(page: RoomPage, id: str) -> None:
    """The page knows of everything up to this message, shown or not."""
    await expect(page.page.locator("#messages")).to_have_attribute("data-cursor", id)


async def frames_come(page: RoomPage) -> None:
    """A second of them, and of timers, goes by for a page whose clock was stopped."""
    await page.page.clock.run_for(1_000)


async def test_what_comes_within_a_frame_is_one_change_of_the_page(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    before = await say(grace, room, MOST_ROWS - 20, "before")
    await ada.fetch("PUT", f"/rooms/{room}/read", json_body={"id": before[-1]})
    hers = await enter(ada, clock=True)
    await hers.go_up()
    await hers.go_down()
    assert await hers.ids() == before
    await hers.stop_clock()
    await hers.page.evaluate(WATCH)
    ids = await say(grace, room, 60)
    await has_taken(hers, ids[-1])
    assert await hers.page.evaluate("changes") == []
    await frames_come(hers)
    assert await hers.page.evaluate("changes") == [[60]]
    shown = await hers.ids()
    assert shown == [*before, *ids][-len(shown) :]
    assert len(shown) <= MOST_ROWS
    await hers.is_at_end()


async def test_nothing_is_lost_where_there_are_no_frames(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    hers = await enter(ada, script=NO_FRAMES)
    await hers.page.evaluate(LOOK, True)
    ids = await say(grace, room, 30)
    await expect(line_above(hers, ids[0])).to_have_count(1)
    await hers.shows(*(f"line {number}" for number in range(30)))
    await expect(hers.page.locator(".message__unread")).to_have_count(1)


async def test_a_page_whose_frames_and_timers_stand_still_shows_what_is_too_much_to_wait(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    hers = await enter(ada, clock=True)
    await hers.stop_clock()
    ids = await say(grace, room, MOST_WAITING + 10)
    await has_taken(hers, ids[-1])
    assert await hers.ids() == ids[:MOST_WAITING]
    await frames_come(hers)
    assert await hers.ids() == ids


async def test_what_came_while_nobody_looked_is_under_the_line_though_it_is_drawn_later(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    hers = await enter(ada, clock=True)
    await hers.stop_clock()
    (seen,) = await say(grace, room, 1)
    await has_taken(hers, seen)
    await frames_come(hers)
    await hers.page.evaluate(LOOK, True)
    unseen = await say(grace, room, 2)
    await has_taken(hers, unseen[-1])
    await hers.page.evaluate(LOOK, False)
    await frames_come(hers)
    assert await hers.ids() == [seen, *unseen]
    await expect(line_above(hers, unseen[0])).to_have_count(1)


async def test_ones_own_message_becomes_real_where_it_stands_and_is_there_once(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    hers = await enter(ada, clock=True)
    await hers.stop_clock()
    before = await say(grace, room, 2, "before")
    await has_taken(hers, before[-1])
    await hers.say("mine")
    await expect(hers.unsent).to_have_count(0)
    after = await say(grace, room, 2, "after")
    await has_taken(hers, after[-1])
    assert await hers.texts() == ["before 0", "before 1", "mine"], "what is answered is shown first"
    await frames_come(hers)
    await hers.agrees_with(ada)
