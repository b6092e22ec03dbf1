"""`scripts/screenshots`: pictures of the pages, from a chat of its own that is full of talk.

Each page at two widths, light and dark. `room-1280-light.png` and `room-390-dark.png` are the README's `docs/room.png`
and `docs/phone-dark.png`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, expect, sync_playwright

from common.chromium import find_chromium
from common.paths import PROGRAMS, VAR
from common.private_server import free_port
from common.server_process import ServerProcess, chat_environment
from desk import demo, embedded

SECRET = "for pictures only"
SIZES = ((1280, 880), (390, 800))
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=VAR / "screenshots", help="(%(default)s)")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    program = find_chromium()
    with chat_full_of_talk() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        for size in SIZES:
            for scheme in SCHEMES:
                photograph(browser, address, size, scheme, folder)
    print(f"==> pictures in {folder}")


@contextlib.contextmanager
def chat_full_of_talk() -> Iterator[str]:
    with contextlib.ExitStack() as stack:
        var = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="harbour-screenshots-")))
        PROGRAMS.mkdir(parents=True, exist_ok=True)
        (var / "programs").symlink_to(PROGRAMS)
        mongod = stack.enter_context(embedded.mongod(var))
        redis = stack.enter_context(embedded.redis_server(var, persistent=False))
        server = ServerProcess(free_port(), chat_environment(mongod.uri, redis.url, SECRET))
        stack.callback(server.stop)
        server.start()
        asyncio.run(demo.fill(server.address))
        yield server.address


def photograph(browser: Browser, address: str, size: tuple[int, int], scheme: Scheme, folder: Path) -> None:
    width, height = size
    page: Page = browser.new_page(
        base_url=address,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        reduced_motion="reduce",
        locale="en-GB",
        has_touch=width < 1000,
        is_mobile=width < 1000,
    )

    def take(name: str) -> None:
        page.screenshot(path=folder / f"{name}-{width}-{scheme}.png")

    page.goto("/sign-up")
    take("sign-up")
    page.goto("/sign-in")
    take("sign-in")
    page.get_by_label("Name").fill(demo.PEOPLE[0])
    page.get_by_label("Password").fill(demo.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/chat")
    take("rooms")
    page.get_by_role("link", name="General").click()
    expect(page.locator("#connection")).to_have_text("Connected")
    take("room")
    for name in ("search", "people"):
        page.locator(f".talk [data-opens={name}]").click()
        take(name)
        page.keyboard.press("Escape")
    page.locator("#messages li").last.hover()
    take("actions")
    if width < 1000:
        page.locator("#menu").click()
        take("drawer")
    page.locator("#sidebar [data-opens=settings]").click()
    take("settings")
    page.context.close()


if __name__ == "__main__":
    main()
