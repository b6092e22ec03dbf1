"""Every page, on a desk and on a phone: nothing on the console, nothing forbidden, nothing that sticks out."""

from __future__ import annotations

import uuid

import pytest

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Browse
from tests.journeys.room_page import RoomPage

widths = pytest.mark.parametrize("width", [1280, 390])

TALK = ("hello", "a line\nand one more", "no-blank-in-it-" * 60, "https://example.org/" + "x" * 500)


@widths
async def test_the_doors(browse: Browse, width: int) -> None:
    window = await browse(width=width)
    for path in ("/sign-in", "/sign-up", "/sign-in?next=/chat/1"):
        await window.page.goto(path)
        await window.is_in_order()


@widths
async def test_the_rooms_and_a_room_without_and_with_talk(
    browse: Browse, ada: Visitor, grace: Visitor, width: int
) -> None:
    room = await ada.make_room((uuid.uuid4().hex * 3)[:80])  # the longest name there is, without a blank
    window = await browse(ada, width=width)
    await window.page.goto("/chat")
    await window.is_in_order()
    hers = RoomPage(window.page, room)
    await hers.enter()
    await hers.live()
    await window.is_in_order()
    for text in TALK:
        await grace.say(room, text)
    await hers.say("my own")
    await hers.has(len(TALK) + 1)
    await window.is_in_order()


@widths
async def test_a_page_that_is_not_there(browse: Browse, ada: Visitor, width: int) -> None:
    window = await browse(ada, width=width)
    await window.page.goto("/chat/999999999")
    assert [complaint for complaint in window.complaints if "404" not in complaint] == []
    window.complaints.clear()
    await window.is_in_order()


async def test_the_policy_forbids_what_was_injected(browse: Browse, ada: Visitor, room: int) -> None:
    """And every journey would notice."""
    window = await browse(ada)
    await window.page.goto(f"/chat/{room}")
    let_through = await window.page.evaluate(
        """() => {
            const script = document.createElement("script");
            const attempts = {
                markup: () => document.body.insertAdjacentHTML("beforeend", "<b>owned</b>"),
                script: () => (script.textContent = "document.title = 'owned'"),
                policy: () => trustedTypes.createPolicy("another", { createHTML: html => html }),
            };
            script.append("document.title = 'owned'");
            document.body.append(script);
            document.body.setAttribute("style", "color: red");
            return Object.keys(attempts).filter(name => { try { attempts[name](); return true; } catch { return false; } });
        }"""
    )
    assert let_through == []
    assert "owned" not in await window.page.title()
    assert window.faults != []
    window.faults.clear()
