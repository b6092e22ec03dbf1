"""HTTP as the contract has it, on bare sockets: one request, or one stream read block by block.

Written against docs/API.md alone; no code is shared with the chat.
"""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import dataclass
from typing import Any

Headers = dict[str, str]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Door:
    """Where a client may knock: a chat's own link, or the nginx in front of all. `chats`: how many are behind it."""

    name: str
    port: int
    chats: int = 1

    def may_answer(self, status: int) -> bool:
        """Whether this is right for a good request while something is broken. nginx speaks for a chat that is away."""
        return status == 503 or (self.name == "nginx" and status in {502, 504})


@dataclass(frozen=True)
class Person:
    """A user with a session that every chat process knows."""

    id: int
    headers: Headers


@dataclass(frozen=True)
class Block:
    """What stands between two blank lines of an event stream."""

    id: str = ""
    event: str = ""
    data: str = ""
    retry: str = ""


async def request(
    port: int, method: str, path: str, *, headers: Headers | None = None, body: Any = None, seconds: float = 20.0
) -> Answer:
    """Raises OSError, EOFError or TimeoutError when there is no whole answer."""
    content = b"" if body is None else json.dumps(body).encode()
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            sent = {"Connection": "close", "Content-Length": str(len(content))} | (headers or {})
            if body is not None:
                sent["Content-Type"] = "application/json"
            writer.write(_head(port, method, path, "1.1", sent) + content)
            status, received = await _read_head(reader)
            length = int(received.get("content-length", "0"))
            return Answer(status, received, await reader.readexactly(length))
        finally:
            writer.transport.abort()


async def sign_up(port: int, name: str) -> Person:
    first = await request(port, "GET", "/csrf")
    token = first.json()["csrf_token"]
    cookies = _cookies(first)
    sent = {"X-CSRF-Token": token, "Cookie": cookies}
    answer = await request(
        port, "POST", "/sign-up", headers=sent, body={"name": name, "password": "a good long one"}, seconds=60
    )
    if answer.status != 201:
        raise RuntimeError(f"sign-up: {answer.status} {answer.body[:200]!r}")
    sent["Cookie"] = f"{cookies}; {_cookies(answer)}"
    return Person(answer.json()["user"]["id"], sent)


class EventStream:
    """`status` and `headers`, then `block()` after `block()`. Raises like `request`; a clean end is an EOFError too."""

    def __init__(self, status: int, headers: Headers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.status = status
        self.headers = headers
        self._reader = reader
        self._writer = writer
        self._text = b""

    @classmethod
    async def open(
        cls, port: int, path: str, headers: Headers, *, version: str = "1.1", small: bool = False
    ) -> EventStream:
        connection = socket.socket()
        connection.setblocking(False)
        if small:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
        writer = None
        try:
            async with asyncio.timeout(20):
                await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
                reader, writer = await asyncio.open_connection(sock=connection, limit=16 * 1024)
                writer.write(_head(port, "GET", path, version, headers | {"Accept": "text/event-stream"}))
                status, received = await _read_head(reader)
        except BaseException:
            connection.close() if writer is None else writer.transport.abort()
            raise
        return cls(status, received, reader, writer)

    async def block(self) -> Block:
        while b"\n\n" not in self._text:
            self._text += await self._read()
        text, _, self._text = self._text.partition(b"\n\n")
        fields: dict[str, str] = {}
        for line in text.decode().split("\n"):
            name, _, value = line.partition(":")
            if name:
                fields[name] = value.removeprefix(" ")
        return Block(**fields)

    def close(self) -> None:
        self._writer.transport.abort()

    async def _read(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            data = await self._reader.read(16 * 1024)
        else:
            size = int((await self._reader.readline()).strip() or b"0", 16)
            try:
                data = (await self._reader.readexactly(size + 2))[:-2]
            except asyncio.IncompleteReadError as error:
                # Complete blocks in a chunk that was cut off count: a browser hands them out as they come.
                self.headers = self.headers | {"transfer-encoding": "cut"}
                data = error.partial
        if not data:
            raise EOFError("the stream ended")
        return data


def _head(port: int, method: str, path: str, version: str, headers: Headers) -> bytes:
    lines = [f"{method} {path} HTTP/{version}", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, Headers]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers: Headers = {}
    for line in lines[1:-2]:
        name, _, value = line.partition(":")
        key = name.lower()
        headers[key] = f"{headers[key]}\n{value.strip()}" if key in headers else value.strip()
    return int(lines[0].split()[1]), headers


def _cookies(answer: Answer) -> str:
    return "; ".join(line.split(";")[0] for line in answer.headers.get("set-cookie", "").split("\n") if line)
