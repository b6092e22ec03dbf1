"""The chat goes down and comes back while two people talk, and neither of them misses anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from tests.helpers.browserless import Visitor
from tests.helpers.server_process import ServerProcess
from tests.journeys.conftest import Enter

LINES = 12
"""That each of the two writes around each outage."""


async def kill(server: ServerProcess) -> None:
    server.kill()


async def drain(server: ServerProcess) -> None:
    await asyncio.to_thread(server.stop)


@pytest.mark.parametrize("go_down", [kill, drain])
async def test_the_server_goes_down_twice_in_mid_talk(
    enter: Enter,
    ada: Visitor,
    grace: Visitor,
    start_server: Callable[..., ServerProcess],
    go_down: Callable[[ServerProcess], Awaitable[None]],
) -> None:
    """Without a warning (SIGKILL), or in order (SIGTERM). Both write all the while: before, during and after."""
    server = start_server()
    hers, other = await asyncio.gather(enter(ada, address=server.address), enter(grace, address=server.address))
    by_ada: list[str] = []
    by_grace: list[str] = []
    for outage in range(2):
        so_far = len(by_ada + by_grace)
        lines = [f"{outage}.{number}" for number in range(LINES)]
        talk = asyncio.gather(hers.say_all(lines), other.say_all(lines))
        await other.has(so_far + 5)
        await go_down(server)
        await talk
        await hers.say("is anybody there?")
        await expect(hers.unsent.last).to_contain_text("is anybody there?")
        await asyncio.to_thread(server.start)
        by_ada += [*lines, "is anybody there?"]
        by_grace += lines
    await expect(hers.known).to_have_count(len(by_ada + by_grace))
    await expect(other.known).to_have_count(len(by_ada + by_grace))

    messages = await hers.agrees_with(ada)
    await other.agrees_with(ada)
    for who, texts in ((ada, by_ada), (grace, by_grace)):
        assert [message["content"] for message in messages if message["user_id"] == who.id] == texts
    await other.page.reload()
    await other.go_up()
    await other.agrees_with(ada)
