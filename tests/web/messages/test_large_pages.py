"""What a page may weigh: however long what was said is, an answer is not; and whoever pages on gets each message once."""

from __future__ import annotations

import asyncio
import random
from typing import Any
from unittest.mock import patch

import pytest

from chatserver.messages import history
from chatserver.messages.history import PAGE_BYTES
from tests.helpers.browserless import Visitor
from tests.helpers.html_page import read_page

pytestmark = [pytest.mark.gen_test(timeout=120), pytest.mark.one_chat]

LETTER = "🎉" * 1_990
"""8 KB of one message."""

HEAD = 1_024
"""Bytes that an answer has beside its messages."""


async def say_much(who: Visitor, room: int, count: int) -> list[str]:
    """Letters and short words, in the order of the room."""
    dice = random.Random(5)
    texts = [f"{number} {LETTER if dice.random() < 0.6 else ''}" for number in range(count)]
    for start in range(0, count, 20):
        await asyncio.gather(*(who.say(room, text) for text in texts[start : start + 20]))
    ids: list[str] = []
    while len(ids) < count:
        page = await who.page(room, after=ids[-1] if ids else "0", limit=10)
        ids += [message["id"] for message in page["messages"]]
    return ids


def ids_of(page: dict[str, Any]) -> list[str]:
    return [message["id"] for message in page["messages"]]


async def backward(who: Visitor, room: int, **query: Any) -> list[str]:
    """All ids from a page on, by the contract alone."""
    found: list[str] = []
    while True:
        page = await who.page(room, limit=200, **query)
        found = ids_of(page) + found
        assert page["messages"] or not page["has_more"], "an empty page that says there is more"
        if not page["has_more"]:
            return found
        query = {"before": page["messages"][0]["id"]}


async def forward(who: Visitor, room: int, after: str) -> list[str]:
    found: list[str] = []
    while True:
        page = await who.page(room, limit=200, after=after)
        found += ids_of(page)
        assert page["messages"] or not page["has_more"], "an empty page that says there is more"
        if not page["has_more"]:
            return found
        after = page["cursor"]
        assert after == page["messages"][-1]["id"]


async def test_a_page_stops_before_it_is_too_long(ada: Visitor, room: int) -> None:
    ids = await say_much(ada, room, 130)
    for query in ("", f"&before={ids[-1]}", "&after=0", f"&around={ids[65]}"):
        response = await ada.get(f"/rooms/{room}/messages?limit=200{query}")
        assert len(response.body) <= PAGE_BYTES + HEAD, query
        assert len(response.body) > PAGE_BYTES * 0.8, query
    assert await backward(ada, room) == ids
    assert await forward(ada, room, "0") == ids


@pytest.mark.parametrize("room_for", [1, 9_000, 40_000])
async def test_whoever_pages_on_gets_each_message_once(ada: Visitor, room: int, room_for: int) -> None:
    """In both directions and from each place; also where one message is longer than a page may be."""
    ids = await say_much(ada, room, 30)
    with patch.object(history, "PAGE_BYTES", room_for):
        assert await backward(ada, room) == ids
        assert await forward(ada, room, "0") == ids
        for place in (0, 1, 13, 28, 29):
            page = await ada.page(room, around=ids[place], limit=20)
            found = ids_of(page)
            assert ids[place] in found
            assert (page["has_more"], page["has_newer"]) == (found[0] != ids[0], found[-1] != ids[-1])
            in_front = await backward(ada, room, before=found[0]) if page["has_more"] else []
            behind = await forward(ada, room, page["cursor"]) if page["has_newer"] else []
            assert in_front + found + behind == ids


async def test_the_page_of_a_room_stops_too_and_leads_on(ada: Visitor, room: int) -> None:
    ids = await say_much(ada, room, 40)
    with patch.object(history, "PAGE_BYTES", 40_000):
        found: list[str] = []
        path: str | None = f"/chat/{room}"
        while path is not None:
            response = await ada.get(path)
            page = read_page(response)
            shown = [
                item["data-id"]
                for item in page.within(page.one("ul", id="messages"), "li")
                if "data-id" in item.attributes
            ]
            assert 0 < len(shown) < 30
            found = shown + found
            path = page.one("a", id="older").attributes.get("href")
        assert found == ids
