"""What was written goes out from any tab, each room by itself, and what was discarded from none."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from datetime import UTC, datetime

import pytest
from playwright.async_api import BrowserContext, Error, Route, expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Enter
from tests.journeys.room_page import RoomPage

POSTS = re.compile(r"/messages$")

STEP_MS = 200


class Refusals:
    """Answers posts in the chat's place, from all tabs of a browser, until `end()`."""

    def __init__(self, status: int, *, only: int | None = None, error: str = "", headers: dict[str, str] | None = None):
        """`only`: for this room."""
        self.only = only
        self.refused: list[str] = []
        """What was to be posted."""
        self._status, self._headers, self._error = status, headers or {}, error
        self._is_over = False

    async def stand_in(self, context: BrowserContext) -> Refusals:
        await context.route(POSTS, self)
        return self

    def end(self) -> None:
        self._is_over = True

    async def __call__(self, route: Route) -> None:
        body = json.loads(route.request.post_data or "")
        if self._is_over or self.only not in {None, body["room_id"]}:
            await route.continue_()
        else:
            self.refused.append(body["content"])
            await route.fulfill(status=self._status, headers=self._headers, json={"error": self._error})


async def another_tab(first: RoomPage, room: int) -> RoomPage:
    tab = RoomPage(await first.page.context.new_page(), room)
    await tab.enter()
    await tab.live()
    return tab


@pytest.mark.parametrize("status", [503, 429, 500, 422, 404])
async def test_what_one_room_refuses_or_makes_wait_is_no_concern_of_the_others(
    enter: Enter, ada: Visitor, room: int, status: int
) -> None:
    hers = await enter(ada)
    await Refusals(status, only=room, headers={"Retry-After": "3000"}).stand_in(hers.page.context)
    await hers.say("this room waits")
    await expect(hers.unsent.or_(hers.failed)).to_have_count(1)
    hers.room = await ada.make_room()
    await hers.enter()
    await hers.say("this one does not")
    await hers.shows("this one does not")


async def test_what_is_asked_for_in_a_room_is_waited_for_whatever_happens_meanwhile(
    enter: Enter, ada: Visitor, room: int
) -> None:
    """A connection that comes back, a page that is loaded anew: none of that is a reason to ask earlier."""
    hers = await enter(ada, clock=True)
    await hers.page.clock.pause_at(datetime.now(UTC).timestamp() + 60)
    await hers.live()
    refusals = await Refusals(429, headers={"Retry-After": "30"}).stand_in(hers.page.context)
    async with hers.page.expect_response(POSTS):
        await hers.say_all(["first", "second"])
    await hers.page.wait_for_function(WAITS)
    await hers.page.evaluate("window.dispatchEvent(new Event('online'))")
    await hers.pass_by(10_000)
    with contextlib.suppress(Error):
        await hers.page.reload()
    await expect(hers.unsent.or_(hers.failed)).to_have_count(2)
    passed = await live_in_steps(hers)
    await hers.pass_by(10_000 - passed)
    assert refusals.refused == ["first"]
    refusals.end()
    await hers.pass_by(10_000)
    await hers.shows("first", "second")


async def live_in_steps(hers: RoomPage, longest_ms: int = 8_000) -> int:
    """Lets time go by until the page is live; returns the milliseconds. One long step would end the attempt to connect,
    and the next one would be due when no time passes any more."""
    for passed in range(STEP_MS, longest_ms, STEP_MS):
        await hers.pass_by(STEP_MS)
        with contextlib.suppress(AssertionError):
            await expect(hers.page.locator("#connection")).to_have_attribute("data-state", "live", timeout=1_000)
            return passed
    raise AssertionError("the page did not become live")


WAITS = """() => new Promise(resolve => {
    const opening = indexedDB.open("harbour");
    opening.onsuccess = () => {
        const reading = opening.result.transaction("outbox").objectStore("outbox").getAll();
        reading.onsuccess = () => resolve(reading.result.some(entry => entry.notBefore));
    };
})"""
"""Whether it is kept for how long the server asked to wait."""


