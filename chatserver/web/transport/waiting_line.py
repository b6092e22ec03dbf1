"""A waiting line: connections in the order in which they came, none of which waits for ever."""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

Waiting = tuple[socket.socket, Any]
"""A connection and the address of its peer."""


class WaitingLine:
    """`too_late` gets each connection that is taken out because it has waited for `seconds`. All share one timer."""

    def __init__(self, seconds: float, too_late: Callable[[Waiting], None]) -> None:
        self._seconds = seconds
        self._too_late = too_late
        self._since: OrderedDict[socket.socket, tuple[float, Any]] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._since)

    @property
    def oldest(self) -> float | None:
        """The time, in seconds of the loop's clock, since which the first one has waited."""
        return next((since for since, _ in self._since.values()), None)

    def add(self, connection: socket.socket, address: Any) -> None:
        loop = asyncio.get_running_loop()
        self._since[connection] = loop.time(), address
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look)

    def remove(self, connection: socket.socket) -> Any:
        """Returns the address of its peer."""
        _, address = self._since.pop(connection)
        if not self._since:
            self._since.clear()  # gives the table of a large crowd back
        return address

    def pop_oldest(self) -> Waiting:
        """Takes out the one that has waited longest. The line must not be empty."""
        connection = next(iter(self._since))
        return connection, self.remove(connection)

    def _look(self) -> None:
        self._timer = None
        due = asyncio.get_running_loop().time() - self._seconds
        while (oldest := self.oldest) is not None and oldest <= due:
            self._too_late(self.pop_oldest())
        if oldest is not None:
            self._timer = asyncio.get_running_loop().call_at(oldest + self._seconds, self._look)
