"""Search, as it is typed and by keyboard."""

from __future__ import annotations

import asyncio
import uuid
from typing import TypedDict

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Enter


class Answer(TypedDict, total=False):
    status: int
    headers: dict[str, str]
    json: object


def results(page: Page) -> Locator:
    return page.locator("#search-results .result__words")


async def test_a_word_is_found_here_and_everywhere_and_leads_to_its_place(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    word = f"w{uuid.uuid4().hex[:12]}"
    other = await ada.make_room()
    wanted = await grace.say(room, f"The {word} was <b>here</b> & gone")
    await grace.say(other, f"a {word} elsewhere")
    for number in range(60):
        await ada.say(room, f"line {number}")
    hers = await enter(ada)
    page = hers.page
    await page.locator("#log").focus()
    await page.keyboard.press("/")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    await page.keyboard.type(word.upper())
    await expect(results(page)).to_have_text([f"The {word} was <b>here</b> & gone"])
    await expect(page.locator("#search-results mark")).to_have_text([word])
    await page.get_by_role("radio", name="Everywhere").check()
    await expect(results(page)).to_have_count(2)
    await page.get_by_role("searchbox").focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/chat/{room}?at={wanted['id']}")
    await expect(page.locator(f"li[data-id='{wanted['id']}']")).to_be_in_viewport()


async def test_more_results_come_when_asked_for(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    word = f"w{uuid.uuid4().hex[:12]}"
    for number in range(45):
        await grace.say(room, f"{word} {number}")
    page = (await enter(ada)).page
    await page.keyboard.press("Control+Shift+f")
    await page.keyboard.type(word)
    await expect(results(page)).to_have_count(20)
    more = page.get_by_role("button", name="More", exact=True)
    await more.press("Enter")
    await expect(results(page)).to_have_count(40)
    await expect(page.locator("#search-results a").nth(20)).to_be_focused()
    await more.click()
    await expect(results(page)).to_have_text([f"{word} {number}" for number in reversed(range(45))])
    await expect(more).to_be_hidden()


async def test_only_the_latest_question_is_answered(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    """An answer that comes late is not shown for what was typed meanwhile."""
    words = [f"w{uuid.uuid4().hex[:12]}" for _ in range(2)]
    for word in words:
        await grace.say(room, word)
    page = (await enter(ada)).page
    go, held = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        held.set()
        await go.wait()
        await route.continue_()

    await page.route(f"**/search?*{words[0]}*", hold)
    await page.keyboard.press("Control+Shift+f")
    field = page.get_by_role("searchbox")
    await field.fill(words[0])
    await held.wait()
    await field.fill(words[1])
    await expect(results(page)).to_have_text([words[1]])
    go.set()
    await field.fill(f"{words[1]} ")
    await expect(results(page)).to_have_text([words[1]])


async def test_what_nobody_said_is_said_to_be_nothing(enter: Enter, ada: Visitor) -> None:
    page = (await enter(ada)).page
    await page.keyboard.press("Control+Shift+f")
    await page.keyboard.type("<b>nobody said")
    await expect(page.locator("#search-word")).to_have_text("No messages match “<b>nobody said”.")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("answer", ["offline", 503])
async def test_a_search_that_failed_says_so_and_goes_on(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, answer: str | int
) -> None:
    word = f"w{uuid.uuid4().hex[:12]}"
    await grace.say(room, word)
    page = (await enter(ada)).page

    async def fail(route: Route) -> None:
        if answer == "offline":
            await route.abort("internetdisconnected")
        else:
            await route.fulfill(status=503, json={"error": "not now"})

    await page.route("**/search?*", fail)
    await page.keyboard.press("Control+Shift+f")
    await page.keyboard.type(word)
    said = "You're offline" if answer == "offline" else "Search failed"
    await expect(page.locator("#search-word")).to_contain_text(said)
    await page.unroute("**/search?*")
    if answer == "offline":
        await page.evaluate("window.dispatchEvent(new Event('online'))")
    else:
        await page.keyboard.press("Enter")
    await expect(results(page)).to_have_text([word])


async def test_a_search_that_found_nothing_yet_can_be_sent_further(enter: Enter, mary: Visitor) -> None:
    """The server looks through so much at a time, and asks who is too fast to come again."""
    hers = await enter(mary)
    answers: list[Answer] = [
        {
            "status": 503,
            "headers": {"Retry-After": "1"},
            "json": {"error": "another search of yours is still going on"},
        },
        {"json": {"results": [], "has_more": True, "next": "200-0"}},
        {"json": {"results": [], "has_more": True, "next": "100-0"}},
        {"json": {"results": [], "has_more": False}},
    ]
    asked: list[str] = []

    async def answer(route: Route) -> None:
        asked.append(route.request.url.partition("?")[2])
        await route.fulfill(**answers[len(asked) - 1])

    await hers.page.route("**/search?**", answer)
    await hers.page.keyboard.press("Control+Shift+f")
    await hers.page.locator("#search-field").fill("found late")
    further = hers.page.get_by_role("button", name="Search older messages")
    await further.click()
    await expect(hers.page.locator("#search-word")).to_contain_text("There are older ones to search")
    await further.click()
    await expect(further).to_be_hidden()
    await expect(hers.page.locator("#search-word")).to_contain_text("No messages match")
    assert [each.rpartition("before=")[2] for each in asked[2:]] == ["200-0", "100-0"]
