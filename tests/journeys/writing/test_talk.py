"""Two people talk."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Route, expect

from tests.helpers.browserless import Visitor
from tests.journeys.box import box_of
from tests.journeys.conftest import Enter

HOSTILE = (
    "<img src=x onerror=\"document.title = 'owned'\">",
    "<script>document.title = 'owned'</script>",
    "</span></p></li><li data-id='1-0'>",
    "&lt;b&gt; &amp; \"quotes\" 'too'",
    "data: {}\n\nevent: reset\nid: 9-9",
    "{{ user.name }} {% raw xsrf_token %}",
    "one line\nanother\u2028and\u2029more \u202eturned",
    "🎉 👩‍👩‍👧 e\u0301",
)


async def test_what_one_says_the_other_sees(enter: Enter, ada: Visitor, grace: Visitor) -> None:
    hers, other = await asyncio.gather(enter(ada), enter(grace))
    await expect(hers.page.get_by_text("Say hello!")).to_be_visible()
    await hers.say("Shall we ship it today?")
    await other.shows("Shall we ship it today?")
    await expect(other.messages.locator("strong")).to_have_text("Ada Lovelace")
    await other.say("Yes.")
    await hers.shows("Shall we ship it today?", "Yes.")
    await expect(hers.page.get_by_text("Say hello!")).to_be_hidden()
    assert await hers.agrees_with(ada) == await other.agrees_with(ada)


async def test_both_at_once_see_one_order(enter: Enter, ada: Visitor, grace: Visitor) -> None:
    hers, other = await asyncio.gather(enter(ada), enter(grace))
    by_ada, by_grace = [[f"{name} {number}" for number in range(10)] for name in "ag"]
    await asyncio.gather(hers.say_all(by_ada), other.say_all(by_grace))
    await expect(hers.known).to_have_count(20)
    await expect(other.known).to_have_count(20)
    await other.agrees_with(ada)
    texts = [message["content"] for message in await hers.agrees_with(ada)]
    assert [text for text in texts if text in by_ada] == by_ada
    assert [text for text in texts if text in by_grace] == by_grace


async def test_a_reload_changes_nothing(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    await hers.say_all(["one", "two", "three"])
    await hers.shows("one", "two", "three")
    before = await hers.ids()
    await hers.page.reload()
    await hers.live()
    assert await hers.ids() == before
    await hers.say("four")
    await hers.shows("one", "two", "three", "four")


async def test_hostile_text_stays_text(enter: Enter, ada: Visitor, grace: Visitor) -> None:
    """As it comes over the stream, and as it stands in the page after a reload."""
    hers, other = await asyncio.gather(enter(ada), enter(grace))
    await hers.say_all(HOSTILE)
    await other.shows(*HOSTILE)
    await hers.agrees_with(ada)
    await other.page.reload()
    await other.live()
    assert await other.texts() == list(HOSTILE)
    await expect(other.messages.locator("img, script, b")).to_have_count(0)
    assert "owned" not in await hers.page.title() + await other.page.title()


async def test_ones_own_message_is_pale_until_it_is_acknowledged(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    acknowledge = asyncio.Event()

    async def wait(route: Route) -> None:
        await acknowledge.wait()
        await route.continue_()

    await hers.page.route("**/messages", wait)
    await hers.say("am I heard?")
    await expect(hers.unsent.locator("span")).to_have_text("am I heard?")
    await expect(hers.messages).to_have_count(1)
    row = await hers.messages.element_handle()
    acknowledge.set()
    await hers.shows("am I heard?")
    await expect(hers.unsent).to_have_count(0)
    await expect(hers.messages).to_have_count(1)
    assert await row.evaluate("row => row.isConnected && !row.matches('.message--pending')")


async def test_the_order_is_the_rooms_however_late_ones_own_message_goes_out(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    hers = await enter(ada)
    send = asyncio.Event()

    async def wait(route: Route) -> None:
        await send.wait()
        await route.continue_()

    await hers.page.route("**/messages", wait)
    await hers.say("mine, written first")
    await expect(hers.unsent).to_have_count(1)
    await grace.say(room, "theirs, sent first")
    await hers.shows("theirs, sent first")
    send.set()
    await hers.shows("theirs, sent first", "mine, written first")
    await hers.agrees_with(ada)


async def test_enter_sends_and_shift_enter_breaks_the_line(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    await hers.field.press_sequentially("first line")
    one_line = (await box_of(hers.field))["height"]
    await hers.field.press("Shift+Enter")
    await hers.field.press_sequentially("second line")
    assert (await box_of(hers.field))["height"] > one_line
    await hers.field.press("Enter")
    await hers.shows("first line\nsecond line")
    await expect(hers.field).to_have_value("")
    await expect(hers.field).to_be_focused()


async def test_enter_that_ends_the_composing_of_a_character_sends_nothing(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    await hers.field.fill("にほん")
    for composing in ({"isComposing": True}, {"keyCode": 229}):
        await hers.field.dispatch_event("keydown", {"key": "Enter", "cancelable": True, **composing})
    await expect(hers.messages).to_have_count(0)
    await expect(hers.field).to_have_value("にほん")


async def test_nothing_but_blanks_is_not_sent(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    await hers.say(" \n ")
    await hers.say("something")
    await hers.shows("something")


@pytest.mark.parametrize(("written", "said"), [("x" * 1_900, "100 left"), ("x" * 2_000, "No characters left")])
async def test_the_composer_says_how_much_more_fits(enter: Enter, ada: Visitor, written: str, said: str) -> None:
    hers = await enter(ada)
    await hers.field.fill(written)
    await expect(hers.page.locator("#room-left")).to_have_text(said)
    await hers.page.get_by_role("button", name="Send").click()
    await hers.shows(written)
    await expect(hers.page.locator("#room-left")).to_have_text("")


async def test_a_draft_survives_a_reload_until_it_is_sent(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    await hers.field.fill("not finished")
    await hers.page.reload()
    await expect(hers.field).to_have_value("not finished")
    await hers.field.press("Enter")
    await hers.shows("not finished")
    await hers.page.reload()
    await expect(hers.field).to_have_value("")


async def test_what_came_while_nobody_looked_is_counted_and_marked(
    enter: Enter, mary: Visitor, grace: Visitor, room: int
) -> None:
    hers = await enter(mary)
    title = await hers.page.title()
    look = """hidden => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    await grace.say(room, "seen")
    await hers.shows("seen")
    await hers.page.evaluate(look, True)
    for number in range(3):
        await grace.say(room, f"unseen {number}")
    await expect(hers.page).to_have_title(f"(3) {title}")
    await hers.page.evaluate(look, False)
    await expect(hers.page).to_have_title(title)
    await expect(hers.messages.nth(1).locator(".message__unread")).to_be_visible()
    await expect(hers.page.locator(".message__unread")).to_have_count(1)
    await hers.say("I have read it")
    await expect(hers.page.locator(".message__unread")).to_have_count(0)
