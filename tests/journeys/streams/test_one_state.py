"""Whatever became of the talk while a page was cut off, offline, or scrolled away: it ends as a page that has just been
loaded, which is what history says.

What is random here is drawn from a seed; which of two requests comes first is up to the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Error, expect

from tests.helpers.browserless import Visitor, read
from tests.journeys.conftest import Browse, Enter
from tests.journeys.link import Link
from tests.journeys.room_page import RoomPage

EMOJI = ("👍", "🎉", "😀")
SAID_BEFORE = 70
"""Messages: more than the page has when it is loaded."""

ROUNDS = 6
DEEDS = 14
"""In each round."""

SHOWN = """() => [...document.querySelectorAll("#messages > li[data-id]")].map(row => ({
    id: row.dataset.id,
    text: row.querySelector(".message__text > span").textContent,
    html: row.querySelector(".message__html")?.innerHTML ?? "",
    deleted: row.querySelector(".message__gone") !== null && row.classList.contains("message--deleted"),
    edited: row.querySelector(".message__edited") !== null,
    quote: [...row.querySelectorAll("a.quote")].map(link =>
        [link.dataset.replyTo, link.querySelector("b").textContent, link.querySelector("i").textContent]),
    reactions: [...row.querySelectorAll(".reaction[value]")].map(button =>
        [button.value, Number(button.querySelector("b").textContent), button.ariaPressed === "true"]).sort(),
}))"""


class Talker:
    """Does one thing after another to a room, to what was said last and to what was said long ago."""

    def __init__(self, visitor: Visitor, room: int, dice: random.Random) -> None:
        self._visitor, self._room, self._dice = visitor, room, dice
        self._said: list[str] = []

    async def act(self, known: list[str]) -> None:
        """`known`: ids of messages that somebody said, the oldest first."""
        deed = self._dice.choice(["say", "reply", "edit", "edit", "delete", "react", "react", "react"])
        any_of = self._dice.choice([known, known[-10:]])
        if deed == "say" or (deed in {"edit", "delete"} and not self._said):
            await self.say()
        elif deed == "reply":
            await self._posted({"reply_to": self._dice.choice(any_of)})
        elif deed == "react":
            method = "PUT" if self._dice.random() < 0.7 else "DELETE"
            path = f"{self._dice.choice(any_of)}/reactions/{quote(self._dice.choice(EMOJI))}"
            await self._may_be_gone(method, path)
        elif deed == "edit":
            await self._may_be_gone("PATCH", self._dice.choice(self._said), {"content": self._words()})
        else:
            await self._visitor.delete(self._room, self._dice.choice(self._said))

    async def say(self) -> str:
        return await self._posted({})

    async def _posted(self, more: dict[str, str]) -> str:
        body = {"room_id": self._room, "content": self._words()} | more
        response = await self._visitor.fetch("POST", "/messages", json_body=body)
        if response.code == 422 and more:  # it was deleted meanwhile
            return await self.say()
        assert response.code == 201, response.body
        self._said.append(read(response)["message"]["id"])
        return self._said[-1]

    async def _may_be_gone(self, method: str, path: str, body: dict[str, str] | None = None) -> None:
        response = await self._visitor.fetch(method, f"/rooms/{self._room}/messages/{path}", json_body=body)
        assert response.code in {200, 204, 409}, response.body

    def _words(self) -> str:
        number = self._dice.randrange(10**6)
        return self._dice.choice(
            [f"plain {number}", f"**bold** {number}", f"see `{number}` <b>&</b>", f"two\nlines {number}", "🎉"]
        )


async def trouble(page: RoomPage, link: Link, dice: random.Random, kind: str) -> None:
    """What happens to the page while the talk goes on."""
    if kind == "cut":
        link.cut()
    elif kind == "half-open":
        link.hold(only_streams=True)
    elif kind == "offline":
        await page.page.context.set_offline(True)
    elif kind == "away":
        await page.scroll_to(dice.choice([0, 300, 900]))


async def relief(page: RoomPage, link: Link, kind: str) -> None:
    if kind == "cut":
        link.mend()
    elif kind == "half-open":
        await page.page.evaluate("() => dispatchEvent(new Event('online'))")
    elif kind == "offline":
        await page.page.context.set_offline(False)
    await page.live()


def expected(message: dict[str, Any], user_id: int) -> dict[str, Any]:
    """A message of the contract, as a page shows it to this user; of its markup only whether there is any, since a
    browser may write the same in another way."""
    answered = message.get("reply_to")
    return {
        "id": message["id"],
        "text": message["content"],
        "deleted": message.get("deleted", False),
        "edited": "edited_at" in message,
        "quote": [[answered["id"], answered["user_name"], answered["content"]]] if answered else [],
        "reactions": sorted(
            [each["emoji"], len(each["user_ids"]), user_id in each["user_ids"]] for each in message.get("reactions", [])
        ),
        "formatted": "html" in message,
    }


def without_markup(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "html"} | {"formatted": row["html"] != ""}


async def rows(page: RoomPage) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = await page.page.evaluate(SHOWN)
    return shown


async def comes_to_show(page: RoomPage, wanted: list[dict[str, Any]]) -> None:
    """These rows, and after that nothing else."""
    with contextlib.suppress(Error):  # the comparison says more
        await page.page.wait_for_function(
            f"wanted => JSON.stringify(({SHOWN})()) === JSON.stringify(wanted)", arg=wanted
        )
    assert await rows(page) == wanted


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_page_that_went_through_trouble_ends_as_one_that_was_just_loaded(
    enter: Enter, browse: Browse, ada: Visitor, grace: Visitor, mary: Visitor, room: int, link: Link, seed: int
) -> None:
    dice = random.Random(seed)
    talkers = [Talker(visitor, room, random.Random(dice.random())) for visitor in (ada, grace, mary)]
    known = [await dice.choice(talkers).say() for _ in range(SAID_BEFORE)]
    assert (await ada.fetch("PUT", f"/rooms/{room}/read", json_body={"id": known[-1]})).code == 204
    hers = await enter(ada)
    kinds = ["cut", "half-open", "offline", "away", *dice.choices(["cut", "half-open", "away"], k=ROUNDS - 4)]
    dice.shuffle(kinds)
    for kind in kinds:
        await trouble(hers, link, dice, kind)
        for _ in range(DEEDS // 2):
            one, other = dice.sample(talkers, 2)
            await asyncio.gather(one.act(known), other.act(known))
            known = [message["id"] for message in (await grace.page(room, limit=200))["messages"]]
        await relief(hers, link, kind)
    last = await grace.say(room, "the last word")
    await hers.go_up()
    await hers.go_down()
    await expect(hers.row(last["id"])).to_be_visible()

    history = (await ada.page(room, limit=200))["messages"]
    assert len(history) < 200
    loaded = RoomPage((await browse(ada)).page, room)
    await loaded.enter()
    await loaded.live()
    await loaded.go_up()
    await loaded.go_down()
    fresh = await rows(loaded)
    assert [without_markup(row) for row in fresh] == [expected(each, ada.id) for each in history]
    await comes_to_show(hers, fresh)
    assert any(row["deleted"] for row in fresh)
    assert any(row["edited"] and row["html"] for row in fresh)
    assert any(row["quote"] for row in fresh)
    assert any(mine for row in fresh for _, _, mine in row["reactions"])


@pytest.mark.parametrize("kind", ["cut", "half-open", "offline"])
async def test_what_became_of_old_messages_during_an_outage_reaches_them_on_the_page(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link, kind: str
) -> None:
    """They were said long before it, and nothing new is said: what is told is only what became of them."""
    said = [(await grace.say(room, f"line {number}"))["id"] for number in range(8)]
    hers = await enter(ada)
    await hers.has(8)
    await trouble(hers, link, random.Random(0), kind)
    await grace.edit(room, said[0], "line 0, *edited*")
    await grace.react(room, said[1], "👍")
    await ada.react(room, said[1], "👍")
    await grace.react(room, said[2], "🎉")
    await grace.react(room, said[2], "🎉", on=False)
    await grace.edit(room, said[3], "edited, then")
    await grace.delete(room, said[3])
    await grace.react(room, said[4], "😀")
    await grace.delete(room, said[4])
    assert (await rows(hers))[3]["text"] == "line 3"
    await relief(hers, link, kind)
    history = (await ada.page(room, limit=200))["messages"]
    wanted = [expected(each, ada.id) for each in history]
    await expect(hers.row(said[4]).locator(".message__gone")).to_be_visible()
    assert [without_markup(row) for row in await rows(hers)] == wanted
    assert wanted[1]["reactions"] == [["👍", 2, True]]
    assert [row["deleted"] for row in wanted] == [False, False, False, True, True, False, False, False]
