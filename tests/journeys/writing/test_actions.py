"""What can be done with a message: with a mouse, by keyboard, by thumb."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.helpers.browserless import Visitor
from tests.journeys.box import box_of
from tests.journeys.conftest import Enter

PRESS = """(row, milliseconds) => new Promise(done => {
    const { x, y } = row.getBoundingClientRect();
    const finger = { pointerType: "touch", isPrimary: true, bubbles: true, clientX: x + 80, clientY: y + 5 };
    const text = row.querySelector(".message__text");
    text.dispatchEvent(new PointerEvent("pointerdown", finger));
    setTimeout(() => done(text.dispatchEvent(new PointerEvent("pointerup", finger))), milliseconds);
})"""


async def test_everything_can_be_done_by_keyboard(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    theirs = await grace.say(room, "who is on call?")
    mine = await ada.say(room, "I am")
    hers = await enter(ada)
    press = hers.page.keyboard.press
    await hers.page.locator("#log").focus()
    await press("ArrowUp")
    await expect(hers.row(mine["id"])).to_be_focused()
    await press("ArrowUp")
    await expect(hers.row(theirs["id"])).to_be_focused()

    await press("Enter")
    await expect(hers.page.get_by_role("button", name="React", exact=True)).to_be_focused()
    await press("ArrowRight")
    await expect(hers.page.get_by_role("button", name="Reply", exact=True)).to_be_focused()
    await press("Escape")
    await expect(hers.row(theirs["id"])).to_be_focused()

    await press("+")
    await hers.page.get_by_role("searchbox").press("ArrowDown")
    await press("ArrowRight")
    await expect(hers.page.get_by_role("button", name="heart love red").first).to_be_focused()
    await press("Enter")
    await expect(hers.row(theirs["id"]).get_by_role("button", name="❤️")).to_have_attribute("aria-pressed", "true")
    await expect(hers.row(theirs["id"])).to_be_focused()

    await press("r")
    await expect(hers.field).to_be_focused()
    await hers.page.keyboard.type("you are")
    await press("Escape")
    await expect(hers.page.locator("#context")).to_be_hidden()
    await expect(hers.field).to_have_value("you are")

    await hers.row(mine["id"]).focus()
    await press("ArrowUp")
    await press("ArrowDown")
    await press("ContextMenu")
    await expect(hers.page.get_by_role("dialog")).to_be_visible()
    await press("Escape")
    await expect(hers.row(mine["id"])).to_be_focused()
    await press("d")
    await expect(hers.page.get_by_role("button", name="Cancel")).to_be_focused()
    await press("Tab")
    await press("Enter")
    await expect(hers.row(mine["id"])).to_contain_text("deleted")
    await expect(hers.row(mine["id"])).to_be_focused()
    await press("Escape")
    await expect(hers.field).to_be_focused()


async def test_who_clicked_a_message_and_types_means_no_action(enter: Enter, ada: Visitor, room: int) -> None:
    message = await ada.say(room, "mine")
    hers = await enter(ada)
    await hers.row(message["id"]).click()
    for key in ("d", "e", "r", "+"):
        await hers.page.keyboard.press(key)
    await expect(hers.page.locator("dialog[open]")).to_have_count(0)
    await expect(hers.page.locator("#context")).to_be_hidden()


async def test_a_long_press_opens_a_sheet(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    message = await ada.say(room, "said on a phone")
    phone = {"width": 390, "has_touch": True, "is_mobile": True, "reduced_motion": "reduce"}
    hers, other = await asyncio.gather(enter(ada, **phone), enter(grace))
    sheet = hers.page.get_by_role("dialog", name="Message")
    await hers.row(message["id"]).evaluate(PRESS, 50)
    await expect(sheet).to_be_hidden()
    await hers.row(message["id"]).evaluate(PRESS, 700)
    await expect(sheet).to_be_visible()
    box = await box_of(sheet)
    assert (box["x"], box["width"], box["y"] + box["height"]) == (0, 390, 800)
    assert await sheet.evaluate("each => [...each.querySelectorAll('button')].every(it => it.offsetHeight >= 40)")
    await sheet.get_by_role("button", name="👍").tap()
    await expect(sheet).to_be_hidden()
    await expect(other.row(message["id"]).get_by_role("button", name="👍")).to_be_visible()
    await hers.row(message["id"]).evaluate(PRESS, 700)
    await sheet.get_by_role("button", name="Edit").tap()
    await expect(hers.field).to_have_value("said on a phone")
    await hers.field.fill("edited on a phone")
    await hers.page.get_by_role("button", name="Send").tap()
    await other.shows("edited on a phone")
    await hers.page.get_by_role("button", name="Emoji", exact=True).tap()
    box = await box_of(hers.page.get_by_role("dialog", name="Emoji"))
    assert (box["x"], box["width"], box["y"] + box["height"]) == (0, 390, 800)


async def test_there_is_one_toolbar_and_it_is_not_read_out(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    messages = [await grace.say(room, f"line {number}") for number in range(3)]
    hers = await enter(ada)
    for message in messages:
        await hers.row(message["id"]).hover()
        toolbar = hers.page.get_by_role("toolbar")
        await expect(toolbar).to_have_count(1)
        row, bar = await box_of(hers.row(message["id"])), await box_of(toolbar)
        assert bar["y"] < row["y"] + row["height"] < bar["y"] + 100
    await expect(hers.page.locator("[aria-live] [role=toolbar]")).to_have_count(0)
    await hers.field.hover()
    await expect(hers.page.get_by_role("toolbar")).to_be_hidden()


async def test_a_message_can_be_copied_and_linked_to(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    message = await grace.say(room, "worth *keeping*")
    hers = await enter(ada)
    await hers.page.evaluate(
        "() => { window.copied = []; document.addEventListener('copy', () => copied.push(String(document.activeElement.value))); }"
    )
    await hers.page.evaluate("() => Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    for name in ("Copy text", "Copy link"):
        await hers.act(message["id"], "More")
        await hers.page.get_by_role("dialog", name="Message").get_by_role("button", name=name).click()
        await expect(hers.page.locator("#toast")).to_have_text(name.replace("Copy ", "").capitalize() + " copied")
    text, address = await hers.page.evaluate("copied")
    assert text == "worth *keeping*"
    assert re.fullmatch(rf"http://[^/]+/chat/{room}\?at={message['id']}", address)


async def test_an_emoji_can_be_found_by_its_name(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    picker = hers.page.get_by_role("dialog", name="Emoji")
    await hers.field.fill("let it roll ")
    await hers.page.get_by_role("button", name="Emoji", exact=True).click()
    await expect(picker.get_by_role("heading", name="Food & drink")).to_be_attached()
    await hers.page.get_by_role("searchbox").fill("xyzzy")
    await expect(picker.get_by_role("status")).to_have_text("No matching emoji")
    await hers.page.get_by_role("searchbox").fill("rock")
    await picker.get_by_role("button", name="rocket launch ship").click()
    await expect(hers.field).to_have_value("let it roll 🚀")
    await expect(hers.field).to_be_focused()
    await hers.page.get_by_role("button", name="Emoji", exact=True).click()
    await expect(picker.get_by_role("button").first).to_have_text("🚀")
    await hers.page.keyboard.press("Escape")
    await expect(hers.page.get_by_role("button", name="Emoji", exact=True)).to_be_focused()


@pytest.mark.parametrize("width", [1280, 390])
async def test_names_are_completed(enter: Enter, ada: Visitor, grace: Visitor, room: int, width: int) -> None:
    """Those who spoke, also where who is here can't be asked for."""
    await grace.say(room, "hello")
    hers = await enter(ada, width=width)
    names = hers.page.get_by_role("listbox", name="Names")
    await hers.field.press_sequentially("hello @")
    await expect(names.get_by_role("option")).to_have_text([re.compile("Grace Hopper")])
    await expect(hers.field).to_have_attribute("aria-activedescendant", f"name-{grace.id}")
    await hers.field.press_sequentially("hop")
    await hers.field.press("Tab")
    await expect(hers.field).to_have_value("hello @Grace Hopper ")
    await expect(names).to_be_hidden()
    await hers.field.press_sequentially("and @gr")
    await hers.field.press("Escape")
    await expect(names).to_be_hidden()
    await expect(hers.field).to_have_value("hello @Grace Hopper and @gr")
    await hers.field.press("Enter")
    await hers.shows("hello", "hello @Grace Hopper and @gr")
    await hers.field.press_sequentially("mail@gr")
    await expect(names).to_be_hidden()
