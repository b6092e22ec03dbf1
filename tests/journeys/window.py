"""A browser window, and everything that went wrong in it."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page

from tests.helpers.browserless import WAIT_SECONDS, Visitor

TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll(".log")]
    .filter(each => each.scrollWidth > each.clientWidth)
    .map(each => each.outerHTML.slice(0, 80))"""


class Window:
    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.context = context
        self.page = page
        self.faults: list[str] = []
        """Errors that scripts raised, and what the content security policy forbade."""
        self.complaints: list[str] = []
        """All errors and warnings of the console: requests that failed, too."""
        page.on("pageerror", self._raised)
        page.on("console", self._said)

    @classmethod
    async def open(
        cls, browser: Browser, address: str, who: Visitor | None = None, *, width: int = 1280, **options: Any
    ) -> Window:
        options = {"locale": "en-GB", "timezone_id": "Europe/Berlin", "base_url": address} | options
        context = await browser.new_context(viewport={"width": width, "height": 800}, **options)
        context.set_default_timeout(WAIT_SECONDS * 1_000)
        if who is not None:
            await give_cookies(context, who, address)
        return cls(context, await context.new_page())

    async def is_in_order(self) -> None:
        """Nothing on the console, and nothing wider than the window."""
        assert self.complaints == []
        assert await self.page.evaluate(TOO_WIDE) == []

    async def close(self) -> None:
        await self.context.close()

    def _raised(self, error: Error) -> None:
        self.faults.append(str(error))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)
            if "Content Security Policy" in message.text:
                self.faults.append(message.text)


async def give_cookies(context: BrowserContext, who: Visitor, address: str) -> None:
    """Gives the browser the person's cookies for this address, so that it is signed in as they are."""
    await context.add_cookies([{"name": name, "value": value, "url": address} for name, value in who.cookies.items()])
