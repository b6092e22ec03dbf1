"""Waiting for a condition of the world outside, which can only be asked again and again."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

POLL_SECONDS = 0.1


async def until(
    condition: Callable[[], object | Awaitable[object]], seconds: float, *, poll: float = POLL_SECONDS
) -> bool:
    """Returns whether it held within so many seconds, at once when it does. Other tasks run meanwhile."""
    deadline = time.monotonic() + seconds
    while True:
        holds = condition()
        if await holds if inspect.isawaitable(holds) else holds:
            return True
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(poll)


def blocked_until(condition: Callable[[], object], seconds: float, *, poll: float = POLL_SECONDS) -> bool:
    """As `until` does, for callers without an event loop."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(poll)
    return True
