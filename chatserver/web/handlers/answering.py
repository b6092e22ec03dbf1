"""Sending answers: each is counted until it is sent, and a long one is not copied.

A handler with long answers declares it (`answers_at_length`), and takes room for one before it begins. Any other answer
that turns out long is refused if there is no room for it (see `unsent.py`).
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Hashable
from typing import Any, ClassVar, cast

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders, RequestStartLine, ResponseStartLine

from chatserver.web.caller.caller import Asking
from chatserver.web.transport.unsent import LARGE, Held


class Answering(Asking):
    answers_at_length: ClassVar[bool] = False

    answers_from_memory: ClassVar[bool] = False
    """Set if the answers are in memory anyway: then they are not counted."""

    _held: Held | None = None

    async def take_place(self) -> None:
        """Takes room for a long answer. Raises Unavailable if there is none."""
        if self.answers_at_length and self._held is None:
            self._held = await self.services.unsent.take(self._who)

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """Sends the answer. Raises Unavailable for a long one without room; then an error can still be answered."""
        if chunk is not None:
            self.write(chunk)
        size = sum(map(len, self._write_buffer))
        if size < LARGE or self.request.method == "HEAD":
            self._give_back()
            return super().finish()
        if self.answers_from_memory:
            size = 0
        if self._held is None:
            self._held = self.services.unsent.take_now(self._who, size)
        else:
            self._held.resize(size)
        connection = cast("HTTP1Connection", self.request.connection)
        self.request.connection = cast("Any", _InTwoWrites(connection))
        try:
            return super().finish()
        finally:
            self.request.connection = connection
            sent = self._headers.get("Content-Length", "0")  # compressed; empty if the client has it already
            self._held.resize(min(size, int(sent)))
            self._held.watch(cast("Any", connection.stream))

    def on_connection_close(self) -> None:
        self._give_back()
        super().on_connection_close()

    def _give_back(self) -> None:
        if self._held is not None:
            self._held.release()

    @property
    def _who(self) -> Hashable:
        return self.session.user.id if self.session is not None else self.address


class _InTwoWrites:
    """A connection that writes head and body one after the other. One write would copy both together; so the bytes that
    are sent are those that the handler made, or that all share (static files)."""

    def __init__(self, connection: HTTP1Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def write_headers(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders, chunk: bytes | None = None
    ) -> Future[None]:
        sent = self._connection.write_headers(start_line, headers)
        return self._connection.write(chunk) if chunk else sent
