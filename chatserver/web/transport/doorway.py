"""The doorway: new connections, until they have asked for something.

A connection that Tornado serves has a stream, a parser and a task, and its request a handler: ten times the weight of a
socket. After a restart all readers come at the same instant, and Python keeps the memory of the largest crowd that it
ever had. So a new connection is only a socket here until its first bytes have arrived, and of those that ask for an
event stream a few are admitted at a time. The requests of the others wait in the kernel meanwhile.

Who asks for a stream is told by the first bytes, which are looked at and not taken (MSG_PEEK). All others are admitted
at once: a page or a post does not wait behind ten thousand readers, nor for stores that keep these waiting.
"""

from __future__ import annotations

import asyncio
import logging
import math
import select
import socket
from collections.abc import Callable
from typing import Any

from chatserver.web.transport.in_flight import InFlight
from chatserver.web.transport.waiting_line import WaitingLine

MAX_OPENING = 32
"""Streams that are opened at a time. More are not opened any sooner: few of them wait for anything."""

MAX_SILENT = 16_384
"""Connections without a byte so far. The oldest is closed for one more if it has been silent for GRACE_SECONDS;
otherwise none is accepted until then, and the system queues them."""

SILENT_SECONDS = 15.0
"""Longest time from a new connection to its first byte."""

GRACE_SECONDS = 1.0
"""Silence that is never held against a connection. An honest one is silent only until its first packet arrives; or
until all of its program's other connections are made, too."""

MAX_WAITING = 20_000
WAIT_SECONDS = 60.0
"""Readers that may wait to be admitted, and for how long: 10,000 take two seconds, and proxies wait a minute for an
answer. Past it they are closed, as by a server that restarts: any client of a stream comes back after that."""

log = logging.getLogger(__name__)


class Doorway:
    """`admit` serves a connection, given with the address of its peer. It calls `leave` when the connection's first
    request was answered, became a stream, or turned out to be incomplete. `stream_request`: what the request for a
    stream begins with."""

    def __init__(self, admit: Callable[[socket.socket, Any], None], stream_request: bytes) -> None:
        self._admit = admit
        self._stream_request = stream_request
        self._silent = WaitingLine[socket.socket](SILENT_SECONDS, self._close_silent)
        self._waiting = WaitingLine[socket.socket](WAIT_SECONDS, self._close_late)
        self._opening: set[socket.socket] = set()
        self._readers = InFlight()

    @property
    def silent(self) -> int:
        """The number of connections without a byte so far."""
        return len(self._silent)

    @property
    def waiting(self) -> int:
        """The number of readers that wait to be admitted."""
        return len(self._waiting)

    @property
    def oldest_silent(self) -> float:
        """The time, in seconds of the loop's clock, since which a connection has been silent that may be closed;
        infinite if there is none."""
        since = self._silent.oldest
        may_be_closed = since is not None and asyncio.get_running_loop().time() - since >= GRACE_SECONDS
        return since if since is not None and may_be_closed else math.inf

    def has_room(self) -> bool:
        """Returns True if one more may enter."""
        return len(self._silent) < MAX_SILENT or self.oldest_silent < math.inf

    def close_oldest_silent(self) -> None:
        """Closes the connection that has been silent for longest. There must be one."""
        self._close_silent(self._silent.pop_oldest())

    def enter(self, connection: socket.socket) -> None:
        """Takes a new connection. There must be room; if need be, the longest silent one is closed for it."""
        if len(self._silent) >= MAX_SILENT:
            self.close_oldest_silent()
        connection.setblocking(False)
        self._silent.add(connection)
        asyncio.get_running_loop().add_reader(connection, self._on_readable, connection)

    def is_opening(self, connection: socket.socket) -> bool:
        return connection in self._opening

    def leave(self, connection: socket.socket) -> None:
        """Gives back the reader's place among those that are being opened. May be called twice, and for any other."""
        if connection in self._opening:
            self._opening.remove(connection)
            self._readers.leave(connection)
            self._admit_waiting()

    async def no_reader_left(self) -> None:
        """Returns when none waits and none is being opened."""
        await self._readers.none_left()

    def close(self) -> None:
        """Closes all that were not admitted."""
        while len(self._silent):
            self._close_silent(self._silent.pop_oldest())
        while len(self._waiting):
            self._close_waiting(self._waiting.pop_oldest())

    def _on_readable(self, connection: socket.socket) -> None:
        try:
            first = connection.recv(len(self._stream_request), socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            first = b""
        asyncio.get_running_loop().remove_reader(connection)
        self._silent.discard(connection)
        if not first:  # it hung up
            connection.close()
        elif first != self._stream_request:
            self._let_in(connection)
        elif len(self._waiting) >= MAX_WAITING:
            log.warning("a reader is sent away: %d others wait already", MAX_WAITING)
            connection.close()
        else:
            self._readers.enter(connection)
            self._waiting.add(connection)
            self._admit_waiting()

    def _admit_waiting(self) -> None:
        while len(self._waiting) and len(self._opening) < MAX_OPENING:
            connection = self._waiting.pop_oldest()
            if _has_hung_up(connection):  # it would take the time of one who still waits, until all had hung up
                self._close_waiting(connection)
                continue
            self._opening.add(connection)
            self._let_in(connection)

    def _let_in(self, connection: socket.socket) -> None:
        try:
            address = connection.getpeername()
        except OSError:  # it was reset meanwhile
            connection.close()
            self.leave(connection)
        else:
            self._admit(connection, address)

    def _close_silent(self, connection: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(connection)
        connection.close()

    def _close_late(self, connection: socket.socket) -> None:
        log.warning("a reader waited for too long: the others take %d places", len(self._opening))
        self._close_waiting(connection)

    def _close_waiting(self, connection: socket.socket) -> None:
        self._readers.leave(connection)
        connection.close()


def _has_hung_up(connection: socket.socket) -> bool:
    """Returns True if the peer sends nothing more, even if there are bytes to read."""
    poll = select.poll()
    poll.register(connection, getattr(select, "POLLRDHUP", 0))  # an error and a reset are always told
    return bool(poll.poll(0))
