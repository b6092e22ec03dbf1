"""The limit on request bodies: their size, and their time of arrival."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine

MAX_BODY = 64 * 1024

READ_AWAY = 16 * 1024 * 1024
"""Bytes of a refused body that are read before the connection is closed."""

BODY_SECONDS = 30.0
"""Longest time for a body to arrive. Tornado's own limit costs every post a task more, this one a timer."""


class BodyLimit(HTTPMessageDelegate):
    """Lets a request through to its handler as long as its body is within MAX_BODY; otherwise it is refused.

    The rest of a refused body is read and thrown away, so that the client gets to read the answer; but one over
    READ_AWAY is refused at once. One that takes longer than BODY_SECONDS ends with its connection.
    """

    def __init__(
        self,
        handler: HTTPMessageDelegate,
        make_refusal: Callable[[], HTTPMessageDelegate],
        close_connection: Callable[[], None],
        on_whole: Callable[[], None],
    ) -> None:
        self._handler = handler
        self._make_refusal = make_refusal
        self._close_connection = close_connection
        self._on_whole = on_whole
        self._is_refused = False
        self._received = 0
        self._finished = False
        self._too_late: asyncio.TimerHandle | None = None

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Any:
        self._head = start_line, headers
        length = _announced(headers)
        if length or "Transfer-Encoding" in headers:
            self._too_late = asyncio.get_running_loop().call_later(BODY_SECONDS, self._close_connection)
        if length > MAX_BODY:
            self._refuse()
        future = self._handler.headers_received(start_line, headers)
        if length > READ_AWAY:
            self._finish()
        return future

    def data_received(self, chunk: bytes) -> Any:
        self._received += len(chunk)
        if self._received > MAX_BODY and not self._is_refused:
            self._refuse()
            self._handler.headers_received(*self._head)
        if self._received > READ_AWAY:
            self._finish()
        return None if self._is_refused else self._handler.data_received(chunk)

    def finish(self) -> None:
        self._stop_waiting()
        self._finish()

    def on_connection_close(self) -> None:
        self._stop_waiting()
        self._handler.on_connection_close()

    def _refuse(self) -> None:
        self._is_refused = True
        self._handler = self._make_refusal()

    def _finish(self) -> None:
        if not self._finished:
            self._finished = True
            self._on_whole()
            self._handler.finish()

    def _stop_waiting(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()


def _announced(headers: HTTPHeaders) -> int:
    """Returns the announced length of the body. Tornado refuses a malformed one."""
    text = headers.get("Content-Length", "0")
    return int(text[:18]) if text.isascii() and text.isdigit() else 0
