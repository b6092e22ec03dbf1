"""How many requests are worked on at once: one user's do not stand in front of the others', and a rush is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chatserver.app import Chat
from chatserver.errors import MessageNotFound
from chatserver.model.events import Message
from chatserver.settings import Settings
from chatserver.web.transport import workload
from chatserver.web.transport.fair_share import BURST_SECONDS, MODEST_SECONDS, FairShares
from tests.helpers.browserless import Visitor, read
from tests.helpers.waiting import until

pytestmark = pytest.mark.gen_test


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, rate_limits=True)


class Slow:
    """A single message is not found before `go`."""

    def __init__(self, chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.most = 0
        self.go = asyncio.Event()

        async def find(*_: object) -> Message:
            self.now += 1
            self.most = max(self.most, self.now)
            try:
                await self.go.wait()
            finally:
                self.now -= 1
            raise MessageNotFound

        monkeypatch.setattr(chat.services.history, "find", find)


@pytest.fixture
def slow(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Slow:
    return Slow(chat, monkeypatch)


def ask(who: Visitor, room: int, count: int) -> list[asyncio.Future[Any]]:
    return [asyncio.ensure_future(who.get(f"/rooms/{room}/messages/1-1")) for _ in range(count)]


async def test_of_one_user_a_few_are_worked_on_at_once_and_the_rest_have_their_turn(
    ada: Visitor, room: int, slow: Slow, visit: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workload, "WAIT_SECONDS", 60.0)
    grace = visit()
    await grace.sign_up()
    hers = ask(ada, room, 40)
    await until(lambda: slow.now == workload.MAX_REQUESTS_OF_A_USER)
    theirs = ask(grace, room, 1)
    await until(lambda: slow.now == workload.MAX_REQUESTS_OF_A_USER + 1)
    assert read(await grace.get("/me"))["error"] == "not found", "and all else is answered"
    slow.go.set()
    assert {(await each).code for each in (*hers, *theirs)} == {404}
    assert slow.most == workload.MAX_REQUESTS_OF_A_USER + 1
    assert (await ada.get("/rooms")).code == 200


async def test_what_would_wait_too_long_is_told_to_come_again(
    ada: Visitor, room: int, slow: Slow, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a stream is sent away in its own way: an EventSource gives up on every status but 200."""
    monkeypatch.setattr(workload, "WAIT_SECONDS", 0.05)
    hers = ask(ada, room, workload.MAX_REQUESTS_OF_A_USER)
    await until(lambda: slow.now == workload.MAX_REQUESTS_OF_A_USER)
    response = await ada.get("/rooms")
    assert (response.code, response.headers["Retry-After"]) == (429, "1")
    stream = await ada.stream(room)
    assert stream.status == 200
    assert [block.retry is not None for block in await stream.rest()] == [True]
    monkeypatch.setattr(workload, "MAX_WAITING_OF_A_USER", 0)
    assert (await ada.get("/rooms")).code == 429
    slow.go.set()
    assert {(await each).code for each in hers} == {404}
    assert (await ada.get("/rooms")).code == 200
    assert chat.services.workload._lines == {}


