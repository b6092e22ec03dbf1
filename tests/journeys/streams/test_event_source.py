"""What a plain EventSource makes of each answer that the stream's address can give: the page does better, but others
follow a room with no more than `new EventSource(...)`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.async_api import Page

from tests.helpers.browserless import Visitor
from tests.helpers.server_process import ServerProcess
from tests.journeys.conftest import Browse
from tests.journeys.link import STREAM, Link

COMES_BACK, IS_OPEN, HAS_GIVEN_UP = 0, 1, 2
"""`readyState`, as the standard numbers it."""


class Source:
    """An EventSource in a page."""

    def __init__(self, page: Page, path: str) -> None:
        self.page = page
        self.path = path

    async def open(self) -> None:
        await self.page.evaluate(
            """path => {
                window.told = [];
                window.source = new EventSource(path);
                source.onopen = () => told.push("open");
                source.onerror = () => told.push("error");
                source.onmessage = ({ data }) => told.push(data === "[DONE]" ? data : JSON.parse(data).content);
                source.addEventListener("reset", () => told.push("reset"));
            }""",
            self.path,
        )

    async def is_told(self, *things: str) -> None:
        await self.page.wait_for_function("count => told.length >= count", arg=len(things))
        assert await self.page.evaluate("told") == list(things)

    async def comes_to(self, state: int) -> None:
        await self.page.wait_for_function("state => source.readyState === state", arg=state)

    async def status(self, method: str = "GET") -> int:
        """What the same address answers to `fetch`."""
        status: int = await self.page.evaluate(
            """async ([path, method]) => {
                const abort = new AbortController();
                const { status } = await fetch(path, { method, signal: abort.signal });
                abort.abort();
                return status;
            }""",
            [self.path, method],
        )
        return status


async def follow(browse: Browse, who: Visitor | None, path: str, address: str | None = None) -> Source:
    """An EventSource of a page that has no stream of its own."""
    window = await browse(who, address)
    await window.page.goto("/sign-in")
    source = Source(window.page, path)
    await source.open()
    return source


async def test_200_is_open_and_comes_back_where_it_was(
    browse: Browse, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    await grace.say(room, "before")
    source = await follow(browse, ada, f"/chat/stream?room={room}&after=0")
    await source.is_told("open", "before")
    assert await source.status() == 200
    await grace.say(room, "live")
    await source.is_told("open", "before", "live")
    await source.comes_to(IS_OPEN)
    link.cut()
    await source.is_told("open", "before", "live", "error")
    await source.comes_to(COMES_BACK)
    await grace.say(room, "meanwhile")
    link.mend()
    await source.is_told("open", "before", "live", "error", "open", "meanwhile")


async def test_200_that_is_over_at_once_sheds_load_and_loses_nobody(
    browse: Browse, ada: Visitor, room: int, start_server: Callable[..., ServerProcess]
) -> None:
    """The one stream that Ada may have here is taken. An honest 429 or 503 would end the EventSource for good."""
    server = start_server(MAX_STREAMS_PER_USER="1")
    first = await follow(browse, ada, f"/chat/stream?room={room}", server.address)
    await first.is_told("open")
    second = await follow(browse, ada, f"/chat/stream?room={room}", server.address)
    await second.is_told("open", "error")  # only 200 is "open"
    await second.comes_to(COMES_BACK)
    await first.comes_to(IS_OPEN)


async def test_a_cursor_that_cannot_be_served_is_200_and_a_reset(browse: Browse, ada: Visitor, room: int) -> None:
    source = await follow(browse, ada, f"/chat/stream?room={room}&after=7-7")
    await source.is_told("open", "reset")
    await source.comes_to(IS_OPEN)
    await ada.say(room, "and on")
    await source.is_told("open", "reset", "and on")


async def test_204_ends_it_for_who_missed_the_word_that_it_is_over(browse: Browse, ada: Visitor, room: int) -> None:
    source = await follow(browse, ada, f"/chat/stream?room={room}")
    await source.is_told("open")
    assert (await ada.fetch("DELETE", f"/rooms/{room}")).code == 204
    await source.is_told("open", "[DONE]", "error", "error")  # the end; it came back, and was told not to
    await source.comes_to(HAS_GIVEN_UP)
    assert await source.status() == 204


@pytest.mark.parametrize(
    ("status", "path"),
    [
        (400, "/chat/stream"),
        (400, "/chat/stream?room=0"),
        (400, "/chat/stream?room=everything"),
        (404, "/chat/stream?room=999999999"),
    ],
)
async def test_what_is_asked_wrongly_ends_it(browse: Browse, ada: Visitor, link: Link, status: int, path: str) -> None:
    source = await follow(browse, ada, path)
    await source.is_told("error")
    await source.comes_to(HAS_GIVEN_UP)
    assert await source.status() == status


async def test_401_ends_it(browse: Browse, room: int) -> None:
    source = await follow(browse, None, f"/chat/stream?room={room}")
    await source.is_told("error")
    await source.comes_to(HAS_GIVEN_UP)
    assert await source.status() == 401


async def test_405_is_for_what_no_event_source_can_ask(browse: Browse, ada: Visitor, room: int) -> None:
    source = await follow(browse, ada, f"/chat/stream?room={room}")
    for method in ("POST", "PUT", "DELETE"):
        assert await source.status(method) == 405
    await source.is_told("open")


@pytest.mark.parametrize(
    "status", [b"405 Method Not Allowed", b"429 Too Many Requests", b"502 Bad Gateway", b"503 Busy"]
)
async def test_what_a_proxy_in_front_may_say_ends_it(
    browse: Browse, ada: Visitor, room: int, link: Link, status: bytes
) -> None:
    """Which is why the chat itself never says so here; and why the page does not use an EventSource."""
    link.stream_answer = b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % status
    source = await follow(browse, ada, f"/chat/stream?room={room}")
    await source.is_told("error")
    await source.comes_to(HAS_GIVEN_UP)
    assert link.count(STREAM) == 1
