"""Quotas over HTTP: each row of the table is held, says so in the way of the contract, and loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from tornado.httpclient import HTTPResponse
from tornado.testing import bind_unused_port

from chatserver.app import Chat
from chatserver.quotas import quotas
from chatserver.quotas.counters import Counters
from chatserver.quotas.limiter import Limiter
from chatserver.quotas.quotas import Quota
from chatserver.serving import make_server
from chatserver.settings import Settings
from chatserver.web.application import ChatApplication
from chatserver.web.handlers.base import Handler
from chatserver.web.page_text import as_sentence
from tests.conftest import World
from tests.helpers.browserless import Visitor, read
from tests.helpers.chats import static_files
from tests.helpers.html_page import read_page
from tests.helpers.server_process import ServerProcess

pytestmark = pytest.mark.gen_test(timeout=120)

LEFT = 2
"""What a test leaves of a quota before it begins."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, rate_limits=True)


@pytest.fixture(autouse=True)
def no_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request of this process is counted by itself, so that a test knows how much is left."""
    monkeypatch.setattr(quotas, "LEASE_SECONDS", 0.0)
    monkeypatch.setattr(quotas, "LEASE_SHARE", 1_000_000)
    monkeypatch.setattr(quotas, "SMALLEST_LEASE_SHARE", 1_000_000)


async def use_up(world: World, quota: Quota, key: str, left: int = LEFT) -> None:
    """As if another process had let all but `left` through."""
    counters = Counters(world.redis.url)
    amount = quota.burst - left
    try:
        while amount:
            if await counters.seconds_until_free(quota, key, left + amount) > 0:
                amount //= 2
            else:
                await counters.take(quota, key, amount)
    finally:
        await counters.close()


# The rows. Each: one request that counts, of somebody with a room and a message in it.


async def posts(ada: Visitor, room: int, message: str) -> HTTPResponse:
    return await ada.post(room, "one more")


async def edits(ada: Visitor, room: int, message: str) -> HTTPResponse:
    return await ada.fetch("PATCH", f"/rooms/{room}/messages/{message}", json_body={"content": "changed"})


async def deletes(ada: Visitor, room: int, message: str) -> HTTPResponse:
    return await ada.fetch("DELETE", f"/rooms/{room}/messages/{message}")


async def reacts(ada: Visitor, room: int, message: str) -> HTTPResponse:
    return await ada.fetch("PUT", f"/rooms/{room}/messages/{message}/reactions/%F0%9F%91%8D")


async def types(ada: Visitor, room: int, message: str) -> HTTPResponse:
    return await ada.fetch("POST", f"/rooms/{room}/typing")


async def marks(ada: Visitor, room: int, message: str) -> HTTPResponse:
    return await ada.fetch("PUT", f"/rooms/{room}/read", json_body={"id": message})


async def searches(ada: Visitor, room: int, message: str) -> HTTPResponse:
    return await ada.get("/search?q=word")


async def makes_a_room(ada: Visitor, room: int, message: str) -> HTTPResponse:
    return await ada.fetch("POST", "/rooms", json_body={"name": f"{ada.name} {asyncio.get_running_loop().time()}"})


async def closes_a_room(ada: Visitor, room: int, message: str) -> HTTPResponse:
    return await ada.fetch("DELETE", f"/rooms/{room}")


async def reads(ada: Visitor, room: int, message: str) -> HTTPResponse:
    return await ada.get(f"/rooms/{room}/messages")


BY_USER: dict[Quota, Callable[[Visitor, int, str], Awaitable[HTTPResponse]]] = {
    quotas.POSTING: posts,
    quotas.EDITING: edits,
    quotas.DELETING: deletes,
    quotas.REACTING: reacts,
    quotas.TYPING: types,
    quotas.READING_ON: marks,
    quotas.SEARCHING: searches,
    quotas.MAKING_ROOMS: makes_a_room,
    quotas.MAKING_ROOMS_DAILY: makes_a_room,
    quotas.CLOSING_ROOMS: closes_a_room,
    quotas.READING: reads,
}
ELSEWHERE = {quotas.OPENING_STREAMS}
"""Rows with a test of their own."""

SIGNING = {
    quotas.SIGNING_UP,
    quotas.SESSIONS,
    quotas.WRONG_FROM_ADDRESS_FOR_NAME,
    quotas.WRONG_FROM_ADDRESS,
    quotas.WRONG_FOR_NAME,
}
"""Rows of `test_guessing.py`."""


def test_each_row_of_the_table_has_a_test() -> None:
    assert set(quotas.TABLE) == set(BY_USER) | ELSEWHERE | SIGNING
    assert len({quota.verb for quota in quotas.TABLE}) == len(quotas.TABLE)


def test_each_request_that_somebody_can_make_counts_as_something() -> None:
    """But for those that are bounded otherwise."""
    without = {
        (handler.__name__, method)
        for handler in handlers_of(Handler)
        for method in handler.methods
        if method not in {"HEAD", "OPTIONS"} and not handler.quotas.get(method)
    }
    of_their_own = {("SignUp", "POST"), ("SignIn", "POST"), ("SignOut", "POST"), ("_CredentialsHandler", "POST")}
    from_memory = {("Healthz", "GET"), ("Readyz", "GET"), ("StaticHandler", "GET")}
    assert without == of_their_own | from_memory


def handlers_of(kind: type[Handler]) -> set[type[Handler]]:
    below = {each for each in kind.__subclasses__() if each.__module__.startswith("chatserver.")}
    return below.union(*(handlers_of(each) for each in below))


@pytest.mark.parametrize("quota", BY_USER, ids=lambda quota: quota.verb)
async def test_a_row_is_held(world: World, ada: Visitor, room: int, quota: Quota) -> None:
    message = (await ada.say(room, "first"))["id"]
    await use_up(world, quota, str(ada.id))
    request = BY_USER[quota]
    answers = [await request(ada, room, message) for _ in range(LEFT + 1)]
    assert [answer.code for answer in answers[:LEFT]] != [429] * LEFT
    assert answers[0].code < 300
    refused = answers[-1]
    assert (refused.code, read(refused)) == (429, {"error": quota.text})
    assert 1 <= int(refused.headers["Retry-After"]) <= 2 * quota.seconds


@pytest.mark.parametrize("quota", BY_USER, ids=lambda quota: quota.verb)
async def test_one_users_row_is_nobody_elses(
    world: World, ada: Visitor, room: int, visit: Callable[..., Visitor], quota: Quota
) -> None:
    bob = visit()
    await bob.sign_up()
    message = (await bob.say(room, "his"))["id"]
    await use_up(world, quota, str(ada.id), left=0)
    refused = await BY_USER[quota](ada, room, message)
    assert refused.code == 429
    answer = await BY_USER[quota](bob, room, message)
    assert answer.code in {200, 201, 204, 403}, answer.body


async def test_nothing_is_done_that_is_refused(world: World, ada: Visitor, room: int) -> None:
    message = await ada.say(room, "first")
    for quota in BY_USER:
        await use_up(world, quota, str(ada.id), left=0 if quota is not quotas.READING else 20)
    stream = await ada.stream(room, after=message["id"])
    for quota, request in BY_USER.items():
        if quota is not quotas.READING:
            assert (await request(ada, room, message["id"])).code == 429
    assert (await ada.page(room))["messages"] == [message]
    assert [block.event for block in stream.passed if block.event != "presence"] == []


async def test_a_stream_that_is_one_too_many_is_told_when_to_come_back(world: World, ada: Visitor, room: int) -> None:
    """As an answer of success: an EventSource that gets any other never comes back."""
    await use_up(world, quotas.OPENING_STREAMS, str(ada.id), left=1)
    opened = await ada.stream(room)
    message = await ada.say(room, "hello")
    assert await opened.messages(1) == [message]
    refused = await ada.fetch("GET", f"/chat/stream?room={room}")
    assert refused.code == 200
    assert refused.headers["Content-Type"].startswith("text/event-stream")
    name, _, milliseconds = refused.body.decode().strip().partition(": ")
    assert name == "retry"
    assert int(milliseconds) >= 1_000


async def test_a_stream_of_many_rooms_counts_for_more(world: World, ada: Visitor, room: int) -> None:
    await use_up(world, quotas.OPENING_STREAMS, str(ada.id), left=7)
    wanted = "&".join(f"room={room}" for _ in range(50))
    for costs in (True, False):
        answer = await ada.fetch("HEAD", f"/chat/stream?{wanted}")
        assert answer.code == 200, costs
    refused = await ada.fetch("GET", f"/chat/stream?{wanted}")
    assert refused.body.startswith(b"retry: ")


async def test_a_form_shows_again_what_was_written(world: World, ada: Visitor, room: int) -> None:
    await use_up(world, quotas.POSTING, str(ada.id), left=0)
    form = {"room_id": str(room), "content": "half a <thought>", "_xsrf": await ada.get_csrf()}
    refused = await ada.fetch("POST", "/messages", form=form, headers={"Accept": "text/html"})
    assert refused.code == 429
    assert refused.headers["Retry-After"]
    page = read_page(refused)
    assert page.one("textarea", id="content").text.strip() == "half a <thought>"
    assert quotas.POSTING.text in refused.body.decode()


async def test_the_form_of_a_room_shows_its_name_again(world: World, ada: Visitor) -> None:
    await use_up(world, quotas.MAKING_ROOMS, str(ada.id), left=0)
    form = {"name": "A room of one's own", "_xsrf": await ada.get_csrf()}
    refused = await ada.fetch("POST", "/rooms", form=form, headers={"Accept": "text/html"})
    assert refused.code == 429
    page = read_page(refused)
    assert page.one("input", name="name")["value"] == "A room of one's own"
    assert as_sentence(quotas.MAKING_ROOMS.text) in refused.body.decode()


async def test_pages_shown_again_are_not_for_nothing(world: World, ada: Visitor, room: int) -> None:
    form = {"room_id": str(room), "content": "half a thought", "_xsrf": await ada.get_csrf()}
    for quota in (quotas.POSTING, quotas.READING):
        await use_up(world, quota, str(ada.id), left=0)
    refused = await ada.fetch("POST", "/messages", form=form, headers={"Accept": "text/html"})
    assert refused.code == 429
    assert 'id="messages"' not in refused.body.decode()


async def test_a_request_that_is_no_request_costs_nothing(world: World, ada: Visitor, room: int) -> None:
    """Without the token it is not the user who asks."""
    await use_up(world, quotas.POSTING, str(ada.id), left=1)
    for _ in range(5):
        refused = await ada.fetch("POST", "/messages", json_body={"room_id": room, "content": "x"}, token=False)
        assert refused.code == 403
    assert (await ada.post(room, "mine")).code == 201


async def test_two_processes_share_a_quota(
    world: World, start_server: Callable[..., ServerProcess], visit: Callable[..., Visitor]
) -> None:
    here, there = (visit(start_server(RATE_LIMITS="on").address) for _ in range(2))
    await here.sign_up()
    there.cookies, there.token, there.name = dict(here.cookies), here.token, here.name
    quota = quotas.MAKING_ROOMS  # it takes an hour to come back: nothing does meanwhile
    await use_up(world, quota, str(here.id), left=8)
    codes = []
    for _ in range(10):
        codes += [(await makes_a_room(visitor, 0, "")).code for visitor in (here, there)]
    assert set(codes) == {201, 429}
    assert 5 <= codes.count(201) <= 8


async def test_a_post_does_not_fail_since_nobody_can_count(
    chat: Chat, settings: Settings, ada: Visitor, room: int, visit: Callable[..., Visitor]
) -> None:
    """Quotas ask a Redis that is away, and all else one that is there."""
    away = Counters("redis://127.0.0.1:9/0")
    services = replace(chat.services, limiter=Limiter(away))
    listener, port = bind_unused_port()
    server = make_server(ChatApplication(services, settings.cookie_secret, static_files()))
    server.add_socket(listener)
    try:
        other = visit(f"http://127.0.0.1:{port}")
        other.cookies, other.token = dict(ada.cookies), ada.token
        codes = [(await other.post(room, f"message {number}")).code for number in range(10)]
        codes += [(await types(other, room, "")).code for _ in range(quotas.TYPING.burst + 30)]
        assert codes[:10] == [201] * 10
        assert set(codes[10:]) == {204, 429}
    finally:
        server.stop()
        await server.close_all_connections()
        await away.close()


async def test_without_limits_all_of_it_passes(
    world: World, start_server: Callable[..., ServerProcess], visit: Callable[..., Visitor]
) -> None:
    visitor = visit(start_server(RATE_LIMITS="off").address)
    await visitor.sign_up()
    room = await visitor.make_room()
    await use_up(world, quotas.POSTING, str(visitor.id), left=0)
    codes = {(await visitor.post(room, f"message {number}")).code for number in range(20)}
    assert codes == {201}
