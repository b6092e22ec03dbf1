"""The line breaks, lies, stalls or goes mad, and the page shows what the room said: all of it, once, in order."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from playwright.async_api import expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Enter
from tests.journeys.link import STREAM, Link
from tests.journeys.room_page import RoomPage

A_MOMENT = 2_000
"""ms of a page's clock: some frames, and no heartbeat."""

TWO_HEARTBEATS = 45_000
"""ms after which a page gives up a stream that says nothing."""

CALLED_LOST = 5_000
"""ms after which a page surely says that the connection is lost."""


async def test_the_line_of_connection_says_lost_and_back(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    hers = await enter(ada, clock=True)
    line = hers.page.locator("#connection")
    await expect(line).to_have_text("Connected")
    link.cut()
    await expect(line).to_have_text("Connecting…")
    await hers.pass_by(CALLED_LOST)
    await expect(line).to_contain_text("Offline since")
    await expect(line).to_contain_text("Messages will send")
    await grace.say(room, "meanwhile")
    link.mend()
    await hers.live()
    await expect(line).to_have_text("Reconnected")
    await hers.shows("meanwhile")
    await hers.pass_by(5_000)
    await expect(line).to_have_text("Connected")


async def test_a_room_that_went_on_for_pages_is_caught_up_with(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    hers = await enter(ada)
    link.cut()
    await hers.say_all(["mine 1", "mine 2"])
    for number in range(120):
        await grace.say(room, f"theirs {number}")
    link.mend()
    await hers.shows(*(f"theirs {number}" for number in range(120)), "mine 1", "mine 2")
    await hers.agrees_with(ada)


async def test_many_short_breaks_lose_double_and_swap_nothing(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    hers = await enter(ada)
    for number in range(6):
        await grace.say(room, f"theirs before {number}")
        link.cut()
        await hers.say(f"mine {number}")
        await grace.say(room, f"theirs {number}")
        link.mend()
    await expect(hers.known).to_have_count(18)
    texts = [message["content"] for message in await hers.agrees_with(ada)]
    assert [text for text in texts if text.startswith("mine")] == [f"mine {number}" for number in range(6)]


@pytest.mark.parametrize("lost", [1, 3])
async def test_a_gap_is_noticed_by_prev_and_filled(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link, lost: int
) -> None:
    hers = await enter(ada)
    await grace.say(room, "before")
    await hers.shows("before")
    link.alter = lambda frame: b"" if b"lost" in frame else frame
    for number in range(lost):
        await grace.say(room, f"lost {number}")
    await grace.say(room, "next")
    await hers.shows("before", *(f"lost {number}" for number in range(lost)), "next")
    await hers.live()
    await grace.say(room, "and on")
    await expect(hers.known).to_have_count(lost + 3)
    await hers.agrees_with(ada)


async def test_frames_that_come_twice_are_shown_once(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    hers = await enter(ada)
    link.alter = lambda frame: frame + frame if b"twice" in frame else frame
    for number in range(3):
        await grace.say(room, f"twice {number}")
    await grace.say(room, "end")
    await hers.shows("twice 0", "twice 1", "twice 2", "end")
    await hers.agrees_with(ada)


async def test_a_message_that_comes_again_under_another_id_takes_its_new_place(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    """It was seen before it was acknowledged, the log lost it, and its author repeated it: the same `user_id` and
    `client_id`. Here the line plays the log: it shows the first too early, under an id that nobody will see again."""
    hers = await enter(ada)
    first = await grace.say(room, "first", "named-once")

    def repeat(frame: bytes) -> bytes:
        if b"second" not in frame:
            return frame
        second = json.loads(frame.split(b"data: ")[1])
        again = first | {"id": second["id"] + "9", "prev": second["id"]}
        return frame + b"id: %b\ndata: %b\n\n" % (again["id"].encode(), json.dumps(again).encode())

    link.alter = repeat
    await hers.shows("first")
    await grace.say(room, "second")
    await hers.shows("second", "first")


async def test_a_reset_loads_the_newest_page_and_goes_on(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    """What its writer has not sent yet stays."""
    hers = await enter(ada)
    await grace.say(room, "before")
    await hers.shows("before")
    await hers.page.route("**/messages", lambda route: route.abort())
    await hers.say("mine, not sent")
    await expect(hers.unsent).to_have_count(1)
    link.cut()
    meanwhile = [f"meanwhile {number}" for number in range(60)]
    for text in meanwhile:
        await grace.say(room, text)
    await hers.page.route("**/chat/stream?*", lambda route: route.continue_(url=stale(route.request.url)), times=1)
    link.mend()
    await hers.shows(*meanwhile[-50:])
    await expect(hers.unsent.locator("span")).to_have_text(["mine, not sent"])
    await hers.live()
    await grace.say(room, "after")
    await hers.shows(*meanwhile[-50:], "after")
    await hers.page.unroute("**/messages")
    await hers.shows(*meanwhile[-50:], "after", "mine, not sent")


def stale(address: str) -> str:
    """The same stream, after an id that no log has ever had."""
    return address.split("&after=")[0] + "&after=7-7"


async def test_a_stream_that_is_half_open_is_opened_anew_after_two_missed_heartbeats(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    hers = await enter(ada, clock=True)
    link.hold(only_streams=True)
    await grace.say(room, "unheard")
    await hers.pass_by(TWO_HEARTBEATS - 10_000)
    await expect(hers.known).to_have_count(0)
    assert link.count(STREAM) == 1
    await hers.pass_by(10_000)
    await hers.shows("unheard")
    await hers.live()


async def test_a_stream_that_says_something_now_and_then_is_left_alone(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    hers = await enter(ada, clock=True)
    said = []
    for number in range(3):
        await hers.pass_by(TWO_HEARTBEATS - 10_000)
        said.append(f"sign of life {number}")
        await grace.say(room, said[-1])
        await hers.shows(*said)
    assert link.count(STREAM) == 1


async def test_who_is_acknowledged_and_not_shown_suspects_the_stream(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    """A writer need not wait for two heartbeats: the room has a message of theirs, and the stream does not say so."""
    hers = await enter(ada, clock=True)
    link.hold(only_streams=True)
    await grace.say(room, "unheard")
    await hers.say("anybody?")
    await hers.shows("anybody?")
    await hers.pass_by(10_000)
    await hers.shows("unheard", "anybody?")
    await hers.agrees_with(ada)


async def test_everything_half_open_heals(enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link) -> None:
    """The browser has other idle connections, and tries each of them before it makes a new one."""
    # The time that an answer may take is not measured by the page's clock: here it runs twenty times as fast.
    impatient = "const { timeout } = AbortSignal; AbortSignal.timeout = ms => timeout.call(AbortSignal, ms / 20)"
    hers = await enter(ada, clock=True, script=impatient)
    link.hold()
    await grace.say(room, "unheard")
    await hers.say("anybody?")
    while await hers.known.count() < 2 or await hers.unsent.count():
        await hers.page.clock.run_for(1_000)
    await hers.agrees_with(ada)


async def test_a_refusal_that_may_pass_is_no_reason_to_give_up(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    """An EventSource would: see test_event_source.py."""
    hers = await enter(ada, clock=True)
    link.stream_answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    link.cut()
    link.mend()
    await grace.say(room, "meanwhile")
    while link.count(STREAM) < 4:
        await hers.page.clock.run_for(1_000)
    await hers.lost()
    link.stream_answer = None
    await hers.pass_by(CALLED_LOST)
    await hers.shows("meanwhile")
    await hers.live()


async def test_the_network_goes_and_returns(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    hers = await enter(ada, clock=True)
    await hers.page.context.set_offline(True)
    await expect(hers.page.locator("#connection")).to_have_text("Connecting…")
    await hers.pass_by(CALLED_LOST)
    await hers.lost()
    await hers.say("written offline")
    await grace.say(room, "meanwhile")
    await hers.page.context.set_offline(False)
    await hers.shows("meanwhile", "written offline")
    await hers.live()
    await hers.agrees_with(ada)


async def test_a_page_that_was_frozen_in_the_background_catches_up(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    hers = await enter(ada)
    await grace.say(room, "before")
    await hers.shows("before")
    await freeze(hers, "frozen")
    link.cut()
    for number in range(3):
        await grace.say(room, f"while it slept {number}")
    link.mend()
    await freeze(hers, "active")
    await hers.shows("before", *(f"while it slept {number}" for number in range(3)))
    await hers.live()


async def freeze(page: RoomPage, state: str) -> None:
    session = await page.page.context.new_cdp_session(page.page)
    await session.send("Page.setWebLifecycleState", {"state": state})


async def test_a_machine_that_wakes_does_not_wait_for_heartbeats(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    """By the page's clock a moment passes but for the 41 s that it slept, which no heartbeat had to come in."""
    hers = await enter(ada, clock=True)
    await hers.page.clock.pause_at(datetime.now(UTC).timestamp() + 30)
    link.hold(only_streams=True)
    await grace.say(room, "while it slept")
    await hers.pass_by(TWO_HEARTBEATS - 4_000)
    await hers.shows_within(A_MOMENT, "while it slept")


@pytest.mark.parametrize(
    "hint",
    [
        "() => dispatchEvent(new Event('online'))",
        "() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))",
    ],
    ids=["online", "from the cache"],
)
async def test_a_hint_that_the_connection_may_be_gone_is_taken(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link, hint: str
) -> None:
    """The network changed, or the page was kept in the browser's cache while somebody read another: by the page's
    clock a moment passes before it knows."""
    hers = await enter(ada, clock=True)
    await hers.page.clock.pause_at(datetime.now(UTC).timestamp() + 30)
    link.hold(only_streams=True)
    await grace.say(room, "unheard")
    await hers.page.evaluate(hint)
    await hers.shows_within(A_MOMENT, "unheard")


async def test_a_hint_right_after_another_is_taken_too(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    """The network changes twice within a moment, and what died is the connection that the first hint opened."""
    hers = await enter(ada)
    for texts in (["unheard 0"], ["unheard 0", "unheard 1"]):
        link.hold(only_streams=True)
        await grace.say(room, texts[-1])
        await hers.page.evaluate("() => dispatchEvent(new Event('online'))")
        await hers.shows(*texts)


async def test_a_page_that_was_left_and_is_come_back_to_has_what_was_said_meanwhile(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    hers = await enter(ada)
    await hers.page.goto("/chat")
    await grace.say(room, "while gone")
    await hers.page.go_back()
    await hers.live()
    await hers.shows("while gone")
