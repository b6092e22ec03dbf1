"""Thousands of messages come while a tab sleeps; it wakes to the newest, stays small, and has lost nothing of the rest."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from itertools import chain

from playwright.async_api import expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Enter
from tests.journeys.link import Link
from tests.journeys.room_page import RoomPage

MESSAGES = 5_000
IN_FLIGHT = 100
MOST_ROWS, LEAST_ROWS = 300, 250
"""Messages that a page keeps."""

PAGES_UP = 8
"""Of history, which is more than the page has room for."""

FIRST = "document.querySelector('#messages li[data-id]').dataset.id"


async def flood(writer: Visitor, room: int) -> list[str]:
    """The messages' ids, in the order of the log."""
    numbers = iter(range(MESSAGES))

    async def write() -> list[str]:
        return [(await writer.say(room, f"number {number}"))["id"] for number in numbers]

    written = await asyncio.gather(*(write() for _ in range(IN_FLIGHT)))
    return sorted(chain.from_iterable(written), key=place)


def place(id_: str) -> tuple[int, ...]:
    return tuple(map(int, id_.split("-")))


def is_a_stretch(shown: Sequence[str], every: Sequence[str]) -> bool:
    """Whether these stand side by side in the log, in its order, each once."""
    first = every.index(shown[0])
    return list(shown) == list(every[first : first + len(shown)])


async def freeze(page: RoomPage, state: str) -> None:
    session = await page.page.context.new_cdp_session(page.page)
    await session.send("Page.setWebLifecycleState", {"state": state})


async def test_a_tab_that_slept_through_five_thousand_messages_has_them_all(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    hers = await enter(ada)
    await grace.say(room, "before")
    await hers.shows("before")
    link.cut()
    await freeze(hers, "frozen")
    every = await flood(grace, room)
    assert len(set(every)) == MESSAGES
    link.mend()
    await freeze(hers, "active")
    # It takes what is typed while it catches up: each of these waits for the page to answer.
    for written in ("I", "I am", "I am back"):
        await hers.field.fill(written)
        await expect(hers.field).to_have_value(written)
        assert await hers.known.count() <= MOST_ROWS
    await hers.live()
    await expect(hers.row(every[-1])).to_be_in_viewport()
    await hers.is_at_end()
    shown = await hers.ids()
    assert LEAST_ROWS <= len(shown) <= MOST_ROWS
    assert shown == every[-len(shown) :]

    oldest = shown[0]
    for _ in range(PAGES_UP):
        await hers.page.wait_for_function(f"oldest => {{ log.scrollTop = 0; return {FIRST} !== oldest; }}", arg=oldest)
        shown = await hers.ids()
        assert shown[0] != oldest
        assert is_a_stretch(shown, every)
        assert len(shown) <= MOST_ROWS
        oldest = shown[0]
    await hers.newest.click()
    await expect(hers.row(every[-1])).to_be_in_viewport()
    assert is_a_stretch(await hers.ids(), every)
    await hers.field.press("Enter")
    await expect(hers.known.last).to_have_text(re.compile("I am back"))
