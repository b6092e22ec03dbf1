"""What the server makes of a message's marks, on the page: and nothing that anybody writes ever runs."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable

import pytest
from playwright.async_api import expect

from tests.helpers.browserless import Visitor
from tests.helpers.html_page import read_page
from tests.helpers.server_process import ServerProcess
from tests.journeys.box import box_of
from tests.journeys.conftest import Browse, Enter
from tests.journeys.writing.test_changes import MARKUP

HOSTILE = (
    "<img src=x onerror=owned()> **bold**",
    "<script>owned()</script>\n\n# heading",
    "[press](javascript:owned())",
    "[press](JaVa\tScRiPt:owned())",
    "[press](data:text/html,<script>owned()</script>)",
    "<javascript:owned()>",
    '![image](https://example.org/x.png"onerror=owned())',
    "[title](https://example.org 'x\" onmouseover=owned() y')",
    'https://example.org/"onmouseover=owned()//',
    "```html\n</code></pre><img src=x onerror=owned()>\n```",
    '```"><img/src/onerror=owned()>\ncode\n```',
    "`</code><svg/onload=owned()>`",
    "> <svg><style><img src=x onerror=owned()></style></svg>",
    '*a* <math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=owned()&gt;">',
    "**x** &lt;img src=x onerror=owned()&gt; &#x3c;script&#x3e;owned()&#x3c;/script&#x3e;",
    "<a href=x id=room name=content>**clobber**</a>",
    "{{ user.id }} {% raw xsrf_token %} **t**",
)
HOSTILE_NAME = "<img src=x onerror=owned()>"

WATCH = "window.ran = []; window.owned = () => ran.push(location.href);"
DANGEROUS = """() => [...document.querySelectorAll(
    ":is(.message__html, .message__text, .message__author, .quote, .typing p, .context__text, .names) *"
)].filter(
    each => ["script", "style", "img", "svg", "iframe", "object", "form", "input", "math"].includes(each.localName)
        || each.getAttributeNames().some(name => name.startsWith("on") || name === "style" || name === "name")
        || each.id && !each.matches("[role=option]")
        || /^(javascript|data|vbscript):/i.test(each.href ?? "")
).map(each => each.outerHTML)"""


@pytest.mark.parametrize("width", [1280, 390])
async def test_nothing_that_was_written_runs(
    browse: Browse,
    enter: Enter,
    ada: Visitor,
    visit: Callable[..., Visitor],
    server: ServerProcess,
    room: int,
    width: int,
) -> None:
    """In messages, answers, changes, names and code; as it comes, after a reload, and without scripts. Every window of
    a journey also fails for what its content security policy had to forbid."""
    mallory = visit(server.address)
    await mallory.sign_up(f"{HOSTILE_NAME} {uuid.uuid4().hex[:8]}")
    hers = await enter(ada, width=width, script=WATCH)
    for text in HOSTILE:
        message = await mallory.say(room, text)
        answer = await mallory.reply(room, message["id"], "to that")
        await mallory.edit(room, answer["id"], f"{text} @{mallory.name}")
    await hers.has(len(HOSTILE) * 2)
    await expect(hers.row(answer["id"]).locator(".message__edited")).to_be_visible()
    await mallory.fetch("POST", f"/rooms/{room}/typing")
    await expect(hers.page.locator("#typing")).to_contain_text(mallory.name)
    await hers.field.press_sequentially("@")
    await expect(hers.page.get_by_role("option").first).to_contain_text(HOSTILE_NAME)
    await hers.field.fill("")
    await hers.act(answer["id"], "Reply")
    await expect(hers.page.locator("#context")).to_contain_text(HOSTILE_NAME)

    async def is_harmless() -> None:
        for link in await hers.page.locator(".message__html a").all():
            assert (await link.get_attribute("href") or "").startswith(("http://", "https://", "mailto:"))
            assert await link.get_attribute("rel") == "noopener noreferrer nofollow"
        assert await hers.page.evaluate(DANGEROUS) == []
        assert await hers.page.evaluate("ran") == []
        assert await hers.page.evaluate("room.dataset.userId") == str(ada.id)

    await is_harmless()
    await hers.page.reload()
    await hers.live()
    await is_harmless()


async def test_what_was_formatted_stands_where_its_text_would(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    hers, other = await asyncio.gather(enter(ada), enter(grace, width=390))
    await hers.say("**bold** and `code`\n\n```python\nprint('x' * 100)  # " + "long " * 40 + "\n```")
    for page in (hers, other):
        row = page.known.first
        await expect(row.locator("strong").last).to_have_text("bold")
        await expect(row.locator(".message__text")).to_be_hidden()
        block = row.locator("pre")
        assert await block.evaluate(
            "each => each.scrollWidth > each.clientWidth && getComputedStyle(each).overflowX === 'auto'"
        )
        assert await block.locator(".k, .nb, .s, .s1").count() > 0
        box = await box_of(block)
        width = await page.page.evaluate("innerWidth")
        assert box["x"] + box["width"] <= width
    assert (await hers.agrees_with(ada))[0]["content"].startswith("**bold**")


async def test_links_open_beside_the_talk(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, server: ServerProcess
) -> None:
    await grace.say(room, "see http://localhost:1/elsewhere or www.example.org")
    hers = await enter(ada)
    links = hers.messages.get_by_role("link")
    await expect(links).to_have_count(2)
    await hers.page.context.route("http://localhost:1/**", lambda route: route.fulfill(body="there"))
    async with hers.page.expect_popup() as opened:
        await links.first.click()
    popup = await opened.value
    assert popup.url == "http://localhost:1/elsewhere"
    assert await popup.evaluate("window.opener") is None
    await hers.live()


async def test_who_is_mentioned_sees_it_at_a_glance(enter: Enter, ada: Visitor, grace: Visitor, room: int) -> None:
    hers, other = await asyncio.gather(enter(ada), enter(grace))
    message = await grace.say(room, "shall @ada lovelace decide?")
    await expect(hers.page.locator(".message--mention")).to_have_attribute("data-id", message["id"])
    await expect(other.row(message["id"]).locator(".mention")).to_have_text("@ada lovelace")
    await expect(other.page.locator(".message--mention")).to_have_count(0)
    await hers.page.reload()
    await expect(hers.page.locator(".message--mention")).to_have_count(1)
    await grace.edit(room, message["id"], "shall we decide?")
    await expect(hers.page.locator(".message--mention")).to_have_count(0)
    await grace.edit(room, message["id"], "@Ada Lovelace decides")
    await expect(hers.page.locator(".message--mention")).to_have_count(1)


async def test_a_formatted_row_is_the_same_however_it_came_to_be(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    hers = await enter(ada)
    first = await grace.say(
        room,
        '*one* & <two> "three" &nbsp; `four`\n> five\n\n1. six\n   - seven\n\n~~eight~~ https://example.org/?a=1&b=2',
    )
    await grace.react(room, first["id"], "👏")
    await grace.say(room, "```js\nconst nine = \"<ten>\" && 'eleven';\n```\n@Ada Lovelace")
    last = await grace.reply(room, first["id"], "**twelve**\n" * 30)
    await expect(hers.row(last["id"])).to_be_visible()
    await expect(hers.row(first["id"]).get_by_role("button", name="👏")).to_be_visible()
    live = await hers.page.evaluate(MARKUP)
    await hers.page.reload()
    await hers.live()
    assert await hers.page.evaluate(MARKUP) == live


async def test_a_formatted_message_can_be_read_without_scripts(ada: Visitor, grace: Visitor, room: int) -> None:
    first = await grace.say(room, "**bold** @Ada Lovelace")
    await grace.react(room, first["id"], "👏")
    await grace.reply(room, first["id"], "an answer")
    page = read_page(await ada.get(f"/chat/{room}", headers={"Accept": "text/html"}))
    row = page.one("li", **{"data-id": first["id"]})
    assert row["class"] == "message message--mention"
    assert page.within(row, "span")[0].text == "**bold** @Ada Lovelace"
    assert json.loads(row["data-mentions"]) == ada.id
    assert page.one("a", **{"data-reply-to": first["id"]})["href"] == f"/chat/{room}?at={first['id']}"
