"""Journeys: people in a real browser, and a chat that is a process of its own.

Browser and chat start once for all of them; each test has a room, a line to the chat and windows of its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from playwright.async_api import Browser, async_playwright, expect
from tornado.ioloop import IOLoop

from common.chromium import NoChromium, find_chromium
from desk.embedded import free_port
from tests.conftest import ROOT, World, close
from tests.helpers.browserless import WAIT_SECONDS, Visitor
from tests.helpers.server_process import ServerProcess
from tests.journeys.link import Link
from tests.journeys.room_page import RoomPage
from tests.journeys.window import Window


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(ROOT / "tests" / "journeys"):
            item.add_marker(pytest.mark.gen_test)


@pytest.fixture(scope="package")
def io_loop() -> Iterator[IOLoop]:
    """One for all journeys: a browser belongs to the loop that started it."""
    loop = IOLoop()
    yield loop
    close(loop)


@pytest.fixture(autouse=True)
def current_loop(io_loop: IOLoop) -> None:
    """Whatever ran between two journeys may have left another one, or none."""
    io_loop.make_current()


@pytest.fixture(scope="package")
def chromium(io_loop: IOLoop) -> Iterator[Browser]:
    try:
        program = find_chromium()
    except NoChromium as error:
        pytest.fail(str(error), pytrace=False)
    playwright = io_loop.run_sync(async_playwright().start)
    browser = io_loop.run_sync(lambda: playwright.chromium.launch(executable_path=program))
    expect.set_options(timeout=WAIT_SECONDS * 1_000)
    yield browser
    io_loop.run_sync(browser.close)
    io_loop.run_sync(playwright.stop)


@pytest.fixture(scope="package")
def server(world: World) -> Iterator[ServerProcess]:
    """The chat. Nobody stops it: tests that do start one of their own."""
    port = free_port()
    server = ServerProcess(port, world.environment(port))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def base_url(server: ServerProcess) -> str:
    """Where `visit()` goes."""
    return server.address


@pytest.fixture
def link(io_loop: IOLoop, server: ServerProcess) -> Iterator[Link]:
    """The line over which the browsers of this test reach the chat."""
    link = Link(server.port)
    io_loop.run_sync(link.open)
    yield link
    io_loop.run_sync(link.close)


@pytest.fixture(scope="package")
def ada(io_loop: IOLoop, server: ServerProcess) -> Iterator[Visitor]:
    """Somebody, who also has a line of her own to the chat, past the browser and past `link`."""
    yield from signed_up(io_loop, server, "Ada Lovelace")


@pytest.fixture(scope="package")
def grace(io_loop: IOLoop, server: ServerProcess) -> Iterator[Visitor]:
    yield from signed_up(io_loop, server, "Grace Hopper")


@pytest.fixture
def mary(io_loop: IOLoop, server: ServerProcess) -> Iterator[Visitor]:
    """Somebody new, who has nothing unread anywhere."""
    yield from signed_up(io_loop, server, f"Mary {uuid.uuid4().hex}")


def signed_up(io_loop: IOLoop, server: ServerProcess, name: str) -> Iterator[Visitor]:
    visitor = Visitor(server.address)
    io_loop.run_sync(lambda: visitor.sign_up(name))
    yield visitor
    io_loop.run_sync(visitor.leave)


Browse = Callable[..., Awaitable[Window]]
Enter = Callable[..., Awaitable[RoomPage]]


@pytest.fixture
def browse(io_loop: IOLoop, chromium: Browser, link: Link) -> Iterator[Browse]:
    """`await browse(ada, …)` opens a window in a fresh browser that Ada is signed in to; `browse()`: signed out.
    No window of a test may raise an error in a script or break the page's content security policy."""
    windows: list[Window] = []

    async def open_window(who: Visitor | None = None, address: str | None = None, **options: Any) -> Window:
        window = await Window.open(chromium, address or link.address, who, **options)
        windows.append(window)
        return window

    yield open_window
    for window in windows:
        io_loop.run_sync(window.close)
    assert [fault for window in windows for fault in window.faults] == []


@pytest.fixture
def enter(browse: Browse, room: int) -> Enter:
    """`await enter(ada, …)` is Ada in the room, with a stream that is live. `clock`: the page's own can be moved.
    `script`: runs before any of the page's."""

    async def enter_room(who: Visitor, clock: bool = False, script: str | None = None, **options: Any) -> RoomPage:
        window = await browse(who, **options)
        if clock:
            await window.page.clock.install()
        if script is not None:
            await window.page.add_init_script(script)
        page = RoomPage(window.page, room)
        await page.enter()
        await page.live()
        return page

    return enter_room
