"""Signing up and in, against those who try: what is refused to whom, and that nobody is locked out by somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from tornado.httpclient import HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port

from chatserver.accounts import guess_limits
from chatserver.app import Chat
from chatserver.archive.database import DEFAULT_NAME
from chatserver.quotas import quotas
from chatserver.quotas.counters import PREFIX
from chatserver.serving import make_server
from chatserver.settings import Settings
from chatserver.web.application import ChatApplication
from chatserver.web.caller.proxies import Proxies
from tests.conftest import World
from tests.helpers.browserless import Visitor, read
from tests.helpers.chats import static_files
from tests.helpers.html_page import read_page
from tests.web.requests.test_quotas import use_up

pytestmark = pytest.mark.gen_test(timeout=120)

PASSWORD = "correct horse"
WRONG = "not that one at all"
TRIES = quotas.WRONG_FROM_ADDRESS_FOR_NAME.burst


@pytest.fixture(autouse=True)
def short_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong password is answered after a multiple of this time, so that its length says nothing. Here it is short."""
    monkeypatch.setattr("chatserver.accounts.accounts.WRONG_TAKES_SECONDS", 0.01)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, rate_limits=True)


@pytest.fixture
def base_url(io_loop: IOLoop, chat: Chat, settings: Settings) -> Iterator[str]:
    """Behind one proxy, so that a test says where it comes from."""
    listener, port = bind_unused_port()
    server: HTTPServer = make_server(
        ChatApplication(chat.services, settings.cookie_secret, static_files(), None, Proxies(1))
    )
    server.add_socket(listener)
    yield f"http://127.0.0.1:{port}"
    server.stop()
    io_loop.run_sync(server.close_all_connections)


@pytest.fixture
def somewhere() -> Callable[[], str]:
    """Addresses that nobody had before: a network of 64 bits each."""

    def make() -> str:
        digits = uuid4().hex
        return f"2001:db8:a{digits[:3]}:b{digits[3:6]}::1"  # no zero leads: spelled as the chat spells it

    return make


async def sign(visitor: Visitor, path: str, name: str, password: str, address: str, **more: Any) -> HTTPResponse:
    return await visitor.fetch(
        "POST", path, json_body={"name": name, "password": password}, headers={"X-Forwarded-For": address}, **more
    )


async def sign_in(visitor: Visitor, name: str, password: str, address: str) -> HTTPResponse:
    return await sign(visitor, "/sign-in", name, password, address)


def is_refused(response: HTTPResponse, quota: quotas.Quota) -> bool:
    if response.code != 429:
        return False
    assert read(response) == {"error": quota.text}
    assert 1 <= int(response.headers["Retry-After"]) <= 2 * quota.seconds
    return True


async def test_ten_wrong_passwords_for_a_name_from_one_address(
    ada: Visitor, visit: Callable[..., Visitor], somewhere: Callable[[], str]
) -> None:
    here = somewhere()
    codes = [(await sign_in(visit(), ada.name, WRONG, here)).code for _ in range(TRIES)]
    assert codes == [401] * TRIES
    for password in (WRONG, PASSWORD):
        assert is_refused(await sign_in(visit(), ada.name, password, here), quotas.WRONG_FROM_ADDRESS_FOR_NAME)


async def test_all_at_once_are_no_more_than_in_turn(
    ada: Visitor, visit: Callable[..., Visitor], somewhere: Callable[[], str]
) -> None:
    visitor, here = visit(), somewhere()
    answers = await asyncio.gather(*(sign_in(visitor, ada.name, WRONG, here) for _ in range(60)))
    codes = [answer.code for answer in answers]
    assert codes.count(401) == TRIES
    assert codes.count(429) == 60 - TRIES


async def test_in_whatever_spelling(ada: Visitor, visit: Callable[..., Visitor], somewhere: Callable[[], str]) -> None:
    here = somewhere()
    spellings = [ada.name, ada.name.upper(), f"  {ada.name}", ada.name.replace(" ", "  "), f"{ada.name}\u3000"]
    answers = [await sign_in(visit(), spellings[number % 5], WRONG, here) for number in range(TRIES + 5)]
    assert [answer.code for answer in answers] == [401] * TRIES + [429] * 5


