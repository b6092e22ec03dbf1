"""All tabs of a browser share one connection, and whatever becomes of the tab that holds it, the others go on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Error, expect

from tests.helpers.browserless import Visitor
from tests.helpers.waiting import until
from tests.journeys.conftest import Browse, Enter
from tests.journeys.link import STREAM, Link
from tests.journeys.room_page import RoomPage

TABS = 20
"""More than three times as many as a browser has connections for one server over HTTP/1.1."""

REMEMBERED = 100
"""Events of a room that the tab which leads remembers."""

DEAF = """
    const { set } = Object.getOwnPropertyDescriptor(BroadcastChannel.prototype, "onmessage");
    Object.defineProperty(BroadcastChannel.prototype, "onmessage", {
        set(hear) { set.call(this, (message) => window.isDeaf || hear(message)); },
    });
    const { get } = Object.getOwnPropertyDescriptor(Document.prototype, "hidden");
    Object.defineProperty(Document.prototype, "hidden", { get() { return window.isDeaf || get.call(this); } });
"""
"""A tab whose ears can be closed. Nobody looks at it then: it would miss its leader, and take its place."""


async def open_tab(first: RoomPage, room: int | None = None, script: str | None = None) -> RoomPage:
    """Another tab of the same browser."""
    page = await first.page.context.new_page()
    if script is not None:
        await page.add_init_script(script)
    tab = RoomPage(page, room or first.room)
    await tab.enter()
    await tab.live()
    return tab


async def command(page: RoomPage, method: str, **parameters: object) -> None:
    session = await page.page.context.new_cdp_session(page.page)
    await session.send(method, parameters)


async def test_twenty_tabs_are_live_over_one_connection(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    hers = await enter(ada)
    tabs = [hers, *[await open_tab(hers) for _ in range(TABS - 1)]]
    await grace.say(room, "to all")
    await asyncio.gather(*(tab.shows("to all") for tab in tabs))
    assert link.open_streams == 1


async def test_what_is_written_in_a_tab_is_settled_there(enter: Enter, ada: Visitor, link: Link) -> None:
    hers = await enter(ada)
    tab = await open_tab(hers)
    await tab.say("from the second tab")
    await tab.shows("from the second tab")
    await hers.shows("from the second tab")
    await tab.agrees_with(ada)
    assert link.open_streams == 1


async def test_tabs_of_two_rooms_are_live_over_one_connection(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    hers = await enter(ada)
    other_room = await ada.make_room()  # which the first tab has never heard of
    tab = await open_tab(hers, other_room)
    await grace.say(room, "here")
    await grace.say(other_room, "there")
    await hers.shows("here")
    await tab.shows("there")
    assert link.open_streams == 1


async def test_the_tab_that_leads_is_closed(enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link) -> None:
    hers = await enter(ada)
    tabs = [await open_tab(hers) for _ in range(2)]
    said: list[dict[str, Any]] = []
    for leader in (hers, tabs[0]):
        said.append(await grace.say(room, f"{len(said)}"))
        await tabs[1].has(len(said))
        _, message = await asyncio.gather(leader.page.close(), grace.say(room, f"{len(said)}"))
        said.append(message)
        await tabs[1].shows(*(message["content"] for message in said))
    await tabs[1].agrees_with(ada)
    await tabs[1].live()
    await until(lambda: link.open_streams == 1)


async def test_the_tab_that_leads_crashes(enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link) -> None:
    hers = await enter(ada)
    tab = await open_tab(hers)
    await grace.say(room, "before")
    await tab.shows("before")
    with contextlib.suppress(Error, TimeoutError):
        async with asyncio.timeout(1):
            await command(hers, "Page.crash")
    await grace.say(room, "after")
    await tab.shows("before", "after")
    await until(lambda: link.open_streams == 1)


async def test_the_tab_that_leads_is_frozen_and_wakes_again(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    """By a debugger that stops it at the next thing it does: to a page that the browser froze, events still came here."""
    hers = await enter(ada)
    tab = await open_tab(hers)
    await grace.say(room, "before")
    await tab.shows("before")
    debugger = await hers.page.context.new_cdp_session(hers.page)
    await debugger.send("Debugger.enable")
    await debugger.send("Debugger.pause")
    await grace.say(room, "while it sleeps")
    await tab.shows("before", "while it sleeps")
    await debugger.send("Debugger.resume")
    await hers.shows("before", "while it sleeps")
    await until(lambda: link.open_streams == 1)
    await grace.say(room, "after")
    await hers.shows("before", "while it sleeps", "after")
    await tab.shows("before", "while it sleeps", "after")
    assert link.open_streams == 1


async def test_the_tab_that_leads_is_busy_for_ever(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    hers = await enter(ada)
    tab = await open_tab(hers)
    await hers.page.evaluate("() => void setTimeout(() => { for (;;); })")
    await grace.say(room, "while it is busy")
    await tab.shows("while it is busy")


async def test_a_tab_that_knows_more_than_its_leader_makes_it_look(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    """The leader's connection is half-open, which nobody can tell before two heartbeats are missing."""
    hers = await enter(ada)
    link.hold(only_streams=True)
    await grace.say(room, "unheard")
    tab = await open_tab(hers)
    await tab.shows("unheard")
    await hers.shows("unheard")
    await grace.say(room, "and on")
    await tab.shows("unheard", "and on")
    await hers.shows("unheard", "and on")


