"""The stream: GET /chat/stream?room=…"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
from asyncio import Future
from collections.abc import Callable, Sequence
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream, StreamClosedError

from chatserver.accounts.sessions import Session
from chatserver.errors import Malformed, RoomClosed, SignInFirst, TooMany, Unavailable
from chatserver.live import sse
from chatserver.live.frames import framed
from chatserver.live.open_streams import Reservation
from chatserver.live.opening import Opening
from chatserver.quotas.quotas import OPENING_STREAMS, counted_as
from chatserver.web.handlers.base import Handler

COME_BACK_MS = (3_000, 10_000)
"""Delay of a reconnect after a stream could not be opened, in ms: at least and at most. So with those below."""

SEND_BUFFER = 64 * 1024
"""Bytes that the kernel may buffer for one reader (it takes twice as many). By default it takes up to 4 MiB."""


MAX_ROOMS = 50
"""Most rooms on one stream. The combined cursor of so many stays below 4 KB."""

ROOMS_PER_COST = 10
"""A stream of many rooms costs more of the quota: each room is opened, at half a millisecond."""

FULL_MS = (30_000, 90_000)
"""Delay if there are too many streams already."""

DRAINED_MS = (1_000, 4_000)
"""Delay of a reconnect away from a process that is about to end; the hub gives its readers the same."""

FLUSH_SECONDS = 15.0
"""How long a connection may take to accept the first bytes. They fit at once, unless it is full of other answers that
its client does not read."""

log = logging.getLogger(__name__)


class StreamHandler(Handler):
    is_followed = True
    quotas = counted_as(GET=[OPENING_STREAMS])

    async def prepare(self) -> None:
        try:
            await super().prepare()
        except Unavailable as error:  # the session can't be checked right now
            await self._send_away(COME_BACK_MS, error)

    async def begin(self) -> None:
        """Streams have bounds of their own (`doorway.py`, `open_streams.py`)."""

    def cost(self) -> int:
        rooms = len(self.request.query_arguments.get("room", ()))
        return 1 + min(rooms, MAX_ROOMS) // ROOMS_PER_COST

    async def refuse(self, error: TooMany) -> None:
        self.note_refusal(error)
        at = (error.retry_after or 1) * 1_000
        await self._send_away((at, at + COME_BACK_MS[0]))

    async def get(self) -> None:
        room_ids = self._room_ids()
        here = self._here(room_ids)
        with self.services.open_streams.reserve(self._session) as reservation:
            opening = await self._open(room_ids, reservation)
            if opening is None or reservation is None:
                return
            greeting = opening.greeting + await self._news_of_the_list()
            if await self._is_its_turn():
                # From here on the socket is detached, and nothing of Tornado's stays: parser, handler and buffers would
                # weigh three times as much as the stream itself.
                chunked = self.request.version != "HTTP/1.0"
                head = self._stream_head(chunked=chunked) + framed(greeting, chunked)
                subscription = opening.join(self._take_socket(), head=head, chunked=chunked)
                reservation.register(subscription, here)
                if self.services.health.draining:  # it began meanwhile; the hub ends the earlier streams
                    subscription.end(sse.retry(random.randint(*DRAINED_MS)))

    async def head(self) -> None:
        room_ids = self._room_ids()
        self._here(room_ids)
        with self.services.open_streams.reserve(self._session) as reservation:
            if await self._open(room_ids, reservation) is not None:
                self._set_stream_headers()
                await self._flush()  # before Tornado adds the length and the hash of no body: the stream has neither

    async def _open(self, room_ids: Sequence[int], reservation: Reservation | None) -> Opening | None:
        """Opens the rooms; None if the request is answered already. Errors come before the stream starts; but
        EventSource gives up for good on every status but 200, so an unavailable room gets a stream that ends at
        once."""
        try:
            rooms = await self.services.rooms.find_open(room_ids)
            if reservation is None:
                await self._send_away(FULL_MS, "too many streams")
            elif self.services.health.draining:
                await self._send_away(DRAINED_MS)
            elif len(room_ids) == 1:
                return await self.services.streams.open(rooms[0], self._cursors())
            else:
                gone = set(room_ids) - {room.id for room in rooms}
                return await self.services.streams.open_many(rooms, sorted(gone), self._cursors())
        except RoomClosed:
            self.set_status(204)
        except Unavailable as error:
            await self._send_away(COME_BACK_MS, error)
        return None

    async def _send_away(self, within_ms: tuple[int, int], reason: Exception | str | None = None) -> None:
        """Answers with a stream that only tells when to reconnect."""
        if reason is not None:
            cause = reason.__cause__ if isinstance(reason, Exception) else None
            log.warning("a stream has to wait: %s", cause or reason)
        self._set_stream_headers()
        self.write(sse.retry(random.randint(*within_ms)))
        if await self._flush():
            with contextlib.suppress(StreamClosedError):
                await self.finish()

    async def _is_its_turn(self) -> bool:
        """Returns when the answers to earlier requests on the connection are sent. Returns False if it is gone, or
        closed because it accepts none."""
        stream = self._stream
        return await self._is_sent(lambda: stream.write(b"")) if stream.writing() else not stream.closed()

    async def _flush(self) -> bool:
        """Sends the buffered bytes. Returns as `_is_its_turn`."""
        return await self._is_sent(self.flush)

    async def _is_sent(self, send: Callable[[], Future[None]]) -> bool:
        stream = self._stream
        # A deadline of our own: if the connection ends while Tornado writes, the future never resolves.
        with contextlib.suppress(StreamClosedError, TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await send()
            return not stream.closed()
        stream.close()
        return False

    @property
    def _stream(self) -> IOStream:
        return cast("HTTP1Connection", self.request.connection).stream

    @property
    def _session(self) -> Session:
        if self.session is None:
            raise SignInFirst
        return self.session

    def _room_ids(self) -> list[int]:
        """Returns the requested rooms, each once, in the order of the request."""
        texts = self.get_query_arguments("room", strip=False)
        if not texts or not all(map(_is_number, texts)):
            raise Malformed("room required")
        room_ids = list(dict.fromkeys(map(int, texts)))
        if len(room_ids) > MAX_ROOMS:
            raise Malformed(f"one stream follows {MAX_ROOMS} rooms at most")
        return room_ids

    def _here(self, room_ids: Sequence[int]) -> tuple[int, ...]:
        """Returns the rooms that the reader has on a screen. A single room without `here` counts as on screen; an empty
        `here=` means none."""
        texts = self.get_query_arguments("here", strip=False)
        if not texts:
            return tuple(room_ids) if len(room_ids) == 1 else ()
        if texts == [""]:
            return ()
        if len(texts) > len(self.get_query_arguments("room")) or not all(map(_is_number, texts)):
            raise Malformed("here names rooms of the stream")
        here = tuple(dict.fromkeys(map(int, texts)))
        if not set(here) <= set(room_ids):
            raise Malformed("here names rooms of the stream")
        return here

    async def _news_of_the_list(self) -> bytes:
        """Returns a signal if the client's list of rooms (`listed`) is out of date: while it had no stream, it missed
        the changes."""
        listed = self.get_query_argument("listed", None)
        if listed is None:
            return b""
        with contextlib.suppress(Unavailable):
            if listed != await self.services.rooms.digest():
                return sse.signal("rooms", b'{"within":%d}' % self.services.open_streams.one_after_the_other_ms)
        return b""

    def _cursors(self) -> list[str]:
        """Returns the cursors that the client has seen: the header on a reconnect, the address on the first request, or
        always the address if it can't send headers."""
        header = self.request.headers.get("Last-Event-ID", "")
        named = (self.get_query_argument(name, "", strip=False) for name in ("lastEventId", "after"))
        return [text for text in (header, *named) if text]

    def _set_stream_headers(self) -> None:
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        self.set_header("Cache-Control", "no-cache, no-transform")
        self.set_header("X-Accel-Buffering", "no")

    def _stream_head(self, *, chunked: bool) -> bytes:
        """Returns the head of the response, as Tornado would write it at three times the cost."""
        self._set_stream_headers()
        # It ends with its stream: a proxy that reused it would send another request into a closed socket.
        self.set_header("Connection", "close")
        if chunked:
            self.set_header("Transfer-Encoding", "chunked")
        lines = ["HTTP/1.1 200 OK", *(f"{name}: {value}" for name, value in self._headers.get_all())]
        return "\r\n".join([*lines, "\r\n"]).encode("latin-1")

    def _take_socket(self) -> socket.socket:
        stream = self.detach()
        connection = stream.socket
        IOLoop.current().remove_handler(connection)
        self.services.in_flight.leave(self)
        self.services.workload.end(self)
        self.ui.clear()  # it points back here: all of this would stay until Python looks for cycles
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        return connection


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) > 0
