"""The end of a connection whose last answer said `Connection: close` (RFC 9112, section 9.6).

Bytes that the client sends after that are not read as a request. They are thrown away for a moment: closing a socket
with unread bytes resets the connection, and the client might lose the answer.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from functools import partial

from tornado.http1connection import HTTP1Connection
from tornado.ioloop import IOLoop

LINGER_SECONDS = 2.0
"""How long a client may go on sending such bytes."""

LINGER_BYTES = 1024 * 1024
PIECE_BYTES = 64 * 1024


def close_behind(connection: HTTP1Connection, sent: asyncio.Future[None]) -> None:
    """Ends the connection when its last answer was sent."""
    if not sent.done():
        sent.add_done_callback(partial(close_behind, connection))
    elif not sent.cancelled() and sent.exception() is None and connection.stream is not None:
        stream = connection.detach()
        if not stream.closed():
            IOLoop.current().remove_handler(stream.socket)
            LingeringClose(stream.socket)


class LingeringClose:
    """Closes a socket that has no other user any more."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._thrown_away = 0
        self._loop = asyncio.get_running_loop()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        self._loop.add_reader(connection, self._throw_away)
        self._too_late = self._loop.call_later(LINGER_SECONDS, self._close)

    def _throw_away(self) -> None:
        try:
            size = len(self._connection.recv(PIECE_BYTES))
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            size = 0
        self._thrown_away += size
        if not size or self._thrown_away > LINGER_BYTES:
            self._close()

    def _close(self) -> None:
        self._too_late.cancel()
        self._loop.remove_reader(self._connection)
        self._connection.close()
