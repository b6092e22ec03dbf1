"""The HTTP server: Tornado's, with bounds on idle connections."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterable

from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate

from chatserver.web.application import ChatApplication
from chatserver.web.transport.accepting import Acceptor

FIRST_REQUEST_SECONDS = 15.0
"""Longest time from a new connection to the head of its first request."""

NEXT_REQUEST_SECONDS = 75.0
"""Longest time that a connection may wait for its next request."""

MAX_SILENT = 1_000
"""New connections without a request so far. The oldest is closed for one more: an honest one is silent only until its
first packet arrives."""


class ChatServer(HTTPServer):
    """Serves the application. `descriptors`: the most that the process may have; None: any number.

    If descriptors are short, a connection is closed for the next one: the one that has longest been without a request
    in progress. It waits for one, or for the rest of one, or its peer does not take an answer.
    """

    def initialize(  # type: ignore[override]
        self, application: ChatApplication, descriptors: int | None = None
    ) -> None:
        super().initialize(
            application,
            idle_connection_timeout=NEXT_REQUEST_SECONDS,
            max_header_size=16 * 1024,
            max_body_size=sys.maxsize,  # body_limit.BodyLimit is stricter, and has an answer for it
            max_buffer_size=16 * 1024 * 1024,
        )
        self._descriptors = descriptors
        # Both in the order of the times, which are in seconds of the loop's clock.
        self._silent: dict[HTTP1ServerConnection, tuple[float, asyncio.TimerHandle]] = {}
        self._idle: dict[HTTP1ServerConnection, float] = {}
        self._have_asked: set[HTTP1ServerConnection] = set()
        application.on_head = self._head_came
        application.on_whole = self._request_came
        application.on_answered = self._was_answered

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        for listener in sockets:
            acceptor = Acceptor(listener, self._handle_connection, self._close_longest_waiting, self._descriptors)
            self._sockets[listener.fileno()] = listener
            self._handlers[listener.fileno()] = acceptor.stop

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Called by Tornado when it begins to wait for a request."""
        assert isinstance(server_conn, HTTP1ServerConnection)
        if server_conn in self._have_asked:
            self._is_idle(server_conn)
        else:
            if len(self._silent) >= MAX_SILENT:
                self._close(next(iter(self._silent)))
            loop = asyncio.get_running_loop()
            close = server_conn.stream.close
            self._silent[server_conn] = loop.time(), loop.call_later(FIRST_REQUEST_SECONDS, close)
        return super().start_request(server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        assert isinstance(server_conn, HTTP1ServerConnection)
        self._forget(server_conn)
        super().on_close(server_conn)

    def _head_came(self, server_conn: object) -> None:
        if isinstance(server_conn, HTTP1ServerConnection) and (silent := self._silent.pop(server_conn, None)):
            silent[1].cancel()
            self._have_asked.add(server_conn)
            self._is_idle(server_conn)  # until all of the request is there

    def _request_came(self, server_conn: object) -> None:
        if isinstance(server_conn, HTTP1ServerConnection):
            self._idle.pop(server_conn, None)

    def _was_answered(self, server_conn: object) -> None:
        if isinstance(server_conn, HTTP1ServerConnection) and server_conn in self._have_asked:
            self._is_idle(server_conn)

    def _is_idle(self, server_conn: HTTP1ServerConnection) -> None:
        self._idle.pop(server_conn, None)
        self._idle[server_conn] = asyncio.get_running_loop().time()

    def _close_longest_waiting(self) -> bool:
        """Closes the connection that has waited longest. Returns False if none waits."""
        silent = next(((since, each) for each, (since, _) in self._silent.items()), None)
        idle = next(((since, each) for each, since in self._idle.items()), None)
        waiting = [each for each in (silent, idle) if each is not None]
        if not waiting:
            return False
        _, longest = min(waiting, key=lambda each: each[0])
        self._close(longest)
        return True

    def _close(self, server_conn: HTTP1ServerConnection) -> None:
        self._forget(server_conn)  # Tornado tells only later that it closed
        server_conn.stream.close()

    def _forget(self, server_conn: HTTP1ServerConnection) -> None:
        self._idle.pop(server_conn, None)
        self._have_asked.discard(server_conn)
        if silent := self._silent.pop(server_conn, None):
            silent[1].cancel()
