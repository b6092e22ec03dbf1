"""HTTP as the contract has it, on bare sockets: one request, or one stream read block by block.

Written against docs/API.md alone; no code is shared with the chat.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Headers = dict[str, str]

LOOPBACK = "127.0.0.1"
PASSWORD = "a good long one"


@dataclass(frozen=True)
class Answer:
    """`headers`: by name in lower case; what came several times has a line for each."""

    status: int
    headers: Headers
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def cookies(self) -> str:
        """The cookies that it sets, as a header `Cookie` sends them back."""
        return "; ".join(line.split(";")[0] for line in self.headers.get("set-cookie", "").split("\n") if line)


class Refused(Exception):
    """The chat did not do what it was asked to. The text says what, and what it answered."""

    def __init__(self, what: str, answer: Answer) -> None:
        super().__init__(f"{what}: {answer.status} {answer.body[:200]!r}")
        self.status = answer.status


@dataclass(frozen=True)
class Person:
    """A user with a session. `headers`: what is sent with a request of theirs."""

    id: int
    headers: Headers

    @property
    def cookie(self) -> str:
        return self.headers["Cookie"]


@dataclass(frozen=True)
class Block:
    """What stands between two blank lines of an event stream."""

    id: str = ""
    event: str = ""
    data: str = ""
    retry: str = ""


async def request(
    port: int,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    seconds: float = 20.0,
    host: str = LOOPBACK,
) -> Answer:
    """Sends `body` as JSON. Raises OSError, EOFError or TimeoutError when there is no whole answer."""
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(_one_request(host, port, method, path, headers, body))
            status, received = await read_head(reader)
            length = int(received.get("content-length", "0"))
            return Answer(status, received, await reader.readexactly(length))
        finally:
            writer.transport.abort()


def request_now(
    port: int,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    seconds: float = 30.0,
) -> Answer:
    """As `request` does, for callers that have no event loop or must not let it run meanwhile.

    Raises OSError or EOFError when there is no whole answer.
    """
    with socket.create_connection((LOOPBACK, port), timeout=seconds) as connection, connection.makefile("rb") as file:
        connection.sendall(_one_request(LOOPBACK, port, method, path, headers, body))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            if not (line := file.readline()):
                raise EOFError("no answer, or not all of it")
            head += line
        status, received = _parse_head(head)
        length = int(received.get("content-length", "0"))
        content = file.read(length)
        if len(content) < length:
            raise EOFError("not all of the answer")
        return Answer(status, received, content)


async def sign_up(port: int, name: str, *, password: str = PASSWORD, host: str = LOOPBACK) -> Person:
    """Raises Refused, and what `request` raises."""
    return await _enter("/sign-up", 201, port, name, password, host)


async def sign_in(port: int, name: str, *, password: str = PASSWORD, host: str = LOOPBACK) -> Person:
    """Raises Refused, and what `request` raises."""
    return await _enter("/sign-in", 200, port, name, password, host)


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
        cls, port: int, path: str, headers: Mapping[str, str], *, version: str = "1.1", small: bool = False
    ) -> EventStream:
        """`small`: with a receive buffer of 8 KiB."""
        connection = socket.socket()
        connection.setblocking(False)
        if small:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
        writer = None
        try:
            async with asyncio.timeout(20):
                await asyncio.get_running_loop().sock_connect(connection, (LOOPBACK, port))
                reader, writer = await asyncio.open_connection(sock=connection, limit=16 * 1024)
                sent = {"Host": f"{LOOPBACK}:{port}", **headers, "Accept": "text/event-stream"}
                writer.write(request_head("GET", path, sent, version=version))
                status, received = await read_head(reader)
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


def request_head(method: str, path: str, headers: Mapping[str, str], *, version: str = "1.1") -> bytes:
    lines = [f"{method} {path} HTTP/{version}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def read_head(reader: asyncio.StreamReader) -> tuple[int, Headers]:
    """The status and the headers of an answer."""
    return _parse_head(await reader.readuntil(b"\r\n\r\n"))


def _one_request(host: str, port: int, method: str, path: str, headers: Mapping[str, str] | None, body: Any) -> bytes:
    """The bytes of a request on a connection of its own."""
    content = b"" if body is None else json.dumps(body).encode()
    shown = f"[{host}]" if ":" in host else host
    sent = {"Host": f"{shown}:{port}", "Connection": "close", "Content-Length": str(len(content)), **(headers or {})}
    if body is not None:
        sent["Content-Type"] = "application/json"
    return request_head(method, path, sent) + content


def _parse_head(head: bytes) -> tuple[int, Headers]:
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: Headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            key = name.lower()
            headers[key] = f"{headers[key]}\n{value.strip()}" if key in headers else value.strip()
    return int(first.split()[1]), headers


async def _enter(path: str, expected: int, port: int, name: str, password: str, host: str) -> Person:
    first = await request(port, "GET", "/csrf", host=host)
    sent = {"X-CSRF-Token": first.json()["csrf_token"], "Cookie": first.cookies()}
    answer = await request(
        port, "POST", path, headers=sent, body={"name": name, "password": password}, seconds=60, host=host
    )
    if answer.status != expected:
        raise Refused(f"POST {path}", answer)
    sent["Cookie"] = f"{first.cookies()}; {answer.cookies()}"
    return Person(answer.json()["user"]["id"], sent)
