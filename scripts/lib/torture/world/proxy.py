"""A TCP proxy that can be told to misbehave: to cut, to delay, to go half-open, to swallow replies."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Literal

Mode = Literal["pass", "cut", "delay", "half-open", "swallow"]

CHUNK = 64 * 1024

NARROW = 16 * 1024
"""Bytes that a narrow proxy holds, in each buffer: who stops reading behind it shall be felt in front of it."""


class Proxy:
    """Listens on `port` and forwards to `target`, in the manner of `mode`."""

    def __init__(self, name: str, target: int, *, narrow: bool = False) -> None:
        self.name = name
        self.narrow = narrow
        self.target = target
        self.port = 0
        self.mode: Mode = "pass"
        self.delay = 0.0
        self._passing = asyncio.Event()
        self._passing.set()
        self._pairs: set[Pair] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, limit=CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self.heal()
        self.drop_all()
        if self._server is not None:
            self._server.close()

    def misbehave(self, mode: Mode, delay: float = 0.0) -> None:
        """cut: ends all connections and refuses new ones. half-open: forwards nothing, ends nothing.
        swallow: forwards what clients send, throws away what they are answered."""
        self.mode, self.delay = mode, delay
        if mode == "half-open":
            self._passing.clear()
        if mode == "cut":
            self.drop_all()

    def heal(self) -> None:
        """As before. Connections on which a reply was swallowed can't be mended, and end."""
        self.mode, self.delay = "pass", 0.0
        self._passing.set()
        for pair in [pair for pair in self._pairs if pair.torn]:
            pair.drop()

    def drop_all(self) -> None:
        for pair in list(self._pairs):
            pair.drop()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pair = Pair(self, reader, writer)
        if self.mode == "cut":
            pair.drop()
            return
        self._pairs.add(pair)
        try:
            await self._passing.wait()
            await pair.run()
        finally:
            self._pairs.discard(pair)
            pair.drop()

    async def may_pass(self) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        await self._passing.wait()


class Pair:
    """One client's connection and the one behind it."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._reader = reader
        self._writers = [writer]
        self._dropped = asyncio.Event()
        self.torn = False
        self._set_up(writer)

    async def run(self) -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._proxy.target, limit=CHUNK)
        except OSError:
            return
        self._writers.append(writer)
        self._set_up(writer)
        pumps = [
            asyncio.create_task(self._pump(self._reader, writer, replies=False)),
            asyncio.create_task(self._pump(reader, self._writers[0], replies=True)),
            asyncio.create_task(self._dropped.wait()),
        ]
        try:
            # When one side ends, so does the other. What was sent before goes out first, in `_pump`.
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, replies: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._proxy.may_pass()
                if replies and self._proxy.mode == "swallow":
                    self.torn = True
                else:
                    writer.write(data)
                    await writer.drain()
            await self._proxy.may_pass()  # a half-open link passes no end either
            writer.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await writer.wait_closed()

    def drop(self) -> None:
        self._dropped.set()
        for writer in self._writers:
            with contextlib.suppress(AttributeError):  # asyncio's, where the last bytes went out after the close
                writer.transport.abort()

    def _set_up(self, writer: asyncio.StreamWriter) -> None:
        connection: socket.socket = writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._proxy.narrow:
                writer.transport.set_write_buffer_limits(high=NARROW)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, NARROW)
