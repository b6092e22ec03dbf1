"""Two people in one browser: nobody's words go out under another name, and who signed out has left nothing to be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Browse
from tests.journeys.link import Link
from tests.journeys.room_page import RoomPage
from tests.journeys.window import give_cookies

PASSWORD = "correct horse"
KEPT = """async () => {
    const all = [localStorage, sessionStorage].flatMap(each => Object.entries(each)).flat();
    const open = indexedDB.open("harbour");
    const database = await new Promise(done => (open.onsuccess = () => done(open.result)));
    if (database.objectStoreNames.contains("outbox")) {
        const found = database.transaction("outbox").objectStore("outbox").getAll();
        all.push(JSON.stringify(await new Promise(done => (found.onsuccess = () => done(found.result)))));
    }
    database.close();
    return all.join("\\n");
}"""
"""All that the browser keeps for the site, as one text."""


@pytest.fixture
def bob(visit: Callable[[], Visitor], io_loop: Any) -> Visitor:
    visitor = visit()
    io_loop.run_sync(visitor.sign_up)
    return visitor


@pytest.fixture
def ann(visit: Callable[[], Visitor], io_loop: Any) -> Visitor:
    visitor = visit()
    io_loop.run_sync(visitor.sign_up)
    return visitor


async def enter(browse: Browse, who: Visitor, room: int) -> RoomPage:
    page = RoomPage((await browse(who)).page, room)
    await page.enter()
    await page.live()
    return page


async def beside(page: RoomPage) -> Page:
    """Another tab of the same browser."""
    return await page.page.context.new_page()


async def sign_in(tab: Page, who: Visitor) -> None:
    await tab.goto("/sign-in?next=/chat")
    await tab.get_by_label("Name").fill(who.name)
    await tab.get_by_label("Password").fill(PASSWORD)
    await tab.get_by_role("button", name="Sign in").click()
    await tab.wait_for_url("**/chat")


async def sign_out(tab: Page) -> None:
    await tab.get_by_role("button", name="Sign out").click()
    await tab.wait_for_url("**/sign-in")


async def reads_nothing(tab: Page, *words: str) -> None:
    """Not a word of it is on the page, nor in what the browser keeps."""
    text = await tab.evaluate("document.documentElement.outerHTML")
    text += await tab.evaluate("[...document.querySelectorAll('input, textarea')].map(each => each.value).join()")
    text += await tab.evaluate(KEPT)
    assert [word for word in words if word in text] == []


async def test_a_page_acts_for_nobody_but_its_user(
    browse: Browse, ann: Visitor, bob: Visitor, room: int, link: Link
) -> None:
    """Ann's words wait for a connection; her session ends, Bob signs in beside her page, and the connection is back."""
    await ann.say(room, "said before")
    hers = await enter(browse, ann, room)
    await hers.page.route("**/messages", abort_posts)
    await hers.say("waiting for the line")
    await expect(hers.unsent).to_have_count(1)
    await hers.field.fill("half a thought of hers")
    await hers.page.evaluate(
        "fetch('/sign-out', {method: 'POST', headers: {'X-CSRF-Token': document.querySelector('meta[name=csrf-token]').content}})"
    )
    await hers.state("signed-out")
    tab = await beside(hers)
    await sign_in(tab, bob)
    await hers.state("somebody-else")
    await hers.page.unroute("**/messages")
    await hers.page.evaluate("dispatchEvent(new Event('online'))")
    await expect(hers.page.locator("#page-over")).to_contain_text("Somebody else is signed in")
    await expect(hers.messages).to_have_count(0)
    await expect(hers.field).to_have_value("")
    await hers.page.bring_to_front()
    await hers.field.fill("written afterwards")
    await hers.field.press("Enter")
    await expect(hers.messages).to_have_count(0)
    # What the page could still ask for is refused by the server.
    his = RoomPage(tab, room)
    await his.enter()
    await his.live()
    await his.say("of Bob himself")
    await his.shows("said before", "of Bob himself")
    await sign_out(tab)
    await sign_in(tab, ann)
    await his.enter()
    await his.shows("said before", "of Bob himself", "waiting for the line")
    await expect(his.field).to_have_value("half a thought of hers")
    messages = await his.agrees_with(bob)
    assert [message["user_id"] for message in messages] == [ann.id, bob.id, ann.id]


async def abort_posts(route: Any) -> None:
    if route.request.method == "POST":
        await route.abort()
    else:
        await route.continue_()


async def test_a_page_without_a_connection_hears_of_it_when_it_is_back(
    browse: Browse, ann: Visitor, bob: Visitor, room: int, link: Link
) -> None:
    """The browser's session is Bob's by then, and no other tab has told."""
    hers = await enter(browse, ann, room)
    link.cut()
    await hers.say("from Ann alone")
    await expect(hers.unsent).to_have_count(1)
    await hers.page.context.clear_cookies()
    await give_cookies(hers.page.context, bob, link.address)
    link.mend()
    await hers.page.evaluate("dispatchEvent(new Event('online'))")
    await hers.state("somebody-else")
    await expect(hers.messages).to_have_count(0)
    assert (await bob.page(room))["messages"] == []


