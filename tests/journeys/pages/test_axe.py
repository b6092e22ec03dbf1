"""No page keeps anybody out, as far as a program can tell: axe-core finds nothing, light and dark, on a desk and a phone."""

from __future__ import annotations

import importlib.resources
import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Browse, Enter

AXE = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RUN = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, help, nodes }) => ({
        id, help, nodes: nodes.map(({ html, failureSummary }) => [html.slice(0, 200), failureSummary]),
    }));
}"""

SAID = (
    "a line",
    "**bold**, `code`, https://example.org/ and @Grace Hopper",
    "```python\nfor each in range(10):\n    print(each)  # a comment\n```",
    "> quoted\n\n- one\n- two",
    "🎉",
)
"""What a message can look like."""


async def is_open_to_all(page: Page) -> None:
    violations: list[Any] = await page.evaluate(RUN)
    assert violations == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(
    browse: Browse, ada: Visitor, grace: Visitor, room: int, scheme: str, width: int
) -> None:
    for text in SAID:
        await grace.say(room, text)
        await ada.say(room, text)
    options = {"width": width, "color_scheme": scheme, "reduced_motion": "reduce", "has_touch": width < 1000}
    out, window = await browse(**options), await browse(ada, **options)
    page = window.page
    for each in (out.page, page):
        await each.add_init_script(AXE)

    for path in ("/sign-in", "/sign-up"):
        await out.page.goto(path)
        await is_open_to_all(out.page)
    await out.page.goto("/sign-in")
    await out.page.get_by_label("Name").fill("nobody")
    await out.page.get_by_label("Password").fill("a wrong password")
    await out.page.get_by_role("button", name="Sign in").click()
    await expect(out.page.get_by_role("alert")).to_be_visible()
    await is_open_to_all(out.page)

    for path in (
        "/search",
        "/search?q=line",
        "/chat",
        "/chat/999999999",
        f"/chat/{await ada.make_room()}",
        f"/chat/{room}",
    ):
        answer = await page.goto(path)
        assert answer is not None
        assert answer.status == (404 if path.endswith("999999999") else 200), path
        await is_open_to_all(page)
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    await page.locator("#messages li").last.hover()
    await is_open_to_all(page)

    if width < 1000:
        await page.get_by_role("button", name="Rooms", exact=True).tap()
        await is_open_to_all(page)
        await page.keyboard.press("Escape")
    for keys, words in (("Control+k", ""), ("Control+k", "nothing is called this"), ("Control+Shift+f", "line")):
        await page.keyboard.press(keys)
        await page.keyboard.type(words)
        await is_open_to_all(page)
        await page.keyboard.press("Escape")
    for dialog in ("settings", "keys", "people"):
        await page.evaluate("id => document.querySelector(`[data-opens=${id}]`).click()", dialog)
        await expect(page.locator(f"#{dialog}")).to_be_visible()
        await is_open_to_all(page)
        await page.keyboard.press("Escape")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_wrong_with_what_messages_can_be_and_what_is_done_with_them(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, scheme: str, width: int
) -> None:
    for text in (*SAID, "a long one\n" * 40):
        await grace.say(room, text)
    message = await grace.say(room, "who is on call, @Ada Lovelace?")
    await ada.react(room, message["id"], "👍")
    await grace.react(room, message["id"], "🎉")
    await grace.edit(room, message["id"], "who is on call now, @Ada Lovelace?")
    taken_back = await grace.say(room, "said too soon")
    await grace.delete(room, taken_back["id"])
    await grace.reply(room, taken_back["id"], "an answer to nothing")
    mine = await ada.reply(room, message["id"], "I am")
    options = {"width": width, "color_scheme": scheme, "reduced_motion": "reduce", "has_touch": width < 1000}
    hers = await enter(ada, script=AXE, **options)
    page, press = hers.page, hers.page.keyboard.press
    await is_open_to_all(page)
    await hers.go_up()
    await is_open_to_all(page)

    row = hers.row(mine["id"])
    menu, picker = page.get_by_role("dialog", name="Message"), page.get_by_role("dialog", name="Emoji")
    await row.focus()
    await is_open_to_all(page)
    await press("ContextMenu")
    await expect(menu).to_be_visible()
    await is_open_to_all(page)
    await press("Escape")
    for keys, words in (("+", ""), ("+", "heart"), ("+", "nothing is called this")):
        await row.focus()
        await press("ArrowUp")
        await press("ArrowDown")
        await press(keys)
        await expect(picker).to_be_visible()
        await page.get_by_role("searchbox").fill(words)
        await is_open_to_all(page)
        await press("Escape")
    await expect(row).to_be_focused()
    await press("d")
    await expect(page.get_by_role("dialog", name="Delete this message?")).to_be_visible()
    await is_open_to_all(page)
    await press("Escape")
    for key, words in (("r", "Replying to"), ("e", "Editing your message")):
        await expect(row).to_be_focused()
        await press(key)
        await expect(page.locator("#context")).to_contain_text(words)
        await is_open_to_all(page)
        await press("Escape")
        await row.focus()
        await press("ArrowUp")
        await press("ArrowDown")

    await hers.field.press_sequentially("@gr")
    await expect(page.get_by_role("option", name=re.compile("Grace Hopper"))).to_be_visible()
    await is_open_to_all(page)
    await hers.field.fill("")
    await page.route("**/messages", lambda route: route.abort())
    await hers.say("not sent yet")
    await expect(hers.unsent).to_have_count(1)
    await is_open_to_all(page)
