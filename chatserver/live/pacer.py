"""The pacer: decides when the next round goes out.

A round costs the same whether it brings one message or ten, so it is followed by a *rest*: the messages that come
during the rest go out together. Waiting is worth only as much as the time that it saves, and that depends on what else
the process has to do. So the rounds of a room may take a quarter of the time that everything else leaves. While nothing
else happens, a round of 4 ms is followed by a rest of 12 ms, and hardly a message waits for it. While posts, pages and
other rooms take three quarters of the time, it is followed by 60 ms. No rest is longer than people notice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SHARE = 1 / 4
"""Most of the time that rounds take, of what everything else in the process leaves."""

MAX_REST_SECONDS = 0.1
"""A tenth of a second still seems instantaneous (R. B. Miller, Response time in man-computer conversational
transactions, 1968)."""

SAMPLE_SECONDS = 0.2
"""Least time over which it is measured how busy the process is."""

MAX_BUSY = 0.9
"""Keeps the rest finite."""


class Pacer:
    """Calls `go` when a round is due. `go` works inside `with pacer.round()`."""

    def __init__(self, go: Callable[[], None]) -> None:
        self._go = go
        self._loop = asyncio.get_running_loop()
        self._others = _OtherWork()
        self._due_at = 0.0
        self._next: asyncio.Handle | None = None

    def ask(self) -> None:
        """Asks for a round. It goes out now, or when the rest is over."""
        if self._next is not None:
            return
        if self._due_at <= self._loop.time():
            self._go()
        else:
            self._next = self._loop.call_at(self._due_at, self._go)

    @contextmanager
    def round(self) -> Iterator[None]:
        """Begins a rest on exit."""
        self.stop()
        began = self._loop.time()
        # The loop's own clock may stand still while something runs (uvloop's does).
        stopwatch = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - stopwatch
            allowed = SHARE * (1 - self._others.share(took))
            self._due_at = began + took + min(took / allowed - took, MAX_REST_SECONDS)

    def stop(self) -> None:
        """Cancels the scheduled round, if there is one."""
        if self._next is not None:
            self._next.cancel()
            self._next = None


class _OtherWork:
    """Measures how busy this thread is with everything but the rounds of one pacer."""

    def __init__(self) -> None:
        self._share = 0.0
        self._rounds = 0.0
        self._sampled_at = time.perf_counter()
        self._worked = time.thread_time()

    def share(self, round_seconds: float) -> float:
        """Returns the share of the time, from 0 to MAX_BUSY. `round_seconds`: what the last round took."""
        self._rounds += round_seconds
        now = time.perf_counter()
        elapsed = now - self._sampled_at
        if elapsed >= SAMPLE_SECONDS:
            worked = time.thread_time()
            others = worked - self._worked - self._rounds
            self._share = min(max(others / elapsed, 0.0), MAX_BUSY)
            self._sampled_at, self._worked, self._rounds = now, worked, 0.0
        return self._share
