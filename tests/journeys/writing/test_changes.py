"""Messages are changed, taken back, reacted to and answered; everybody sees it where it stands, and after a reload too."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Route, expect

from tests.helpers.browserless import Visitor
from tests.journeys.box import box_of
from tests.journeys.conftest import Enter
from tests.journeys.room_page import RoomPage

MARKUP = """() => [...document.querySelectorAll("#messages > li[data-id]")].map(row => {
    const copy = row.cloneNode(true);
    copy.querySelectorAll(".message__unread").forEach(each => each.remove());
    copy.classList.remove("message--more");
    const written = each => [...each.childNodes].map(node => {
        if (node.nodeType !== Node.ELEMENT_NODE) {
            return node.textContent.trim();
        }
        const attributes = [...node.attributes].map(
            ({ name, value }) => `${name}=${name === "class" ? value.split(" ").sort().join(" ") : value}`
        );
        return `<${node.localName} ${attributes.sort().join(" ")}>${written(node)}</>`;
    }).filter(Boolean).join("");
    const shell = document.createElement("div");
    shell.append(copy);
    return written(shell);
})"""


async def pressed(page: RoomPage, id_: str, emoji: str, count: int, *, mine: bool) -> None:
    button = page.row(id_).get_by_role("button", name=emoji)
    await expect(button).to_have_text(re.compile(rf"\s{count}$"))
    await expect(button).to_have_attribute("aria-pressed", "true" if mine else "false")


@pytest.mark.parametrize("width", [1280, 390])
async def test_up_changes_the_last_message_of_ones_own(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, width: int
) -> None:
    hers, other = await asyncio.gather(enter(ada, width=width), enter(grace, width=width))
    message = await ada.say(room, "Shall we sihp it?")
    await grace.say(room, "pardon?")
    await hers.shows("Shall we sihp it?", "pardon?")
    await hers.field.press("ArrowUp")
    await expect(hers.field).to_have_value("Shall we sihp it?")
    await expect(hers.page.locator("#context")).to_contain_text("Editing your message")
    await hers.field.fill("Shall we ship it?")
    await hers.field.press("Enter")
    for page in (hers, other):
        await page.shows("Shall we ship it?", "pardon?")
        await expect(page.row(message["id"]).locator(".message__edited")).to_have_attribute(
            "title", re.compile("Edited .* 2")
        )
    await expect(hers.field).to_have_value("")
    await expect(hers.page.locator("#context")).to_be_hidden()
    await other.page.reload()
    await other.shows("Shall we ship it?", "pardon?")
    await expect(other.row(message["id"]).locator(".message__edited")).to_be_visible()


async def test_escape_leaves_a_change_and_brings_the_draft_back(enter: Enter, ada: Visitor, room: int) -> None:
    hers = await enter(ada)
    message = await ada.say(room, "as it was")
    await hers.field.fill("a draft")
    await hers.act(message["id"], "Edit")
    await hers.field.fill("as it never will be")
    await hers.page.reload()
    await expect(hers.field).to_have_value("a draft")
    await hers.act(message["id"], "Edit")
    await expect(hers.field).to_have_value("as it was")
    await hers.field.press("Escape")
    await expect(hers.field).to_have_value("a draft")
    await expect(hers.field).to_be_focused()
    await hers.shows("as it was")


async def test_a_change_that_fails_says_so_and_loses_nothing(enter: Enter, ada: Visitor, room: int) -> None:
    hers = await enter(ada)
    message = await ada.say(room, "first")
    path = f"**/messages/{message['id']}"
    await hers.act(message["id"], "Edit")
    await hers.page.route(path, lambda route: route.abort())
    await hers.field.fill("second")
    await hers.field.press("Enter")
    await expect(hers.row(message["id"])).to_contain_text("Not saved: you're offline.")
    await expect(hers.field).to_have_value("second")
    await hers.page.unroute(path)
    await hers.field.press("Enter")
    await hers.shows("second")
    await expect(hers.row(message["id"])).not_to_contain_text("Not saved")
    await expect(hers.field).to_have_value("")


async def test_a_deleted_message_leaves_a_line_in_its_place(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    hers, other = await asyncio.gather(enter(ada), enter(grace))
    message = await ada.say(room, "said too soon")
    await grace.react(room, message["id"], "👀")
    await other.act(message["id"], "Reply")
    await hers.act(message["id"], "Delete")
    await expect(hers.page.get_by_role("dialog")).to_contain_text("said too soon")
    await hers.page.get_by_role("button", name="Cancel").click()
    await hers.shows("said too soon")
    await hers.act(message["id"], "Delete")
    await hers.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    for page in (hers, other):
        await expect(page.row(message["id"]).locator(".message__gone")).to_be_visible()
        await page.shows("")
        await expect(page.row(message["id"]).get_by_role("button")).to_have_count(0)
        await page.row(message["id"]).hover()
        await expect(page.page.get_by_role("toolbar")).to_be_hidden()
    await other.page.reload()
    await other.live()
    await expect(other.row(message["id"])).to_contain_text("This message was deleted.")
    await other.agrees_with(grace)


async def test_only_ones_own_messages_can_be_changed(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    hers = await enter(ada)
    message = await grace.say(room, "mine")
    await hers.row(message["id"]).hover()
    buttons = hers.page.get_by_role("toolbar").get_by_role("button")
    await expect(buttons).to_have_count(3)
    await hers.field.press("ArrowUp")
    await expect(hers.page.locator("#context")).to_be_hidden()


async def test_a_reaction_is_there_at_once_and_then_everywhere(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    hers, other = await asyncio.gather(enter(ada), enter(grace))
    message = await grace.say(room, "Nobody noticed.")
    id_ = message["id"]
    answer = asyncio.Event()

    async def wait(route: Route) -> None:
        await answer.wait()
        await route.continue_()

    await hers.page.route("**/reactions/*", wait)
    await hers.act(id_, "React")
    await hers.page.get_by_role("searchbox").fill("clap")
    await hers.page.get_by_role("searchbox").press("Enter")
    await pressed(hers, id_, "👏", 1, mine=True)
    answer.set()
    await pressed(other, id_, "👏", 1, mine=False)
    await other.row(id_).get_by_role("button", name="👏").click()
    await pressed(hers, id_, "👏", 2, mine=True)
    await hers.row(id_).get_by_role("button", name="👏").hover()
    await expect(hers.row(id_).get_by_role("button", name="👏")).to_have_attribute(
        "title", "Ada Lovelace (you) and Grace Hopper reacted with 👏"
    )
    await hers.row(id_).get_by_role("button", name="👏").click()
    await pressed(other, id_, "👏", 1, mine=True)
    await hers.page.reload()
    await pressed(hers, id_, "👏", 1, mine=False)


async def test_a_reaction_that_does_not_get_through_is_taken_back(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    hers = await enter(ada)
    message = await grace.say(room, "Nobody noticed.")
    await grace.react(room, message["id"], "🚢")
    await hers.page.route("**/reactions/*", lambda route: route.abort())
    await hers.row(message["id"]).get_by_role("button", name="🚢").click()
    await expect(hers.row(message["id"])).to_contain_text("Couldn't add 🚢: you're offline.")
    await pressed(hers, message["id"], "🚢", 1, mine=False)
    await hers.row(message["id"]).get_by_role("button", name="Dismiss").click()
    await expect(hers.row(message["id"])).not_to_contain_text("Couldn't add")
    await expect(hers.row(message["id"])).to_be_focused()


async def test_of_many_presses_the_last_one_counts(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    hers, other = await asyncio.gather(enter(ada), enter(grace))
    message = await grace.say(room, "well?")
    await grace.react(room, message["id"], "👍")
    button = hers.row(message["id"]).get_by_role("button", name="👍")
    for _ in range(5):
        await button.click()
    await pressed(hers, message["id"], "👍", 2, mine=True)
    await pressed(other, message["id"], "👍", 2, mine=True)
    await button.click()
    await pressed(other, message["id"], "👍", 1, mine=True)
    await pressed(hers, message["id"], "👍", 1, mine=False)


async def test_an_answer_shows_what_it_answers_and_goes_there(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    hers, other = await asyncio.gather(enter(ada), enter(grace))
    message = await grace.say(room, "who is on call?")
    for number in range(30):
        await grace.say(room, f"something else {number}")
    await hers.has(31)
    await hers.go_up()
    await hers.act(message["id"], "Reply")
    await expect(hers.page.locator("#context")).to_contain_text("Replying to Grace Hopper who is on call?")
    await hers.page.reload()
    await hers.live()
    await hers.say("I am")
    quote = other.messages.last.get_by_role("link", name="Grace Hopper who is on call?")
    await expect(quote).to_be_visible()
    await expect(hers.page.locator("#context")).to_be_hidden()
    await expect(other.row(message["id"])).not_to_be_in_viewport()
    await quote.press("Enter")
    await expect(other.row(message["id"])).to_be_in_viewport()
    await expect(other.row(message["id"])).to_be_focused()


async def test_an_answer_that_could_not_be_sent_still_answers_after_a_reload(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    hers = await enter(ada)
    message = await grace.say(room, "who is on call?")
    await hers.act(message["id"], "Reply")
    posts = re.compile(r"/messages$")
    await hers.page.route(posts, lambda route: route.abort())
    await hers.say("I am")
    await expect(hers.unsent.locator("a.quote")).to_have_text("Grace Hopper who is on call?")
    await hers.page.goto("about:blank")
    await hers.page.unroute(posts)
    await hers.enter()
    await hers.live()
    await hers.shows("who is on call?", "I am")
    await expect(hers.unsent).to_have_count(0)
    answer = (await hers.agrees_with(ada))[-1]
    assert answer["reply_to"] == {"id": message["id"], "user_name": "Grace Hopper", "content": "who is on call?"}


async def test_a_change_above_keeps_the_readers_place(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    messages = [await grace.say(room, f"line {number}\nand one more") for number in range(50)]
    hers = await enter(ada)
    await hers.scroll_to(800)
    reading, top = await hers.reading()
    await grace.edit(room, messages[2]["id"], "one\ntwo\nthree\nfour")
    await grace.react(room, messages[3]["id"], "👍")
    await grace.delete(room, messages[4]["id"])
    await expect(hers.row(messages[4]["id"])).to_contain_text("deleted")
    assert abs(await hers.top_of(reading) - top) < 1


async def test_a_row_is_the_same_however_it_came_to_be(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    """Made in the browser from what the stream said, and made by the server for a page that is loaded."""
    hers = await enter(ada)
    first = await grace.say(room, "what is this?")
    await grace.reply(room, first["id"], 'an <answer> & "more"')
    edited = await ada.say(room, "befor")
    await ada.edit(room, edited["id"], "before")
    for who, emoji in ((grace, "👏"), (ada, "👏"), (grace, "❤️")):
        await who.react(room, edited["id"], emoji)
    gone = await ada.say(room, "gone")
    await ada.delete(room, gone["id"])
    await grace.say(room, "🎉 👩‍👩‍👧")
    await grace.say(room, "\n".join(["a line"] * 40))
    last = await ada.say(room, "the last")
    await expect(hers.row(last["id"])).to_be_visible()
    await expect(hers.row(gone["id"])).to_contain_text("deleted")
    live = await hers.page.evaluate(MARKUP)
    await hers.page.reload()
    await hers.live()
    assert await hers.page.evaluate(MARKUP) == live


async def test_a_long_message_is_folded_until_it_is_asked_for(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    message = await grace.say(room, "\n".join(f"line {number}" for number in range(60)))
    hers = await enter(ada)
    row = hers.row(message["id"])
    folded = (await box_of(row))["height"]
    await row.get_by_role("button", name="Show all").click()
    assert (await box_of(row))["height"] > folded * 2
    await row.get_by_role("button", name="Show less").click()
    assert (await box_of(row))["height"] == folded
