"""The pacer: decides when the next round goes out.

A round costs the same whether it brings one message or ten. So each is followed by a *rest*, many times as long as the
round took. With few readers or few messages, no message ever waits for it; with many readers, the messages of a rest go
out together. When enough of them wait to make a round worth its cost, the rest is cut short.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SHARE = 1 / 16
"""Share of a core for one pacer: the next round begins 16 times as long after this one as this one took…"""

LONG_SECONDS = 0.1
"""…or this long after it, if that is earlier. A tenth of a second still seems instantaneous (R. B. Miller, Response
time in man-computer conversational transactions, 1968)."""

ENOUGH = 6
SHORT_SECONDS = 0.04
"""When ENOUGH messages wait, the next round begins this long after the last. Waiting for more would save little."""


class Pacer:
    """Calls `go` when a round is due. `go` works inside `with pacer.round()`."""

    def __init__(self, go: Callable[[], None]) -> None:
        self._go = go
        self._loop = asyncio.get_running_loop()
        self._waiting = 0
        self._worthwhile_at = 0.0
        self._due_at = 0.0
        self._next: asyncio.Handle | None = None
        self._next_at = 0.0

    def ask(self, messages: int) -> None:
        """Adds to the number of messages that wait for a round. It goes out now, or when the rest is over."""
        self._waiting += messages
        at = self._worthwhile_at if self._waiting >= ENOUGH else self._due_at
        if at <= self._loop.time():
            self.stop()
            self._go()
        elif self._next is None or at < self._next_at:
            self.stop()
            self._next, self._next_at = self._loop.call_at(at, self._go), at

    @contextmanager
    def round(self) -> Iterator[None]:
        """Clears the waiting messages; begins a rest on exit."""
        self.stop()
        self._waiting = 0
        began = self._loop.time()
        # The loop's own clock may stand still while something runs (uvloop's does).
        stopwatch = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - stopwatch
            self._due_at = began + min(took / SHARE, LONG_SECONDS)
            self._worthwhile_at = began + min(took / SHARE, SHORT_SECONDS)

    def stop(self) -> None:
        """Cancels the scheduled round, if there is one."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
