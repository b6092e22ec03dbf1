"""Out of descriptors: others are served, the log stays short, and all is well as soon as there are some again."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pytest
from tornado.testing import bind_unused_port

from chatserver.app import Chat
from chatserver.serving import make_server
from chatserver.support import descriptors
from chatserver.web import http_server
from chatserver.web.transport import doorway
from chatserver.web.transport.accepting import PAUSE_SECONDS, Acceptor
from common.private_server import StartError
from common.usage import open_files
from desk import embedded
from tests.conftest import World
from tests.helpers.browserless import Stream, Visitor
from tests.helpers.chats import listening
from tests.helpers.server_process import ServerProcess
from tests.helpers.waiting import until

pytestmark = pytest.mark.gen_test

FILES = 300
SILENT = 350
STREAMS = 260

StartLimited = Callable[[int], ServerProcess]


@pytest.fixture
def said(tmp_path: Path) -> Path:
    return tmp_path / "stderr"


@pytest.fixture
def start_limited(world: World, said: Path) -> Iterator[StartLimited]:
    """Starts a server that may have so many descriptors."""
    with contextlib.ExitStack() as stack:

        def start(files: int, **environment: str) -> ServerProcess:
            port = embedded.free_port()
            command = f"ulimit -n {files}; exec {sys.executable} -m chatserver 2>{said}"
            settings = world.environment(port) | {"MAX_STREAMS_PER_USER": "1000", "MAX_STREAMS": "20000"}
            server = ServerProcess(port, settings | environment, ["/bin/sh", "-c", command])
            stack.callback(server.stop)
            server.start()
            return server

        yield start


def read_lines(said: Path) -> list[str]:
    return said.read_text().splitlines()


HALF_A_BODY = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12"


def hold_health(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Nobody who asks for the state of the chat is answered before the event."""
    served = asyncio.Event()

    async def wait(_: object) -> dict[str, bool]:
        await served.wait()
        return {}

    monkeypatch.setattr(type(chat.services.health), "parts", wait)
    return served


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", HALF_A_BODY, b"GET /static/{} HTTP/1.1\r\nHost: x\r\n\r\n" * 20],
    ids=["silent", "idle", "half a body", "reads nothing"],
)
async def test_others_are_served_and_the_log_stays_short(
    start_limited: StartLimited, said: Path, visit: Callable[..., Visitor], sent: bytes
) -> None:
    server = start_limited(FILES)
    ann, ben = visit(server.address), visit(server.address)
    await ann.sign_up()
    await ben.sign_up()
    room = await ann.make_room()
    with contextlib.ExitStack() as stack:
        script = (await ben.get("/sign-in")).body.decode().partition("/static/")[2].partition('"')[0]
        for _ in range(SILENT):
            link = stack.enter_context(socket.socket())
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            link.settimeout(20)
            link.connect(("127.0.0.1", server.port))
            link.sendall(sent.replace(b"{}", script.encode()))
        assert (await ben.post(room, "beside the silent ones")).code == 201
        streams = [await ann.stream(room) for _ in range(STREAMS)]
        for number in range(20):
            assert (await ben.post(room, f"beside the readers {number}")).code == 201
            assert (await visit(server.address).get("/readyz")).code == 200
        served = await seated(streams)
        assert served == FILES - descriptors.KEPT_FOR_ALL_ELSE
        assert open_files(server.process.pid) <= FILES - descriptors.KEPT_FOR_STORES + 1
        lines = read_lines(said)
        assert len([line for line in lines if f"MAX_STREAMS is {served} here, not 20000" in line]) == 1
        assert len(lines) < 100
        assert "Traceback" not in "".join(lines)
    await ann.leave()
    async with asyncio.timeout(20):
        while not await seated([await ben.stream(room)]):
            pass


async def seated(streams: Sequence[Stream]) -> int:
    """How many of the streams were not sent away: their greeting names a cursor."""
    return [(await stream.block()).id is not None for stream in streams].count(True)


@pytest.mark.parametrize("files", [100, 143])
async def test_a_limit_that_leaves_nothing_stops_the_start(start_limited: StartLimited, said: Path, files: int) -> None:
    with pytest.raises(StartError, match="the chat ended with 3"):
        start_limited(files)
    assert read_lines(said) == [f"this process may open {files} files (ulimit -Hn, LimitNOFILE), and needs 144"]


async def test_silence_itself_takes_no_more_than_its_share(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, base_url: str
) -> None:
    """However many descriptors there are."""
    monkeypatch.setattr(doorway, "MAX_SILENT", 20)
    monkeypatch.setattr(doorway, "GRACE_SECONDS", 0.0)
    address = urlsplit(base_url)
    with contextlib.ExitStack() as stack:
        links = []
        for _ in range(50):
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            stack.callback(writer.close)
            links.append((reader, writer))
        for reader, _ in links[:30]:
            assert await reader.read() == b""
        for reader, writer in links[30:]:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"], ids=["silent", "half a head"])
