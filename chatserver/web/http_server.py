"""The HTTP server: Tornado's, behind a doorway, and with bounds on idle connections."""

from __future__ import annotations

import asyncio
import math
import socket
import sys
from collections.abc import Iterable
from typing import Any

from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate

from chatserver.web.application import STREAM_REQUEST, ChatApplication
from chatserver.web.transport.accepting import Acceptor
from chatserver.web.transport.doorway import Doorway
from chatserver.web.transport.waiting_line import WaitingLine

HEAD_SECONDS = 15.0
"""Longest time from a connection's first byte to the end of its first request's head."""

NEXT_REQUEST_SECONDS = 75.0
"""Longest time that a connection may wait for its next request."""

MAX_UNFINISHED = 1_000
"""Connections whose first request's head is not complete. The oldest is closed for one more: an honest one lasts until
its next packet arrives."""


class ChatServer(HTTPServer):
    """Serves the application. `descriptors`: the most that the process may have; None: any number.

    A new connection waits in the doorway until it has asked for something. If descriptors are short, a connection is
    closed for the next one: the one that has longest been without a request in progress. It waits for one, or for the
    rest of one, or its peer does not take an answer.
    """

    def initialize(  # type: ignore[override]
        self, application: ChatApplication, descriptors: int | None = None
    ) -> None:
        super().initialize(
            application,
            max_header_size=16 * 1024,
            max_body_size=sys.maxsize,  # body_limit.BodyLimit is stricter, and has an answer for it
            max_buffer_size=16 * 1024 * 1024,
        )
        self.conn_params.header_timeout = None
        self._descriptors = descriptors
        # Those whose request's head is not complete: the first one's, and that of a later one. Tornado's own limit,
        # which is off, costs each request a timer and two futures.
        self._unfinished = WaitingLine[HTTP1ServerConnection](HEAD_SECONDS, self._close)
        self._next = WaitingLine[HTTP1ServerConnection](NEXT_REQUEST_SECONDS, self._close)
        # In the order of the times, which are in seconds of the loop's clock.
        self._idle: dict[HTTP1ServerConnection, float] = {}
        # Those whose first request is for a stream that is being opened.
        self._opening: dict[HTTP1ServerConnection, socket.socket] = {}
        self.doorway = Doorway(self._serve, STREAM_REQUEST)
        self._have_asked: set[HTTP1ServerConnection] = set()
        application.on_head = self._head_came
        application.on_whole = self._request_came
        application.on_answered = self._was_answered

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        for listener in sockets:
            acceptor = Acceptor(listener, self.doorway, self._close_longest_waiting, self._descriptors)
            self._sockets[listener.fileno()] = listener
            self._handlers[listener.fileno()] = acceptor.stop

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Called by Tornado when it begins to wait for a request."""
        assert isinstance(server_conn, HTTP1ServerConnection)
        if server_conn in self._have_asked:
            self._is_idle(server_conn)
            self._next.add(server_conn)
        else:
            if len(self._unfinished) >= MAX_UNFINISHED:
                self._close(self._unfinished.pop_oldest())
            self._unfinished.add(server_conn)
        return super().start_request(server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        assert isinstance(server_conn, HTTP1ServerConnection)
        self._forget(server_conn)
        super().on_close(server_conn)

    async def close_all_connections(self) -> None:
        self.doorway.close()
        await super().close_all_connections()

    def _serve(self, connection: socket.socket, address: Any) -> None:
        """Called by the doorway."""
        self._handle_connection(connection, address)
        if self.doorway.is_opening(connection):
            # Tornado begins to read in the next turn of the loop, before this, and takes what the system has.
            asyncio.get_running_loop().call_soon(self._was_begun, connection)

    def _was_begun(self, connection: socket.socket) -> None:
        if connection not in self._opening.values():
            self.doorway.leave(connection)  # its request is incomplete, and may stay so

    def _head_came(self, server_conn: object) -> None:
        if not isinstance(server_conn, HTTP1ServerConnection):
            return
        if self._unfinished.discard(server_conn):
            connection = server_conn.stream.socket
            if self.doorway.is_opening(connection):
                self._opening[server_conn] = connection
            self._have_asked.add(server_conn)
            self._is_idle(server_conn)  # until all of the request is there
        else:
            self._next.discard(server_conn)

    def _request_came(self, server_conn: object) -> None:
        if isinstance(server_conn, HTTP1ServerConnection):
            self._idle.pop(server_conn, None)

    def _was_answered(self, server_conn: object) -> None:
        if isinstance(server_conn, HTTP1ServerConnection) and server_conn in self._have_asked:
            self._is_idle(server_conn)
            self._is_no_longer_opened(server_conn)

    def _is_no_longer_opened(self, server_conn: HTTP1ServerConnection) -> None:
        if connection := self._opening.pop(server_conn, None):
            self.doorway.leave(connection)

    def _is_idle(self, server_conn: HTTP1ServerConnection) -> None:
        self._idle.pop(server_conn, None)
        self._idle[server_conn] = asyncio.get_running_loop().time()

    def _close_longest_waiting(self) -> bool:
        """Closes the connection that has waited longest. Returns False if none waits."""
        unfinished = self._unfinished.oldest or math.inf
        idle = next(iter(self._idle.values()), math.inf)
        if self.doorway.oldest_silent < min(unfinished, idle):
            self.doorway.close_oldest_silent()
        elif unfinished < idle:
            self._close(self._unfinished.pop_oldest())
        elif self._idle:
            self._close(next(iter(self._idle)))
        else:
            return False
        return True

    def _close(self, server_conn: HTTP1ServerConnection) -> None:
        self._forget(server_conn)  # Tornado tells only later that it closed
        server_conn.stream.close()

    def _forget(self, server_conn: HTTP1ServerConnection) -> None:
        self._idle.pop(server_conn, None)
        self._have_asked.discard(server_conn)
        self._is_no_longer_opened(server_conn)
        self._unfinished.discard(server_conn)
        self._next.discard(server_conn)
