"""The HTTP server: Tornado's, with bounds on connections over which nothing is asked."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterable

from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate

from chatserver.accepting import Acceptor
from chatserver.application import ChatApplication

FIRST_REQUEST_SECONDS = 15.0
"""How long a new connection may take until the head of its first request is there."""

NEXT_REQUEST_SECONDS = 75.0
"""How long a connection may wait for its next request."""

MAX_SILENT = 1_000
"""New connections over which no request came yet. The oldest is closed for one more: an honest one is silent for as
long as its first packet takes."""


class ChatServer(HTTPServer):
    """Serves the application. `descriptors`: how many the process may have; None: any number.

    Connections that wait for a request are the ones that nobody misses: where descriptors are short, the one that has
    waited longest is closed for the next one.
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
        # Both in the order in which they began to wait, with that time in seconds of the loop's clock.
        self._silent: dict[HTTP1ServerConnection, tuple[float, asyncio.TimerHandle]] = {}
        self._kept: dict[HTTP1ServerConnection, float] = {}
        self._have_asked: set[HTTP1ServerConnection] = set()
        application.on_request = self._request_came

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        for listener in sockets:
            acceptor = Acceptor(listener, self._handle_connection, self._close_longest_waiting, self._descriptors)
            self._sockets[listener.fileno()] = listener
            self._handlers[listener.fileno()] = acceptor.stop

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Tornado calls this when it begins to wait for a request."""
        assert isinstance(server_conn, HTTP1ServerConnection)
        loop = asyncio.get_running_loop()
        if server_conn in self._have_asked:
            self._kept[server_conn] = loop.time()
        else:
            if len(self._silent) >= MAX_SILENT:
                self._close(next(iter(self._silent)))
            close = server_conn.stream.close
            self._silent[server_conn] = loop.time(), loop.call_later(FIRST_REQUEST_SECONDS, close)
        return super().start_request(server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        assert isinstance(server_conn, HTTP1ServerConnection)
        self._waits_no_more(server_conn)
        self._have_asked.discard(server_conn)
        super().on_close(server_conn)

    def _request_came(self, server_conn: object) -> None:
        if isinstance(server_conn, HTTP1ServerConnection):
            self._waits_no_more(server_conn)
            self._have_asked.add(server_conn)

    def _waits_no_more(self, server_conn: HTTP1ServerConnection) -> None:
        if self._kept.pop(server_conn, None) is None and (silent := self._silent.pop(server_conn, None)) is not None:
            silent[1].cancel()

    def _close_longest_waiting(self) -> bool:
        """False if none waits."""
        silent = next(((since, each) for each, (since, _) in self._silent.items()), None)
        kept = next(((since, each) for each, since in self._kept.items()), None)
        waiting = [each for each in (silent, kept) if each is not None]
        if not waiting:
            return False
        _, longest = min(waiting, key=lambda each: each[0])
        self._close(longest)
        return True

    def _close(self, server_conn: HTTP1ServerConnection) -> None:
        self._waits_no_more(server_conn)  # Tornado tells only later that it closed
        server_conn.stream.close()