async def test_who_connects_and_asks_nothing_is_closed(
    monkeypatch: pytest.MonkeyPatch, chat: Chat, sent: bytes
) -> None:
    monkeypatch.setattr(doorway, "SILENT_SECONDS", 0.3)
    monkeypatch.setattr(http_server, "HEAD_SECONDS", 0.3)
    async with listening(chat.application) as base_url:
        address = urlsplit(base_url)
        asks, asks_writer = await asyncio.open_connection(address.hostname, address.port)
        asks_writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await asks.readline()).startswith(b"HTTP/1.1 200")
        silent, silent_writer = await asyncio.open_connection(address.hostname, address.port)
        silent_writer.write(sent)
        async with asyncio.timeout(20):
            assert await silent.read() == b""
        asks_writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        await asks.readuntil(b"HTTP/1.1 200")
        asks_writer.close()
        silent_writer.close()


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"], ids=["silent", "half a head"])
async def test_who_asks_nothing_more_is_closed_and_who_waits_for_an_answer_stays(
    monkeypatch: pytest.MonkeyPatch, chat: Chat, sent: bytes
) -> None:
    monkeypatch.setattr(http_server, "NEXT_REQUEST_SECONDS", 0.3)
    served = hold_health(chat, monkeypatch)
    async with listening(chat.application) as base_url:
        address = urlsplit(base_url)
        links = [await asyncio.open_connection(address.hostname, address.port) for _ in range(2)]
        for reader, writer in links:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        (done, done_writer), (waits, waits_writer) = links
        waits_writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        done_writer.write(sent)
        async with asyncio.timeout(20):
            assert await done.read() == b""
        await asyncio.sleep(0.6)  # longer than it may wait for a request
        served.set()
        assert (await waits.readline()).startswith(b"HTTP/1.1 ")
        done_writer.close()
        waits_writer.close()


class Taken(list[socket.socket]):
    """Connections that were accepted, as many as there are."""

    def has_room(self) -> bool:
        return True

    def enter(self, connection: socket.socket) -> None:
        self.append(connection)


class Listener:
    """A listening socket whose accept() fails when it is told to."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real
        self.error: int | None = None
        self.tries = 0

    def fileno(self) -> int:
        return self._real.fileno()

    def accept(self) -> tuple[socket.socket, object]:
        self.tries += 1
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))
        return self._real.accept()


def accept(listener: Listener, taken: Taken) -> Acceptor:
    """Takes what comes. Of a socket it needs no more than a `Listener` has."""
    return Acceptor(cast("socket.socket", listener), taken, lambda: False, None)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
async def test_accepting_rests_where_the_system_refuses(number: int, caplog: pytest.LogCaptureFixture) -> None:
    real, port = bind_unused_port()
    listener = Listener(real)
    listener.error = number
    taken = Taken()
    acceptor = accept(listener, taken)
    with socket.create_connection(("127.0.0.1", port)):
        await until(lambda: listener.tries >= 3)
        before, began = listener.tries, time.monotonic()
        await asyncio.sleep(PAUSE_SECONDS * 3)
        assert listener.tries - before <= (time.monotonic() - began) / PAUSE_SECONDS + 1
        listener.error = None
        await until(lambda: taken)
    acceptor.stop()
    real.close()
    taken[0].close()
    assert {record.levelname for record in caplog.records} == {"WARNING"}
    assert all(record.exc_info is None for record in caplog.records)
    caplog.clear()


async def test_a_connection_that_broke_in_the_queue_stops_nothing() -> None:
    real, port = bind_unused_port()
    listener = Listener(real)
    listener.error = errno.EPROTO
    taken = Taken()
    acceptor = accept(listener, taken)
    with socket.create_connection(("127.0.0.1", port)):
        await until(lambda: listener.tries >= 3)
        listener.error = None
        await until(lambda: taken)
    acceptor.stop()
    real.close()
    taken[0].close()


async def test_who_waits_longest_goes_first_and_who_is_being_served_stays(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorway, "GRACE_SECONDS", 0.0)
    served = hold_health(chat, monkeypatch)
    server = make_server(chat.application)
    real, port = bind_unused_port()
    server.add_socket(real)
    links = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    await until(lambda: server.doorway.silent == 3)
    links[0][1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    await links[0][0].readuntil(b"HTTP/1.1 200")
    await until(lambda: len(server._idle) == 1)
    links[1][1].write(b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
    await until(lambda: len(server._idle) == 2)
    assert server._close_longest_waiting()
    assert await links[2][0].read() == b""  # it was silent before the first one began to wait again
    assert server._close_longest_waiting()
    assert (await links[0][0].read()).endswith(b"}")
    assert server._close_longest_waiting()  # half a request is none
    assert await links[1][0].read() == b""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: not server._idle and not server._unfinished and server._connections)
    assert not server._close_longest_waiting()
    served.set()
    assert (await reader.readline()).startswith(b"HTTP/1.1 ")
    writer.close()
    for _, writer in links:
        writer.close()
    server.stop()
    await server.close_all_connections()