async def test_nothing_can_be_read_when_somebody_has_signed_out(browse: Browse, ann: Visitor, room: int) -> None:
    """In no tab, by no way back, and in nothing that the browser keeps."""
    await ann.say(room, "the secret of the house")
    hers = await enter(browse, ann, room)
    await hers.act((await hers.ids())[0], "React")
    await hers.page.keyboard.press("Escape")
    tab = RoomPage(await beside(hers), room)
    await tab.enter()
    await tab.live()
    await tab.field.fill("half a thought of hers")
    lobby = await beside(hers)
    await lobby.goto("/chat")
    name = await lobby.locator("#rooms strong").first.inner_text()
    await sign_out(lobby)
    for page in (hers, tab):
        await page.state("signed-out")
        await expect(page.page.locator("#page-over")).to_contain_text("You are signed out.")
        await expect(page.messages).to_have_count(0)
        await reads_nothing(page.page, "the secret of the house", name)
        await page.page.goto("/sign-in")
    await reads_nothing(tab.page, "the secret of the house", "recent-room", "notices", "emoji:", "half a thought")
    for each in (hers.page, tab.page, lobby):
        await each.go_back()
        await each.wait_for_url("**/sign-in?next*")
        await reads_nothing(each, "the secret of the house", name)


async def test_who_signs_out_is_asked_about_what_is_not_sent(
    browse: Browse, ann: Visitor, bob: Visitor, room: int
) -> None:
    hers = await enter(browse, ann, room)
    await hers.page.route("**/messages", abort_posts)
    await hers.say("never to be sent")
    await expect(hers.unsent).to_have_count(1)
    await hers.page.get_by_role("button", name="Sign out").click()
    question = hers.page.get_by_role("dialog", name="Sign out?")
    await expect(question).to_contain_text("1 message is not sent yet")
    await question.get_by_role("button", name="Stay").click()
    await expect(hers.unsent).to_have_count(1)
    await hers.page.get_by_role("button", name="Sign out").click()
    await question.get_by_role("button", name="Sign out").click()
    await hers.page.wait_for_url("**/sign-in")
    await reads_nothing(hers.page, "never to be sent")
    await hers.page.unroute("**/messages")
    await sign_in(hers.page, ann)
    await hers.enter()
    await hers.live()
    await hers.say("another day")
    await hers.shows("another day")
    await expect(hers.messages).to_have_count(1)


async def test_a_tab_that_was_elsewhere_when_its_user_signed_out_shows_and_keeps_nothing(
    browse: Browse, ann: Visitor, bob: Visitor, room: int
) -> None:
    await ann.say(room, "said before")
    hers = await enter(browse, ann, room)
    await hers.field.fill("half a thought of hers")
    await hers.page.goto("/healthz")
    tab = await beside(hers)
    await tab.goto("/chat")
    await tab.get_by_role("button", name="Sign out").click()
    await tab.wait_for_url("**/sign-in")
    await hers.page.go_back()
    await hers.page.wait_for_url("**/sign-in?next*")
    await sign_in(hers.page, bob)
    await hers.enter()
    await hers.shows("said before")
    await reads_nothing(hers.page, "half a thought of hers")


async def test_where_nobody_could_be_asked_what_was_not_sent_waits_for_its_writer(
    browse: Browse, ann: Visitor, bob: Visitor, room: int
) -> None:
    hers = await enter(browse, ann, room)
    await hers.page.route("**/messages", abort_posts)
    await hers.say("waiting for the line")
    await expect(hers.unsent).to_have_count(1)
    await hers.field.fill("half a thought of hers")
    await hers.page.evaluate("document.getElementById('sign-out').requestSubmit()")
    await hers.page.wait_for_url("**/sign-in")
    await reads_nothing(hers.page, "half a thought of hers")
    await hers.page.unroute("**/messages")
    await sign_in(hers.page, bob)
    await hers.enter()
    await hers.live()
    await expect(hers.messages).to_have_count(0)
    await sign_out(hers.page)
    await sign_in(hers.page, ann)
    await hers.enter()
    await hers.shows("waiting for the line")
    assert [message["user_id"] for message in await hers.agrees_with(bob)] == [ann.id]


async def test_the_words_of_another_user_wait_while_somebody_signs_out(
    browse: Browse, ann: Visitor, bob: Visitor, room: int, link: Link
) -> None:
    his = await enter(browse, bob, room)
    link.cut()
    await his.say("Bob's, for later")
    await expect(his.unsent).to_have_count(1)
    await his.page.context.clear_cookies()
    link.mend()
    await his.state("signed-out")
    await sign_in(his.page, ann)
    await sign_out(his.page)
    await sign_in(his.page, bob)
    await his.enter()
    await his.shows("Bob's, for later")
    assert [message["user_id"] for message in await his.agrees_with(bob)] == [bob.id]


async def test_who_has_no_connection_stays_signed_in_and_is_told(
    browse: Browse, ann: Visitor, room: int, link: Link
) -> None:
    hers = await enter(browse, ann, room)
    await hers.page.route("**/sign-out", lambda route: route.abort())
    await hers.page.get_by_role("button", name="Sign out").click()
    await expect(hers.page.locator("#leaving-word")).to_contain_text("You are still signed in")
    await hers.say("still here")
    await hers.shows("still here")
