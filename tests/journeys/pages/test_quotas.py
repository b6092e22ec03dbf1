"""Who is too fast for the chat's quotas waits a moment, loses nothing, and is told so in calm words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus

import pytest
from playwright.async_api import Response, Route, expect
from tornado.ioloop import IOLoop

from chatserver.quotas import quotas
from tests.conftest import World
from tests.helpers.browserless import Visitor
from tests.helpers.server_process import ServerProcess
from tests.journeys.conftest import Enter
from tests.journeys.link import Link
from tests.journeys.room_page import RoomPage
from tests.web.requests.test_quotas import use_up


@pytest.fixture
def link(io_loop: IOLoop, start_server: Callable[..., ServerProcess]) -> Iterator[Link]:
    """The browser's line leads to a process that holds people to their quotas."""
    link = Link(start_server(RATE_LIMITS="on").port)
    io_loop.run_sync(link.open)
    yield link
    io_loop.run_sync(link.close)


class Refusals:
    """What the page was refused with 429, by path."""

    def __init__(self, page: RoomPage) -> None:
        self.paths: list[str] = []
        page.page.on("response", self._note)

    def _note(self, response: Response) -> None:
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            self.paths.append(response.url)

    def __len__(self) -> int:
        return len(self.paths)


async def test_a_hundred_messages_at_once_all_arrive_once_and_in_order(
    world: World, enter: Enter, ada: Visitor
) -> None:
    hers = await enter(ada)
    refused = Refusals(hers)
    written = [f"line {number}" for number in range(100)]
    for start in range(0, 100, 25):
        await use_up(world, quotas.POSTING, str(ada.id), left=3)
        await hers.say_all(written[start : start + 25])
    await hers.shows(*written)
    await expect(hers.unsent).to_have_count(0)
    assert len(refused) > 0
    said = [message["content"] for message in (await ada.page(hers.room, limit=200))["messages"]]
    assert said == written


async def test_who_has_to_wait_is_told_so(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    answers = 0

    async def refuse_once(route: Route) -> None:
        nonlocal answers
        answers += 1
        if answers == 1:
            await route.fulfill(status=429, headers={"Retry-After": "3"}, json={"error": quotas.POSTING.text})
        else:
            await route.continue_()

    await hers.page.route("**/messages", refuse_once)
    await hers.say("a little early")
    await expect(hers.unsent).to_contain_text("It goes out by itself in a moment.")
    await hers.shows("a little early")
    await expect(hers.unsent).to_have_count(0)


async def test_an_edit_waits_and_is_done(enter: Enter, ada: Visitor, room: int) -> None:
    """The server refuses it the first time, and is asked again without anybody's doing."""
    message = await ada.say(room, "first words")
    hers = await enter(ada)
    refused: list[str] = []

    async def refuse_once(route: Route) -> None:
        key = f"{route.request.method} {route.request.url}"
        if route.request.method == "GET" or key in refused:
            await route.continue_()
        else:
            refused.append(key)
            await route.fulfill(status=429, headers={"Retry-After": "1"}, json={"error": "too much at once"})

    await hers.page.route("**/rooms/*/messages/**", refuse_once)
    await hers.act(message["id"], "Edit")
    await hers.field.fill("second words")
    await hers.field.press("Enter")
    await expect(hers.row(message["id"])).to_contain_text("second words")
    assert len(refused) == 1
    page = await ada.page(room)
    assert page["messages"][0]["content"] == "second words"
