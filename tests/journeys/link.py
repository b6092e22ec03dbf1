"""The line between a browser and the chat, which a test can cut, hold, and tamper with.

It speaks HTTP/1.1, one request at a time on each connection, so that it can tell a stream from everything else and hand
on its frames one by one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

END_OF_HEAD = b"\r\n\r\n"
STREAM = "GET /chat/stream?"


class Link:
    def __init__(self, server_port: int) -> None:
        self.server_port = server_port
        self.requests: list[str] = []
        """What browsers have asked for, as `GET /chat`, in the order in which it came."""
        self.alter: Callable[[bytes], bytes] = lambda frame: frame
        """What becomes of a stream's frame on its way; b"" loses it."""
        self.stream_answer: bytes | None = None
        """What a proxy in front of the chat says to who asks for a stream; None: it asks the chat."""
        self._is_up = True
        self._connections: set[Connection] = set()

    async def open(self) -> None:
        self._listener = await asyncio.start_server(self._connect, "127.0.0.1")
        self.address = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        self._listener.close()
        self.cut()
        await asyncio.gather(*(connection.ended.wait() for connection in self._connections))

    def cut(self) -> None:
        """All connections break, and no new one comes about."""
        self._is_up = False
        for connection in self._connections:
            connection.abort()

    def mend(self) -> None:
        self._is_up = True

    def hold(self, *, only_streams: bool = False) -> None:
        """Half-open: what is connected stays so as far as either end can tell, and no byte passes any more. New
        connections are well."""
        for connection in self._connections:
            if connection.is_stream or not only_streams:
                connection.passes.clear()

    def count(self, request: str) -> int:
        """How often it was asked for this, or for what begins so."""
        return sum(each.startswith(request) for each in self.requests)

    @property
    def open_streams(self) -> int:
        """Streams that are open right now."""
        return sum(connection.is_stream for connection in self._connections)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, reader, writer)
        self._connections.add(connection)
        try:
            if self._is_up:
                await connection.serve()
        finally:
            connection.close()
            connection.ended.set()
            self._connections.discard(connection)


class Connection:
    """A browser's connection, and one to the chat for what it asks."""

    def __init__(self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.is_stream = False
        self.passes = asyncio.Event()
        self.passes.set()
        self.ended = asyncio.Event()
        self._link = link
        self._browser = reader, writer
        self._writers = [writer]

    async def serve(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            self._chat = await asyncio.open_connection("127.0.0.1", self._link.server_port)
            self._writers.append(self._chat[1])
            while not self.is_stream:  # after one, the chat closes too
                await self._exchange()

    def close(self) -> None:
        for writer in self._writers:
            writer.close()

    def abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self.passes.set()

    async def _exchange(self) -> None:
        (browser, to_browser), (chat, to_chat) = self._browser, self._chat
        head = await browser.readuntil(END_OF_HEAD)
        request = head.split(b" HTTP/1.1\r\n", 1)[0].decode("latin-1")
        self._link.requests.append(request)
        self.is_stream = request.startswith(STREAM)
        if self.is_stream and self._link.stream_answer is not None:
            await self._pass(to_browser, self._link.stream_answer)
            return
        await self._pass(to_chat, head + await browser.readexactly(length_of(head)))
        head = await chat.readuntil(END_OF_HEAD)
        await self._pass(to_browser, head)
        if b"transfer-encoding: chunked" in head.lower():
            await self._frames()
        else:
            await self._pass(to_browser, await chat.readexactly(length_of(head)))

    async def _frames(self) -> None:
        (browser, to_browser), (chat, to_chat) = self._browser, self._chat
        # A browser that hangs up in the middle of a stream is the chat's to know.
        hung_up = asyncio.create_task(browser.read(1))
        hung_up.add_done_callback(lambda _: to_chat.close())
        unfinished = b""
        try:
            while size := int(await chat.readuntil(b"\r\n"), 16):
                unfinished += (await chat.readexactly(size + 2))[:-2]
                *frames, unfinished = unfinished.split(b"\n\n")
                data = b"".join(self._link.alter(frame + b"\n\n") for frame in frames)
                if data:
                    await self._pass(to_browser, b"%x\r\n%b\r\n" % (len(data), data))
            await self._pass(to_browser, b"0\r\n\r\n")
        finally:
            hung_up.cancel()

    async def _pass(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        await self.passes.wait()
        if writer.is_closing():  # it was held, and then it was cut
            raise ConnectionAbortedError
        writer.write(data)
        await writer.drain()


def length_of(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
