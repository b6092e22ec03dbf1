"""What the tabs of a browser follow together: any number of rooms, and nothing that was refused is asked for again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
from tornado.ioloop import IOLoop

from tests.helpers.browserless import Visitor
from tests.helpers.waiting import until
from tests.journeys.conftest import Enter
from tests.journeys.link import STREAM, Link
from tests.journeys.room_page import RoomPage

MOST_OF_ONE = 50
"""Rooms that a stream follows, as the contract has it."""

NEVER_MADE = 999_999

TABS = """([user, rooms]) => {
    window.heard = {};
    window.channel = new BroadcastChannel(`harbour:${user}`);
    channel.onmessage = ({ data }) => {
        const events = { event: () => [data.event], events: () => data.events.map(([, event]) => event) }[data.type]?.();
        events?.filter(event => event.content).forEach(event => heard[event.content] = true);
    };
    for (const room of rooms) {
        const tab = `another-${room}`;
        navigator.locks.request(`harbour:${user}:tab:${tab}`, () => new Promise(() => {}));
        channel.postMessage({ type: "hello", tab, roomId: room, tip: "0-0", seen: [], tips: [[room, "0-0"]] });
    }
}"""
"""Tabs that show these rooms, as far as the others can tell."""


@pytest.fixture
def many_rooms(io_loop: IOLoop, ada: Visitor) -> Iterator[list[int]]:
    """More than one stream can follow. Afterwards they are closed: the list of each later test would be long."""
    rooms = [io_loop.run_sync(ada.make_room) for _ in range(MOST_OF_ONE + 5)]
    yield rooms
    for room in rooms:
        io_loop.run_sync(partial(ada.fetch, "DELETE", f"/rooms/{room}"))


def followed(request: str) -> set[str]:
    return set(parse_qs(urlsplit(request.split(" ")[1]).query)["room"])


async def another_tab(first: RoomPage, room: int) -> RoomPage:
    tab = RoomPage(await first.page.context.new_page(), room)
    await tab.enter()
    await tab.live()
    return tab


@pytest.mark.gen_test(timeout=180)
async def test_tabs_of_more_rooms_than_one_stream_follows_are_all_live(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link, many_rooms: list[int]
) -> None:
    hers = await enter(ada)
    tab = await another_tab(hers, many_rooms[0])
    await tab.page.evaluate(TABS, [ada.id, many_rooms[1:]])
    last = await another_tab(hers, many_rooms[-1])
    await until(lambda: link.open_streams == 2)
    for each in (room, *many_rooms):
        await grace.say(each, f"to {each}")
    await asyncio.gather(hers.shows(f"to {room}"), tab.shows(f"to {many_rooms[0]}"), last.shows(f"to {many_rooms[-1]}"))
    await tab.page.wait_for_function(
        "texts => texts.every(text => heard[text])", arg=[f"to {each}" for each in many_rooms]
    )
    streams = [followed(each) for each in link.requests if each.startswith(STREAM)]
    assert max(map(len, streams)) <= MOST_OF_ONE
    await tab.page.close()
    await until(lambda: link.open_streams <= 2)
    await grace.say(room, "and on")
    await hers.shows(f"to {room}", "and on")


async def test_a_room_that_is_not_there_ends_no_other(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    hers = await enter(ada)
    tab = await another_tab(hers, await ada.make_room())
    await tab.page.evaluate(TABS, [ada.id, [NEVER_MADE]])
    await until(lambda: any(str(NEVER_MADE) in followed(each) for each in link.requests if each.startswith(STREAM)))
    await grace.say(room, "here")
    await grace.say(tab.room, "there")
    await asyncio.gather(hers.shows("here"), tab.shows("there"))
    await asyncio.gather(hers.live(), tab.live())
    asked = [each for each in link.requests if each.startswith(STREAM) and str(NEVER_MADE) in followed(each)]
    assert len(asked) == 1, "it was refused, and asked for again"


@pytest.mark.parametrize("status", [b"400 Bad Request", b"403 Forbidden", b"431 Request Header Fields Too Large"])
async def test_what_was_refused_is_not_asked_for_again_until_something_changes(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link, status: bytes
) -> None:
    hers = await enter(ada, clock=True)
    link.stream_answer = b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % status
    before = link.count(STREAM)
    await hers.page.evaluate("window.dispatchEvent(new Event('online'))")
    await until(lambda: link.count(STREAM) > before)
    await hers.pass_by(5_000)
    await hers.lost()
    for _ in range(4):
        await hers.pass_by(30_000)
    asked = link.requests[:]
    assert len([each for each in asked if each.startswith(STREAM)]) == before + 1
    link.stream_answer = None
    await grace.say(room, "meanwhile")
    await hers.page.evaluate("window.dispatchEvent(new Event('online'))")
    await hers.shows("meanwhile")
    await hers.live()


async def test_whatever_is_over_is_asked_for_each_time(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    """A stream that says so, and a server that says that it is not: as often as it likes."""

    def end_once(ends: list[bytes], frame: bytes) -> bytes:
        return frame + (ends.pop() if ends and b'"content"' in frame else b"")

    def is_asked_again(before: int) -> bool:
        return link.count(STREAM) > before

    hers = await enter(ada)
    said = []
    for number in range(3):
        link.alter = partial(end_once, [b"data: [DONE]\n\n"])
        before = link.count(STREAM)
        said.append(f"and not the last {number}")
        await grace.say(room, said[-1])
        await until(partial(is_asked_again, before))
        await hers.shows(*said)
        said.append(f"and on {number}")
        await grace.say(room, said[-1])
        await hers.shows(*said)
        await hers.live()


WAKES_WHILE_IT_GATHERS = """
    const post = BroadcastChannel.prototype.postMessage;
    BroadcastChannel.prototype.postMessage = function(message) {
        post.call(this, message);
        if (message.type === "lead") {
            queueMicrotask(() => window.dispatchEvent(new Event("online")));
        }
    };
"""


async def test_what_a_tab_wants_while_it_is_about_to_lead_is_done(enter: Enter, ada: Visitor, link: Link) -> None:
    """It wakes in the moment in which it waits for the others to say where they are, and reads the list of rooms."""
    hers = await enter(ada, script=WAKES_WHILE_IT_GATHERS)
    await until(lambda: "GET /rooms" in link.requests)
    await hers.live()