@pytest.mark.parametrize(("missed", "has_new_leader"), [(3, False), (REMEMBERED + 10, False), (3, True)])
async def test_two_tabs_of_a_room_at_different_places_both_go_on(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link, missed: int, has_new_leader: bool
) -> None:
    """One tab missed what the other has seen. The leader remembers it, or not any more, or is a new one."""
    first = await enter(ada)
    ahead = await open_tab(first)
    behind = await open_tab(first, script=DEAF)
    said = ["seen by all"]
    await grace.say(room, said[0])
    await asyncio.gather(ahead.shows(*said), behind.shows(*said))
    await behind.page.evaluate("window.isDeaf = true")
    for number in range(missed):
        said.append(f"missed {number}")
        await grace.say(room, said[-1])
    await ahead.shows(*said)
    await behind.shows(said[0])
    await behind.page.evaluate("window.isDeaf = false")
    if has_new_leader:
        await first.page.close()
    said.append("heard by all")
    await grace.say(room, said[-1])
    await asyncio.gather(ahead.shows(*said), behind.shows(*said))
    said.append("and on")
    await grace.say(room, said[-1])
    await asyncio.gather(ahead.shows(*said), behind.shows(*said))
    await until(lambda: link.open_streams == 1)
    assert link.count(STREAM) <= 8, "tabs that ask in turns for the same make a circle"


@pytest.mark.parametrize("missing", ["delete Navigator.prototype.locks", "delete window.BroadcastChannel"])
async def test_without_what_tabs_share_by_each_has_its_own(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link, missing: str
) -> None:
    hers = await enter(ada, script=missing)
    tab = await open_tab(hers, script=missing)
    await grace.say(room, "to both")
    await hers.shows("to both")
    await tab.shows("to both")
    assert link.open_streams == 2


async def test_all_tabs_say_how_the_connection_is(enter: Enter, ada: Visitor, link: Link) -> None:
    hers = await enter(ada)
    tab = await open_tab(hers)
    link.cut()
    await asyncio.gather(hers.lost(), tab.lost())
    link.mend()
    await asyncio.gather(hers.live(), tab.live())


async def test_signing_out_in_one_tab_ends_it_in_all_and_signing_in_begins_anew(
    browse: Browse, visit: Callable[[], Visitor], room: int, link: Link
) -> None:
    mary = visit()
    await mary.sign_up(password="a password of hers")
    hers = RoomPage((await browse(mary)).page, room)
    await hers.enter()
    await hers.live()
    tab = await open_tab(hers)
    await mary.fetch("POST", "/sign-out")
    await asyncio.gather(hers.state("signed-out"), tab.state("signed-out"))
    await tab.page.locator("#connection").get_by_role("link", name="Sign in").click()
    await tab.page.get_by_label("Name").fill(mary.name)
    await tab.page.get_by_label("Password").fill("a password of hers")
    await tab.page.get_by_role("button", name="Sign in").click()
    await tab.page.wait_for_url(f"**/chat/{room}")
    await tab.live()
    await hers.state("signed-out")


async def test_a_tab_that_leads_and_goes_elsewhere_and_back(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    hers = await enter(ada)
    tab = await open_tab(hers)
    await hers.page.goto("/chat")
    await grace.say(room, "while away")
    await tab.shows("while away")
    await hers.page.go_back()
    await hers.shows("while away")
    await hers.live()
    await expect(tab.known).to_have_count(1)
    await until(lambda: link.open_streams == 1)
