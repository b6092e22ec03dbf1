"""A room in a tab of a real browser, and what it takes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import CDPSession, Page, async_playwright
from playwright.async_api import TimeoutError as TooLate

from common.http_client import Person

PATIENCE = 60_000
"""Milliseconds in which the page comes to show what was said."""

ROWS = "[...document.querySelectorAll('#messages > li[data-id]')]"
HAS = f"id => {ROWS}.some(row => row.dataset.id === id)"
SHOWN = f"""() => {ROWS}.map(row => ({{
    id: row.dataset.id,
    content: row.querySelector(".message__text > span").textContent,
    reactions: [...row.querySelectorAll(".reaction[value]")].map(each => each.value),
}}))"""

GONE_UP = """() => {
    if (newest.hidden) {
        log.scrollTop = log.scrollHeight / 3; // again, if something was drawn before the page noticed
    }
    return !newest.hidden;
}"""


LONG_TASKS = """() => {
    globalThis.longTasks = [];
    new PerformanceObserver(list => longTasks.push(...list.getEntries().map(each => each.duration)))
        .observe({ type: "longtask" });
}"""


@dataclass(frozen=True)
class Sample:
    """What a tab holds when its garbage was collected. Nodes and listeners: also those that only scripts hold."""

    megabytes: float
    nodes: int
    listeners: int
    rows: int

    def __str__(self) -> str:
        return f"{self.megabytes:>9.2f} {self.nodes:>8} {self.listeners:>10} {self.rows:>6}"


@dataclass
class Work:
    """What the page's main thread did, in seconds; `long_tasks` in milliseconds each."""

    seconds: float = 0.0
    scripts: float = 0.0
    styles: float = 0.0
    layout: float = 0.0
    layouts: int = 0
    long_tasks: list[float] = field(default_factory=list)


class TabPage:
    def __init__(self, page: Page, session: CDPSession) -> None:
        self._page = page
        self._session = session
        self.errors: list[str] = []
        """Those that scripts raised."""
        page.on("pageerror", lambda error: self.errors.append(f"a script failed: {error}"))

    @classmethod
    @asynccontextmanager
    async def opened(cls, program: str, port: int, reader: Person, room: int) -> AsyncIterator[TabPage]:
        """Raises TimeoutError where the page gets no stream."""
        address = f"http://127.0.0.1:{port}"
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=program)
            try:
                context = await browser.new_context(base_url=address, viewport={"width": 1280, "height": 800})
                context.set_default_timeout(PATIENCE)
                pairs = [each.split("=", 1) for each in reader.cookie.split("; ")]
                await context.add_cookies([{"name": name, "value": value, "url": address} for name, value in pairs])
                page = await context.new_page()
                session = await context.new_cdp_session(page)
                await session.send("Performance.enable")
                tab = cls(page, session)
                await page.goto(f"/chat/{room}")
                await tab._wait("() => document.querySelector('#connection').dataset.state === 'live'")
                yield tab
            finally:
                await browser.close()

    async def sample(self) -> Sample:
        for _ in range(2):  # what the first frees may have held something else
            await self._session.send("HeapProfiler.collectGarbage")
        values = await self._metrics()
        return Sample(
            megabytes=values["JSHeapUsedSize"] / 2**20,
            nodes=int(values["Nodes"]),
            listeners=int(values["JSEventListeners"]),
            rows=await self._page.locator("#messages > li").count(),
        )

    @asynccontextmanager
    async def slowed_down(self, times: int) -> AsyncIterator[Work]:
        """Meanwhile the page's processor is so many times slower. What it did is known at the end."""
        work = Work()
        await self._page.evaluate(LONG_TASKS)
        before = await self._metrics()
        await self._session.send("Emulation.setCPUThrottlingRate", {"rate": times})
        try:
            yield work
        finally:
            await self._session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        spent = {name: value - before[name] for name, value in (await self._metrics()).items()}
        work.seconds, work.scripts = spent["TaskDuration"], spent["ScriptDuration"]
        work.styles, work.layout = spent["RecalcStyleDuration"], spent["LayoutDuration"]
        work.layouts = int(spent["LayoutCount"])
        work.long_tasks = await self._page.evaluate("longTasks")

    async def shows(self, id: str) -> bool:
        """Whether it comes to show this message."""
        return await self._wait(HAS, id)

    async def go_up(self) -> None:
        """Raises playwright's TimeoutError."""
        await self._page.wait_for_function(GONE_UP)

    async def go_to_end(self) -> None:
        await self._page.locator("#newest").click()

    async def differences(self, messages: Sequence[Mapping[str, Any]]) -> list[str]:
        """What the end of the page has otherwise than these, once it had the time to draw them."""
        wanted = [
            {
                "id": message["id"],
                "content": message["content"],
                "reactions": [each["emoji"] for each in message.get("reactions") or []],
            }
            for message in messages
        ]
        same = f"wanted => JSON.stringify(({SHOWN})().slice(-wanted.length)) === JSON.stringify(wanted)"
        if await self._wait(same, wanted):
            return []
        shown = {row["id"]: row for row in await self._page.evaluate(SHOWN)}
        missing = [f"{each['id']} is missing on the page" for each in wanted if each["id"] not in shown]
        other = [
            f"the page shows {shown[each['id']]} for {each}"
            for each in wanted
            if each["id"] in shown and shown[each["id"]] != each
        ]
        return missing + other or ["the page's messages are in another order than history's"]

    async def _metrics(self) -> dict[str, float]:
        metrics = (await self._session.send("Performance.getMetrics"))["metrics"]
        return {each["name"]: each["value"] for each in metrics}

    async def _wait(self, condition: str, argument: Any = None) -> bool:
        try:
            await self._page.wait_for_function(condition, arg=argument, timeout=PATIENCE)
        except TooLate:
            return False
        return True
