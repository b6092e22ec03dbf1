"""A browser without scripts: pages, links and forms do it all, but for what comes by itself."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.async_api import Page, expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Browse

PASSWORD = "correct horse"


@pytest.mark.parametrize("width", [1280, 390])
async def test_a_room_can_be_read_and_posted_to(
    browse: Browse, ada: Visitor, grace: Visitor, room: int, width: int
) -> None:
    for number in range(60):
        last = await grace.say(room, f"line {number}")
    await ada.fetch("PUT", f"/rooms/{room}/read", json_body={"id": last["id"]})
    page = (await browse(ada, width=width, java_script_enabled=False)).page
    await page.goto(f"/chat/{room}")
    messages = page.locator("#messages > li[data-id]")
    await expect(messages.locator("span")).to_have_text([f"line {number}" for number in range(10, 60)])

    await page.get_by_role("textbox").fill("without a script\n<b>as it came</b>")
    await page.get_by_role("button", name="Send").click()
    await page.wait_for_url(f"**/chat/{room}")
    assert await messages.last.locator("span").text_content() == "without a script\n<b>as it came</b>"
    await expect(messages).to_have_count(50)

    await page.get_by_role("link", name="Older", exact=True).click()
    await expect(messages.locator("span")).to_have_text([f"line {number}" for number in range(11)])
    await page.get_by_role("link", name="Jump to latest").click()
    await expect(messages).to_have_count(50)


async def test_what_was_refused_stays_in_the_form(browse: Browse, ada: Visitor, room: int) -> None:
    page = (await browse(ada, java_script_enabled=False)).page
    await page.goto(f"/chat/{room}")
    await page.get_by_role("textbox").fill("   ")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("alert")).to_have_text("Not sent: room_id and content required.")
    await page.goto("/chat")
    name = f"Room {uuid.uuid4().hex}"
    for _ in range(2):
        await page.goto("/chat")
        await page.get_by_label(re.compile("Create a room")).fill(name)
        await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("alert")).to_have_text("That name is taken.")
    await expect(page.get_by_label(re.compile("Create a room"))).to_have_value(name)


async def test_from_the_door_to_the_first_word_and_out_again(browse: Browse, room: int) -> None:
    page = (await browse(java_script_enabled=False)).page
    name = f"Mary {uuid.uuid4().hex}"
    await page.goto(f"/chat/{room}")
    await page.wait_for_url("**/sign-in?next=*")
    await page.get_by_role("link", name="Create account").click()
    await fill_in(page, name, "Create account")
    await page.wait_for_url(f"**/chat/{room}")

    await page.get_by_role("link", name="Rooms", exact=True).first.click()
    await page.get_by_label(re.compile("Create a room")).fill(f"Room of {name}")
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", name=f"Room of {name}")).to_be_visible()
    await page.get_by_role("textbox").fill("the first word")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#messages span")).to_have_text("the first word")

    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/sign-in")
    await fill_in(page, name, "Sign in", "the wrong one")
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_label("Name")).to_have_value(name)
    await fill_in(page, name, "Sign in")
    await page.wait_for_url("**/chat")


async def fill_in(page: Page, name: str, button: str, password: str = PASSWORD) -> None:
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name=button).click()


async def test_what_was_said_is_found_from_the_page_of_the_rooms(browse: Browse, ada: Visitor, room: int) -> None:
    word = f"w{uuid.uuid4().hex}"
    await ada.say(room, f"somewhere {word} is")
    page = (await browse(ada, java_script_enabled=False)).page
    await page.goto("/chat")
    await page.get_by_role("link", name="Search").click()
    await page.get_by_label("Find messages with all of these words").fill(word)
    await page.get_by_role("button", name="Search").click()
    await page.locator(".results__result").click()
    await expect(page.locator("#messages span").first).to_have_text(f"somewhere {word} is")
