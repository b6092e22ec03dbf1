"""A name that is read from right to left, or that turns the direction, turns nothing beside it, wherever it stands."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import pymongo
import pytest
from playwright.async_api import Page, expect
from tornado.ioloop import IOLoop

from chatserver.archive.database import DEFAULT_NAME
from chatserver.model.display_names import name_key
from tests.helpers.browserless import Visitor
from tests.helpers.server_process import ServerProcess
from tests.journeys.conftest import Browse, signed_up
from tests.journeys.room_page import RoomPage

LOOSE = """names => {
  const block = element => !["inline", "inline-block"].includes(getComputedStyle(element).display);
  const isolates = element => getComputedStyle(element).unicodeBidi.includes("isolate");
  const loose = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { textContent, parentElement } = texts.currentNode;
    if (parentElement.closest("script, template, option, .face, [hidden]")) continue;
    for (const name of names.filter(name => textContent.includes(name))) {
      const isAlone = textContent.trim() === name && (isolates(parentElement) || block(parentElement) && parentElement.childElementCount === 0);
      if (!isAlone && !isolates(parentElement) && !textContent.includes(`\\u2068${name}\\u2069`)) {
        loose.push(parentElement.outerHTML);
      }
    }
  }
  for (const element of document.querySelectorAll("[title], [placeholder], option, title")) {
    const text = element.title || element.placeholder || element.textContent;
    for (const name of names.filter(name => text.includes(name))) {
      if (!text.includes(`\\u2068${name}\\u2069`)) loose.push(element.outerHTML);
    }
  }
  return loose;
}"""


@pytest.fixture
def dov(io_loop: IOLoop, server: ServerProcess, mongo: pymongo.MongoClient[dict[str, Any]]) -> Iterator[Visitor]:
    """Somebody who took a name with an override before such names were refused."""
    people = signed_up(io_loop, server, f"דוב {uuid.uuid4().hex[:6]}")
    visitor = next(people)
    visitor.name = f"\u202e{visitor.name}"
    named = {"$set": {"name": visitor.name, "key": name_key(visitor.name)}}
    mongo.get_default_database(DEFAULT_NAME)["users"].update_one({"_id": visitor.id}, named)
    io_loop.run_sync(lambda: visitor.fetch("POST", "/sign-out"))
    io_loop.run_sync(lambda: sign_in(visitor))
    yield visitor
    next(people, None)


async def sign_in(visitor: Visitor) -> None:
    await visitor.get_csrf()
    body = {"name": visitor.name, "password": "correct horse"}
    assert (await visitor.fetch("POST", "/sign-in", json_body=body)).code == 200
    await visitor.get_csrf()


async def test_names_turn_nothing(browse: Browse, ada: Visitor, dov: Visitor) -> None:
    room_name = f"חדר {uuid.uuid4().hex[:6]} (a)"
    room = await dov.make_room(room_name)
    names = [dov.name, room_name]
    first = await dov.say(room, "שלום")
    await dov.reply(room, first["id"], "a reply")
    called = await ada.say(room, f"and @{dov.name} is called")
    assert called["mentions"] == [dov.id]
    await dov.react(room, first["id"], "👍")

    async def nothing_is_loose(page: Page, what: str) -> None:
        assert (what, await page.evaluate(LOOSE, names)) == (what, [])

    window, his = await asyncio.gather(browse(ada), browse(dov))
    hers, other = RoomPage(window.page, room), RoomPage(his.page, room)
    for page in (hers, other):
        await page.enter()
        await page.live()
    await nothing_is_loose(hers.page, "the room, as the server rendered it")
    await dov.say(room, "live")
    await hers.shows("שלום", "a reply", f"and @{dov.name} is called", "live")
    await other.field.press_sequentially("writing")
    await expect(hers.page.locator("#typing p")).to_contain_text("is typing")
    await hers.page.locator(".reaction[value]").first.hover()
    await nothing_is_loose(hers.page, "the room, live")
    await nothing_is_loose(other.page, "his own page")
    await hers.page.locator("#faces").click()
    await expect(hers.page.get_by_role("dialog", name="In this room now").get_by_role("listitem")).to_have_count(2)
    await nothing_is_loose(hers.page, "who is here")
    await hers.page.goto(f"{window.page.url.split('/chat')[0]}/chat")
    await expect(hers.page.get_by_text(room_name)).to_be_visible()
    await nothing_is_loose(hers.page, "the rooms")
    await hers.page.goto(f"{window.page.url.split('/chat')[0]}/search?q=reply")
    await expect(hers.page.get_by_text("a reply")).to_be_visible()
    await nothing_is_loose(hers.page, "what was found")
