"""Two processes on one MongoDB and one Redis are one chat: whoever is asked says the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest
from tornado.ioloop import IOLoop

from desk import embedded
from tests.conftest import World
from tests.helpers.browserless import Visitor, read
from tests.helpers.html_page import read_page
from tests.helpers.server_process import ServerProcess

pytestmark = pytest.mark.gen_test(timeout=120)

Message = dict[str, Any]


class Pair(NamedTuple):
    """One person, at both processes, and a room."""

    here: Visitor
    there: Visitor
    room: int


@pytest.fixture(scope="module")
def addresses(world: World) -> Iterator[list[str]]:
    """Of two processes that all tests here share."""
    with ExitStack() as stack:
        servers = []
        for port in (embedded.free_port(), embedded.free_port()):
            servers.append(ServerProcess(port, world.environment(port)))
            stack.callback(servers[-1].stop)
            servers[-1].start()
        yield [server.address for server in servers]


@pytest.fixture
def pair(io_loop: IOLoop, addresses: list[str], visit: Callable[..., Visitor]) -> Pair:
    here, there = (visit(address) for address in addresses)
    io_loop.run_sync(here.sign_up)
    there.cookies, there.token, there.id = dict(here.cookies), here.token, here.id
    return Pair(here, there, io_loop.run_sync(here.make_room))


async def history(visitor: Visitor, room: int) -> list[Message]:
    """All messages of the room, page by page."""
    page = await visitor.page(room, after="0", limit=200)
    messages: list[Message] = page["messages"]
    while page["has_more"]:
        page = await visitor.page(room, after=page["cursor"], limit=200)
        messages += page["messages"]
    return messages


def assert_chained(messages: list[Message], start: str = "0-0") -> None:
    assert [message["prev"] for message in messages] == [start, *(message["id"] for message in messages[:-1])]


async def insist(visitor: Visitor, room: int, client_id: str) -> tuple[int, str]:
    """Posts until it is acknowledged. Returns the status and the id."""
    while (response := await visitor.post(room, "once", client_id)).code == 503:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return response.code, read(response)["id"]


async def outcomes_of(posts: Iterable[Awaitable[tuple[int, str]]]) -> tuple[list[int], set[str]]:
    """The statuses, sorted, and the ids."""
    answers = await asyncio.gather(*posts)
    return sorted(status for status, _ in answers), {id for _, id in answers}


async def test_what_is_posted_to_one_the_open_streams_of_the_other_deliver(pair: Pair) -> None:
    here, there, room = pair
    streams = [await visitor.stream(room) for visitor in (here, there) for _ in range(3)]
    for stream in streams:
        assert (await stream.block()).id == "0-0"
    for number in range(10):
        for poster in (here, there):
            said = await poster.say(room, f"{number} at {poster.address}")
            for stream in streams:
                assert await stream.message() == said


async def test_posts_to_both_at_once_are_one_order_for_all(pair: Pair) -> None:
    here, there, room = pair
    streams = [await visitor.stream(room, after="0") for visitor in (here, there)]
    said = await asyncio.gather(*[(here, there)[number % 2].say(room, str(number)) for number in range(400)])
    everything = await history(here, room)
    assert {message["id"]: message for message in everything} == {message["id"]: message for message in said}
    assert_chained(everything)
    assert await history(there, room) == everything
    streams += [await visitor.stream(room, after="0") for visitor in (here, there)]
    for stream in streams:
        assert await stream.messages(400) == everything


async def test_a_hundred_posts_of_one_client_id_over_both_are_one_message(pair: Pair) -> None:
    here, there, room = pair
    stream = await there.stream(room, after="0")
    for round_ in range(5):
        statuses, ids = await outcomes_of([insist((here, there)[n % 2], room, f"c-{round_}") for n in range(100)])
        assert statuses == [200] * 99 + [201]
        assert len(ids) == 1
        assert {(await stream.message())["id"]} == ids
    assert [message["client_id"] for message in await history(here, room)] == [f"c-{round_}" for round_ in range(5)]
    assert await stream.is_quiet()


async def test_a_client_id_that_redis_forgot_is_known_to_both(pair: Pair, world: World) -> None:
    here, there, room = pair
    first = await here.say(room, "once", "c")
    with world.redis_client() as redis:
        redis.flushall()
    statuses, ids = await outcomes_of([insist((here, there)[n % 2], room, "c") for n in range(100)])
    assert (statuses, ids) == ([200] * 100, {first["id"]})
    assert await history(there, room) == [first]
    after = await there.say(room, "after")
    assert after["prev"] == first["id"], "a repeat was appended, though the archive knew it"


async def test_a_client_id_that_redis_forgets_in_between_is_one_message(pair: Pair, world: World) -> None:
    """Repeats on both sides of a flush meet in the archive: no two of them are acknowledged under different ids."""
    here, there, room = pair
    with world.redis_client() as redis:
        for round_ in range(60):
            posts = [asyncio.ensure_future(insist((here, there)[n % 2], room, f"c-{round_}")) for n in range(40)]
            for _ in range(5):
                await asyncio.sleep(0.01)
                redis.flushall()
            _, ids = await outcomes_of(posts)
            assert len(ids) == 1
    everything = await history(here, room)
    assert [message["client_id"] for message in everything] == [f"c-{round_}" for round_ in range(60)]
    assert await history(there, room) == everything


async def test_a_page_of_one_and_a_stream_of_the_other_meet_while_both_take_posts(pair: Pair) -> None:
    """I4, two hundred times: the message after the page's last is the stream's first."""
    here, there, room = pair
    over = asyncio.Event()

    async def post_on(poster: Visitor) -> int:
        count = 0
        while not over.is_set():
            await poster.say(room, f"{count} at {poster.address}")
            count += 1
        return count

    async def read_both(renderer: Visitor, streamer: Visitor) -> list[str]:
        page = read_page(await renderer.get(f"/chat/{room}"))
        log = page.one("ul", id="messages")
        shown = [item["data-id"] for item in page.within(log, "li") if "data-id" in item.attributes]
        assert log["data-cursor"] == (shown[-1] if shown else "0-0")
        stream = await streamer.stream(room, after=log["data-cursor"])
        messages = await stream.messages(5)
        stream.close()
        assert_chained(messages, log["data-cursor"])
        return shown + [message["id"] for message in messages]

    posting = [asyncio.create_task(post_on(poster)) for poster in (here, there)]
    seen: list[list[str]] = []
    for _ in range(100):
        seen += await asyncio.gather(read_both(here, there), read_both(there, here))
    over.set()
    said = sum([await task for task in posting])
    ids = [message["id"] for message in await history(there, room)]
    assert len(ids) == said
    for each in seen:
        start = ids.index(each[0])
        assert each == ids[start : start + len(each)]
