"""Accepting connections from a listening socket, at a pace at which the existing ones are served.

Tornado accepts until the system refuses, and is called again at once after that: out of descriptors that is a loop
without a pause.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from typing import Protocol

from tornado.ioloop import IOLoop

from chatserver.support import descriptors

ACCEPTS_AT_ONCE = 64
"""Connections taken in one turn of the event loop: a millisecond."""

PAUSE_SECONDS = 0.2
"""Pause after accepting failed. The system queues new connections meanwhile."""

_NO_MORE = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

log = logging.getLogger(__name__)


class Entrance(Protocol):
    """Takes the accepted connections."""

    def has_room(self) -> bool: ...
    def enter(self, connection: socket.socket) -> None: ...


class Acceptor:
    """Accepts on one listening socket until it is stopped.

    `make_room` closes a connection that is waiting, and returns False if there is none. `limit`: the most descriptors
    that the process may have; None: any number.
    """

    def __init__(
        self,
        listener: socket.socket,
        entrance: Entrance,
        make_room: Callable[[], bool],
        limit: int | None,
    ) -> None:
        self._listener = listener
        self._entrance = entrance
        self._make_room = make_room
        self._limit = limit
        self._io_loop = IOLoop.current()
        self._pause: asyncio.TimerHandle | None = None
        self._stopped = False
        self._listen()

    def stop(self) -> None:
        self._stopped = True
        if self._pause is not None:
            self._pause.cancel()
        else:
            self._io_loop.remove_handler(self._listener)

    def _listen(self) -> None:
        self._pause = None
        self._io_loop.add_handler(self._listener, self._on_readable, IOLoop.READ)

    def _on_readable(self, _listener: socket.socket, _events: int) -> None:
        for _ in range(ACCEPTS_AT_ONCE):
            if self._stopped:
                return
            if not self._has_descriptors():
                self._rest("all descriptors that connections may have are in use")
                return
            if not self._entrance.has_room():
                self._rest("too many came at once and have not asked for anything yet")
                return
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno not in _NO_MORE:
                    continue  # the connection is gone already: accept(2) lists the reasons
                self._rest(str(error))
                return
            self._entrance.enter(connection)

    def _has_descriptors(self) -> bool:
        while not descriptors.are_left_for_connections(self._limit, self._listener.fileno()):
            if not self._make_room():
                return False
        return True

    def _rest(self, why: str) -> None:
        log.warning("no connection is accepted for a moment: %s", why)
        self._io_loop.remove_handler(self._listener)
        self._pause = asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._listen)