async def test_a_name_that_nobody_has_is_counted_alike(visit: Callable[..., Visitor], somewhere: Callable[[], str]) -> None:  # fmt: skip
    here, name = somewhere(), f"nobody {uuid4().hex}"
    codes = [(await sign_in(visit(), name, WRONG, here)).code for _ in range(TRIES + 1)]
    assert codes == [401] * TRIES + [429]


async def test_the_right_password_counts_for_nothing(
    ada: Visitor, visit: Callable[..., Visitor], somewhere: Callable[[], str]
) -> None:
    """However often, and at once: twelve devices begin their day together."""
    here = somewhere()
    answers = await asyncio.gather(*(sign_in(visit(), ada.name, PASSWORD, here) for _ in range(12)))
    answers += [await sign_in(visit(), ada.name, PASSWORD, here) for _ in range(TRIES)]
    assert {answer.code for answer in answers} == {200}


async def test_the_right_password_begins_anew(
    ada: Visitor, visit: Callable[..., Visitor], somewhere: Callable[[], str]
) -> None:
    here = somewhere()
    for _ in range(2):
        codes = [(await sign_in(visit(), ada.name, WRONG, here)).code for _ in range(TRIES - 1)]
        assert codes == [401] * (TRIES - 1)
        assert (await sign_in(visit(), ada.name, PASSWORD, here)).code == 200


async def test_one_password_for_many_names(visit: Callable[..., Visitor], somewhere: Callable[[], str]) -> None:
    here = somewhere()
    visitor = visit()
    burst = quotas.WRONG_FROM_ADDRESS.burst
    names = [f"nobody {uuid4().hex}" for _ in range(burst)]
    codes = await asyncio.gather(*(sign_in(visitor, name, "password1", here) for name in names))
    assert {answer.code for answer in codes} == {401}
    refused = await sign_in(visitor, f"nobody {uuid4().hex}", "password1", here)
    assert is_refused(refused, quotas.WRONG_FROM_ADDRESS)


async def test_a_network_of_ipv6_is_one_address(visit: Callable[..., Visitor], somewhere: Callable[[], str]) -> None:
    here, name = somewhere(), f"nobody {uuid4().hex}"
    codes = [(await sign_in(visit(), name, WRONG, f"{here}{number}")).code for number in range(TRIES + 1)]
    assert codes == [401] * TRIES + [429]


