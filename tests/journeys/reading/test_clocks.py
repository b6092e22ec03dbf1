"""No clock of a reader and no moment of the server decides anything: order is the log's, wherever a page ends."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from playwright.async_api import expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Enter
from tests.journeys.link import Link
from tests.journeys.reading.test_unread import is_read

HOUR = 3_600_000
"""ms"""

AT_ONCE = 150
"""Messages that are posted in one go."""

PAGE = 50
"""Messages that a page of history has."""

WRONG_CLOCK = """(() => {
    const Right = Date;
    globalThis.Date = class extends Right {
        constructor(...given) {
            super(...(given.length > 0 ? given : [Right.now() + OFF]));
        }
        static now() {
            return Right.now() + OFF;
        }
    };
})();"""

DAYS = "[...document.querySelectorAll('#messages .message__day time')].map(each => each.textContent)"
STANDING_ALONE = (
    "[...document.querySelectorAll('#messages li[data-id]:not(.message--more)')].map(each => each.dataset.id)"
)


@pytest.mark.parametrize("off", [-HOUR, HOUR], ids=["an hour behind", "an hour ahead"])
async def test_a_reader_whose_clock_is_wrong_reads_and_writes_like_anybody(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link, off: int
) -> None:
    hers = await enter(ada, script=WRONG_CLOCK.replace("OFF", f"({off})"), timezone_id=zone_at_noon())
    lag = await hers.page.evaluate("Date.now()") - datetime.now(UTC).timestamp() * 1_000
    assert abs(lag - off) < HOUR / 60
    await grace.say(room, "theirs, before")
    await hers.say("mine")
    await hers.shows("theirs, before", "mine")
    await grace.say(room, "theirs, after")
    await hers.shows("theirs, before", "mine", "theirs, after")
    link.cut()
    await hers.say_all(["mine, offline 1", "mine, offline 2"])
    await grace.say(room, "theirs, meanwhile")
    await expect(hers.unsent).to_have_count(2)
    shown = ["theirs, before", "mine", "theirs, after", "mine, offline 1", "mine, offline 2"]
    await expect(hers.messages.locator(".message__text > span")).to_have_text(shown)
    order = ["theirs, before", "mine", "theirs, after", "theirs, meanwhile", "mine, offline 1", "mine, offline 2"]
    link.mend()
    await hers.shows(*order)
    await hers.live()
    messages = await hers.agrees_with(ada)
    assert await hers.page.evaluate(DAYS) == ["Today"]
    # Whoever goes on stands with the one above, whatever time the page itself gave it when it was written.
    go_on = {"theirs, meanwhile", "mine, offline 2"}
    alone = [message["id"] for message in messages if message["content"] not in go_on]
    assert await hers.page.evaluate(STANDING_ALONE) == alone
    times = "[...document.querySelectorAll('#messages li[data-id] .message__time')].map(each => each.dateTime)"
    assert await hers.page.evaluate(times) == [message["created_at"] for message in messages]

    await is_read(ada, room, messages[order.index("theirs, meanwhile")]["id"])
    await hers.page.reload()
    await hers.live()
    await hers.shows(*order)
    assert await hers.page.evaluate(DAYS) == ["Today"]
    assert await hers.page.evaluate(STANDING_ALONE) == alone


def zone_at_noon() -> str:
    """Where it is about noon now: an hour more or less is still the same day."""
    hours = 12 - datetime.now(UTC).hour  # east of Greenwich
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"


async def test_messages_of_one_millisecond_are_neither_skipped_nor_repeated_at_a_pages_edge(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    """They go into the log in groups, so a page ends amid messages that have the same moment of the server."""
    every = await same_moments(grace, ada, room)
    hers = await enter(ada)
    await expect(hers.known).to_have_count(PAGE)
    await hers.go_up()
    assert await hers.ids() == every
    await hers.page.goto(f"/chat/{room}?at={every[0]}")
    await hers.live()
    await hers.go_down()
    assert await hers.ids() == every


async def same_moments(writer: Visitor, reader: Visitor, room: int) -> list[str]:
    """Says so much at once that some page's edge, up from the end and down from the first message, parts two of one
    moment. Returns all ids, in order; the reader has read them."""
    said = await asyncio.gather(*(writer.say(room, f"number {number}") for number in range(AT_ONCE)))
    said.sort(key=lambda message: tuple(map(int, message["id"].split("-"))))
    moments = [message["created_at"] for message in said]
    down = AT_ONCE - PAGE // 2
    edges = {AT_ONCE - PAGE, AT_ONCE - 2 * PAGE, PAGE // 2, down}
    together = {place for place, (one, next_) in enumerate(pairwise(moments), 1) if one == next_}
    assert edges & together, "no two of one moment on both sides of an edge"
    assert (await reader.fetch("PUT", f"/rooms/{room}/read", json_body={"id": said[-1]["id"]})).code == 204
    return [message["id"] for message in said]
