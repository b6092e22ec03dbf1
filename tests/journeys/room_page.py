"""A room in a browser, as the person in front of it sees and uses it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any

from playwright.async_api import Error, Locator, Page, expect

from tests.helpers.browserless import WAIT_SECONDS, Visitor

COMES_BACK_MS = 1_000 * (30 + WAIT_SECONDS)
"""A page that was without a connection for long tries again every half minute at least."""

FRAME_MS = 20
PAUSE_SECONDS = 0.2
"""A frame of a clock that stands, and the pause after it: what comes over the network takes its own time."""

IDS = "[...document.querySelectorAll('#messages li[data-id]')].map(each => each.dataset.id)"
AT_END = "() => log.scrollHeight - log.scrollTop - log.clientHeight < 2"
FIRST_VISIBLE = """() => {
    const top = log.getBoundingClientRect().top;
    const rows = [...document.querySelectorAll("#messages li[data-id]")];
    return rows.find(row => row.getBoundingClientRect().bottom > top).dataset.id;
}"""
TOP_OF = "id => document.querySelector(`li[data-id='${id}']`).getBoundingClientRect().top"
TEXTS = "[...document.querySelectorAll('#messages li[data-id] .message__text > span')].map(each => each.textContent)"


class RoomPage:
    def __init__(self, page: Page, room: int) -> None:
        self.page = page
        self.room = room
        self.messages = page.locator("#messages > li")
        self.known = page.locator("#messages > li[data-id]")
        """Those that the server has named: shown by the log, or acknowledged."""
        self.unsent = page.locator("#messages > .message--pending")
        self.failed = page.locator("#messages > .message--failed")
        self.field = page.locator("#content")
        self.newest = page.locator("#newest")

    async def enter(self) -> None:
        await self.page.goto(f"/chat/{self.room}")

    async def live(self) -> None:
        await self.state("live")

    async def lost(self) -> None:
        await self.state("lost")

    async def state(self, state: str) -> None:
        await expect(self.page.locator("#connection")).to_have_attribute("data-state", state, timeout=COMES_BACK_MS)

    async def pass_by(self, milliseconds: int) -> None:
        """Lets time go by for a page that was entered with `clock=True`."""
        await self.page.clock.fast_forward(milliseconds)

    async def stop_clock(self) -> None:
        """No frame and no timer of a page that was entered with `clock=True` comes any more, unless time is let go by."""
        await self.page.clock.pause_at(await self.page.evaluate("Date.now()") + 1_000)

    async def say(self, text: str) -> None:
        await self.field.fill(text)
        await self.field.press("Enter")

    async def say_all(self, texts: Iterable[str]) -> None:
        for text in texts:
            await self.say(text)

    def row(self, id_: str) -> Locator:
        """The message that the server calls so."""
        return self.page.locator(f"#messages > li[data-id='{id_}']")

    async def act(self, id_: str, name: str) -> None:
        """Presses a button beside a message, as with a mouse."""
        await self.row(id_).hover()
        await self.page.get_by_role("toolbar", name="Message").get_by_role("button", name=name, exact=True).click()

    async def ids(self) -> list[str]:
        ids: list[str] = await self.page.evaluate(IDS)
        return ids

    async def texts(self) -> list[str]:
        texts: list[str] = await self.page.evaluate(TEXTS)
        return texts

    async def shows(self, *texts: str) -> None:
        """These messages, all known to the server, in this order, once."""
        await self._comes_to(TEXTS, list(texts))

    async def shows_within(self, milliseconds: int, *texts: str) -> None:
        """As `shows`, on a page whose clock stands: it gets frame after frame, until so much time has gone by."""
        for _ in range(0, milliseconds, FRAME_MS):
            await self.page.clock.run_for(FRAME_MS)
            if await self.page.evaluate(TEXTS) == list(texts):
                return
            await asyncio.sleep(PAUSE_SECONDS)
        await self.shows(*texts)

    async def agrees_with(self, reader: Visitor) -> list[dict[str, Any]]:
        """The page has come to show what history says: the same messages in the same order, and nothing else. Returns
        them. To be asked when nobody posts any more."""
        messages: list[dict[str, Any]] = (await reader.page(self.room, limit=200))["messages"]
        await self._comes_to(IDS, [message["id"] for message in messages])
        assert await self.texts() == [message["content"] for message in messages]
        await expect(self.unsent).to_have_count(0)
        return messages

    async def scroll_to(self, pixels: int) -> None:
        """From the top of what is loaded."""
        await self.page.locator("#log").evaluate("(log, pixels) => log.scrollTop = pixels", pixels)

    async def go_up(self) -> None:
        """To the first message, past all that has to be loaded on the way."""
        await self.page.wait_for_function("() => { log.scrollTop = 0; return older.hidden; }")

    async def go_down(self) -> None:
        """To the last message, past all that has to be loaded on the way."""
        await self.page.wait_for_function("() => { log.scrollTop = log.scrollHeight; return newer.hidden; }")

    async def text_of(self, id_: str, text: str) -> None:
        """This message comes to say that."""
        await expect(self.page.locator(f"li[data-id='{id_}'] .message__text span")).to_have_text(text)

    async def is_at_end(self) -> None:
        await self.page.wait_for_function(AT_END)

    async def reading(self) -> tuple[str, float]:
        """The message that the reader's eyes are on, and where on the screen it is."""
        id_ = await self.page.evaluate(FIRST_VISIBLE)
        return id_, await self.top_of(id_)

    async def top_of(self, id_: str) -> float:
        """Where on the screen a message is, when the browser has drawn what it knows."""
        await self.page.evaluate("new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        top: float = await self.page.evaluate(TOP_OF, id_)
        return top

    async def has(self, count: int) -> None:
        """At least so many messages that the server knows."""
        await self.page.wait_for_function(f"count => {IDS}.length >= count", arg=count)

    async def _comes_to(self, what: str, wanted: list[str]) -> None:
        with contextlib.suppress(Error):  # the comparison says more
            await self.page.wait_for_function(
                f"wanted => JSON.stringify({what}) === JSON.stringify(wanted)", arg=wanted
            )
        assert await self.page.evaluate(what) == wanted
