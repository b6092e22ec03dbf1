"""What was written reaches the room once, in the order of writing, however long it takes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from playwright.async_api import Error, Page, Route, expect

from tests.helpers.browserless import WAIT_SECONDS, Visitor
from tests.journeys.conftest import Enter
from tests.journeys.link import Link
from tests.journeys.window import give_cookies

POSTS = re.compile(r"/messages$")


class Answers:
    """Answers the page's posts in the chat's place, one after the other; then they reach the chat again."""

    def __init__(self, *answers: str) -> None:
        """`lost`: the chat does what was asked, and its answer gets lost. `422`: refused so."""
        self.answers = list(answers)
        self.client_ids: list[str] = []

    async def __call__(self, route: Route) -> None:
        self.client_ids.append(json.loads(route.request.post_data or "")["client_id"])
        answer = self.answers.pop(0) if self.answers else None
        if answer is None:
            await route.continue_()
        elif answer == "lost":
            await route.fetch()
            await route.abort()
        else:
            error = {"error": HTTPStatus(int(answer)).phrase.lower()}
            await route.fulfill(status=int(answer), headers={"Retry-After": "30"}, json=error)

    async def stand_in(self, page: Page) -> Answers:
        await page.route(POSTS, self)
        return self


async def test_ten_messages_written_while_the_server_is_down_survive_a_reload(
    enter: Enter, ada: Visitor, grace: Visitor, room: int, link: Link
) -> None:
    hers = await enter(ada)
    written = [f"line {number}" for number in range(10)]
    link.cut()
    await hers.say_all(written)
    await expect(hers.unsent.locator("span")).to_have_text(written)
    await expect(hers.field).to_be_editable()
    with contextlib.suppress(Error):
        await hers.page.reload()
    await hers.page.wait_for_function("location.protocol === 'chrome-error:'")
    await grace.say(room, "before them")
    link.mend()
    await hers.enter()
    await hers.shows("before them", *written)
    await hers.agrees_with(ada)


async def test_ten_messages_go_out_by_themselves_when_the_server_is_back(
    enter: Enter, ada: Visitor, link: Link
) -> None:
    hers = await enter(ada)
    link.cut()
    written = [f"line {number}" for number in range(10)]
    await hers.say_all(written)
    link.mend()
    await hers.shows(*written)
    await hers.agrees_with(ada)


async def test_what_was_left_behind_goes_out_from_the_list_of_rooms(enter: Enter, ada: Visitor, link: Link) -> None:
    hers = await enter(ada)
    link.cut()
    await hers.say("left behind")
    await expect(hers.unsent).to_have_count(1)
    await hers.page.goto("about:blank")
    link.mend()
    async with hers.page.expect_response(POSTS) as answer:
        await hers.page.goto("/chat")
    assert (await answer.value).status in {200, 201}
    await hers.enter()
    await hers.shows("left behind")


async def test_two_tabs_that_send_the_same_entry_make_one_message(enter: Enter, ada: Visitor, link: Link) -> None:
    hers = await enter(ada)
    link.cut()
    await hers.say_all(["one", "two"])
    await expect(hers.unsent).to_have_count(2)
    tab = await hers.page.context.new_page()
    link.mend()
    await tab.goto(f"/chat/{hers.room}")
    await hers.shows("one", "two")
    await expect(tab.locator("#messages > li[data-id] span")).to_have_text(["one", "two"])
    await hers.agrees_with(ada)


async def test_a_lost_answer_makes_no_second_message(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    answers = await Answers("lost").stand_in(hers.page)
    await hers.say_all(["once", "and then"])
    await hers.shows("once", "and then")
    await hers.agrees_with(ada)
    assert len(set(answers.client_ids)) == 2


async def test_a_repeat_is_acknowledged_even_if_the_stream_is_mute(enter: Enter, ada: Visitor, link: Link) -> None:
    hers = await enter(ada)
    link.alter = lambda frame: b""
    answers = await Answers("lost", "lost").stand_in(hers.page)
    await hers.say("once")
    await hers.shows("once")
    await expect(hers.unsent).to_have_count(0)
    assert len(answers.client_ids) == 3
    assert len(set(answers.client_ids)) == 1
    assert len((await ada.page(hers.room))["messages"]) == 1


async def test_to_be_seen_on_the_stream_is_as_good_as_an_answer(enter: Enter, ada: Visitor) -> None:
    """Every answer about the first gets lost. The second may go out when the first is known to have arrived."""
    hers = await enter(ada)

    async def lose(route: Route) -> None:
        if "first" in (route.request.post_data or ""):
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await hers.page.route(POSTS, lose)
    await hers.say_all(["first", "second"])
    await hers.shows("first", "second")


async def test_what_is_refused_waits_for_its_writer_and_lets_the_others_pass(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    await Answers("422").stand_in(hers.page)
    await hers.say_all(["refused", "taken"])
    await expect(hers.failed).to_contain_text("Not sent: unprocessable")
    await hers.shows("taken")
    await hers.failed.get_by_role("button", name="Try again").click()
    await hers.shows("taken", "refused")
    await hers.agrees_with(ada)


async def test_what_is_discarded_is_gone_for_good(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    await Answers("422", "422").stand_in(hers.page)
    await hers.say_all(["first", "second"])
    await expect(hers.failed).to_have_count(2)
    await hers.failed.first.get_by_role("button", name="Discard").click()
    await expect(hers.failed.locator("span")).to_have_text(["second"])
    await hers.page.reload()
    await expect(hers.failed.locator("span")).to_have_text(["second"])
    await hers.failed.get_by_role("button", name="Try again").click()
    await hers.shows("second")
    await hers.agrees_with(ada)


async def test_what_has_waited_for_long_says_so_and_can_be_tried_at_once(
    enter: Enter, ada: Visitor, link: Link
) -> None:
    """By the page's own clock, which stands still but for the time that passes here: it tries nothing by itself."""
    hers = await enter(ada, clock=True)
    await hers.page.clock.pause_at(datetime.now(UTC).timestamp() + 60)
    link.cut()
    await hers.say("slow")
    await expect(hers.unsent).to_contain_text("Sending…")
    await hers.pass_by(20_000)
    await expect(hers.failed).to_contain_text("Not sent yet.")
    link.mend()
    await hers.failed.get_by_role("button", name="Try again").click()
    await hers.shows("slow")
    await expect(hers.failed).to_have_count(0)


