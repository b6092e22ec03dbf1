"""No page keeps anybody out, as far as a program can tell: axe-core finds nothing, light and dark, on a desk and a phone."""

from __future__ import annotations

import importlib.resources
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browserless import Visitor
from tests.journeys.conftest import Browse

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
        await page.goto(path)
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
