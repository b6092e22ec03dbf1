"""A stream that is over for good: the room was closed, or its reader is signed out."""

from __future__ import annotations

from collections.abc import Callable

from playwright.async_api import expect

from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Browse, Enter
from tests.journeys.link import STREAM, Link
from tests.journeys.room_page import RoomPage
from tests.journeys.window import give_cookies


async def close(room: int, owner: Visitor) -> None:
    assert (await owner.fetch("DELETE", f"/rooms/{room}")).code == 204


def asked_for(room: int, requests: list[str]) -> list[str]:
    """The streams that were asked for with this room among others: those go on."""
    return [each for each in requests if each.startswith(STREAM) and f"room={room}&" in each]


async def test_a_room_that_is_closed_says_so_and_keeps_what_was_said(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    other = await enter(grace, clock=True)
    await ada.say(room, "we are closing")
    await close(room, owner=ada)
    await other.state("over")
    await expect(other.page.locator("#connection")).to_contain_text("This room was deleted")
    await other.shows("we are closing")
    asked = len(link.requests)
    await other.pass_by(120_000)
    await other.state("over")
    assert not asked_for(room, link.requests[asked:])


async def test_a_stream_that_is_over_twice_is_not_asked_a_third_time(
    browse: Browse, ada: Visitor, room: int, link: Link
) -> None:
    """A room whose closing stands in its log, and not yet in the list of rooms."""
    link.stream_answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 14\r\n\r\ndata: [DONE]\n\n"
    )
    window = await browse(ada)
    await window.page.clock.install()
    hers = RoomPage(window.page, room)
    await hers.enter()
    await hers.state("over")
    await hers.pass_by(120_000)
    await window.page.evaluate("window.dispatchEvent(new Event('online'))")
    await hers.pass_by(120_000)
    await hers.state("over")
    assert link.count(STREAM) == 2


async def test_a_room_that_was_closed_meanwhile_is_not_asked_for_again(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    other = await enter(grace, clock=True)
    link.cut()
    await close(room, owner=ada)
    link.mend()
    await other.state("over")
    asked = len(link.requests)
    await other.pass_by(120_000)
    await other.state("over")
    assert not asked_for(room, link.requests[asked:])


async def test_what_is_written_in_a_closed_room_is_refused_and_kept(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    other = await enter(grace)
    await close(room, owner=ada)
    await other.state("over")
    await other.say("too late")
    await expect(other.failed).to_contain_text("too late")
    await expect(other.failed).to_contain_text("Not sent: room not found.")


async def test_who_is_signed_out_keeps_what_they_wrote_until_they_are_back(
    browse: Browse, visit: Callable[[], Visitor], ada: Visitor, room: int
) -> None:
    mary = visit()
    await mary.sign_up(password="a password of hers")
    window = await browse(mary)
    hers = RoomPage(window.page, room)
    await hers.enter()
    await hers.live()
    await mary.fetch("POST", "/sign-out")
    await hers.say("kept for later")
    await expect(hers.failed).to_contain_text("Not sent: you are signed out.")
    await hers.failed.get_by_role("link", name="Sign in").click()
    await hers.page.get_by_label("Name").fill(mary.name)
    await hers.page.get_by_label("Password").fill("a password of hers")
    await hers.page.get_by_role("button", name="Sign in").click()
    await hers.page.wait_for_url(f"**/chat/{room}")
    await hers.shows("kept for later")
    await hers.agrees_with(ada)


async def test_a_page_whose_session_ended_stops_asking_and_offers_to_sign_in(
    browse: Browse, visit: Callable[[], Visitor], room: int
) -> None:
    mary = visit()
    await mary.sign_up()
    window = await browse(mary)
    hers = RoomPage(window.page, room)
    await hers.enter()
    await hers.live()
    await mary.fetch("POST", "/sign-out")
    await hers.state("signed-out")
    await expect(hers.page.locator("#connection").get_by_role("link", name="Sign in")).to_be_visible()
    await hers.page.locator("#connection").get_by_role("link", name="Sign in").click()
    await expect(hers.page.locator("input[name=next]")).to_have_value(f"/chat/{room}")


async def test_one_users_unsent_words_are_not_sent_as_another(
    enter: Enter, browse: Browse, visit: Callable[[], Visitor], ada: Visitor, room: int, link: Link
) -> None:
    """They share a browser, and Ada's tab stays open. What she wrote waits until she is back, whatever wakes her tab and
    whatever Mary sends meanwhile."""
    hers = await enter(ada)
    link.cut()
    await hers.say("from Ada alone")
    await expect(hers.unsent).to_have_count(1)
    mary = visit()
    await mary.sign_up()
    beside = RoomPage(await hers.page.context.new_page(), room)
    await sign_in(beside, mary, link)
    await hers.page.evaluate("window.dispatchEvent(new Event('online'))")
    await hers.state("somebody-else")
    said = []
    for number in range(3):
        await hers.page.evaluate("window.dispatchEvent(new Event('online'))")
        said.append(f"from Mary {number}")
        await beside.say(said[-1])
        await beside.shows(*said)
    assert [message["user_id"] for message in (await ada.page(room))["messages"]] == [mary.id] * 3
    await expect(beside.messages).to_have_count(3)
    await sign_in(beside, ada, link)
    await beside.shows(*said, "from Ada alone")
    messages = await beside.agrees_with(ada)
    assert [message["user_id"] for message in messages] == [mary.id] * 3 + [ada.id]


async def sign_in(page: RoomPage, who: Visitor, link: Link) -> None:
    """Gives the browser their cookies, while nothing can be sent, and loads the room as they see it."""
    link.cut()
    await give_cookies(page.page.context, who, link.address)
    link.mend()
    await page.enter()
    await page.live()
