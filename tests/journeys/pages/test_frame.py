"""What is around the talk: ways to other rooms, keys, settings."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.async_api import Page, expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Browse, Enter

MOVES = "window.addEventListener('beforeunload', () => window.moved = true)"


async def make_rooms(visitor: Visitor, *names: str) -> dict[str, int]:
    """Rooms that stand together in the list, and whose names only this test knows."""
    mark = uuid.uuid4().hex[:8]
    return {name: await visitor.make_room(f"{mark} {name}") for name in names}


# The switcher


async def test_a_few_letters_and_enter_lead_to_a_room(enter: Enter, ada: Visitor) -> None:
    rooms = await make_rooms(ada, "Café Ångström", "Cargo", "Deploys")
    page = (await enter(ada)).page
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("dialog", name="Jump to a room")).to_be_visible()
    field = page.get_by_role("combobox", name="Room")
    await expect(field).to_be_focused()
    await field.press_sequentially("cafe ang")
    await expect(page.get_by_role("option")).to_have_text([re.compile("Café Ångström")])
    await field.press("Enter")
    await page.wait_for_url(f"**/chat/{rooms['Café Ångström']}")


async def test_the_arrows_choose_and_go_round(enter: Enter, ada: Visitor) -> None:
    rooms = await make_rooms(ada, "one", "two", "three")
    page = (await enter(ada)).page
    mark = (await page.locator(f"#rooms [data-room-id='{rooms['one']}'] .sidebar__room-name").inner_text())[:8]
    await page.get_by_role("button", name="Jump to…").click()
    field = page.get_by_role("combobox", name="Room")
    await field.fill(mark)
    chosen = page.get_by_role("option", selected=True)
    name = chosen.locator(".option__name")
    await expect(page.get_by_role("option")).to_have_count(3)
    first = await name.inner_text()
    names = [first]
    for _ in range(3):
        await field.press("ArrowDown")
        await expect(chosen).to_have_count(1)
        assert await field.get_attribute("aria-activedescendant") == await chosen.get_attribute("id")
        names.append(await name.inner_text())
    assert names[3] == first
    assert len(set(names)) == 3
    await field.press("ArrowUp")
    await expect(name).to_have_text(names[2])


async def test_where_one_was_last_comes_first(enter: Enter, ada: Visitor) -> None:
    rooms = await make_rooms(ada, "a", "b", "c")
    page = (await enter(ada)).page
    for name in ("b", "a", "c"):
        await page.goto(f"/chat/{rooms[name]}")
        await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    # A browser hands what one page stored to the next one in a moment.
    await page.wait_for_function("Object.keys(localStorage).filter(key => key.includes('recent-room:')).length === 4")
    name = await page.locator(f"#rooms li[data-room-id='{rooms['c']}'] .sidebar__room-name").inner_text()
    await page.keyboard.press("Control+k")
    await page.keyboard.type(name.split()[0])  # others have rooms too
    options = page.get_by_role("option").locator(".option__name")
    await expect(options).to_have_text([re.compile(" a$"), re.compile(" b$"), re.compile(" c$")])


async def test_what_nobody_made_is_not_found(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    await hers.page.keyboard.press("Control+k")
    await hers.page.keyboard.type("no room is called <b>this</b>")
    await expect(hers.page.get_by_text("No matching rooms")).to_be_visible()
    await hers.page.keyboard.press("Enter")
    await hers.page.keyboard.press("Escape")
    await expect(hers.page.get_by_role("dialog")).to_have_count(0)
    await expect(hers.field).to_be_focused()


# Keys


async def test_alt_and_the_arrows_step_through_the_rooms(enter: Enter, ada: Visitor) -> None:
    rooms = list((await make_rooms(ada, "1", "2", "3")).values())
    page = (await enter(ada)).page
    for room, key, next_room in (
        (rooms[0], "ArrowDown", rooms[1]),
        (rooms[1], "ArrowDown", rooms[2]),
        (rooms[2], "ArrowUp", rooms[1]),
    ):
        await page.goto(f"/chat/{room}")
        await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        await page.keyboard.press(f"Alt+{key}")
        await page.wait_for_url(f"**/chat/{next_room}")


async def test_a_question_mark_shows_the_keys_but_not_in_a_text(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    help_ = hers.page.get_by_role("dialog", name="Keyboard shortcuts")
    await hers.field.press_sequentially("why?/")
    await expect(hers.field).to_have_value("why?/")
    await expect(hers.page.get_by_role("dialog")).to_have_count(0)
    await hers.page.locator("#log").focus()
    await hers.page.keyboard.press("?")
    await expect(help_).to_contain_text("Ctrl K")
    await hers.page.keyboard.press("Escape")
    await expect(help_).to_be_hidden()
    await expect(hers.page.locator("#log")).to_be_focused()


async def test_a_click_beside_a_dialog_and_its_cross_close_it(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    opener = hers.page.get_by_role("button", name="Settings")
    dialog = hers.page.get_by_role("dialog", name="Settings")
    await opener.click()
    await hers.page.mouse.click(5, 400)
    await expect(dialog).to_be_hidden()
    await opener.press("Enter")
    await dialog.get_by_role("button", name="Close").press("Enter")
    await expect(dialog).to_be_hidden()
    await expect(opener).to_be_focused()


# The theme


async def background(page: Page) -> str:
    color: str = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return color


@pytest.mark.parametrize("system", ["light", "dark"])
async def test_a_theme_is_kept_and_there_before_the_first_paint(browse: Browse, ada: Visitor, room: int, system: str) -> None:  # fmt: skip
    other = {"light": "dark", "dark": "light"}[system]
    window = await browse(ada, color_scheme=system)
    page, second = window.page, await window.context.new_page()
    for each in (page, second):
        await each.goto(f"/chat/{room}")
        await expect(each.locator("#connection")).to_have_attribute("data-state", "live")
    usual = await background(page)
    await page.get_by_role("button", name="Settings").click()
    await page.get_by_role("radio", name="System").press("ArrowRight")
    await page.get_by_role("radio", name=other.capitalize()).check()
    changed = await background(page)
    assert changed != usual
    await expect(second.locator("html")).to_have_attribute("data-theme", other)
    assert await background(second) == changed
    # The sign-in page has it too, with no more than the script of its head.
    await page.route("**/lobby.js", lambda route: route.abort())
    await page.goto("/chat")
    assert await background(page) == changed
    colors = "[...document.querySelectorAll('meta[name=theme-color]')].map(each => each.content)"
    assert len(set(await page.evaluate(colors))) == 1
    await second.get_by_role("button", name="Settings").click()
    await second.get_by_role("radio", name="System").check()
    assert await background(second) == usual
    await second.reload()
    assert await background(second) == usual
    assert len(set(await second.evaluate(colors))) == 2


async def test_without_storage_the_page_is_as_alive_as_with_it(enter: Enter, ada: Visitor) -> None:
    forbidden = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('forbidden'); } })"
    hers = await enter(ada, script=forbidden)
    await hers.page.get_by_role("button", name="Settings").click()
    await hers.page.get_by_role("radio", name="Dark").check()
    await expect(hers.page.locator("html")).to_have_attribute("data-theme", "dark")
    await hers.page.keyboard.press("Escape")
    await hers.say("still here")
    await hers.shows("still here")
