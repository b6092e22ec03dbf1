"""Being called while elsewhere: by notifications of the desktop, and by what shows of a tab that is not in front.

The desktop is the one thing that a headless browser has not: `window.Notification` notes down what it is asked to show."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Browse, Enter
from tests.journeys.room_page import RoomPage
from tests.journeys.window import Window

DESKTOP = """(() => {
    class Desktop extends EventTarget {
        static permission = localStorage.getItem("desktop") ?? "default";
        static async requestPermission() {
            localStorage.setItem("desktop", "granted");
            return Desktop.permission = "granted";
        }
        constructor(title, { body, tag }) {
            super();
            Desktop.last = this;
            const shown = JSON.parse(localStorage.getItem("shown") ?? "[]");
            localStorage.setItem("shown", JSON.stringify([...shown, { title, body, tag }]));
        }
        close() {
            localStorage.setItem("closed", Number(localStorage.getItem("closed")) + 1);
        }
    }
    window.Notification = Desktop;
})()"""

LOOKS = """looks => {
    Object.defineProperty(document, "hidden", { value: !looks, configurable: true });
    document.hasFocus = () => looks;
    document.dispatchEvent(new Event("visibilitychange"));
    window.dispatchEvent(new Event(looks ? "focus" : "blur"));
}"""


async def tab(context: BrowserContext, room: int) -> RoomPage:
    page = RoomPage(await context.new_page(), room)
    await page.page.add_init_script(DESKTOP)
    await page.enter()
    await page.live()
    return page


async def desk(browse: Browse, ada: Visitor, *rooms: int) -> tuple[Window, list[RoomPage]]:
    """A browser with a tab in each of the rooms, whose user allowed notifications. Nobody looks at any of them."""
    window = await browse(ada)
    tabs = [await tab(window.context, room) for room in rooms]
    await tabs[0].page.evaluate("Notification.requestPermission()")
    for each in tabs:
        await each.page.reload()
        await each.live()
        await each.page.evaluate(LOOKS, False)
    return window, tabs


async def choose(page: Page, room: int, level: str) -> None:
    await page.get_by_role("button", name="Settings").click()
    await page.locator(f"#notice-{room}").select_option(level)
    await page.keyboard.press("Escape")


async def shown(page: Page) -> list[dict[str, Any]]:
    notices: list[dict[str, Any]] = await page.evaluate("JSON.parse(localStorage.getItem('shown') ?? '[]')")
    return notices


async def comes_to_show(page: Page, *bodies: str) -> None:
    wanted = "bodies => JSON.parse(localStorage.getItem('shown') ?? '[]').map(each => each.body).join() === bodies"
    try:
        await page.wait_for_function(wanted, arg=",".join(bodies))
    except Exception:
        assert [each["body"] for each in await shown(page)] == list(bodies)
        raise


async def test_nobody_is_asked_before_they_click(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada, script=DESKTOP)
    assert await hers.page.evaluate("Notification.permission") == "default"
    await hers.page.get_by_role("button", name="Settings").click()
    await expect(hers.page.locator("#notices select")).to_have_count(0)
    await hers.page.get_by_role("button", name="Allow notifications").click()
    level = hers.page.locator(f"#notice-{hers.room}")
    await expect(level).to_have_value("mentions")
    await expect(level).to_be_focused()


async def test_of_many_tabs_one_calls_once_and_only_where_nobody_looks(
    browse: Browse, ada: Visitor, grace: Visitor, room: int
) -> None:
    other = await ada.make_room()
    _, tabs = await desk(browse, ada, room, room, other)
    page = tabs[0].page
    for each in (room, other):
        await choose(page, each, "all")
    await page.evaluate(LOOKS, False)
    await grace.say(room, "called")
    await comes_to_show(page, "called")
    assert (await shown(page))[0]["title"].startswith("Grace Hopper in ")

    await ada.say(room, "my own, from another device")
    await tabs[1].page.evaluate(LOOKS, True)
    await grace.say(room, "seen in the tab in front")
    await grace.say(other, "called again")
    await comes_to_show(page, "called", "called again")
    await tabs[1].page.close()
    await grace.say(room, "the tab in front is gone")
    await comes_to_show(page, "called", "called again", "the tab in front is gone")
    tags = [each["tag"] for each in await shown(page)]
    assert len(set(tags)) == len(tags)


async def test_each_room_calls_for_what_was_chosen(browse: Browse, ada: Visitor, grace: Visitor, room: int) -> None:
    silent, usual = await ada.make_room(), await ada.make_room()
    _, (hers,) = await desk(browse, ada, room)
    await choose(hers.page, room, "all")
    await choose(hers.page, silent, "none")
    await hers.page.evaluate(LOOKS, False)
    for each in (silent, usual):
        await grace.say(each, "not a call")
    await grace.say(silent, f"@{ada.name} no call either")
    await grace.say(usual, f"@{ada.name} a call")
    await comes_to_show(hers.page, f"@{ada.name} a call")  # which room calls first is not said
    await grace.say(room, "any word")
    await comes_to_show(hers.page, f"@{ada.name} a call", "any word")
    await hers.page.reload()
    await hers.page.get_by_role("button", name="Settings").click()
    await expect(hers.page.locator(f"#notice-{silent}")).to_have_value("none")


async def test_much_at_once_is_one_call(browse: Browse, ada: Visitor, grace: Visitor, room: int) -> None:
    _, (hers,) = await desk(browse, ada, room)
    await choose(hers.page, room, "all")
    await hers.page.evaluate(LOOKS, False)
    await hers.page.clock.install()
    await asyncio.gather(*(grace.say(room, f"line {number}") for number in range(12)))
    await hers.has(12)
    await hers.pass_by(1_000)
    await hers.page.wait_for_function("JSON.parse(localStorage.getItem('shown') ?? '[]').length > 0")
    (notice,) = await shown(hers.page)
    assert notice["title"].startswith("12 new messages in ")


async def test_a_click_on_a_call_leads_to_the_message(browse: Browse, ada: Visitor, grace: Visitor, room: int) -> None:
    other = await ada.make_room()
    _, (hers,) = await desk(browse, ada, room)
    await choose(hers.page, other, "all")
    await hers.page.evaluate(LOOKS, False)
    said = await grace.say(other, "come here")
    await comes_to_show(hers.page, "come here")
    await hers.page.evaluate("Notification.last.onclick()")
    await hers.page.wait_for_url(f"**/chat/{other}?at={said['id']}")
    await expect(hers.page.locator(f"li[data-id='{said['id']}']")).to_be_in_viewport()


@pytest.mark.parametrize("mentions", [False, True])
async def test_title_and_icon_say_what_is_unread(
    enter: Enter, visit: Callable[..., Visitor], ada: Visitor, grace: Visitor, mentions: bool
) -> None:
    mary = visit()
    await mary.sign_up()
    other = await ada.make_room()
    hers = await enter(mary)
    title = await hers.page.title()
    text = f"@{mary.name} look" if mentions else "look"
    await grace.say(other, text)
    count = hers.page.locator(f"#rooms [data-room-id='{other}'] .sidebar__count")
    await expect(count).to_have_text("@1" if mentions else "1")
    await expect(hers.page).to_have_title(f"(@1 · 1) {title}" if mentions else f"(1) {title}")
    href = await hers.page.locator("#icon").get_attribute("href")
    assert href is not None
    assert href.endswith("favicon-mentions.svg" if mentions else "favicon-unread.svg")
    assert (await ada.get(href)).code == 200


async def test_who_signs_out_is_called_no_more_and_leaves_no_call_on_the_desktop(
    browse: Browse, visit: Callable[[], Visitor], ada: Visitor, room: int
) -> None:
    mary = visit()
    await mary.sign_up()
    _, (page,) = await desk(browse, mary, room)
    await choose(page.page, room, "all")
    await page.page.evaluate(LOOKS, False)
    await ada.say(room, "for Mary alone")
    await page.page.wait_for_function("() => localStorage.getItem('shown') !== null")
    lobby = await page.page.context.new_page()
    await lobby.goto("/chat")
    await lobby.get_by_role("button", name="Sign out").click()
    await lobby.wait_for_url("**/sign-in")
    await page.state("signed-out")
    await lobby.wait_for_function("() => localStorage.getItem('closed') === '1'")