async def test_a_server_that_asks_for_patience_gets_it(enter: Enter, ada: Visitor) -> None:
    """By the page's own clock, which stands still but for the seconds that are counted here."""
    hers = await enter(ada, clock=True)
    await hers.page.clock.pause_at(datetime.now(UTC).timestamp() + 60)
    await hers.live()
    answers = await Answers("429").stand_in(hers.page)
    async with hers.page.expect_response(POSTS) as refusal:
        await hers.say("patience")
    await (await refusal.value).finished()
    seconds = 0
    async with asyncio.timeout(WAIT_SECONDS):
        while not await hers.known.count():
            await hers.page.clock.run_for(1_000)
            seconds += 1
    assert seconds >= 30
    assert len(set(answers.client_ids)) == 1


async def test_a_page_that_is_older_than_its_token_gets_a_new_one(
    enter: Enter, visit: Callable[[], Visitor], ada: Visitor
) -> None:
    """She has signed in anew, beside it."""
    hers = await enter(ada)
    again = visit()
    await again.fetch("POST", "/sign-in", json_body={"name": ada.name, "password": "correct horse"})
    await give_cookies(hers.page.context, again, hers.page.url)
    await hers.say("with a stale token")
    await hers.shows("with a stale token")
    await hers.agrees_with(ada)


NO_DATABASE = "Object.defineProperty(window, 'indexedDB', { value: undefined })"


@pytest.mark.parametrize("script", [None, NO_DATABASE], ids=["usual", "no database"])
async def test_what_is_sent_in_the_moment_of_a_reload_is_kept(
    enter: Enter, ada: Visitor, link: Link, script: str | None
) -> None:
    hers = await enter(ada, script=script)
    link.cut()
    await hers.say("first")
    await hers.field.fill("second")
    with contextlib.suppress(Error):
        await hers.page.evaluate("document.getElementById('message-form').requestSubmit(); location.reload()")
    await hers.page.wait_for_function("location.protocol === 'chrome-error:'")
    link.mend()
    await hers.enter()
    await hers.shows("first", "second")
    await hers.agrees_with(ada)
    await hers.page.wait_for_function("Object.keys(localStorage).every(key => !key.startsWith('harbour:outbox:'))")


@pytest.mark.parametrize(
    "broken",
    [
        NO_DATABASE,
        "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError') }",
        "IDBObjectStore.prototype.add = () => { throw new DOMException('full', 'QuotaExceededError') }",
        f"{NO_DATABASE}; Storage.prototype.setItem = () => {{ throw new DOMException('full', 'QuotaExceededError') }}",
        "delete Navigator.prototype.locks; delete window.BroadcastChannel",
        "LockManager.prototype.request = () => Promise.reject(new DOMException('no', 'SecurityError'))",
    ],
    ids=["missing", "forbidden", "full", "nothing at all", "no tabs", "no locks"],
)
async def test_an_outbox_that_cannot_be_kept_still_sends(enter: Enter, ada: Visitor, broken: str) -> None:
    hers = await enter(ada, script=broken)
    await hers.say("without a place to keep it")
    await hers.shows("without a place to keep it")
    await hers.agrees_with(ada)


RETRIED_WHILE_THE_STORE_IS_READ = """async () => {
    const room = document.querySelector("script[type=module]").src;
    const { Outbox } = await import(room.replace("room.js", "outbox/outbox.js"));
    const { OutboxStore } = await import(room.replace("room.js", "outbox/outbox_store.js"));
    let open, hasRead, refused, sent;
    const gate = new Promise(resolve => { open = resolve; });
    const isRead = new Promise(resolve => { hasRead = resolve; });
    const isRefused = new Promise(resolve => { refused = resolve; });
    const isSent = new Promise(resolve => { sent = resolve; });
    let isSlow = false, isRefusing = true;
    class SlowStore extends OutboxStore {
        async all() {
            const found = await super.all();
            if (isSlow) {
                isSlow = false;
                hasRead();
                await gate;
            }
            return found;
        }
    }
    const post = async () => {
        if (isRefusing) {
            throw Object.assign(new Error("no"), { status: 422, isFinal: true });
        }
        return { id: "1-0" };
    };
    const on = { added() {}, changed: entry => entry.refusal && refused(entry), sent, discarded() {} };
    const outbox = new Outbox({ userId: 0, store: new SlowStore(), post, channel: null, on });
    outbox.add({ id: 1, name: "a room" }, "again");
    const entry = await isRefused;
    isRefusing = false;
    isSlow = true;
    const looking = outbox.look();
    await isRead;
    const trying = outbox.retry(entry);
    open();
    await Promise.all([looking, trying]);
    const patience = new Promise(resolve => setTimeout(resolve, 10_000, "never sent"));
    return await Promise.race([isSent.then(() => "sent"), patience]);
}"""
"""Of the outbox as the page has it, with a reading of the store that lasts over the click."""


async def test_what_is_tried_again_is_sent_though_the_store_was_being_read(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    assert await hers.page.evaluate(RETRIED_WHILE_THE_STORE_IS_READ) == "sent"