async def test_nobody_is_locked_out_by_somebody_else(
    world: World,
    ada: Visitor,
    visit: Callable[..., Visitor],
    somewhere: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that many addresses guess at: the right password opens from a fresh one, only more slowly."""
    slowed: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float, result: Any = None) -> Any:
        if seconds == guess_limits.SLOWED_SECONDS:
            slowed.append(seconds)
            return None
        return await sleep(seconds, result)

    monkeypatch.setattr("chatserver.accounts.guess_limits.asyncio.sleep", noted)
    assert (await sign_in(visit(), ada.name, PASSWORD, somewhere())).code == 200
    assert slowed == []
    visitor = visit()
    burst = quotas.WRONG_FOR_NAME.burst
    answers = await asyncio.gather(*(sign_in(visitor, ada.name, WRONG, somewhere()) for _ in range(burst)))
    assert {answer.code for answer in answers} == {401}
    for _ in range(3):
        assert (await sign_in(visit(), ada.name, PASSWORD, somewhere())).code == 200
    assert slowed == [guess_limits.SLOWED_SECONDS] * 3


async def test_a_crowd_of_guessers_keeps_nobody_from_signing_in(
    ada: Visitor, visit: Callable[..., Visitor], somewhere: Callable[[], str]
) -> None:
    """115 connections guess at once and without a pause; somebody elsewhere signs in."""
    crowd, theirs = visit(), somewhere()
    over = asyncio.Event()

    async def guess() -> None:
        while not over.is_set():
            assert (await sign_in(crowd, f"nobody {uuid4().hex}", WRONG, theirs)).code in {401, 429, 503}

    guessing = [asyncio.ensure_future(guess()) for _ in range(115)]
    await asyncio.sleep(1)
    codes = [(await sign_in(visit(), ada.name, PASSWORD, somewhere())).code for _ in range(6)]
    over.set()
    await asyncio.gather(*guessing)
    assert codes == [200] * 6


async def test_an_address_signs_up_so_many(
    world: World, visit: Callable[..., Visitor], somewhere: Callable[[], str]
) -> None:
    here = somewhere()
    await use_up(world, quotas.SIGNING_UP, here.removesuffix("1") + "/64", left=2)
    names = [f"somebody {uuid4().hex}" for _ in range(3)]
    # What is no sign-up yet takes nothing.
    for name, password in ((names[0], "short"), ("", PASSWORD), (names[0], "password")):
        assert (await sign(visit(), "/sign-up", name, password, here)).code == 422
    answers = [await sign(visit(), "/sign-up", name, PASSWORD, here) for name in names]
    assert [answer.code for answer in answers] == [201, 201, 429]
    assert is_refused(answers[2], quotas.SIGNING_UP)
    assert (await sign(visit(), "/sign-up", names[2], PASSWORD, somewhere())).code == 201


async def test_one_user_signs_in_so_often(
    world: World, ada: Visitor, visit: Callable[..., Visitor], somewhere: Callable[[], str]
) -> None:
    await use_up(world, quotas.SESSIONS, str(ada.id), left=1)
    assert (await sign_in(visit(), ada.name, PASSWORD, somewhere())).code == 200
    assert is_refused(await sign_in(visit(), ada.name, PASSWORD, somewhere()), quotas.SESSIONS)


async def test_the_form_says_so(ada: Visitor, visit: Callable[..., Visitor], somewhere: Callable[[], str]) -> None:
    here = somewhere()
    for _ in range(TRIES):
        await sign_in(visit(), ada.name, WRONG, here)
    visitor = visit()
    form = {"name": ada.name, "password": PASSWORD, "_xsrf": await visitor.get_csrf()}
    refused = await visitor.fetch(
        "POST", "/sign-in", form=form, headers={"Accept": "text/html", "X-Forwarded-For": here}
    )
    assert refused.code == 429
    assert refused.headers["Retry-After"]
    page = read_page(refused)
    assert page.one("input", name="name")["value"] == ada.name
    assert page.one("p", id="error").text.lower().startswith(quotas.WRONG_FROM_ADDRESS_FOR_NAME.text)


async def test_no_name_stands_in_redis(
    world: World, ada: Visitor, visit: Callable[..., Visitor], somewhere: Callable[[], str]
) -> None:
    await sign_in(visit(), ada.name, WRONG, somewhere())
    with world.redis_client() as client:
        names = list(client.scan_iter(f"{PREFIX}*wrong*"))
        assert len(names) >= 3
        assert not [name for name in names if ada.name.split()[-1].encode() in name or b"visitor" in name]
        assert all(client.pttl(name) > 0 for name in names)


async def test_an_older_hash_is_made_anew_when_its_owner_signs_in(
    world: World, ada: Visitor, visit: Callable[..., Visitor], somewhere: Callable[[], str], mongo: Any
) -> None:
    users = mongo.get_default_database(DEFAULT_NAME)["users"]
    old = PasswordHasher(time_cost=3, memory_cost=1024, parallelism=4).hash(PASSWORD)
    users.update_one({"_id": ada.id}, {"$set": {"password": old}})
    assert (await sign_in(visit(), ada.name, WRONG, somewhere())).code == 401
    assert users.find_one({"_id": ada.id})["password"] == old
    for _ in range(2):
        assert (await sign_in(visit(), ada.name, PASSWORD, somewhere())).code == 200
        assert users.find_one({"_id": ada.id})["password"] != old


async def test_a_weak_password_of_before_still_opens(
    ada: Visitor, visit: Callable[..., Visitor], somewhere: Callable[[], str], mongo: Any
) -> None:
    users = mongo.get_default_database(DEFAULT_NAME)["users"]
    users.update_one({"_id": ada.id}, {"$set": {"password": PasswordHasher().hash("password")}})
    assert (await sign_in(visit(), ada.name, "password", somewhere())).code == 200
