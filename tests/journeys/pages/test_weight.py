"""How much a page asks of the line: bytes and requests, never times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import CDPSession, Page, expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Browse

COLD = 100_000
"""Bytes over the line, with the heads of answers, until a room with 50 messages is there: page, style and scripts."""

CACHED = 10
"""Requests of a page whose files the browser has."""

TALK = "Restarted both web processes while forty people were talking. Nobody noticed, nothing is missing, number {}."


@dataclass
class Line:
    """What Chromium says went over it."""

    bytes: dict[str, float] = field(default_factory=dict)
    """By address, heads of answers included."""
    cached: set[str] = field(default_factory=set)

    def watch(self, session: CDPSession) -> None:
        self._addresses: dict[str, str] = {}
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.requestServedFromCache", self._found)
        session.on("Network.responseReceived", self._answered)
        session.on("Network.loadingFinished", self._finished)

    def _asked(self, event: dict[str, Any]) -> None:
        self._addresses[event["requestId"]] = event["request"]["url"]

    def _found(self, event: dict[str, Any]) -> None:
        self.cached.add(self._addresses[event["requestId"]])

    def _answered(self, event: dict[str, Any]) -> None:
        if event["response"].get("fromDiskCache"):
            self._found(event)

    def _finished(self, event: dict[str, Any]) -> None:
        if address := self._addresses.get(event["requestId"]):  # else the page before asked for it
            self.bytes[address] = event["encodedDataLength"]

    @property
    def asked(self) -> list[str]:
        """The addresses that went over the line."""
        return [address for address in self._addresses.values() if address not in self.cached]


async def load(page: Page, path: str) -> Line:
    line = Line()
    session = await page.context.new_cdp_session(page)
    line.watch(session)
    await session.send("Network.enable")
    await page.goto(path)
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    await page.wait_for_load_state("load")
    await session.detach()
    return line


async def test_a_room_is_light(browse: Browse, ada: Visitor, grace: Visitor, room: int) -> None:
    for number in range(60):
        await (ada if number % 3 else grace).say(room, TALK.format(number))
    page = (await browse(ada)).page
    cold = await load(page, f"/chat/{room}")
    weights = {address: size for address, size in cold.bytes.items() if "/chat/stream" not in address}
    heaviest = sorted(weights.items(), key=lambda each: -each[1])[:8]
    assert any(address.endswith("/js/room.js") for address in weights)
    assert sum(weights.values()) < COLD, heaviest
    second = await load(page, f"/chat/{room}")
    assert len(second.asked) < CACHED, second.asked
    assert not [address for address in second.asked if "/static/" in address]