async def test_what_is_discarded_in_one_tab_is_sent_by_no_other(enter: Enter, ada: Visitor, room: int) -> None:
    hers = await enter(ada, clock=True)
    refusals = await Refusals(503).stand_in(hers.page.context)
    await hers.say("not like this")
    await expect(hers.unsent).to_have_count(1)
    tabs = [await another_tab(hers, room), await another_tab(hers, await ada.make_room())]
    await expect(tabs[0].unsent).to_have_count(1)
    await hers.pass_by(20_000)
    await hers.failed.get_by_role("button", name="Discard").click()
    await expect(hers.messages).to_have_count(0)
    await expect(tabs[0].messages).to_have_count(0)
    refusals.end()
    for text, tab in (("one", tabs[0]), ("elsewhere", tabs[1]), ("two", hers)):
        await tab.page.evaluate("window.dispatchEvent(new Event('online'))")
        await tab.say(text)
        await expect(tab.known.last).to_contain_text(text)
    assert [message["content"] for message in (await ada.page(room))["messages"]] == ["one", "two"]


async def test_what_a_tab_left_behind_that_crashed_goes_out_from_another(enter: Enter, ada: Visitor, room: int) -> None:
    hers = await enter(ada)
    tab = await another_tab(hers, await ada.make_room())
    refusals = await Refusals(503, only=room).stand_in(hers.page.context)
    await hers.say_all(["one", "two", "three"])
    await expect(hers.unsent).to_have_count(3)
    session = await hers.page.context.new_cdp_session(hers.page)
    with contextlib.suppress(Error, TimeoutError):
        async with asyncio.timeout(1):
            await session.send("Page.crash")
    refusals.end()
    await tab.say("this too")
    await tab.shows("this too")
    stream = await ada.stream(room, after="0")
    assert [message["content"] for message in await stream.messages(3)] == ["one", "two", "three"]


async def test_what_was_refused_in_a_room_that_is_closed_can_be_seen_copied_and_discarded(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    other = await enter(grace)
    name = await other.page.locator("#room").get_attribute("data-room-name")
    assert name is not None
    assert (await ada.fetch("DELETE", f"/rooms/{room}")).code == 204
    await other.state("over")
    await other.say("words that\nmust not be lost")
    await expect(other.failed).to_contain_text("Not sent: room not found.")
    await other.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for _ in range(2):
        await other.page.goto("/chat")
        left = other.page.get_by_role("region", name="Not sent").get_by_role("listitem")
        await expect(left).to_have_count(1)
        await expect(left).to_contain_text(name)
        await expect(left).to_contain_text("Not sent: room not found.")
    await left.get_by_role("button", name="Copy").click()
    await expect(left.get_by_role("button", name="Text copied")).to_be_visible()
    assert await other.page.evaluate("navigator.clipboard.readText()") == "words that\nmust not be lost"
    await left.get_by_role("button", name="Discard").click()
    await expect(other.page.get_by_role("heading", name="Not sent")).to_have_count(0)
    await other.page.reload()
    await expect(other.page.get_by_role("heading", name="Rooms")).to_be_visible()
    await expect(left).to_have_count(0)


async def test_what_was_refused_can_be_sent_from_the_list_of_rooms(enter: Enter, ada: Visitor, room: int) -> None:
    hers = await enter(ada)
    refusals = await Refusals(422, error="not today").stand_in(hers.page.context)
    await hers.say("another day")
    await expect(hers.failed).to_contain_text("Not sent: not today.")
    await hers.page.goto("/chat")
    left = hers.page.get_by_role("region", name="Not sent").get_by_role("listitem")
    await expect(left).to_contain_text("Not sent: not today.")
    refusals.end()
    await left.get_by_role("button", name="Try again").click()
    await expect(left).to_have_count(0)
    await hers.enter()
    await hers.shows("another day")


async def test_nothing_is_sent_while_the_server_takes_us_for_somebody_else(
    enter: Enter, ada: Visitor, room: int
) -> None:
    hers = await enter(ada)
    refusals = await Refusals(409, error="signed in as somebody else").stand_in(hers.page.context)
    await hers.say("first")
    await hers.state("somebody-else")
    for _ in range(3):
        await hers.page.evaluate("window.dispatchEvent(new Event('online'))")
    refusals.end()
    await hers.page.evaluate("window.dispatchEvent(new Event('online'))")
    assert (await ada.page(room))["messages"] == []
    assert refusals.refused == ["first"]
    await hers.enter()
    await hers.shows("first")
    await hers.agrees_with(ada)
