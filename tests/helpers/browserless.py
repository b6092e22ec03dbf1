"""A client of the contract (docs/API.md): keeps its cookies and token, posts, and reads streams byte by byte.

It is written against the contract alone and shares no code with the server.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
import socket
import struct
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPResponse

PASSING = frozenset({"presence", "read", "rooms", "typing"})
"""Events that no log has: they may come at any time, or not at all."""

QUIET_SECONDS = 0.2
"""Silence after which nothing more is expected. What comes later is not missed: whoever reads on gets it."""

WAIT_SECONDS = 20.0
"""How long a test waits for something to happen before it fails."""


class Visitor:
    def __init__(self, address: str) -> None:
        self.address = address
        self.cookies: dict[str, str] = {}
        self.token: str | None = None
        self.id = 0
        self.name = ""
        self._http = AsyncHTTPClient(force_instance=True, max_clients=500)
        self._streams: list[Stream] = []
        self.rooms: list[int] = []
        """Those that were made with `make_room`."""

    @property
    def session(self) -> str | None:
        """The name of the cookie that keeps the session."""
        return next((name for name, value in self.cookies.items() if "-session-" in name and value), None)

    async def fetch(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        form: dict[str, str] | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        token: bool = True,
    ) -> HTTPResponse:
        """One request, not redirected, whatever its status."""
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), "Accept": "*/*"}
        if json_body is not None:
            sent["Content-Type"], body = "application/json", json.dumps(json_body).encode()
        elif form is not None:
            sent["Content-Type"], body = "application/x-www-form-urlencoded", urlencode(form).encode()
        if token and self.token is not None and form is None:
            sent["X-CSRF-Token"] = self.token
        response = await self._http.fetch(
            self.address + path,
            method=method,
            headers=sent | (headers or {}),
            body=body,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            raise_error=False,
            request_timeout=60.0,
        )
        for line in response.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.coded_value
        return response

    async def get(self, path: str, **options: Any) -> HTTPResponse:
        return await self.fetch("GET", path, **options)

    async def get_csrf(self) -> str:
        self.token = read(await self.get("/csrf"))["csrf_token"]
        return self.token

    async def sign_up(self, name: str | None = None, password: str = "correct horse") -> None:
        await self.get_csrf()
        self.name = name or f"visitor {uuid.uuid4().hex}"
        response = await self.fetch("POST", "/sign-up", json_body={"name": self.name, "password": password})
        assert response.code == 201, response.body
        self.id = read(response)["user"]["id"]

    async def make_room(self, name: str | None = None) -> int:
        response = await self.fetch("POST", "/rooms", json_body={"name": name or f"room {uuid.uuid4().hex}"})
        assert response.code == 201, response.body
        self.rooms.append(int(read(response)["id"]))
        return self.rooms[-1]

    async def post(self, room: int, content: str, client_id: str | None = None) -> HTTPResponse:
        body: dict[str, Any] = {"room_id": room, "content": content}
        return await self.fetch("POST", "/messages", json_body=body | ({"client_id": client_id} if client_id else {}))

    async def say(self, room: int, content: str, client_id: str | None = None) -> dict[str, Any]:
        """Posts, and returns the message that was acknowledged."""
        response = await self.post(room, content, client_id)
        assert response.code in {200, 201}, (response.code, response.body)
        message: dict[str, Any] = read(response)["message"]
        return message

    async def reply(self, room: int, id_: str, content: str) -> dict[str, Any]:
        body = {"room_id": room, "content": content, "reply_to": id_}
        response = await self.fetch("POST", "/messages", json_body=body)
        assert response.code == 201, (response.code, response.body)
        message: dict[str, Any] = read(response)["message"]
        return message

    async def edit(self, room: int, id_: str, content: str) -> None:
        await self._change("PATCH", room, id_, json_body={"content": content})

    async def delete(self, room: int, id_: str) -> None:
        await self._change("DELETE", room, id_)

    async def react(self, room: int, id_: str, emoji: str, *, on: bool = True) -> None:
        await self._change("PUT" if on else "DELETE", room, f"{id_}/reactions/{quote(emoji)}")

    async def _change(self, method: str, room: int, path: str, **options: Any) -> None:
        response = await self.fetch(method, f"/rooms/{room}/messages/{path}", **options)
        assert response.code in {200, 204}, (response.code, response.body)

    async def page(self, room: int, **query: Any) -> dict[str, Any]:
        response = await self.get(f"/rooms/{room}/messages?{urlencode(query)}")
        assert response.code == 200, response.body
        page: dict[str, Any] = read(response)
        return page

    async def stream(
        self,
        *rooms: int | str,
        after: str | None = None,
        last: str | None = None,
        user: int | None = None,
        here: Sequence[int | str] | None = None,
        query: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Stream:
        """Opens a stream of these rooms and reads the response's head. `last`: the Last-Event-ID header. `user`: whose
        stream it is said to be. `here`: the rooms on a screen. `query`: what else stands in the address."""
        asked: list[tuple[str, Any]] = [("room", room) for room in rooms]
        asked += [(name, value) for name, value in (("after", after), ("user", user)) if value is not None]
        asked += [("here", room) for room in ([""] if here == () else here or ())]
        asked += (query or {}).items()
        stream = Stream()
        self._streams.append(stream)
        headers = {} if last is None else {"Last-Event-ID": last}
        await stream.open(self, f"/chat/stream?{urlencode(asked)}", headers, **options)
        return stream

    async def connected(self) -> Stream:
        """A connection on which nothing was asked for yet."""
        stream = Stream()
        self._streams.append(stream)
        await stream.connect(self)
        return stream

    def open_streams(self) -> list[Stream]:
        """Those that were asked for here, be they answered or not, closed ones among them."""
        return list(self._streams)

    async def leave(self) -> None:
        for stream in self._streams:
            stream.close()
        self._http.close()
        await asyncio.sleep(0)


@dataclass(frozen=True)
class Block:
    """One block of an event stream: what stands between two blank lines."""

    id: str | None = None
    event: str | None = None
    data: str | None = None
    retry: str | None = None
    comments: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Block:
        fields: dict[str, str] = {}
        comments: list[str] = []
        for line in text.split("\n"):
            name, colon, value = line.partition(":")
            assert colon, f"a line without a colon: {line!r}"
            value = value.removeprefix(" ")
            if not name:
                comments.append(value)
            else:
                assert name in {"id", "event", "data", "retry"}, f"an unknown field: {line!r}"
                assert name not in fields, f"{name} stands twice in {text!r}"
                fields[name] = value
        return cls(**fields, comments=tuple(comments))


@dataclass
class Stream:
    """A stream on a socket of its own: status and headers, then blocks as they come."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cursor: str = ""
    received: bytes = b""
    ended: bool = False
    passed: list[Block] = field(default_factory=list)
    """Passing signals that came, and that no test asked for yet."""
    _put_by: deque[Block] = field(default_factory=deque)

    async def open(
        self, visitor: Visitor, path: str, headers: dict[str, str], *, method: str = "GET", version: str = "1.1"
    ) -> None:
        await self.connect(visitor)
        await self.ask(visitor, path, headers, method=method, version=version)

    async def connect(self, visitor: Visitor) -> None:
        address = urlsplit(visitor.address)
        self._reader, self._writer = await asyncio.open_connection(address.hostname, address.port)

    async def ask(
        self, visitor: Visitor, path: str, headers: dict[str, str], *, method: str = "GET", version: str = "1.1"
    ) -> None:
        """Asks on the open connection, and reads the response's head."""
        lines = [f"{method} {path} HTTP/{version}", f"Host: {urlsplit(visitor.address).netloc}"]
        lines.append("Accept: text/event-stream")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if visitor.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in visitor.cookies.items()))
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        async with asyncio.timeout(WAIT_SECONDS):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.status = int(head[0].split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
        self._chunked = self.headers.get("transfer-encoding") == "chunked"
        self._text = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()  # a proxy may cut a character in two

    async def block(self) -> Block:
        """The next block that is no passing signal; those are put aside."""
        while not self._put_by:
            self._sort(await self._next_block())
        return self._put_by.popleft()

    async def signal(self, name: str) -> Any:
        """The data of the next passing signal of this name. Everything else is put aside."""
        while not (found := [block for block in self.passed if block.event == name]):
            self._sort(await self._next_block())
        self.passed.remove(found[0])
        return json.loads(found[0].data or "")

    def _sort(self, block: Block) -> None:
        if block.event in PASSING:
            assert block.id is None, f"a passing signal moves the cursor: {block}"
            self.passed.append(block)
        else:
            self._put_by.append(block)

    async def _next_block(self) -> Block:
        """Moves `cursor`, as EventSource does, when the block is complete."""
        async with asyncio.timeout(WAIT_SECONDS):
            while "\n\n" not in self._text:
                if not await self._read_more():
                    raise EOFError("the stream ended")
        text, self._text = self._text.split("\n\n", 1)
        block = Block.parse(text)
        self.cursor = block.id if block.id is not None else self.cursor
        return block

    async def event(self) -> Block:
        """The next block with data."""
        while True:
            block = await self.block()
            if block.data is not None:
                return block

    async def message(self) -> dict[str, Any]:
        block = await self.event()
        assert block.event is None, block
        message: dict[str, Any] = json.loads(block.data or "")
        # On a stream of many rooms the id names the places in all of them.
        assert message["id"] == block.id or f"{message['room_id']}.{message['id']}" in (block.id or "").split("_")
        return message

    async def messages(self, count: int) -> list[dict[str, Any]]:
        return [await self.message() for _ in range(count)]

    async def rest(self) -> list[Block]:
        """All blocks until the stream ends cleanly."""
        blocks = []
        with contextlib.suppress(EOFError):
            while True:
                blocks.append(await self.block())
        assert self._text == "", f"torn: {self._text!r}"
        return blocks

    async def is_quiet(self) -> bool:
        """Whether, until nothing came for a moment, only comments, cursors and passing signals did. The stream is open
        still: its end raises EOFError or ConnectionError."""
        while True:
            try:
                async with asyncio.timeout(QUIET_SECONDS):
                    block = await self.block()
            except TimeoutError:
                return True
            if block.data is not None:
                return False

    async def closed(self) -> None:
        """Returns when the server has closed the connection, in whatever way."""
        async with asyncio.timeout(WAIT_SECONDS):
            with contextlib.suppress(ConnectionError):
                while await self._reader.read(65536):
                    pass

    @property
    def client_port(self) -> int:
        port: int = self._writer.get_extra_info("sockname")[1]
        return port

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    def shrink_buffers(self) -> None:
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)

    def close(self) -> None:
        if hasattr(self, "_writer"):
            self._writer.close()

    async def hang_up(self) -> None:
        """Returns when the connection is closed on this side."""
        self._writer.close()
        await self._writer.wait_closed()

    def abort(self) -> None:
        """Ends the connection with a reset."""
        connection = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def _read_more(self) -> bool:
        if not self._chunked:
            data = await self._reader.read(65536)
        else:
            size = await self._reader.readline()
            if not size:
                raise ConnectionError("cut off, without the last chunk")
            chunk = await self._reader.readexactly(int(size, 16) + 2)
            assert chunk.endswith(b"\r\n"), f"a chunk of another length than it says: {size!r}"
            data = chunk[:-2]
        self.received += data
        self._text += self._decoder.decode(data, final=not data)
        self.ended = not data
        return bool(data)


def read(response: HTTPResponse) -> Any:
    assert response.headers["Content-Type"].startswith("application/json"), response.headers
    return json.loads(response.body)
