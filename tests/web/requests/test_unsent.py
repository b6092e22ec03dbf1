"""Connections that ask and do not read: they keep nothing of others' from being answered, and the process from nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port

from chatserver.app import Chat
from chatserver.serving import make_server
from chatserver.web.transport import unsent
from chatserver.web.transport.unsent import MOST_OF_ONE
from tests.helpers.browserless import Visitor, read
from tests.helpers.waiting import until
from tests.web.messages.test_large_pages import say_much

pytestmark = pytest.mark.gen_test(timeout=120)

DEAF = 40
"""Connections."""


@pytest.fixture
def base_url(io_loop: IOLoop, chat: Chat) -> Iterator[str]:
    """A chat whose system takes little for a connection: what it takes is not ours to count."""
    listener, port = bind_unused_port()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
    server = make_server(chat.application)
    server.add_socket(listener)
    yield f"http://127.0.0.1:{port}"
    server.stop()
    io_loop.run_sync(server.close_all_connections)


@asynccontextmanager
async def deaf(who: Visitor, path: str, count: int = DEAF) -> AsyncIterator[list[socket.socket]]:
    """Connections that have asked, and read nothing."""
    address = urlsplit(who.address)
    cookies = "; ".join(f"{name}={value}" for name, value in who.cookies.items())
    head = f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {cookies}\r\nAccept: */*\r\n\r\n"
    connections = []
    for _ in range(count):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, (address.hostname, address.port))
        connection.send(head.encode())
        connections.append(connection)
    yield connections
    for connection in connections:
        connection.close()


async def test_one_who_does_not_read_holds_so_much_and_no_more(
    ada: Visitor, room: int, chat: Chat, visit: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsent, "WAIT_SECONDS", 1.0)
    grace = visit()
    await grace.sign_up()
    await say_much(ada, room, 130)
    path = f"/rooms/{room}/messages?limit=200"
    held = chat.services.unsent
    most = 0
    async with deaf(ada, path) as connections:
        async with asyncio.timeout(20):
            while len(chat.services.in_flight) > 0 or not most:
                most = max(most, len(held))
                await asyncio.sleep(0.01)
        assert 0 < held.of(ada.id) <= most <= MOST_OF_ONE
        refused = await ada.get(path)
        assert (refused.code, int(refused.headers["Retry-After"]) > 0) == (503, True)
        assert set(read(refused)) == {"error"}
        assert (await grace.get(path)).code == 200
        assert (await ada.post(room, "but this goes on")).code == 201
        assert len(connections) == DEAF
    await until(lambda: len(held) == 0)
    assert (await ada.get(path)).code == 200


async def test_a_connection_that_takes_nothing_is_closed_soon(
    ada: Visitor, room: int, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsent, "LOOK_SECONDS", 0.3)
    await say_much(ada, room, 130)
    async with deaf(ada, f"/rooms/{room}/messages?limit=200", 6):
        await until(lambda: len(chat.services.unsent) > 0)
        await until(lambda: len(chat.services.in_flight) == 0 == len(chat.services.unsent))
    assert (await ada.get(f"/rooms/{room}/messages?limit=200")).code == 200


async def test_all_together_hold_so_much_and_others_wait_for_their_turn(
    ada: Visitor, room: int, chat: Chat, visit: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsent, "MOST_IN_ALL", 1024 * 1024)
    monkeypatch.setattr(unsent, "LOOK_SECONDS", 0.5)
    grace = visit()
    await grace.sign_up()
    await say_much(ada, room, 130)
    path = f"/rooms/{room}/messages?limit=200"
    async with deaf(ada, path, 8):
        await until(lambda: len(chat.services.unsent) > 512 * 1024)
        assert len(chat.services.unsent) <= 1024 * 1024
        assert (await grace.get(path)).code == 200, "she waited until those who take nothing were gone"


async def test_many_who_read_are_all_answered(ada: Visitor, room: int, chat: Chat) -> None:
    await say_much(ada, room, 130)
    paths = [
        f"/rooms/{room}/messages?limit=200",
        f"/chat/{room}",
        "/rooms",
        "/chat",
        f"/rooms/{room}/presence",
        "/search?q=1",
    ]
    answers = await asyncio.gather(*(ada.get(path) for path in paths * 10))
    assert {answer.code for answer in answers} == {200}
    await until(lambda: len(chat.services.unsent) == 0)
    assert chat.services.unsent.of(ada.id) == 0


async def test_who_goes_while_waiting_leaves_nothing(
    ada: Visitor, room: int, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsent, "MOST_OF_ONE", 1)
    await say_much(ada, room, 130)
    async with deaf(ada, f"/rooms/{room}/messages?limit=200", 10):
        await until(lambda: len(chat.services.unsent) > 0)
    await until(lambda: len(chat.services.unsent) == 0)
    assert (await ada.get(f"/rooms/{room}/messages?limit=200")).code == 200


async def test_a_file_is_the_same_bytes_for_all(ada: Visitor, room: int, chat: Chat) -> None:
    """It is there anyway, so whoever does not take it holds nothing of its own."""
    page = (await ada.get(f"/chat/{room}")).body.decode()
    script = next(part for part in page.split('"') if part.startswith("/static/") and part.endswith("room.js"))
    with patch.object(unsent, "LOOK_SECONDS", 0.3):
        async with deaf(ada, script) as connections:
            await asyncio.get_running_loop().sock_recv(connections[-1], 1)
            assert len(chat.services.unsent) == 0