async def test_a_rush_is_refused_and_those_who_wrote_are_not(
    ada: Visitor,
    room: int,
    slow: Slow,
    chat: Chat,
    visit: Callable[..., Visitor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also requests that nobody waits for any more count, as long as they are worked on."""
    monkeypatch.setattr(workload, "MAX_REQUESTS", 3)
    monkeypatch.setattr(workload, "WAIT_SECONDS", 0.05)
    gone = visit()
    await gone.sign_up()
    theirs = ask(gone, room, 3)
    await until(lambda: slow.now == 3)
    await gone.leave()
    for each in theirs:
        each.cancel()
    response = await ada.get("/rooms")
    assert (response.code, response.headers["Retry-After"]) == (503, "1")
    assert (await ada.get("/healthz")).code == 200
    said = await ada.say(room, "in a rush")
    stream = await ada.stream(room, after="0")
    assert await stream.message() == said
    monkeypatch.setattr(workload, "MAX_WAITING", 0)
    assert (await ada.get("/rooms")).code == 503
    monkeypatch.setattr(workload, "MAX_WAITING", 10)
    monkeypatch.setattr(workload, "WAIT_SECONDS", 60.0)
    waiting = asyncio.ensure_future(ada.get("/rooms"))
    await until(lambda: chat.services.workload._in_all.waiting)
    slow.go.set()
    assert (await waiting).code == 200
    await until(lambda: slow.now == 0)
    assert (await ada.get("/rooms")).code == 200


async def test_so_many_posts_are_worked_on_and_the_others_wait_or_come_again(
    ada: Visitor, room: int, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those whose clients have gone count as well, as long as they are worked on."""
    go = asyncio.Event()
    publish = chat.services.messages.post
    posting: list[object] = []

    async def publish_later(*arguments: Any) -> Any:
        posting.append(arguments)
        await go.wait()
        return await publish(*arguments)

    monkeypatch.setattr(workload, "MAX_POSTS", 2)
    monkeypatch.setattr(workload, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(chat.services.messages, "post", publish_later)
    body = {"room_id": room, "content": "among many"}
    first = [asyncio.ensure_future(ada.fetch("POST", "/messages", json_body=body)) for _ in range(2)]
    await until(lambda: len(posting) == 2)
    refused = await ada.fetch("POST", "/messages", json_body=body)
    assert (refused.code, refused.headers["Retry-After"]) == (503, "2")
    assert (await ada.get("/rooms")).code == 200
    monkeypatch.setattr(workload, "WAIT_SECONDS", 60.0)
    first.append(asyncio.ensure_future(ada.fetch("POST", "/messages", json_body=body)))
    await until(lambda: chat.services.workload._posts.waiting)
    assert len(chat.services.in_flight) == 3, "a process that stops waits for the third too"
    go.set()
    assert [(await each).code for each in first] == [201, 201, 201]
    assert (await ada.fetch("POST", "/messages", json_body=body)).code == 201


class Stopped:
    """A clock that moves when it is told to."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


async def test_who_had_much_of_the_time_waits_and_nobody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Stopped()
    load = workload.Workload(FairShares(clock))
    mine, more, theirs = (type("Request", (), {})() for _ in range(3))
    await load.turn(mine, 1)
    load.charge(1, BURST_SECONDS + 0.001)
    load.end(mine)
    await load.begin(more)
    waiting = asyncio.ensure_future(load.turn(more, 1))
    async with asyncio.timeout(20):
        await load.turn(theirs, 2)
    await asyncio.sleep(0.1)
    assert not waiting.done(), "as long as nothing is paid off"
    assert more not in load._in_all.working, "and in nobody else's way"
    clock.now += 10
    async with asyncio.timeout(20):
        await waiting
    assert more in load._in_all.working
    for request in (more, theirs):
        load.end(request)
    assert load._lines == {}


async def test_who_had_a_good_part_is_worked_on_almost_one_by_one() -> None:
    load = workload.Workload(FairShares(Stopped()))
    load.charge(1, MODEST_SECONDS)
    requests = [type("Request", (), {})() for _ in range(4)]
    turns = [asyncio.ensure_future(load.turn(request, 1)) for request in requests]
    await until(lambda: sum(turn.done() for turn in turns) == workload.MAX_REQUESTS_OF_A_BUSY_USER)
    for request in requests:
        load.end(request)
        await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await asyncio.gather(*turns)
    for request in requests:
        load.end(request)
    assert load._lines == {}


async def test_refusals_are_charged_like_anything_else(
    ada: Visitor, chat: Chat, visit: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    charged: list[object] = []
    monkeypatch.setattr(chat.services.workload, "charge", lambda who, _: charged.append(who))
    stranger = visit()
    ada_id = ada.id
    for asking, path, status, who in (
        (stranger, "/rooms", 401, "127.0.0.1"),
        (stranger, "/nowhere", 404, "127.0.0.1"),
        (ada, "/nowhere", 404, ada_id),
        (ada, "/rooms/0/messages", 404, ada_id),
    ):
        charged.clear()
        assert (await asking.get(path)).code == status
        assert set(charged) == {who}


async def test_without_quotas_nobody_waits_for_a_turn() -> None:
    turns = workload.Workload(None)
    requests = [Settings] * 1_000
    async with asyncio.timeout(20):
        for request in requests:
            await turns.turn(request, 1)
    assert turns._lines == {}
